/** The run as its facts tell it: the machine as a fold, and where a run gets its definition from. */
import { Fold } from '../actors/fold.js';
import type { Rejected } from '../actors/actor.js';
import { storedRunFact } from '../events/run.codec.js';
import type { StoredFact } from '../log/event-reader.js';
import type { Plan } from './plan.js';
import type { ScheduledStart } from './run.commands.js';
import type { RunEvent } from './run.context.js';
import type { RunFold, RunSnapshot, StartableBatch } from './run.draft.js';
import { runMachine } from './run.machine.js';

/** Where a run gets its definition from. */
export interface Plans {
  /** The batch as it stands now, or was in that version, by id or name. */
  startable(batch: string, version?: number, scheduled?: ScheduledStart): Promise<StartableBatch | Rejected>;
  /** The very definition that a run began with. */
  pinned(batchId: string, version: number, hash: string): Promise<Plan>;
}

export const runFold: RunFold = new Fold(runMachine);

/** A stored fact as the machine's event. @throws NewerFact if a newer Sluice wrote it, ZodError if its data is not what the type says */
export function runEvent(fact: StoredFact): RunEvent {
  return storedRunFact(fact);
}

/** The state after these facts, by the machine alone. */
export function replayRun(plan: Plan, facts: readonly StoredFact[]): RunSnapshot {
  return facts.reduce((snapshot, fact) => runFold.next(snapshot, runEvent(fact)), runFold.initial(plan));
}
