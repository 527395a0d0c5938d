/**
 * What is read from EventStoreDB: streams, the whole log by the prefixes of our streams, its head.
 *
 * Owns: how messages become facts, and how long a read may be silent. Does not own: live delivery, blobs. Talks to: the
 * connection; `Reach`.
 *
 * 1. A read that is silent for too long is given up and told as `Unavailable`; the connection may hang without an end.
 */
import type { Clock } from '../clock.js';
import type { StoredFact, StreamFilter } from './event-reader.js';
import { factOf, isFact } from './eventstoredb.codec.js';
import type { RecordedEvent } from './eventstoredb.codec.js';
import type { Connection, Query } from './eventstoredb.connection.js';
import { isDenied, readError, whyOf } from './eventstoredb.errors.js';
import type { Reach } from './eventstoredb.reach.js';
import type { Message } from './eventstoredb.wire.js';
import { Unavailable } from './log-errors.js';

/** How long a read may be silent. */
const SILENCE_MS = 3_000;
/** The same where the server may have much of others to look through before it comes to something of ours. */
const LOOKING_MS = 30_000;
/** Facts of one page at most; also the texts of one page are bounded. */
const PAGE_FACTS = 500;
const PAGE_BYTES = 2 * 1024 * 1024;
const EVERYTHING = Number.MAX_SAFE_INTEGER;

export interface Sources {
  readonly connection: Connection;
  readonly reach: Reach;
  readonly clock: Clock;
  /** Of every stream of ours but blobs. */
  readonly prefixes: readonly string[];
}

export class EventStoreReader {
  constructor(private readonly sources: Sources) {}

  async stream(stream: string, from: number | undefined, backwards: boolean, limit = EVERYTHING): Promise<readonly RecordedEvent[]> {
    this.sources.reach.check();
    const events: RecordedEvent[] = [];
    for await (const turn of this.turns({ stream, from, backwards, limit }, stream)) for (const message of turn) if (message.kind === 'event') events.push(message.event);
    return events;
  }

  /**
   * Pages of the facts that a filter wants after a position, to the end of the log as it is then. They are never empty.
   * `asFact` may know a fact already.
   */
  async *pages(after: string | undefined, filter?: StreamFilter, asFact = factOf): AsyncGenerator<readonly StoredFact[]> {
    this.sources.reach.check();
    const prefixes = within(this.sources.prefixes, filter);
    if (prefixes.length === 0) return;
    let page: StoredFact[] = [];
    let bytes = 0;
    for await (const turn of this.turns({ prefixes, from: after, backwards: false, limit: EVERYTHING }, 'the log', LOOKING_MS)) {
      for (const message of turn) {
        // A read begins with the event that stands at its position.
        if (message.kind !== 'event' || message.event.position === after || !isFact(message.event)) continue;
        page.push(asFact(message.event));
        bytes += message.event.data.length;
        if (page.length < PAGE_FACTS && bytes < PAGE_BYTES) continue;
        yield page;
        page = [];
        bytes = 0;
      }
    }
    if (page.length > 0) yield page;
  }

  /** The position of the last fact of ours, '' if there is none. Asks the server whatever is known of it. */
  async head(): Promise<string> {
    const { prefixes } = this.sources;
    for await (const turn of this.turns({ prefixes, from: undefined, backwards: true, limit: 1 }, 'the log', LOOKING_MS)) {
      for (const message of turn) if (message.kind === 'event') return message.event.position;
    }
    return '';
  }

  /** Resolves when the server answers: by its newest event, whoever it is of. */
  async probe(): Promise<void> {
    for await (const turn of this.turns({ prefixes: [], from: undefined, backwards: true, limit: 1 }, 'the log')) if (turn.length > 0) return;
  }

  private async *turns(query: Query, what: string, silenceMs = SILENCE_MS): AsyncGenerator<readonly Message[]> {
    const { connection, reach, clock } = this.sources;
    const opening = connection.read(query);
    const cancel = (): void => void opening.then((reading) => reading.cancel(), () => undefined);
    let silent = false;
    const watch = new Watch(clock, silenceMs, () => (silent = true));
    try {
      const reading = await watch.race(opening);
      const turns = reading[Symbol.asyncIterator]();
      for (let next = await watch.race(turns.next()); next.done !== true; next = await watch.race(turns.next())) {
        reach.answered();
        yield next.value;
      }
      reach.answered();
    } catch (error) {
      const told = readError(silent ? new Unavailable(`EventStoreDB did not answer within ${silenceMs / 1_000} s.`) : error, what);
      if (told instanceof Unavailable && !isDenied(error)) reach.lost(silent ? 'no answer' : whyOf(error), silent ? silenceMs : 0);
      throw told;
    } finally {
      watch.end();
      cancel();
    }
  }
}

/** The server looks for what is asked for, but among our streams alone. */
function within(ours: readonly string[], filter: StreamFilter | undefined): readonly string[] {
  if (filter === undefined || filter.prefixes.length === 0) return ours;
  return filter.prefixes.flatMap((asked) => (ours.some((own) => asked.startsWith(own)) ? [asked] : ours.filter((own) => own.startsWith(asked))));
}

/** Gives up on what does not come: one wake-up for a whole read, moved on by all that comes. */
class Watch {
  private since: number;
  private takeBack: () => void;
  private giveUp: ((error: Error) => void) | undefined;
  private waiting = false;

  constructor(
    private readonly clock: Clock,
    private readonly silenceMs: number,
    private readonly onSilence: () => void,
  ) {
    this.since = clock.now();
    this.takeBack = this.arm(silenceMs);
  }

  /** Only waiting counts as silence: a slow taker is no reason to give up. */
  async race<T>(next: Promise<T>): Promise<T> {
    this.since = this.clock.now();
    this.waiting = true;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.giveUp = reject;
        next.then(resolve, reject);
      });
    } finally {
      this.waiting = false;
    }
  }

  end(): void {
    this.takeBack();
  }

  private arm(ms: number): () => void {
    return this.clock.wakeAt(this.clock.now() + ms, () => {
      const left = this.waiting ? this.since + this.silenceMs - this.clock.now() : this.silenceMs;
      if (left > 0) {
        this.takeBack = this.arm(left);
        return;
      }
      this.onSilence();
      this.giveUp?.(new Unavailable('EventStoreDB is silent.'));
    });
  }
}
