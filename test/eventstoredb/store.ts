/**
 * What an EventStoreDB knows: one log of events, and the server's rules for what may be added to it.
 *
 * The rules are those of the server's own commit check: the expected revision first; where it lies below the current one
 * and every id stands at its number, the answer is the first one again; an id that stands there and one that does not is
 * a wrong revision. A soft-deleted stream takes "no stream" again, but its numbers go on; a tombstone is for ever.
 */
import { randomUUID } from 'node:crypto';

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface Stored extends Proposed {
  readonly stream: string;
  readonly revision: number;
  /** Where it stands in the log: bytes from its beginning, as on the server. */
  readonly position: number;
  readonly createdMs: number;
}

export type Expected = number | 'none' | 'any' | 'exists';

export type Outcome =
  | { readonly kind: 'taken'; readonly revision: number; readonly position: number }
  | { readonly kind: 'wrongRevision'; readonly current: number | undefined }
  | { readonly kind: 'tooLarge' | 'gone' | 'denied' };

interface Stream {
  readonly events: Stored[];
  /** Events before this number are not seen any more. */
  from: number;
  tombstoned: boolean;
}

export const MAX_APPEND_BYTES = 1024 * 1024;
const RECORD_BYTES = 94;

export class Store {
  readonly log: Stored[] = [];
  /** Appends that were written, not those that were refused or repeated. */
  appends = 0;
  private readonly streams = new Map<string, Stream>();
  private readonly listeners = new Set<() => void>();
  private position = 0;

  append(name: string, expected: Expected, events: readonly Proposed[]): Outcome {
    const size = events.reduce((sum, { data, metadata, type }) => sum + data.length + metadata.length + 2 * type.length, 0);
    if (size > MAX_APPEND_BYTES) return { kind: 'tooLarge' };
    const stream = this.streams.get(name);
    if (stream?.tombstoned) return { kind: 'gone' };
    const current = (stream?.events.length ?? 0) - 1;
    const refused = this.refusal(stream, current, expected, events);
    if (refused !== undefined) return refused;
    for (const event of events) this.write(name, event);
    this.appends += 1;
    for (const wake of [...this.listeners]) wake();
    return { kind: 'taken', revision: current + events.length, position: this.log.at(-1)!.position };
  }

  /** Hides what is there. */
  delete(name: string): void {
    const stream = this.streams.get(name);
    if (stream !== undefined) stream.from = stream.events.length;
  }

  tombstone(name: string): void {
    const stream = this.streams.get(name) ?? { events: [], from: 0, tombstoned: false };
    stream.tombstoned = true;
    this.streams.set(name, stream);
    // As the server does: the tombstone is an event, and stands in the log.
    this.log.push({ stream: name, revision: Number.MAX_SAFE_INTEGER, position: this.position, createdMs: Date.now(), id: randomUUID(), type: '$streamDeleted', contentType: '', data: new Uint8Array(), metadata: new Uint8Array() });
    this.position += RECORD_BYTES;
    for (const wake of [...this.listeners]) wake();
  }

  /** Undefined if there is none, or none that is seen. */
  read(name: string): readonly Stored[] | 'gone' | undefined {
    const stream = this.streams.get(name);
    if (stream?.tombstoned) return 'gone';
    const seen = stream?.events.slice(stream.from) ?? [];
    return seen.length === 0 ? undefined : seen;
  }

  /** Calls back after every append, until what it gives is called. */
  listen(wake: () => void): () => void {
    this.listeners.add(wake);
    return () => this.listeners.delete(wake);
  }

  private refusal(stream: Stream | undefined, current: number, expected: Expected, events: readonly Proposed[]): Outcome | undefined {
    if (expected === 'any') return undefined;
    if (expected === 'exists') return current < 0 ? { kind: 'wrongRevision', current: undefined } : undefined;
    const at = expected === 'none' ? -1 : expected;
    if (at === current) return undefined;
    const wrong: Outcome = { kind: 'wrongRevision', current: current < 0 ? undefined : current };
    if (at > current || stream === undefined) return wrong;
    const stored = events.map((_, index) => stream.events[at + 1 + index]);
    if (stored.every((each, index) => each?.id === events[index]!.id)) return { kind: 'taken', revision: at + events.length, position: stored.at(-1)!.position };
    const begunAnew = expected === 'none' && stream.from === stream.events.length && stored[0]?.id !== events[0]?.id;
    return begunAnew ? undefined : wrong;
  }

  private write(name: string, event: Proposed): void {
    const stream = this.streams.get(name) ?? { events: [], from: 0, tombstoned: false };
    this.streams.set(name, stream);
    const stored: Stored = { ...event, stream: name, revision: stream.events.length, position: this.position, createdMs: Date.now() };
    this.position += RECORD_BYTES + event.data.length + event.metadata.length + event.type.length + name.length;
    stream.events.push(stored);
    this.log.push(stored);
  }
}
