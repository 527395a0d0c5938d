/**
 * Clock: the one source of time.
 *
 * Owns: now, sleeping, waking. Does not own: durable time (that is the timekeeper's; a wake-up here dies
 * with the process). Talks to: the runtime's timers. A simulated clock for tests is in `testing/`.
 *
 * 1. Nothing else in the house reads the time or arms a timer.
 * 2. A long wait is cut into parts: it is never fired early, and seconds after its time where the clock was set ahead.
 */
import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. */
  now(): number;
  /** Monotonic milliseconds, for durations only. */
  elapsed(): number;
  /** Calls `wake` once, at or after `atMs` (wall clock). Returns a function that takes it back. */
  wakeAt(atMs: number, wake: () => void): () => void;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Under which a Nest provider is given the {@link Clock}. */
export const CLOCK = Symbol('clock');

/** How long a timer runs before the wall clock is looked at again: it may have been set, or the machine may have slept. */
const LONGEST_TIMER_MS = 15_000;

export class SystemClock implements Clock {
  now(): number {
    return Date.now();
  }

  elapsed(): number {
    return performance.now();
  }

  wakeAt(atMs: number, wake: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = atMs - Date.now();
      timer = left > LONGEST_TIMER_MS ? setTimeout(arm, LONGEST_TIMER_MS) : setTimeout(wake, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }
}

/** Sleep in terms of `wakeAt`: what every clock shares. */
export function sleepOn(clock: Pick<Clock, 'now' | 'wakeAt'>, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal));
    const cancel = clock.wakeAt(clock.now() + ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    const onAbort = (): void => {
      cancel();
      reject(reasonOf(signal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(typeof reason === 'string' ? reason : 'aborted');
}
