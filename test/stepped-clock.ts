/** A clock that stands still until it is told to go on. What falls due on the way is woken in due order. */
import { sleepOn } from '../src/clock.js';
import type { Clock } from '../src/clock.js';

interface Wake {
  readonly atMs: number;
  readonly wake: () => void;
}

export class SteppedClock implements Clock {
  private readonly wakes = new Set<Wake>();

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

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Wake-ups that nobody has taken back and that are still to come. */
  get pending(): number {
    return this.wakes.size;
  }

  /** Goes on by so much, then lets what was woken do its work until it waits again. */
  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms;
    for (let next = this.due(end); next !== undefined; next = this.due(end)) {
      this.wakes.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.wake();
      await turns(4);
    }
    this.nowMs = end;
    await turns(4);
  }

  private due(end: number): Wake | undefined {
    return [...this.wakes].filter((wake) => wake.atMs <= end).sort((one, other) => one.atMs - other.atMs)[0];
  }
}

async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
