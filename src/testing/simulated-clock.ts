/** A clock that stands still until it is told to go on. What falls due on the way is woken in due order. */
import { sleepOn } from '../clock.js';
import type { Clock } from '../clock.js';

interface Wake {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Turns of the event loop in which what a wake-up began can get to where it waits again. */
const TURNS = 4;
/** Turns that a sleep takes once the test is over. */
const LAST_TURNS = 20;

/**
 * Time for tests. Jobs that wait may inject it: a job that sleeps on it, with `ctx.signal`, is known to be waiting.
 *
 * @example
 * const clock = new SimulatedClock(Date.UTC(2026, 0, 31));
 * await clock.advance(60_000);
 */
export class SimulatedClock implements Clock {
  private readonly wakes = new Set<Wake>();
  private readonly sleepers = new Map<AbortSignal | symbol, number>();
  private ending = false;

  constructor(private nowMs = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.nowMs;
  }

  elapsed(): number {
    return this.nowMs;
  }

  wakeAt(atMs: number, wake: () => void): () => void {
    const entry = { atMs, wake };
    this.wakes.add(entry);
    return () => this.wakes.delete(entry);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.ending) return turns(LAST_TURNS);
    const who = signal ?? Symbol('sleeper');
    this.sleepers.set(who, (this.sleepers.get(who) ?? 0) + 1);
    try {
      await sleepOn(this, ms, signal);
    } finally {
      const left = (this.sleepers.get(who) ?? 1) - 1;
      if (left > 0) this.sleepers.set(who, left);
      else this.sleepers.delete(who);
    }
  }

  /** Wake-ups that nobody has taken back and that are still to come. */
  get pending(): number {
    return this.wakes.size;
  }

  /** Who sleeps now: sleeps with the same signal are one sleeper. */
  get sleeping(): number {
    return this.sleepers.size;
  }

  /** Goes on to the first wake-up that is due until then, and wakes it. False if there is none. */
  wakeNext(untilMs: number): boolean {
    const [next] = [...this.wakes].filter((wake) => wake.atMs <= untilMs).sort((one, other) => one.atMs - other.atMs);
    if (next === undefined) return false;
    this.wakes.delete(next);
    this.nowMs = Math.max(this.nowMs, next.atMs);
    next.wake();
    return true;
  }

  /** Goes on to this moment without waking anybody. */
  moveTo(atMs: number): void {
    this.nowMs = Math.max(this.nowMs, atMs);
  }

  /** Goes on by so many milliseconds, and lets what was woken do its work until it waits again. */
  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    while (this.wakeNext(end)) await turns(TURNS);
    this.moveTo(end);
    await turns(TURNS);
  }

  /** From now on nobody sleeps for long: what closes does not wait for somebody to move the time. */
  end(): void {
    this.ending = true;
  }
}

/** Resolves after so many turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
