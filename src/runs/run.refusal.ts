/** Why a run is not started, and how a run that begins all the same tells it. Pure. */
import type { Rejected } from '../actors/actor.js';
import type { RunError } from '../events/run.events.js';
import type { StartableBatch } from './run.draft.js';
import type { JsonFault } from '../events/json.js';

/** @param errors of its parameters */
export function refusal(batch: StartableBatch, errors: readonly JsonFault[]): Rejected | undefined {
  if (batch.refused !== undefined) return batch.refused;
  if (batch.unknownJobs.length > 0) {
    return { rejected: 'validation-failed', detail: `Batch ${batch.name} names jobs that no node knows. Register them, or change the definition.`, errors: batch.unknownJobs };
  }
  return errors.length > 0 ? { rejected: 'validation-failed', detail: `The parameters do not fit batch ${batch.name}.`, errors } : undefined;
}

/** What nobody is there to be told is told by the run itself. */
export function notStarted({ rejected, detail, errors = [] }: Rejected, unknownJob: boolean): RunError {
  const message = [detail, ...errors.slice(0, 5).map((fault) => `${fault.path}: ${fault.message}`)].join(' ');
  return { kind: unknownJob ? 'unknown-job' : 'validation', code: unknownJob ? 'unknown-job' : rejected, message, retryable: false };
}
