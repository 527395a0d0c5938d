/** Patience with a server that is gone for a while, as in a restart. */
import type { Session } from './context.js';
import { Refused, Unreachable } from './failures.js';

const PATIENCE_MS = 60_000;

/** Where the stream is broken or not there, how long until the next look. */
export const PAUSE_MS = 1_000;

export class Patience {
  private troubleSince: number | undefined;

  constructor(private readonly session: Pick<Session, 'clock' | 'terminal'>) {}

  /** False if nobody answers for now. @throws what `ask` throws if it will not pass, or did not in a minute */
  async isServed(ask: () => Promise<void>): Promise<boolean> {
    const { clock, terminal } = this.session;
    try {
      await ask();
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (this.troubleSince === undefined) terminal.err(`${error.message} Trying again for ${PATIENCE_MS / 1_000} s; the run does not depend on it.`);
      this.troubleSince ??= clock.elapsed();
      if (clock.elapsed() - this.troubleSince > PATIENCE_MS) throw error;
      return false;
    }
    if (this.troubleSince !== undefined) terminal.err('The server answers again.');
    this.troubleSince = undefined;
    return true;
  }
}

/** True for what may be otherwise in a moment. */
export function isTransient(error: unknown): error is Error {
  return error instanceof Unreachable ? error.transient : error instanceof Refused && (error.status === 503 || error.status === 429);
}
