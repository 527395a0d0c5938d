/**
 * Verifies a log: every fact of every stream against its hash, every chain against its order, every id against its
 * command, every payload that stands outside its fact against its name. Reads only; trusts nothing but the bytes.
 */
import { createHash } from 'node:crypto';
import { GENESIS_HASH, verifyChain } from '../events/envelope.js';
import { isBlobRef } from '../events/json.js';
import { uuidOf } from '../ids.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import { positionText } from '../log/sqlite.codec.js';
import type { BrokenPlace } from '../log/sqlite.examiner.js';

/** The first thing that is wrong in a stream (what comes after it can't be judged), or a place that belongs to none. */
export interface LogFault {
  readonly stream: string | null;
  readonly revision: number | null;
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

/** A log as far as it is verified. `examine` names what is no fact and goes on; `readAll` is there for a log that has none. */
export type VerifiedLog = Pick<EventReader, 'readBlob'> & (Pick<EventReader, 'readAll'> | { examine(): AsyncIterable<readonly (StoredFact | BrokenPlace)[]> });

/** Where a chain stands: its last fact, and which fact of its command that was. */
interface Chain {
  readonly revision: number;
  readonly head: string;
  readonly command: string;
  readonly index: number;
}

const NAMES = ['$causationId', '$correlationId', 'actor', 'at', 'commandId', 'hash', 'machine', 'prevHash', 'roles', 'schemaVersion', 'via'] as const;

export interface VerifyOptions {
  /** Told after each page. */
  readonly progress?: (so: VerifyProgress) => void;
  /** A position that somebody has seen: a log that ends before it was cut off. */
  readonly seen?: string | undefined;
}

export async function verifyLog(log: VerifiedLog, { progress = () => undefined, seen = '' }: VerifyOptions = {}): Promise<LogVerdict> {
  /** Undefined once the chain is broken. */
  const chains = new Map<string, Chain | undefined>();
  const faults: LogFault[] = [];
  let [facts, payloads, head] = [0, 0, ''];
  for await (const page of 'examine' in log ? log.examine() : log.readAll()) {
    for (const found of page) {
      const { stream, revision, position } = found;
      if ('type' in found) facts += 1;
      if (position > head) head = position;
      if (stream !== null && chains.has(stream) && chains.get(stream) === undefined) continue;
      const reason = 'type' in found ? (chainFault(found, chains) ?? (await payloadFault(found, log, () => (payloads += 1)))) : found.broken;
      if (reason === undefined) continue;
      if (stream !== null) chains.set(stream, undefined);
      faults.push({ stream, revision, position, reason });
    }
    progress({ facts, position: head });
  }
  if (seen > head) faults.push({ stream: null, revision: null, position: head, reason: `The log ends here, and ${seen} has been seen: its end was cut off.` });
  return { streams: chains.size, facts, payloads, faults, head };
}

/** The same for the streams that were written to last, without reading the whole log. */
export async function verifyNewest(log: Pick<EventReader, 'readAll' | 'readStream' | 'readBlob' | 'head'>, most: number): Promise<Omit<LogVerdict, 'head'>> {
  const newest = new Set<string>();
  const last = Number(await log.head());
  for await (const page of log.readAll({ after: positionText(Math.max(0, last - LATELY)) })) for (const { stream } of page) newest.add(stream);
  const streams = [...newest].slice(-most);
  const facts: StoredFact[] = [];
  for (const stream of streams) facts.push(...(await log.readStream(stream)));
  const { head: _, ...verdict } = await verifyLog({ readAll: () => once(facts), readBlob: (sha256) => log.readBlob(sha256) });
  return verdict;
}

const LATELY = 1_000;

async function* once(facts: readonly StoredFact[]): AsyncGenerator<readonly StoredFact[]> {
  yield await Promise.resolve(facts);
}

function chainFault(fact: StoredFact, chains: Map<string, Chain | undefined>): string | undefined {
  const before = chains.get(fact.stream);
  const odd = metadataFault(fact);
  if (odd !== undefined) return odd;
  const verdict = verifyChain([fact], before === undefined ? { revision: 0, prevHash: GENESIS_HASH } : { revision: before.revision + 1, prevHash: before.head });
  if (!verdict.ok) return verdict.reason;
  const command = fact.metadata['commandId'] ?? '';
  const index = before?.command === command ? before.index + 1 : 0;
  // The id stands outside of what is hashed, and follows from what stands in it.
  if (fact.id !== uuidOf(command, index)) return `Its id is not that of fact ${index} of its command: it was changed.`;
  chains.set(fact.stream, { revision: fact.revision, head: verdict.head, command, index });
  return undefined;
}

function metadataFault({ metadata }: StoredFact): string | undefined {
  const missing = NAMES.filter((name) => metadata[name] === undefined);
  if (missing.length > 0) return `Its metadata lacks ${missing.join(', ')}.`;
  const odd = Object.entries(metadata).filter(([, value]) => typeof value !== 'string').map(([name]) => name);
  return odd.length > 0 ? `Its metadata is no map of strings: ${odd.join(', ')}.` : undefined;
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
