/**
 * RepairScan: looks for runs that hang: open, and nothing is left to be done for them.
 *
 * Owns: what it saw at its last look, one wake-up. Does not own: which runs these are (worklist), what is said to them.
 * Local to the node and lost with it: a new start begins with a first look.
 *
 * 1. A run hangs if two looks in a row saw it without a fact between them: what is under way is left in peace.
 * 2. While no run may hang nothing is armed.
 * 3. At one revision a run is repaired once: if that changed nothing, saying it again would not either.
 */
import type { Clock } from '../clock.js';
import type { RunId } from '../ids.js';

const PERIOD_MS = 15_000;

interface Seen {
  readonly revision: number;
  readonly repaired: boolean;
}

export class RepairScan {
  repairs = 0;
  private seen: ReadonlyMap<RunId, Seen> = new Map();
  private takeBack: (() => void) | undefined;
  private on = false;

  constructor(
    private readonly clock: Clock,
    private readonly hanging: () => Iterable<readonly [RunId, number]>,
    private readonly repair: (runId: RunId, revision: number) => void,
  ) {}

  /** Looks now, and from then on every 15 seconds for as long as a run may hang. */
  start(): void {
    this.on = true;
    this.notice();
  }

  /** To be said after facts were looked at: a run that may hang since then is seen for the first time. */
  notice(): void {
    if (!this.on || this.takeBack !== undefined) return;
    this.look();
    if (this.seen.size === 0) return;
    this.takeBack = this.clock.wakeAt(this.clock.now() + PERIOD_MS, () => {
      this.takeBack = undefined;
      this.notice();
    });
  }

  stop(): void {
    this.on = false;
    this.takeBack?.();
  }

  private look(): void {
    const seen = new Map<RunId, Seen>();
    for (const [runId, revision] of [...this.hanging()]) {
      const before = this.seen.get(runId);
      const again = before?.revision === revision;
      seen.set(runId, { revision, repaired: again });
      if (!again || before.repaired) continue;
      this.repairs += 1;
      this.repair(runId, revision);
    }
    this.seen = seen;
  }
}
