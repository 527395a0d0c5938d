/**
 * The envelope: how a fact is sealed into the hash chain of its stream, and how the chain is checked.
 *
 * `hash` is the SHA-256 of the canonical JSON of `{stream, revision, type, data, metadata}`, revision as a decimal
 * string and metadata without `hash`; `prevHash` is the hash of the fact before it, `GENESIS_HASH` for the first.
 */
import { hash as digestOf } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { EventId } from '../ids.js';
import { canonicalJson } from './canonical.js';
import type { JsonObject } from './json.js';

/** What stands in `prevHash` of a stream's first fact. */
export const GENESIS_HASH = '0'.repeat(64);

/** A fact that knows its place but is not sealed yet. `hash` and `prevHash` of the metadata are set here. */
export interface UnsealedFact {
  readonly stream: string;
  readonly revision: number;
  readonly prevHash: string;
  readonly id: EventId;
  readonly type: string;
  readonly data: JsonObject;
  /** The canonical JSON of `data`, where it is known already. */
  readonly dataText?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Ready for the log (it is a `NewFact`). The texts are the canonical JSON of the objects. */
export interface SealedFact {
  readonly id: EventId;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: Readonly<Record<string, string>> & { readonly prevHash: string; readonly hash: string };
  readonly dataText: string;
  readonly metadataText: string;
}

/** Seals one fact. The next one of the stream takes `metadata.hash` as its `prevHash`. */
export function sealFact(fact: UnsealedFact): SealedFact {
  const dataText = fact.dataText ?? canonicalJson(fact.data);
  const metadata = inKeyOrder(fact.metadata, fact.prevHash);
  const blank = hasPlainKeys(metadata) ? JSON.stringify(metadata) : canonicalJson(metadata);
  // `hash` has its place in the order of the keys. Inside a text these quotes would be escaped, so this is that place;
  // `prevHash` always follows it.
  const place = blank.indexOf('"hash":"",');
  const before = blank.slice(0, place);
  const after = blank.slice(place + '"hash":"",'.length);
  const hash = sha256(
    `{"data":${dataText},"metadata":${before}${after},"revision":"${fact.revision}",` +
      `"stream":${JSON.stringify(fact.stream)},"type":${JSON.stringify(fact.type)}}`,
  );
  return {
    id: fact.id,
    type: fact.type,
    data: fact.data,
    metadata: Object.assign(metadata, { hash, prevHash: fact.prevHash }),
    dataText,
    metadataText: `${before}"hash":"${hash}",${after}`,
  };
}

/** A copy whose keys were set in canonical order, `hash` still blank. A loop is ten times as fast as a spread here. */
function inKeyOrder(given: Readonly<Record<string, string>>, prevHash: string): Record<string, string> {
  const copy: Record<string, string> = {};
  for (const key of keysInOrder(given)) {
    if (key === 'hash') copy[key] = '';
    else if (key === 'prevHash') copy[key] = prevHash;
    else if (key === '__proto__') Object.defineProperty(copy, key, { value: given[key], enumerable: true });
    else copy[key] = given[key]!;
  }
  return copy;
}

/** Sorted once for each shape: the envelopes of one writer have the same keys in the same order. */
function keysInOrder(given: Readonly<Record<string, string>>): readonly string[] {
  let shape = '';
  for (const key in given) shape += `${key}\0`;
  const known = shapes.get(shape);
  if (known !== undefined) return known;
  const keys = Object.keys(given).filter((key) => key !== 'hash' && key !== 'prevHash');
  keys.push('hash', 'prevHash');
  keys.sort();
  if (shapes.size < MOST_SHAPES) shapes.set(shape, keys);
  return keys;
}

const MOST_SHAPES = 100;
const shapes = new Map<string, readonly string[]>();

/** Whether JSON.stringify keeps the order in which keys were set: it puts whole numbers first. */
function hasPlainKeys(map: object): boolean {
  for (const key in map) {
    const first = key.charCodeAt(0);
    if (first >= DIGIT_0 && first <= DIGIT_9) return false;
  }
  return true;
}

const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** As much of a stored fact as its hash covers. */
export interface ChainedFact {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where a check begins: at the stream's first fact, unless what stands before was checked already. */
export interface ChainStart {
  readonly revision: number;
  readonly prevHash: string;
}

export type ChainVerdict =
  | { readonly ok: true; readonly head: string }
  | { readonly ok: false; readonly revision: number; readonly reason: string };

/**
 * Checks that the facts of one stream are the ones that were sealed, all of them, in order. It computes from the
 * objects and by another implementation of canonical JSON than `sealFact`, so that neither vouches for itself.
 * A tail that was cut off can't be seen here: compare `head` with one that was kept elsewhere.
 */
export function verifyChain(
  facts: readonly ChainedFact[],
  start: ChainStart = { revision: 0, prevHash: GENESIS_HASH },
): ChainVerdict {
  let head = start.prevHash;
  let revision = start.revision;
  for (const fact of facts) {
    const reason = faultOf(fact, facts[0]!.stream, revision, head);
    if (reason !== undefined) return { ok: false, revision, reason };
    head = fact.metadata['hash']!;
    revision += 1;
  }
  return { ok: true, head };
}

function faultOf(fact: ChainedFact, stream: string, revision: number, prevHash: string): string | undefined {
  if (fact.stream !== stream) return `A fact of ${fact.stream} stands among those of ${stream}.`;
  if (fact.revision !== revision) return `Revision ${revision} is expected here, but ${fact.revision} stands here.`;
  const { hash, ...metadata } = fact.metadata;
  if (metadata['prevHash'] !== prevHash) return 'prevHash is not the hash of the fact before it.';
  const text = canonicalOrNothing({ stream, revision: String(revision), type: fact.type, data: fact.data, metadata });
  if (text === undefined || sha256(text) !== hash) return 'hash is not the hash of this fact: it was changed after it was sealed.';
  return undefined;
}

/** Changed facts may say what no fact can: a number like 1e999 is read as Infinity, and lists may be nested without end. */
function canonicalOrNothing(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return digestOf('sha256', text, 'hex');
}
