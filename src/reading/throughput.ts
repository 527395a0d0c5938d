/** How many facts a second: over the newest ten seconds, so that a pause is seen and one slow batch is not. */
import type { Clock } from '../clock.js';

const WINDOW_MS = 10_000;

export class Throughput {
  private readonly taken: { readonly atMs: number; readonly facts: number }[] = [];
  private readonly sinceMs: number;

  constructor(private readonly clock: Clock) {
    this.sinceMs = clock.elapsed();
  }

  took(facts: number): void {
    const atMs = this.clock.elapsed();
    this.forget(atMs);
    this.taken.push({ atMs, facts });
  }

  /** Facts a second, to one decimal. */
  rate(): number {
    const nowMs = this.clock.elapsed();
    this.forget(nowMs);
    const spanMs = Math.min(WINDOW_MS, Math.max(1_000, nowMs - this.sinceMs));
    const facts = this.taken.reduce((sum, part) => sum + part.facts, 0);
    return Math.round((facts * 10_000) / spanMs) / 10;
  }

  private forget(nowMs: number): void {
    while (this.taken[0] !== undefined && this.taken[0].atMs <= nowMs - WINDOW_MS) this.taken.shift();
  }
}
