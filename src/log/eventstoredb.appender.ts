/**
 * Appender: every append to EventStoreDB, over one stream of calls.
 *
 * Owns: what is under way, the order it is sent in, its time-out. Does not own: the connection, what an answer means to
 * the log. Talks to: the connection; `Reach`.
 *
 * 1. Appends are sent in the order they came in, also when they are sent again.
 * 2. When the stream of calls breaks, what is under way is sent again with the same ids: the server knows what it has.
 * 3. Whatever is not answered in time is told to be unknown, and a late answer to it is dropped.
 */
import type { Clock } from '../clock.js';
import type { SentEvent } from './eventstoredb.codec.js';
import type { AppendAnswer, AppendCall, Connection } from './eventstoredb.connection.js';
import { whyOf } from './eventstoredb.errors.js';
import type { Reach } from './eventstoredb.reach.js';
import { Unavailable } from './log-errors.js';

export type Settled = Exclude<AppendAnswer, { kind: 'unknown' }>;

interface Pending {
  readonly correlation: number;
  readonly stream: string;
  readonly expected: number | 'none';
  readonly events: readonly SentEvent[];
  sent: boolean;
  /** Why it was not answered so far. */
  why: string;
  readonly resolve: (answer: Settled) => void;
}

/** How long an append may go unanswered, and how long to wait before it is sent again. */
export const ANSWER_MS = 3_000;
const AGAIN_MS = 50;

export class Appender {
  /** In the order they came in. */
  private readonly pending = new Map<number, Pending>();
  private call: AppendCall | undefined;
  private sent = 0;
  private opening = false;
  private full = false;

  constructor(
    private readonly connection: Connection,
    private readonly reach: Reach,
    private readonly clock: Clock,
  ) {}

  /** @throws Unavailable when the outcome is unknown, or nothing was sent because the server is known to be away */
  append(stream: string, expected: number | 'none', events: readonly SentEvent[]): Promise<Settled> {
    return new Promise((resolve, reject) => {
      this.reach.check();
      const correlation = (this.sent += 1);
      const forget = this.clock.wakeAt(this.clock.now() + ANSWER_MS, () => {
        const { why } = this.pending.get(correlation) ?? { why: '' };
        this.pending.delete(correlation);
        this.reach.lost(why, ANSWER_MS);
        reject(new Unavailable(`EventStoreDB did not answer within ${ANSWER_MS / 1_000} s (${why}): whether the facts were taken is unknown.`));
      });
      const done = (answer: Settled): void => {
        forget();
        resolve(answer);
      };
      this.pending.set(correlation, { correlation, stream, expected, events, sent: false, why: 'no answer', resolve: done });
      this.send();
    });
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    while (this.pending.size > 0) await this.clock.sleep(AGAIN_MS);
  }

  close(): void {
    this.call?.cancel();
  }

  private send(): void {
    if (this.call === undefined) return void this.open();
    if (this.full) return;
    for (const append of this.pending.values()) {
      if (append.sent) continue;
      append.sent = true;
      if (this.call.send(append)) continue;
      this.full = true;
      return;
    }
  }

  private async open(): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    while (this.call === undefined && this.pending.size > 0) {
      try {
        this.call = await this.connection.appends({
          onAnswer: (correlation, answer) => this.answer(correlation, answer),
          onDrain: () => {
            this.full = false;
            this.send();
          },
          onEnd: (error) => this.broken(error),
        });
      } catch (error) {
        this.note(error);
        await this.clock.sleep(AGAIN_MS);
      }
    }
    this.opening = false;
    if (this.call !== undefined) this.send();
  }

  private answer(correlation: number, answer: AppendAnswer): void {
    const append = this.pending.get(correlation);
    if (append === undefined) return;
    this.reach.answered();
    if (answer.kind === 'unknown') return this.again(append, answer.why);
    this.pending.delete(correlation);
    append.resolve(answer);
  }

  /** The server took it for no or could not: not ready, too busy, a time-out of its own. */
  private again(append: Pending, why: string): void {
    append.why = why;
    this.clock.wakeAt(this.clock.now() + AGAIN_MS, () => {
      append.sent = false;
      this.send();
    });
  }

  private broken(error: unknown): void {
    this.call = undefined;
    this.full = false;
    this.note(error);
    if (this.pending.size === 0) return;
    this.clock.wakeAt(this.clock.now() + AGAIN_MS, () => this.send());
  }

  private note(error: unknown): void {
    const why = whyOf(error);
    if (this.pending.size > 0) this.reach.lost(why);
    for (const append of this.pending.values()) {
      append.sent = false;
      append.why = why;
    }
  }
}
