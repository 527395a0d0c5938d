/** Who waits until the rows have got to a position. */
import type { Clock } from '../clock.js';

interface Waiter {
  readonly position: string;
  readonly done: (reached: boolean) => void;
}

export class PositionWaiters {
  private readonly waiting = new Set<Waiter>();

  constructor(private readonly clock: Clock) {}

  get some(): boolean {
    return this.waiting.size > 0;
  }

  /** True once `reached` was said of the position; false after `timeoutMs`. */
  wait(position: string, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (reached: boolean): void => {
        this.waiting.delete(waiter);
        takeBack();
        resolve(reached);
      };
      const waiter: Waiter = { position, done };
      const takeBack = this.clock.wakeAt(this.clock.now() + timeoutMs, () => done(false));
      this.waiting.add(waiter);
    });
  }

  reached(position: string): void {
    for (const waiter of [...this.waiting]) if (waiter.position <= position) waiter.done(true);
  }

  /** Nobody gets there any more. */
  end(): void {
    for (const waiter of [...this.waiting]) waiter.done(false);
  }
}
