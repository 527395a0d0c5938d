/**
 * Advancing: what a run does by itself after any fact. A pure walk of the tree, not a cursor, so that branches may
 * hold gates and groups. Saying it again changes nothing, so it also repairs.
 *
 * 1. While running: every step whose turn it is is dispatched, or parked if it is a gate.
 * 2. While failing or cancelling: gates are released, what waits is cancelled, what runs is asked to stop.
 * 3. When nothing is left, the run's final fact is said.
 */
import { isJsonObject, isoTime } from '../events/json.js';
import type { JsonObject, JsonValue } from '../events/json.js';
import type { RunError } from '../events/run.events.js';
import { ExpressionError } from '../expressions/expression.js';
import type { Compiled, Scope } from '../expressions/expression.js';
import { policyOf } from './plan.js';
import type { GateNode, JobNode, PlanNode } from './plan.js';
import type { RunDraft } from './run.draft.js';
import { stepOf } from './run.state.js';

/** Returns whether there is more to do than this append holds. */
export function advance(draft: RunDraft): boolean {
  for (;;) {
    const halting = haltReason(draft);
    if (halting !== null) return windDown(draft, halting);
    if (draft.ended) return false;
    if (draft.full) return true;
    const ready: PlanNode[] = [];
    const end = walkSequence(draft, draft.run.plan.root, ready);
    if (end !== 'open') return finish(draft);
    if (ready.length === 0) return false;
    if (!begin(draft, ready) && !draft.full) return false;
  }
}

/** Why the run is winding down; null while it is not. */
export function haltReason(draft: RunDraft): 'cancel' | 'failure' | null {
  if (draft.lifecycle === 'cancelling') return 'cancel';
  return draft.lifecycle === 'failing' ? 'failure' : null;
}

type End = 'open' | 'ok' | 'failed';

function walkSequence(draft: RunDraft, ordinals: readonly number[], ready: PlanNode[]): End {
  let failed = false;
  for (const ordinal of ordinals) {
    const end = walkNode(draft, draft.run.plan.nodes[ordinal]!, ready);
    if (end === 'open') return 'open';
    if (end === 'failed') failed = true;
    if (failed && !draft.run.plan.goesOnAfterFailure) return 'failed';
  }
  return failed ? 'failed' : 'ok';
}

function walkNode(draft: RunDraft, node: PlanNode, ready: PlanNode[]): End {
  if (node.kind === 'parallel') {
    const ends = node.branches.map((branch) => walkSequence(draft, branch, ready));
    if (ends.includes('open')) return 'open';
    return ends.includes('failed') ? 'failed' : 'ok';
  }
  const { status } = draft.step(node);
  if (status === 'pending') ready.push(node);
  if (status === 'succeeded' || status === 'skipped') return 'ok';
  return status === 'failed' || status === 'cancelled' ? 'failed' : 'open';
}

/** Begins the steps whose turn it is. Returns whether one of them could not begin, so that the walk has to be done again. */
function begin(draft: RunDraft, ready: readonly PlanNode[]): boolean {
  let refused = false;
  for (const node of ready) {
    if (draft.full) return refused;
    const error = node.kind === 'job' ? beginJob(draft, node) : node.kind === 'gate' ? park(draft, node) : undefined;
    if (error === undefined) continue;
    refused = true;
    draft.say('StepRefused', { stepId: node.id, error });
    if (!draft.run.plan.goesOnAfterFailure) {
      failRun(draft, node.id, 'step', error);
      return true;
    }
  }
  return refused;
}

/** Dispatches the next attempt at a job step; claimed in the same breath where this node has a slot free. */
export function beginJob(draft: RunDraft, node: JobNode): RunError | undefined {
  const params = parametersFor(draft, node);
  if ('error' in params) return params.error;
  const attempt = draft.step(node).attempt + 1;
  const executionId = draft.ctx.newExecution(node.id, attempt);
  draft.say('StepDispatched', { stepId: node.id, executionId, attempt, job: node.step.job, kind: 'step', params: params.value });
  const worker = draft.ctx.claim(node.step.job, executionId, params.value);
  if (worker !== undefined) startAttempt(draft, node, worker);
  return undefined;
}

export function startAttempt(draft: RunDraft, node: JobNode, worker: string): void {
  const { executionId, attempt } = draft.step(node);
  const { timeoutMs } = policyFor(draft, node);
  draft.say('StepStarted', {
    stepId: node.id, executionId: executionId ?? '', attempt, worker, timeoutAt: timeoutMs === null ? null : isoTime(draft.ctx.nowMs + timeoutMs),
  });
}

export function policyFor(draft: RunDraft, node: JobNode): ReturnType<typeof policyOf> {
  const defaults = draft.run.jobDefaults[node.step.job];
  if (defaults === undefined) throw new Error(`Run ${draft.run.runId} has no defaults for job ${node.step.job}: RunStarted did not carry them.`);
  return policyOf(node, defaults);
}

function parametersFor(draft: RunDraft, node: JobNode): { readonly value: JsonObject } | { readonly error: RunError } {
  const { declares } = policyFor(draft, node);
  const passed = Object.fromEntries(Object.entries(draft.run.parameters).filter(([key]) => declares?.includes(key)));
  if (node.params === undefined) return { value: passed };
  const own = evaluated(draft, node.params);
  return 'error' in own ? own : { value: { ...passed, ...(isJsonObject(own.value) ? own.value : {}) } };
}

function evaluated(draft: RunDraft, expression: Compiled): { readonly value: JsonValue } | { readonly error: RunError } {
  try {
    return { value: expression.evaluate(scopeOf(draft)) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: { kind: 'expression', code: 'expression-failed', message: error.message, retryable: false } };
  }
}

function scopeOf(draft: RunDraft): Scope {
  const { run } = draft;
  return { params: run.parameters, outputs: (stepId) => stepOf(run, stepId)?.outputs, run: { id: run.runId, startedBy: run.startedBy, labels: run.labels } };
}

function park(draft: RunDraft, node: GateNode): RunError | undefined {
  const shown: Record<string, JsonValue> = {};
  for (const [name, expression] of node.show) {
    const value = evaluated(draft, expression);
    if ('error' in value) return value.error;
    shown[name] = value.value;
  }
  const title = evaluated(draft, node.title);
  if ('error' in title) return title.error;
  const description = node.description === undefined ? { value: null } : evaluated(draft, node.description);
  if ('error' in description) return description.error;
  const texts = { title: asText(title.value), description: description.value === null ? null : asText(description.value) };
  draft.say('GateParked', {
    stepId: node.id, approvalId: draft.ctx.newApproval(node.id, 1), ...texts, data: shown, digest: draft.ctx.digest({ ...texts, data: shown }),
    allowedRoles: [...node.step.allowedRoles], quorum: node.step.quorum ?? 1, notTheStarter: node.step.notTheStarter ?? false,
    deadline: node.timeoutMs === undefined ? null : isoTime(draft.ctx.nowMs + node.timeoutMs), onTimeout: node.step.onTimeout ?? 'fail',
  });
  return undefined;
}

function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The first failure that decides the run: nothing is dispatched any more. What runs is asked to stop by `windDown`. */
export function failRun(draft: RunDraft, stepId: string, cause: 'step' | 'gate', error: RunError): void {
  draft.say('RunFailing', { stepId, cause, error });
}

function windDown(draft: RunDraft, reason: 'cancel' | 'failure'): boolean {
  for (const node of draft.run.plan.nodes) {
    if (draft.full) return true;
    if (node.kind === 'gate') release(draft, node, reason);
    if (node.kind === 'job') stop(draft, node, reason);
  }
  const { dispatched, running, retrying, waiting } = draft.run.counts;
  if (dispatched + running + retrying + waiting > 0) return false;
  if (reason === 'cancel') draft.say('RunCancelled', { orphaned: [...draft.run.orphaned] });
  else sayFailed(draft);
  return false;
}

function release(draft: RunDraft, node: GateNode, reason: 'cancel' | 'failure'): void {
  const step = draft.step(node);
  if (step.status === 'waiting') draft.say('GateReleased', { stepId: node.id, approvalId: step.executionId ?? '', reason });
}

function stop(draft: RunDraft, node: JobNode, reason: 'cancel' | 'failure'): void {
  const { status, executionId, attempt, stopping } = draft.step(node);
  const attemptOf = { stepId: node.id, executionId: executionId ?? '', attempt };
  if (status === 'dispatched' || status === 'retrying') draft.say('StepCancelled', { ...attemptOf, was: status, reason, orphaned: false });
  if (status !== 'running' || stopping !== null) return;
  draft.say('StepStopRequested', { ...attemptOf, reason, graceEndsAt: isoTime(draft.ctx.nowMs + policyFor(draft, node).cancelGraceMs) });
}

function finish(draft: RunDraft): boolean {
  if (draft.run.failure === null) draft.say('RunCompleted', {});
  else sayFailed(draft);
  return false;
}

function sayFailed(draft: RunDraft): void {
  const { failure, orphaned } = draft.run;
  const error = failure?.error ?? { kind: 'error', code: 'failed', message: 'The run failed.', retryable: false };
  draft.say('RunFailed', { error, stepId: failure?.stepId ?? null, orphaned: [...orphaned] });
}
