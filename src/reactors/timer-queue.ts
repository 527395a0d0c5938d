/** Timers of all runs in due order. A timer that is disarmed stays in the heap until it comes up or the heap is made anew. */
import TinyQueue from 'tinyqueue';
import type { RunId } from '../ids.js';
import type { TimerKind } from '../runs/run.commands.js';

export interface Timer {
  readonly runId: RunId;
  readonly stepId: string;
  readonly kind: TimerKind;
  /** Revision of the fact that armed it: a later one makes it stale. */
  readonly generation: number;
  readonly dueAtMs: number;
}

/** Below so many entries it is not worth while to make the heap anew. */
const FEW = 64;

export class TimerQueue {
  private readonly armed = new Set<Timer>();
  private heap = new TinyQueue<Timer>([], byDue);

  arm(timer: Timer): void {
    this.armed.add(timer);
    this.heap.push(timer);
  }

  disarm(timer: Timer): void {
    this.armed.delete(timer);
    if (this.heap.length > 2 * this.armed.size + FEW) this.heap = new TinyQueue([...this.armed], byDue);
  }

  /** The timer that is due first. */
  next(): Timer | undefined {
    for (;;) {
      const timer = this.heap.peek();
      if (timer === undefined || this.armed.has(timer)) return timer;
      this.heap.pop();
    }
  }

  /** Entries in memory, disarmed ones too. */
  get size(): number {
    return this.heap.length;
  }
}

/** Of one run's timers that are due together the older one comes first. */
function byDue(one: Timer, other: Timer): number {
  return one.dueAtMs - other.dueAtMs || one.generation - other.generation;
}
