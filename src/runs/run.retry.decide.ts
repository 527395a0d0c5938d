/** What a run that is to be tried again answers: the first facts of the run that does it. Pure. */
import type { Decision, Rejected } from '../actors/actor.js';
import { isRejected } from '../actors/actor.js';
import { isoTime } from '../events/json.js';
import type { JsonObject } from '../events/json.js';
import { advance } from './run.advance.js';
import type { RetryRun } from './run.commands.js';
import { RunDraft } from './run.draft.js';
import type { Original, RunCtx, RunSnapshot, StartableBatch } from './run.draft.js';
import { frontier, fromThere, isOfTree } from './run.kept.js';
import { versionDifferences } from './version-differences.js';

export function decideRetry(state: RunSnapshot | undefined, command: RetryRun, ctx: RunCtx): Decision<RunSnapshot> {
  const { of, version, fromStep } = command.retry;
  if (state !== undefined) return { rejected: 'not-retryable', detail: `Run ${of} was retried before: that is run ${command.runId}. Retry that one, if it has failed too.`, retriedBy: command.runId };
  const { original, batch } = ctx;
  if (original === undefined || batch === undefined) throw new Error('RetryRun needs the run that it tries again, and its batch.');
  if (isRejected(original)) return original;
  const { value } = original.state;
  if (value !== 'failed' && value !== 'cancelled') {
    return { rejected: 'not-retryable', detail: original.state.status === 'done' ? `Run ${of} has completed: there is nothing to retry. Start a new run.` : `Run ${of} is ${value}: only a run that has failed or was cancelled can be retried.` };
  }
  if (isRejected(batch)) return batch;
  if (batch.unknownJobs.length > 0) return { rejected: 'validation-failed', detail: `Batch ${batch.name} names jobs that no node knows. Register them, or change the definition.`, errors: batch.unknownJobs };
  const { plan } = original.state.context;
  const steps = frontier(new RunDraft(original.before, 0, ctx));
  if (fromStep !== null) {
    const node = plan.nodes[plan.ordinals.get(fromStep) ?? -1];
    if (node === undefined || !isOfTree(plan, fromStep)) return badStep(fromStep, `Run ${of} has no step "${fromStep}".`);
    steps.push(node);
  }
  const parameters = fitting(original, batch, version, new Set(steps.map(({ id }) => id)), fromStep);
  if (isRejected(parameters)) return parameters;
  const again = fromThere(plan, steps);
  const keeps = original.kept.map(({ stepId }) => stepId).filter((stepId) => {
    const ordinal = plan.ordinals.get(stepId) ?? -1;
    return !again.some(({ from, to }) => ordinal >= from && ordinal < to);
  });
  return begun(command, { original, batch, ctx, parameters, keeps });
}

interface Beginning {
  readonly original: Original;
  readonly batch: StartableBatch;
  readonly ctx: RunCtx;
  readonly parameters: JsonObject;
  readonly keeps: readonly string[];
}

function begun(command: RetryRun, { original, batch, ctx, parameters, keeps }: Beginning): Decision<RunSnapshot> {
  const { of, version, fromStep, reason } = command.retry;
  const { labels, starters } = original.state.context;
  const draft = new RunDraft(ctx.fold.initial(batch.plan), -1, ctx);
  draft.say('RunStarted', {
    runId: command.runId, batchId: batch.id, batchName: batch.name, batchVersion: batch.version, definitionHash: batch.plan.hash,
    trigger: { type: 'retry' }, parameters, labels, reason, stepCount: batch.plan.total, total: batch.plan.total, jobDefaults: batch.jobDefaults,
    starters: [...starters], retry: { of, version, fromStep, keeps: [...keeps] },
    ...(batch.plan.timeoutMs !== null && { timeoutAt: isoTime(ctx.nowMs + batch.plan.timeoutMs) }),
  });
  const more = advance(draft);
  if (fromStep !== null && isPassedOver(draft, fromStep)) return badStep(fromStep, `Step "${fromStep}" would not run: it is in a branch that was not taken, or that is not needed. Retry from the step round it.`);
  return { facts: draft.facts, state: draft.state, more };
}

/** By what was decided before, not by its own condition. */
function isPassedOver(draft: RunDraft, stepId: string): boolean {
  const node = draft.run.plan.nodes[draft.run.plan.ordinals.get(stepId) ?? -1];
  const itself = draft.facts.some(({ type, data }) => type === 'StepSkipped' && data.stepId === stepId && data.reason === 'when');
  return node !== undefined && draft.step(node).status === 'skipped' && !itself && !draft.ended;
}

/** The parameters, if this version agrees with what the run has behind it. */
function fitting(original: Original, batch: StartableBatch, version: 'original' | 'newest', from: ReadonlySet<string>, fromStep: string | null): JsonObject | Rejected {
  const { plan, parameters, batchVersion } = original.state.context;
  if (version === 'original' || batch.version === batchVersion) return parameters;
  const refused = `Version ${batch.version} of batch ${batch.name} does not agree with version ${batchVersion} on what the run has behind it. Retry on the original version, from an earlier step, or start a new run.`;
  if (fromStep !== null && !isOfTree(batch.plan, fromStep)) return { rejected: 'not-retryable', detail: refused, errors: [{ path: '/fromStep', message: `Version ${batch.version} has no step "${fromStep}".` }] };
  const differences = versionDifferences(plan.definition.steps, batch.plan.definition.steps, from);
  if (differences.length > 0) return { rejected: 'not-retryable', detail: refused, errors: differences };
  const checked = batch.check(parameters);
  return checked.errors.length > 0 ? { rejected: 'not-retryable', detail: `The parameters of the run do not fit version ${batch.version} of batch ${batch.name}. Retry on the original version, or start a new run.`, errors: checked.errors } : checked.parameters;
}

function badStep(fromStep: string, message: string): Rejected {
  return { rejected: 'validation-failed', detail: `The run can not be retried from "${fromStep}".`, errors: [{ path: '/fromStep', message }] };
}
