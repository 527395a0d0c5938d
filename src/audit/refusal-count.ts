/** Counts the refusals of each actor by the minute, so that one who is refused again and again does not fill the log. */
import type { Clock } from '../clock.js';

export interface Suppressed {
  readonly actor: string;
  /** Refusals beyond those that were let through. */
  readonly count: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

const MINUTE_MS = 60_000;
const MOST_A_MINUTE = 60;

export class RefusalCount {
  /** From each actor's first refusal of a minute on; oldest first, because a minute that is over is taken out. */
  private readonly minutes = new Map<string, { readonly fromMs: number; taken: number }>();
  private takeBack: (() => void) | undefined;
  private closed = false;

  /** @param over told of the minutes that have ended, also when nothing was suppressed in them */
  constructor(
    private readonly clock: Clock,
    private readonly over: (suppressed: readonly Suppressed[]) => void,
  ) {}

  /** Whether this refusal is to be written. */
  take(actor: string): boolean {
    const nowMs = this.clock.now();
    this.end(nowMs - MINUTE_MS);
    const minute = this.minutes.get(actor) ?? { fromMs: nowMs, taken: 0 };
    minute.taken += 1;
    this.minutes.set(actor, minute);
    if (!this.closed) this.takeBack ??= this.clock.wakeAt(minute.fromMs + MINUTE_MS, () => this.wake());
    return minute.taken <= MOST_A_MINUTE;
  }

  /** The minutes that have begun are over. */
  close(): void {
    this.closed = true;
    this.takeBack?.();
    this.takeBack = undefined;
    this.end(Number.POSITIVE_INFINITY);
  }

  private wake(): void {
    this.takeBack = undefined;
    this.end(this.clock.now() - MINUTE_MS);
    const [first] = this.minutes.values();
    if (first !== undefined) this.takeBack = this.clock.wakeAt(first.fromMs + MINUTE_MS, () => this.wake());
  }

  private end(begunByMs: number): void {
    const suppressed: Suppressed[] = [];
    const before = this.minutes.size;
    const nowMs = this.clock.now();
    for (const [actor, { fromMs, taken }] of this.minutes) {
      // What began in the future began before the clock was set back.
      if (fromMs > begunByMs && fromMs <= nowMs) break;
      this.minutes.delete(actor);
      if (taken > MOST_A_MINUTE) suppressed.push({ actor, count: taken - MOST_A_MINUTE, fromMs, untilMs: Math.max(fromMs, Math.min(fromMs + MINUTE_MS, nowMs)) });
    }
    if (this.minutes.size < before) this.over(suppressed);
  }
}
