/** What can be said to a schedule. Fields only: what each means is in `schedule.decide.ts`. */
import { Command } from '@nestjs/cqrs';
import type { Origin, Rejected } from '../actors/actor.js';
import type { Ledger, Slot } from '../events/schedule.events.js';
import type { BatchId } from '../ids.js';

export interface ScheduleAnswer {
  readonly batchId: BatchId;
  readonly ledger: Ledger;
  readonly position: string;
  readonly replayed: boolean;
}

export abstract class ScheduleCommand extends Command<ScheduleAnswer | Rejected> {
  constructor(readonly batchId: BatchId, readonly origin: Origin) {
    super();
  }
}

/** Takes over what the batch says now. So does every other command. */
export class FollowBatch extends ScheduleCommand {
  readonly type = 'FollowBatch';
}

/** Judges whatever is due. Says nothing new, so it may be said at any time, by any node. */
export class AdvanceSchedule extends ScheduleCommand {
  readonly type = 'AdvanceSchedule';
  /** @param watchedSinceMs since when somebody has been there to notice: what was due before and is not judged was missed */
  constructor(batchId: BatchId, readonly watchedSinceMs: number, origin: Origin) {
    super(batchId, origin);
  }
}

export class PauseSchedule extends ScheduleCommand {
  readonly type = 'PauseSchedule';
  constructor(batchId: BatchId, readonly reason: string | null, origin: Origin) {
    super(batchId, origin);
  }
}

export class ResumeSchedule extends ScheduleCommand {
  readonly type = 'ResumeSchedule';
  constructor(batchId: BatchId, readonly reason: string | null, origin: Origin) {
    super(batchId, origin);
  }
}

/** Occurrences of a range of the past, once more or for the first time. */
export interface BackfillFields {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Those too that were fired. */
  readonly again: boolean;
  readonly total: number;
}

export class StartBackfill extends ScheduleCommand {
  readonly type = 'StartBackfill';
  constructor(batchId: BatchId, readonly backfill: BackfillFields, origin: Origin) {
    super(batchId, origin);
  }
}

/** The next occurrences of a backfill, in their order; the last ones if `final`. */
export class ContinueBackfill extends ScheduleCommand {
  readonly type = 'ContinueBackfill';
  constructor(batchId: BatchId, readonly backfillId: string, readonly slots: readonly Slot[], readonly final: boolean, origin: Origin) {
    super(batchId, origin);
  }
}

export type AnyScheduleCommand = FollowBatch | AdvanceSchedule | PauseSchedule | ResumeSchedule | StartBackfill | ContinueBackfill;
