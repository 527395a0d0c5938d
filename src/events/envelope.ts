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
export function sealFact({ stream, revision, prevHash, id, type, data, dataText = canonicalJson(data), metadata }: UnsealedFact): SealedFact {
  const { blank, before, between, after } = envelopeOf(metadata);
  const rest = `${between}"prevHash":${JSON.stringify(prevHash)}${after}}`;
  const hash = sha256(`{"data":${dataText},"metadata":{${before}${rest},"revision":"${revision}","stream":${JSON.stringify(stream)},"type":${JSON.stringify(type)}}`);
  return { id, type, data, metadata: { ...blank, hash, prevHash }, dataText, metadataText: `{${before}"hash":"${hash}",${rest}` };
}

/** What the facts of one command share. The texts are the canonical JSON of the metadata round `hash` and `prevHash`. */
interface Envelope {
  readonly given: Readonly<Record<string, string>>;
  /** With `hash` and `prevHash` to be filled in. */
  readonly blank: Readonly<Record<string, string>>;
  readonly before: string;
  readonly between: string;
  readonly after: string;
}

let newest: Envelope | undefined;

/** The facts of one command come one after the other, with the very same metadata. */
function envelopeOf(given: Readonly<Record<string, string>>): Envelope {
  return newest?.given === given ? newest : (newest = enveloped(given));
}

function enveloped(given: Readonly<Record<string, string>>): Envelope {
  const { before, between, after } = shapeOf(given);
  return { given, blank: { ...given, hash: '', prevHash: '' }, before: itemsOf(given, before), between: itemsOf(given, between), after: after.length === 0 ? '' : `,${itemsOf(given, after).slice(0, -1)}` };
}

function itemsOf(given: Readonly<Record<string, string>>, keys: readonly Key[]): string {
  let items = '';
  for (const { key, label } of keys) items += `${label}${JSON.stringify(given[key])},`;
  return items;
}

/** A key, and how it stands in canonical JSON. */
interface Key {
  readonly key: string;
  readonly label: string;
}

/** The keys of an envelope in their order, but for `hash` and `prevHash`: those that stand before the two, between and after them. */
interface Shape {
  readonly before: readonly Key[];
  readonly between: readonly Key[];
  readonly after: readonly Key[];
}

/** Sorted once for each: the envelopes of one writer have the same keys in the same order. */
function shapeOf(given: Readonly<Record<string, string>>): Shape {
  let name = '';
  for (const key in given) name += `${key}\0`;
  const known = shapes.get(name);
  if (known !== undefined) return known;
  const keys = Object.keys(given).filter((key) => key !== 'hash' && key !== 'prevHash').sort().map((key) => ({ key, label: `${JSON.stringify(key)}:` }));
  const shape = { before: keys.filter(({ key }) => key < 'hash'), between: keys.filter(({ key }) => key > 'hash' && key < 'prevHash'), after: keys.filter(({ key }) => key > 'prevHash') };
  if (shapes.size < MOST_SHAPES) shapes.set(name, shape);
  return shape;
}

const MOST_SHAPES = 100;
const shapes = new Map<string, Shape>();

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
