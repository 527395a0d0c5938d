/**
 * The reading port of the event log: what every room may hold.
 *
 * Positions and revisions are what the log gave; positions are opaque strings whose plain string order is log order.
 */
import { isBlobRef, parseJson } from '../events/json.js';
import type { JsonObject } from '../events/json.js';

/** Under which a Nest provider is given an {@link EventReader}. */
export const LOG_READER = Symbol('log reader');

/** A fact as it stands in the log. */
export interface StoredFact {
  readonly stream: string;
  /** Place in its stream, 0 for the first. */
  readonly revision: number;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: Readonly<Record<string, string>>;
  readonly id: string;
  /** Place in the whole log: opaque, compares as a plain string. */
  readonly position: string;
  /** When the log took it, ISO 8601. The fact's own time is `metadata.at`. */
  readonly recordedAt: string;
}

/** Facts that were appended together and are durable, before the log brings them. */
export interface Appended {
  readonly stream: string;
  readonly facts: readonly Pick<StoredFact, 'type' | 'data' | 'metadata'>[];
  /** Of the first of them. */
  readonly revision: number;
  /** Of the last of them. */
  readonly position: string;
}

/** Which streams: by the prefixes of their names. An empty list is every stream of ours. */
export interface StreamFilter {
  readonly prefixes: readonly string[];
}

export interface ReadStreamOptions {
  /** Exclusive; from the beginning (backwards: from the end) if absent. */
  readonly after?: number;
  readonly backwards?: boolean;
  readonly limit?: number;
}

export interface ReadAllOptions {
  readonly after?: string | undefined;
  readonly filter?: StreamFilter;
  readonly limit?: number;
}

/**
 * What a subscription yields: facts in log order, never empty, or a word on where it stands.
 * `checkpoint`: everything up to this position has been looked at. `caughtUp`: the head was reached; what follows is live.
 * `reconnected`: the source was lost and resumed without a gap.
 */
export type Delivery =
  | { readonly kind: 'facts'; readonly facts: readonly StoredFact[] }
  | { readonly kind: 'caughtUp'; readonly position: string }
  | { readonly kind: 'checkpoint'; readonly position: string }
  | { readonly kind: 'reconnected'; readonly position: string };

export interface SubscribeOptions {
  /** Exclusive; from the beginning if absent. */
  readonly after?: string | undefined;
  readonly filter?: StreamFilter;
  readonly signal: AbortSignal;
}

export interface EventReader {
  /** A missing stream is empty, not an exception. */
  readStream(stream: string, options?: ReadStreamOptions): Promise<readonly StoredFact[]>;
  /** Pages in log order; the order is the same at every call. */
  readAll(options?: ReadAllOptions): AsyncIterable<readonly StoredFact[]>;
  /** Catches up, then stays live: in order, no gap, no repeat, as fast as the consumer takes it. Ends when the signal is aborted. */
  subscribe(options: SubscribeOptions): AsyncIterable<Delivery>;
  /** The last position, '' for an empty log. */
  head(): Promise<string>;
  /** A payload too large for its fact, by the lower-case hex SHA-256 that the fact names; undefined if unknown. */
  readBlob(sha256: string): Promise<string | undefined>;
}

/** The fact with its payload in place. @throws Error if the log does not have the blob that the fact names */
export async function inlined(fact: StoredFact, field: string | undefined, reader: Pick<EventReader, 'readBlob'>): Promise<StoredFact> {
  const payload = field === undefined ? undefined : fact.data[field];
  if (field === undefined || !isBlobRef(payload)) return fact;
  const text = await reader.readBlob(payload.$blob);
  if (text === undefined) throw new Error(`Fact ${fact.revision} of ${fact.stream} names blob ${payload.$blob}, which the log does not have.`);
  return { ...fact, data: { ...fact.data, [field]: parseJson(text) } };
}
