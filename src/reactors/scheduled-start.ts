/** Begins the run that an occurrence has fired: the ledger says that there is one, so there is, if only to say why it could not be. */
import { storableText } from '../events/canonical.js';
import { NewerFact } from '../events/upcasting.js';
import { ids } from '../ids.js';
import type { BatchId, RunId } from '../ids.js';
import { isLogs } from '../log/log-errors.js';
import { StartRun } from '../runs/run.commands.js';
import type { FiredSlot } from './schedules-left.js';

export interface Fired extends Pick<FiredSlot, 'occurrence' | 'version' | 'backfillId'> {
  readonly runId: RunId;
  readonly batchId: BatchId;
}

export interface Ways {
  readonly say: (command: StartRun) => Promise<string | undefined>;
  readonly report: (what: string, error?: unknown) => void;
}

/** Asking twice is asking once. A run that can't be begun as it was meant begins and fails with the reason. */
export async function beginFired(fired: Fired, { say, report }: Ways): Promise<void> {
  try {
    await say(startOf(fired));
  } catch (error) {
    if (isLogs(error) || error instanceof NewerFact) throw error;
    report(`Run ${fired.runId} could not be begun as its schedule says, and fails with that.`, error);
    const why = error instanceof Error ? error.message : String(error);
    await say(startOf(fired, `The run could not be begun: ${storableText(why, 1_000)}`));
  }
}

function startOf({ runId, batchId, occurrence, version, backfillId }: Fired, fault?: string): StartRun {
  const trigger = { type: backfillId === null ? 'schedule' : 'backfill', due: occurrence.due } as const;
  const scheduled = { version, occurrence, begins: true, ...(fault !== undefined && { fault }) };
  const labels: Readonly<Record<string, string>> = backfillId === null ? {} : { backfill: backfillId };
  const origin = { actor: 'schedule', roles: [], via: 'schedule', commandId: ids.derivedCommand('fire', runId) } as const;
  return new StartRun(runId, { batch: batchId, parameters: {}, labels, reason: null, trigger, scheduled }, origin);
}
