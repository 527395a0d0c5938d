/**
 * SchedulesLeft: what schedules leave to be done at the start, from their rows and from the facts that came after them:
 * runs that were fired and have not begun, batches whose word was not taken over, schedules in which something waits.
 */
import { parseId } from '../ids.js';
import type { BatchId, RunId } from '../ids.js';
import type { Ledger, Slot } from '../events/schedule.events.js';

/** A schedule as its rows have it. */
export interface ScheduleLeft {
  readonly batchId: string;
  readonly ledger: Ledger | null;
  /** The batch has said more than the schedule has taken over. */
  readonly isBehind: boolean;
}

export interface FiredSlot extends Slot {
  readonly batchId: string;
  readonly runId: string;
  readonly backfillId: string | null;
}

/** What the rows say there was to do when they were at this position. */
export interface Left {
  readonly position: string;
  readonly schedules: readonly ScheduleLeft[];
  readonly fired: readonly FiredSlot[];
}

export class SchedulesLeft {
  readonly fired = new Map<string, FiredSlot>();
  readonly behind = new Set<BatchId>();
  /** Of schedules that wait for something else than time. */
  readonly waiting = new Map<BatchId, Ledger>();

  constructor({ schedules, fired }: Left) {
    for (const slot of fired) this.fired.set(slot.runId, slot);
    for (const { batchId: batch, ledger, isBehind } of schedules) {
      const batchId = parseId<BatchId>(batch);
      if (batchId === undefined) continue;
      if (isBehind) this.behind.add(batchId);
      if (ledger !== null) this.heard(batchId, ledger);
    }
  }

  heard(batchId: BatchId, ledger: Ledger): void {
    if (ledger.queue.length > 0 || ledger.backfills.length > 0) this.waiting.set(batchId, ledger);
    else this.waiting.delete(batchId);
  }

  begun(runId: RunId | undefined): void {
    if (runId !== undefined) this.fired.delete(runId);
  }
}
