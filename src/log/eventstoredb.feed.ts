/**
 * Feed: hears all streams of ours once, for every listener of this log.
 *
 * Owns: the subscription and that it goes on, who listens, what each listener has not taken yet. Does not own: catching
 * up by pages (reader). Talks to: the connection; the reader; `Reach`.
 *
 * While little comes it is a subscription, which brings a fact at once. The server sends each event of a subscription by
 * itself, and that costs both sides several times what an event of a page costs. So while much comes together, what has
 * come is asked for in pages, one after the other: the same facts in the same order, from the same position.
 *
 * 1. Whatever ends the subscription (an end, an error, silence, a server that found us too slow), it is taken up after
 *    the last position that was given out: no gap, no repeat.
 * 2. What comes is taken at once, so that the server does not find us too slow; what waits for one listener is bounded.
 *    Past the bound it is dropped, and the listener catches up by pages again.
 * 3. A listener is joined before its last page is asked for: what lies between is seen twice here, and given out once.
 */
import type { Clock } from '../clock.js';
import type { Delivery, StoredFact, StreamFilter, SubscribeOptions } from './event-reader.js';
import { isFact, placeOf } from './eventstoredb.codec.js';
import type { RecordedEvent } from './eventstoredb.codec.js';
import type { Reading } from './eventstoredb.connection.js';
import { whyOf } from './eventstoredb.errors.js';
import { Listener } from './eventstoredb.listener.js';
import type { EventStoreReader, Sources } from './eventstoredb.reader.js';
import type { Message } from './eventstoredb.wire.js';
import { Unavailable } from './log-errors.js';

const AGAIN_MS = 100;
/** How often it is looked whether the subscription is behind what is known to stand in the log. */
const WATCH_MS = 1_000;
/** How long facts gather between two pages. */
const GATHER_MS = 20;
/** Facts that come together, on the average, from which on pages are asked for, and under which they no longer are. */
const MANY = 8;
const FEW = 4;
/** As if so many had come together, where the server finds us too slow. */
const MOST = 100;
/** What the newest count weighs in that average. */
const WEIGHT = 0.2;

export class Feed {
  private readonly listeners = new Set<Listener>();
  private readonly closing = new AbortController();
  private position = '';
  private reading: Reading | undefined;
  private running: Promise<void> | undefined;
  /** The first time that it is live; later on it is live or catching up, which a listener need not know. */
  private live: Promise<void> | undefined;
  private begun = false;
  /** Something was wrong since the listeners were told that all is well. */
  private lost = false;
  private together = 0;
  private byPages = false;

  constructor(
    private readonly sources: Sources,
    private readonly reader: EventStoreReader,
    private readonly factOf: (event: RecordedEvent) => StoredFact,
    /** The last position that is known to stand in the log. */
    private readonly known: () => string,
  ) {}

  /** Facts that wait for listeners who have not taken them yet. */
  get buffered(): number {
    let facts = 0;
    for (const listener of this.listeners) facts += listener.waitingFacts;
    return facts;
  }

  async *subscribe({ after, filter, signal }: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    const over = (): boolean => this.closing.signal.aborted || signal.aborted;
    let position = after ?? '';
    if (position !== '') placeOf(position);
    while (!over()) {
      await untilAborted(this.started(), signal);
      if (over()) return;
      const listener = new Listener(filter);
      const end = (): void => listener.end();
      this.listeners.add(listener);
      signal.addEventListener('abort', end, { once: true });
      try {
        position = yield* this.catchUp(position, filter, over);
        if (over()) return;
        yield { kind: 'caughtUp', position };
        position = yield* listener.deliveries(position);
      } finally {
        signal.removeEventListener('abort', end);
        this.listeners.delete(listener);
      }
    }
  }

  /** Ends every subscription. */
  async close(): Promise<void> {
    this.closing.abort();
    this.reading?.cancel();
    for (const listener of this.listeners) listener.end();
    await this.running;
  }

  private async *catchUp(from: string, filter: StreamFilter | undefined, over: () => boolean): AsyncGenerator<Delivery, string, void> {
    let position = from;
    while (!over()) {
      try {
        // Nothing that is wanted lies between the last page and what was the end before the first one.
        const end = filter === undefined ? '' : await this.reader.head();
        for await (const facts of this.reader.pages(position || undefined, filter)) {
          position = facts.at(-1)!.position;
          yield { kind: 'facts', facts };
          if (over()) return position;
        }
        return position < end ? end : position;
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await this.pause();
      }
    }
    return position;
  }

  private started(): Promise<void> {
    this.live ??= new Promise((resolve) => {
      this.running = this.run(resolve);
    });
    return this.live;
  }

  private async run(onLive: () => void): Promise<void> {
    const { clock, reach } = this.sources;
    const { signal } = this.closing;
    const stopWatching = this.watch(clock);
    while (!signal.aborted) {
      try {
        // A listener that joins reads by pages what stands before this.
        if (!this.begun) this.position = await this.reader.head();
        if (this.byPages) await this.takePages();
        else await this.takeLive(onLive);
        continue;
      } catch (error) {
        if (this.isTooSlow(error)) this.count(MOST);
        else if (!signal.aborted) reach.lost(whyOf(error));
      }
      this.lost = this.begun;
      if (!signal.aborted) await this.pause();
    }
    stopWatching();
    onLive();
  }

  /** Until much comes together. */
  private async takeLive(onLive: () => void): Promise<void> {
    const { connection, reach, prefixes } = this.sources;
    const reading = await connection.read({ prefixes, from: this.position || undefined, backwards: false, limit: 'live' });
    this.reading = reading;
    for await (const turn of reading) {
      if (turn.some(({ kind }) => kind === 'confirmed')) {
        reach.answered();
        this.begun = true;
        this.isWell();
        onLive();
      }
      this.count(this.take(turn));
      if (this.byPages) return;
    }
    throw new Unavailable('The subscription ended.');
  }

  /** Until little comes together. */
  private async takePages(): Promise<void> {
    while (this.byPages && !this.closing.signal.aborted) {
      let facts = 0;
      for await (const page of this.reader.pages(this.position || undefined, undefined, this.factOf)) {
        facts += page.length;
        this.give(page);
      }
      this.isWell();
      this.count(facts);
      await this.pause(GATHER_MS);
    }
  }

  private isWell(): void {
    if (this.lost) this.tell({ kind: 'reconnected', position: this.position });
    this.lost = false;
  }

  private count(facts: number): void {
    this.together += WEIGHT * (facts - this.together);
    this.byPages = this.together > (this.byPages ? FEW : MANY);
  }

  /** The server ends a subscription that it finds too slow; it is there all the same. */
  private isTooSlow(error: unknown): boolean {
    return error instanceof Error && /too slow|ABORTED/i.test(error.message);
  }

  private async pause(ms = AGAIN_MS): Promise<void> {
    await this.sources.clock.sleep(ms, this.closing.signal).catch(() => undefined);
  }

  /** Gives how many facts came. */
  private take(turn: readonly Message[]): number {
    const facts: StoredFact[] = [];
    for (const message of turn) if (message.kind === 'event' && isFact(message.event)) facts.push(this.factOf(message.event));
    this.give(facts);
    const last = turn.at(-1);
    // A checkpoint says that everything before it was sent.
    if (last?.kind === 'checkpoint' && last.position > this.position) {
      this.position = last.position;
      this.tell({ kind: 'checkpoint', position: last.position });
    }
    return facts.length;
  }

  private give(come: readonly StoredFact[]): void {
    const facts = come.filter(({ position }) => position > this.position);
    const last = facts.at(-1);
    if (last === undefined) return;
    this.position = last.position;
    this.tell({ kind: 'facts', facts });
  }

  private tell(delivery: Delivery): void {
    for (const listener of this.listeners) {
      if (!listener.take(delivery)) this.listeners.delete(listener);
    }
  }

  /** Silence: something stands in the log, and from one look to the next nothing came. */
  private watch(clock: Clock): () => void {
    let missing = '';
    let position = '';
    let takeBack: () => void;
    const look = (): void => {
      const stuck = missing > this.position && position === this.position;
      if (stuck) this.reading?.cancel();
      missing = stuck ? '' : this.known();
      position = this.position;
      takeBack = clock.wakeAt(clock.now() + WATCH_MS, look);
    };
    takeBack = clock.wakeAt(clock.now() + WATCH_MS, look);
    return () => takeBack();
  }
}

/** Does not wait any longer once the signal is aborted. */
export async function untilAborted(ready: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let wake: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => (wake = resolve));
  signal.addEventListener('abort', wake, { once: true });
  await Promise.race([ready, aborted]);
  signal.removeEventListener('abort', wake);
}
