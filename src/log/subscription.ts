/**
 * Live subscriptions: catch up by pages, then take what is published.
 *
 * Owns: who listens, and what each listener has not taken yet. Does not own: the table, commits. Talks to: pages of the
 * log (`PageSource`), synchronously, so that nothing can be committed between the last page and the first live fact.
 *
 * 1. A listener gets every fact of its streams once, in log order.
 * 2. What waits for a slow listener is bounded: past the bound it is dropped, and the listener catches up by pages again.
 */
import type { Delivery, StoredFact, StreamFilter, SubscribeOptions } from './event-reader.js';
import { positionNumber, positionText } from './sqlite.codec.js';
import { matchesFilter, nextTurn, type Page } from './sqlite.reader.js';

/** Bounds of what waits for one listener. */
const WAITING_FACTS = 2_000;
const WAITING_CHARACTERS = 4 * 1024 * 1024;
/** After so many facts of other streams a listener is told where it stands. */
const CHECKPOINT_EVERY = 1_000;

export interface PageSource {
  head(): number;
  readPage(after: number, filter: StreamFilter | undefined): Page;
}

/** A commit: its facts, and about how much memory they hold. */
export interface Published {
  readonly facts: readonly StoredFact[];
  readonly characters: number;
}

export class Subscriptions {
  readonly #source: PageSource;
  readonly #listeners = new Set<Listener>();
  #closed = false;

  constructor(source: PageSource) {
    this.#source = source;
  }

  /** Facts that wait for listeners who have not taken them yet. */
  get buffered(): number {
    let facts = 0;
    for (const listener of this.#listeners) facts += listener.waitingFacts;
    return facts;
  }

  publish(commit: Published): void {
    for (const listener of this.#listeners) {
      if (!listener.take(commit)) this.#listeners.delete(listener);
    }
  }

  /** Ends every subscription. */
  close(): void {
    this.#closed = true;
    for (const listener of this.#listeners) listener.end();
  }

  async *subscribe(options: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    let position = positionNumber(options.after);
    const over = (): boolean => this.#closed || options.signal.aborted;
    while (!over()) {
      position = yield* this.#catchUp(position, options.filter, over);
      if (over()) return;
      // Nothing can be committed between the head that catching up has reached and this line.
      const listener = new Listener(position, options.filter);
      const end = (): void => listener.end();
      this.#listeners.add(listener);
      options.signal.addEventListener('abort', end, { once: true });
      try {
        yield { kind: 'caughtUp', position: position === 0 ? '' : positionText(position) };
        position = yield* live(listener, position);
      } finally {
        options.signal.removeEventListener('abort', end);
        this.#listeners.delete(listener);
      }
    }
  }

  async *#catchUp(from: number, filter: StreamFilter | undefined, over: () => boolean): AsyncGenerator<Delivery, number, void> {
    let position = from;
    let reported = from;
    while (!over() && position < this.#source.head()) {
      const page = this.#source.readPage(position, filter);
      position = page.scannedTo;
      if (page.facts.length > 0) {
        yield { kind: 'facts', facts: page.facts };
        reported = positionNumber(page.facts.at(-1)!.position);
      }
      if (over()) return position;
      if (position - reported >= CHECKPOINT_EVERY) {
        yield { kind: 'checkpoint', position: positionText(position) };
        reported = position;
      }
      if (position < this.#source.head()) await nextTurn();
    }
    return position;
  }
}

async function* live(listener: Listener, from: number): AsyncGenerator<Delivery, number, void> {
  let position = from;
  for (;;) {
    const delivery = await listener.next();
    if (delivery === undefined) return position;
    yield delivery;
    position = positionNumber(delivery.kind === 'facts' ? delivery.facts.at(-1)!.position : delivery.position);
  }
}

interface Entry {
  readonly delivery: Delivery;
  readonly characters: number;
}

/** What one subscriber has not taken yet. */
class Listener {
  waitingFacts = 0;
  readonly #filter: StreamFilter | undefined;
  /** Read from `#first` on: taking from the front of a long array is slow. */
  #entries: Entry[] = [];
  #first = 0;
  #characters = 0;
  #after: number;
  #reported: number;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(after: number, filter: StreamFilter | undefined) {
    this.#after = after;
    this.#reported = after;
    this.#filter = filter;
  }

  /** False if it was too much: the listener is to catch up by pages. */
  take(commit: Published): boolean {
    const last = positionNumber(commit.facts.at(-1)!.position);
    // Only a subscription from beyond the head meets facts that it has not asked for.
    const from = this.#after;
    const wanted = last <= from ? [] : this.#wanted(commit.facts, from);
    this.#after = Math.max(from, last);
    if (wanted.length > 0) {
      this.#reported = last;
      this.#push({ delivery: { kind: 'facts', facts: wanted }, characters: commit.characters }, wanted.length);
    } else if (last - this.#reported >= CHECKPOINT_EVERY) {
      this.#reported = last;
      this.#push({ delivery: { kind: 'checkpoint', position: positionText(last) }, characters: 0 }, 0);
    }
    // One commit alone is never too much: its facts are in memory already.
    const several = this.#entries.length - this.#first > 1;
    const tooMuch = several && (this.waitingFacts > WAITING_FACTS || this.#characters > WAITING_CHARACTERS);
    if (tooMuch) this.end();
    return !tooMuch;
  }

  /** What waits is dropped: who listens again begins after what it has seen. */
  end(): void {
    this.#ended = true;
    this.#entries = [];
    this.#first = 0;
    this.#characters = 0;
    this.waitingFacts = 0;
    this.#wake?.();
  }

  async next(): Promise<Delivery | undefined> {
    while (!this.#ended && this.#first === this.#entries.length) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const entry = this.#entries[this.#first];
    if (entry === undefined) return undefined;
    this.#first += 1;
    this.#characters -= entry.characters;
    if (entry.delivery.kind === 'facts') this.waitingFacts -= entry.delivery.facts.length;
    if (this.#first === this.#entries.length) {
      this.#entries = [];
      this.#first = 0;
    }
    return entry.delivery;
  }

  #wanted(facts: readonly StoredFact[], after: number): readonly StoredFact[] {
    const all = positionNumber(facts[0]!.position) > after && (this.#filter?.prefixes.length ?? 0) === 0;
    if (all) return facts;
    return facts.filter((fact) => positionNumber(fact.position) > after && matchesFilter(fact.stream, this.#filter));
  }

  #push(entry: Entry, facts: number): void {
    this.#entries.push(entry);
    this.#characters += entry.characters;
    this.waitingFacts += facts;
    this.#wake?.();
  }
}
