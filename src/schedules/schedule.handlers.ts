/** What callers are answered by schedules: the minted handlers of all their commands. */
import { commandHandlersFor } from '../actors/command-handlers.js';
import type { Ledger } from '../events/schedule.events.js';
import { AdvanceSchedule, ContinueBackfill, FollowBatch, PauseSchedule, ResumeSchedule, StartBackfill } from './schedule.commands.js';
import type { AnyScheduleCommand, ScheduleAnswer } from './schedule.commands.js';

/** Under which the handlers are given the host of schedules. */
export const SCHEDULE_HOST = Symbol('schedule host');

export const scheduleCommandHandlers = commandHandlersFor<Ledger, AnyScheduleCommand, ScheduleAnswer>({
  host: SCHEDULE_HOST,
  commands: [FollowBatch, AdvanceSchedule, PauseSchedule, ResumeSchedule, StartBackfill, ContinueBackfill],
  answer: ({ batchId }, { state, position, replayed }) => ({ batchId, ledger: state, position, replayed }),
});
