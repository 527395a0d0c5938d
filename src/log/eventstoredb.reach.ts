/**
 * Reach: whether the server answers, as far as is known.
 *
 * Owns: that knowledge, and one probe at a time while the server is away. Does not own: what is sent. Talks to: the probe
 * it is given.
 *
 * 1. Once the server has been away for a second, nothing is sent until the probe is answered: callers are told at once.
 * 2. The probe goes on by itself until it is answered or the log is closed.
 */
import type { Clock } from '../clock.js';
import { Unavailable } from './log-errors.js';

const PROBE_EVERY_MS = 250;
/** A server that is back within this was not away: what comes meanwhile is sent, and waits. */
const GRACE_MS = 1_000;

export class Reach {
  private away: { readonly why: string; readonly sinceMs: number } | undefined;
  private answeredMs = 0;
  private readonly closing = new AbortController();

  constructor(
    private readonly clock: Clock,
    private readonly probe: () => Promise<unknown>,
  ) {}

  /** @throws Unavailable while the server is known to be away, or the log is closed */
  check(): void {
    if (this.closing.signal.aborted) throw new Unavailable('The log is closed.');
    if (this.away === undefined || this.clock.now() < this.away.sinceMs + GRACE_MS) return;
    throw new Unavailable(`EventStoreDB is away: ${this.away.why}. Nothing was sent; it is asked again all the time.`);
  }

  get signal(): AbortSignal {
    return this.closing.signal;
  }

  answered(): void {
    this.answeredMs = this.clock.now();
    this.away = undefined;
  }

  /** Something went unanswered, for so long already. */
  lost(why: string, forMs = 0): void {
    if (this.closing.signal.aborted) return;
    const known = this.away;
    this.away = { why, sinceMs: Math.max(this.answeredMs, Math.min(known?.sinceMs ?? Number.MAX_SAFE_INTEGER, this.clock.now() - forMs)) };
    if (known === undefined) void this.ask();
  }

  close(): void {
    this.closing.abort();
  }

  private async ask(): Promise<void> {
    while (this.away !== undefined && !this.closing.signal.aborted) {
      await this.probe().then(
        () => this.answered(),
        () => this.clock.sleep(PROBE_EVERY_MS, this.closing.signal).catch(() => undefined),
      );
    }
  }
}
