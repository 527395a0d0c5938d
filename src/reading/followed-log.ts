/**
 * FollowedLog: a log that another thread writes or hears, read here by a connection of this thread's own.
 *
 * Owns: what was handed over and not taken yet. Does not own: the log, the bound of what is handed over (`HandOver`).
 *
 * 1. Facts that were handed over are taken where they follow on what was given out; everything else is read. So what is
 *    not handed over, for whatever reason, costs time, never a fact.
 * 2. What the log held before a reading began is in it: its end is asked for first.
 */
import type { Clock } from '../clock.js';
import type { Delivery, EventReader, StoredFact, StreamFilter, SubscribeOptions } from '../log/event-reader.js';
import { Unavailable } from '../log/log-errors.js';
import { factsIn } from './handed.codec.js';
import type { Handed } from './handed.codec.js';

export type LogReader = Omit<EventReader, 'subscribe'>;

export interface FollowedLogOptions {
  readonly reader: LogReader;
  readonly clock: Clock;
  /** Facts that are delivered together. */
  readonly most: number;
  /** Told of what is taken, or not needed any more. */
  readonly took?: (handed: Handed) => void;
}

/** Before the log is read again, where it was away or did not hold yet what another thread has heard. */
const AGAIN_MS = 100;

export class FollowedLog implements EventReader {
  readonly readStream: EventReader['readStream'];
  readonly readAll: EventReader['readAll'];
  readonly head: EventReader['head'];
  readonly readBlob: EventReader['readBlob'];
  /** Called when something new was told of. */
  private readonly waiting = new Set<() => void>();
  private readonly handed: Handed[] = [];
  private told = 0;

  constructor(private readonly options: FollowedLogOptions) {
    const { reader } = options;
    this.readStream = reader.readStream.bind(reader);
    this.readAll = reader.readAll.bind(reader);
    this.head = reader.head.bind(reader);
    this.readBlob = reader.readBlob.bind(reader);
  }

  /** There may be something new. */
  news(): void {
    this.told += 1;
    this.wake();
  }

  hand(handed: Handed): void {
    this.handed.push(handed);
    this.wake();
  }

  async *subscribe({ after = '', filter, signal }: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    let position = after;
    for (let first = true; !signal.aborted; first = false) {
      const { told } = this;
      position = yield* this.catchUp(position, filter, signal);
      if (signal.aborted) return;
      if (first) yield { kind: 'caughtUp', position };
      if (this.follows(position)) position = yield* this.takeHanded(position, filter, signal);
      else if (this.handed.length > 0) await this.pause(signal);
      while (told === this.told && !signal.aborted && this.follows(position)) {
        await this.somethingNew(signal);
        position = yield* this.takeHanded(position, filter, signal);
      }
    }
  }

  private async *catchUp(from: string, filter: StreamFilter | undefined, signal: AbortSignal): AsyncGenerator<Delivery, string, void> {
    let position = from;
    while (!signal.aborted) {
      try {
        const end = await this.head();
        let facts: StoredFact[] = [];
        for await (const page of this.readAll({ after: position || undefined, ...(filter && { filter }) })) {
          facts = facts.concat(page);
          if (facts.length < this.options.most) continue;
          position = facts.at(-1)!.position;
          yield { kind: 'facts', facts };
          if (signal.aborted) return position;
          facts = [];
        }
        position = facts.at(-1)?.position ?? position;
        if (facts.length > 0) yield { kind: 'facts', facts };
        return position < end ? end : position;
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await this.pause(signal);
      }
    }
    return position;
  }

  /** Whether what was handed over, if anything was, follows on a position. */
  private follows(position: string): boolean {
    const [next] = this.handed;
    return next === undefined || next.after <= position;
  }

  /** What follows on a position, so much together as there is and may be. */
  private async *takeHanded(from: string, filter: StreamFilter | undefined, signal: AbortSignal): AsyncGenerator<Delivery, string, void> {
    let position = from;
    while (this.handed.length > 0 && this.follows(position) && !signal.aborted) {
      const facts: StoredFact[] = [];
      while (this.handed.length > 0 && this.follows(position) && facts.length < this.options.most) {
        const handed = this.handed.shift()!;
        for (const fact of factsIn(handed, position)) if (wants(filter, fact)) facts.push(fact);
        if (handed.to > position) position = handed.to;
        this.options.took?.(handed);
      }
      if (facts.length > 0) yield { kind: 'facts', facts };
    }
    return position;
  }

  private async pause(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  private somethingNew(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.handed.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.waiting.delete(wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function wants(filter: StreamFilter | undefined, { stream }: StoredFact): boolean {
  return filter === undefined || filter.prefixes.length === 0 || filter.prefixes.some((prefix) => stream.startsWith(prefix));
}
