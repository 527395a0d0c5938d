/** Wake-ups of many, in due order, on one wake-up of the clock. Each has one at most; a later word replaces it. */
import TinyQueue from 'tinyqueue';
import type { Clock } from '../clock.js';

interface Entry<K> {
  readonly key: K;
  readonly atMs: number;
}

export class Wheel<K> {
  private readonly armed = new Map<K, number>();
  private heap = new TinyQueue<Entry<K>>([], (one, other) => one.atMs - other.atMs);
  private takeBack: (() => void) | undefined;
  private wakesAtMs = Infinity;

  constructor(
    private readonly clock: Clock,
    /** `lateMs`: how much later than it was to the clock woke us. */
    private readonly due: (keys: readonly K[], lateMs: number) => void,
  ) {}

  /** Undefined: nothing is waited for. */
  set(key: K, atMs: number | undefined): void {
    if (atMs === undefined) {
      this.armed.delete(key);
      return;
    }
    if (this.armed.get(key) === atMs) return;
    this.armed.set(key, atMs);
    this.heap.push({ key, atMs });
    if (this.heap.length > 2 * this.armed.size + 64) this.heap = new TinyQueue([...this.armed].map(([one, at]) => ({ key: one, atMs: at })), (one, other) => one.atMs - other.atMs);
  }

  /** Tells whatever is due, and wakes up for what is due next. */
  turn(lateMs = 0): void {
    const due: K[] = [];
    const nowMs = this.clock.now();
    for (let next = this.next(); next !== undefined && next.atMs <= nowMs; next = this.next()) {
      this.armed.delete(next.key);
      due.push(next.key);
    }
    this.wake(this.next()?.atMs);
    if (due.length > 0) this.due(due, lateMs);
  }

  stop(): void {
    this.takeBack?.();
    this.takeBack = undefined;
    this.wakesAtMs = Infinity;
  }

  private next(): Entry<K> | undefined {
    for (let first = this.heap.peek(); first !== undefined; first = this.heap.peek()) {
      if (this.armed.get(first.key) === first.atMs) return first;
      this.heap.pop();
    }
    return undefined;
  }

  private wake(atMs: number | undefined): void {
    if (atMs === this.wakesAtMs && this.takeBack !== undefined) return;
    this.stop();
    if (atMs === undefined) return;
    this.wakesAtMs = atMs;
    const promisedMs = Math.max(atMs, this.clock.now());
    this.takeBack = this.clock.wakeAt(atMs, () => {
      this.takeBack = undefined;
      this.turn(this.clock.now() - promisedMs);
    });
  }
}
