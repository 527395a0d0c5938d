/**
 * Verifies a whole log: every fact of every stream against its hash, every chain against its order, every payload that
 * stands outside its fact against its name. Reads only; trusts nothing but the bytes.
 */
import { createHash } from 'node:crypto';
import { GENESIS_HASH, verifyChain } from '../events/envelope.js';
import { isBlobRef } from '../events/json.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';

/** The first thing that is wrong in a stream; what comes after it can't be judged. */
export interface LogFault {
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly reason: string;
}

export interface LogVerdict {
  readonly streams: number;
  readonly facts: number;
  readonly payloads: number;
  readonly faults: readonly LogFault[];
  /** The end of the log as it was read: compare it with one that was kept elsewhere to see whether its end was cut off. */
  readonly head: string;
}

export interface VerifyProgress {
  readonly facts: number;
  readonly position: string;
}

/** Where a chain stands; undefined once it is broken. */
type Chain = { readonly revision: number; readonly head: string } | undefined;

/** @param progress told after each page */
export async function verifyLog(reader: Pick<EventReader, 'readAll' | 'readBlob' | 'head'>, progress: (so: VerifyProgress) => void = () => undefined): Promise<LogVerdict> {
  const chains = new Map<string, Chain>();
  const faults: LogFault[] = [];
  let [facts, payloads, head] = [0, 0, ''];
  for await (const page of reader.readAll()) {
    for (const fact of page) {
      facts += 1;
      head = fact.position;
      if (chains.has(fact.stream) && chains.get(fact.stream) === undefined) continue;
      const fault = chainFault(fact, chains) ?? (await payloadFault(fact, reader, () => (payloads += 1)));
      if (fault === undefined) continue;
      chains.set(fact.stream, undefined);
      faults.push({ stream: fact.stream, revision: fact.revision, position: fact.position, reason: fault });
    }
    progress({ facts, position: head });
  }
  return { streams: chains.size, facts, payloads, faults, head };
}

function chainFault(fact: StoredFact, chains: Map<string, Chain>): string | undefined {
  const before = chains.get(fact.stream);
  const verdict = verifyChain([fact], before === undefined ? { revision: 0, prevHash: GENESIS_HASH } : { revision: before.revision + 1, prevHash: before.head });
  if (!verdict.ok) return verdict.reason;
  chains.set(fact.stream, { revision: fact.revision, head: verdict.head });
  return undefined;
}

async function payloadFault({ data }: StoredFact, reader: Pick<EventReader, 'readBlob'>, found: () => void): Promise<string | undefined> {
  for (const payload of Object.values(data)) {
    if (!isBlobRef(payload)) continue;
    const text = await reader.readBlob(payload.$blob);
    if (text === undefined) return `Its payload ${payload.$blob} is not in the log.`;
    if (createHash('sha256').update(text).digest('hex') !== payload.$blob) return `Its payload ${payload.$blob} was changed.`;
    found();
  }
  return undefined;
}
