/**
 * Advancing: what a run does by itself after any fact. Saying it again changes nothing, so it also repairs.
 *
 * 1. While running: every step whose turn it is is dispatched, parked if it is a gate, skipped if its condition is false.
 * 2. While failing or cancelling: gates are released, what waits is cancelled, what runs is asked to stop.
 * 3. When nothing is left, the run's final fact is said.
 */
import { isJsonObject, isoTime } from '../events/json.js';
import type { JsonObject } from '../events/json.js';
import type { RunError, StepStatus } from '../events/run.events.js';
import { isRejected } from '../actors/actor.js';
import { isContainer, policyOf } from './plan.js';
import { keepsLeft } from './run.context.js';
import type { DecisionNode, GateNode, JobNode, PlanNode } from './plan.js';
import type { RunDraft } from './run.draft.js';
import { pendingIn } from './run.skips.js';
import { bytesOf, evaluated, holds, shownBy, tooMuch } from './run.values.js';
import { stands, walk } from './run.walk.js';
import type { End, LostBranch } from './run.walk.js';

/** Returns whether there is more to do than this append holds. */
export function advance(draft: RunDraft): boolean {
  for (;;) {
    if (draft.ended) return false;
    if (draft.lifecycle === 'compensating') return aftermath(draft);
    const halting = haltReason(draft);
    if (halting !== null) return windDown(draft, halting);
    keep(draft);
    if (draft.full) return true;
    if (isAtWork(draft)) return false;
    const { end, ready, lost } = walk(draft);
    if (end.state === 'failed' && !draft.run.plan.goesOnAfterFailure) {
      failRun(draft, 'step', failureAt(draft, end.failure));
      continue;
    }
    for (const branch of lost) dropBranch(draft, branch);
    if (end.state !== 'open') {
      if (end.state === 'failed' && draft.run.plan.onFailure.length > 0 && !isActive(draft)) {
        failRun(draft, 'step', failureAt(draft, end.failure));
        continue;
      }
      return finish(draft, end);
    }
    if (ready.length === 0 || draft.run.paused) return false;
    if (!begin(draft, ready) && !draft.full) return false;
  }
}

/** Takes over what the run before had behind it, before anything is begun. */
function keep(draft: RunDraft): void {
  const { original } = draft.ctx;
  for (const stepId of keepsLeft(draft.run)) {
    if (draft.full) return;
    const kept = original === undefined || isRejected(original) ? undefined : original.kept.find((one) => one.stepId === stepId);
    const node = draft.run.plan.nodes[draft.run.plan.ordinals.get(stepId) ?? -1];
    if (kept === undefined || node === undefined) throw new Error(`Step ${stepId} of run ${draft.run.runId} is to be kept, and the run that it tries again does not have it.`);
    if (kept.as === 'step') draft.say('StepKept', { stepId, from: kept.from, ...(kept.outputs !== undefined && { outputs: kept.outputs }) });
    else if (kept.as === 'skip') skip(draft, node);
    else if (node.kind === 'decision') take(draft, node, kept.branch);
  }
}

/** Why the run, or this job of it, is winding down; null while it is not. What follows a failure is not ended by it. */
export function haltReason(draft: RunDraft, node?: JobNode): 'cancel' | 'failure' | null {
  if (draft.lifecycle === 'cancelling') return 'cancel';
  return draft.lifecycle === 'failing' && (node === undefined || node.role === 'step') ? 'failure' : null;
}

/** Begins the steps whose turn it is. Returns whether that changed what comes next, so that the walk has to be done again. */
function begin(draft: RunDraft, ready: readonly PlanNode[]): boolean {
  let changed = false;
  for (const node of ready) {
    if (draft.full) return changed;
    const begun = beginNode(draft, node);
    if (begun === 'waits') continue;
    changed = true;
    if (begun !== 'done') refuse(draft, node, begun);
  }
  return changed;
}

function refuse(draft: RunDraft, node: PlanNode, error: RunError): void {
  const inside = { from: node.ordinal + 1, to: node.end };
  const kind = node.kind === 'job' && node.role !== 'step' ? node.role : undefined;
  draft.say('StepRefused', { stepId: node.id, error, ...(isContainer(node) && { skipped: pendingIn(draft.run, [inside]).length }), ...(kind && { kind }) });
}

/** `waits`: for an outcome or a person; `done`: it is behind the run; or why it could not begin. */
function beginNode(draft: RunDraft, node: PlanNode): 'waits' | 'done' | RunError {
  const wanted = holds(draft, node.when);
  if (typeof wanted !== 'boolean') return wanted;
  if (!wanted) {
    skip(draft, node);
    return 'done';
  }
  if (node.kind === 'decision') return decide(draft, node);
  if (node.kind === 'parallel') return 'done';
  return (node.kind === 'job' ? beginJob(draft, node) : park(draft, node)) ?? 'waits';
}

function skip(draft: RunDraft, node: PlanNode): void {
  draft.say('StepSkipped', { stepId: node.id, branches: null, reason: 'when', count: pendingIn(draft.run, [{ from: node.ordinal, to: node.end }]).length });
}

/** The first branch whose condition holds; what the others hold is skipped. */
function decide(draft: RunDraft, node: DecisionNode): 'done' | RunError {
  let taken: number | null = null;
  for (const [at, { when }] of node.branches.entries()) {
    const fits = holds(draft, when);
    if (typeof fits !== 'boolean') return fits;
    if (!fits) continue;
    taken = at;
    break;
  }
  take(draft, node, taken);
  return 'done';
}

function take(draft: RunDraft, node: DecisionNode, taken: number | null): void {
  const others = node.branches.filter((_, at) => at !== taken);
  const branchId = taken === null ? null : (node.branches[taken]?.id ?? null);
  draft.say('DecisionTaken', { stepId: node.id, branch: taken, branchId, count: pendingIn(draft.run, others).length });
}

/** The branch is not waited for any more: what waits in it is let go, what runs is asked to stop, the rest is skipped. */
function dropBranch(draft: RunDraft, { node, branch }: LostBranch): void {
  const range = node.branches[branch];
  if (range === undefined) return;
  for (const inside of draft.run.plan.nodes.slice(range.from, range.to)) {
    if (draft.full) return;
    if (inside.kind === 'gate') release(draft, inside, 'lostBranch');
    if (inside.kind === 'job') stop(draft, inside, 'lostBranch');
  }
  const count = pendingIn(draft.run, [range]).length;
  if (count > 0) draft.say('StepSkipped', { stepId: node.id, branches: [branch], reason: 'lostBranch', count });
}

/** Dispatches the next attempt at a job step; claimed in the same breath where this node has a slot free. */
export function beginJob(draft: RunDraft, node: JobNode): RunError | undefined {
  const params = parametersFor(draft, node);
  if ('error' in params) return params.error;
  const attempt = draft.step(node).attempt + 1;
  const executionId = draft.ctx.newExecution(node.id, attempt);
  draft.say('StepDispatched', { stepId: node.id, executionId, attempt, job: node.step.job, kind: node.role, params: params.value });
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
  if ('error' in own) return own;
  const value = { ...passed, ...(isJsonObject(own.value) ? own.value : {}) };
  const error = tooMuch(`The parameters of step ${node.id}`, bytesOf(value));
  return error === undefined ? { value } : { error };
}

function park(draft: RunDraft, node: GateNode): RunError | undefined {
  const shows = shownBy(draft, node);
  if ('error' in shows) return shows.error;
  draft.say('GateParked', {
    stepId: node.id, approvalId: draft.ctx.newApproval(node.id, 1), ...shows.shown, digest: draft.ctx.digest(shows.shown),
    allowedRoles: [...node.step.allowedRoles], quorum: node.step.quorum ?? 1, notTheStarter: node.step.notTheStarter ?? false,
    deadline: node.timeoutMs === undefined ? null : isoTime(draft.ctx.nowMs + node.timeoutMs), onTimeout: node.step.onTimeout ?? 'fail',
  });
  return undefined;
}

/** The failure that decides the run: nothing is dispatched any more. What runs is asked to stop by `windDown`. */
export function failRun(draft: RunDraft, cause: 'step' | 'gate' | 'timeout', { stepId, error }: Failure): void {
  draft.say('RunFailing', { stepId, cause, error });
}

/** `stepId` null: of the run as a whole. */
export interface Failure {
  readonly stepId: string | null;
  readonly error: RunError;
}

function failureAt(draft: RunDraft, ordinal: number): Failure {
  const node = draft.run.plan.nodes[ordinal];
  const error = node === undefined ? null : draft.step(node).error;
  return { stepId: node?.id ?? '', error: error ?? { kind: 'error', code: 'failed', message: `Step ${node?.id ?? ordinal} came to nothing.`, retryable: false } };
}

function windDown(draft: RunDraft, reason: 'cancel' | 'failure'): boolean {
  let open = false;
  for (const node of draft.run.plan.nodes) {
    if (draft.full) return true;
    if (isContainer(node) || (reason === 'failure' && node.kind === 'job' && node.role !== 'step')) continue;
    if (node.kind === 'gate') release(draft, node, reason);
    else stop(draft, node, reason);
    open ||= ACTIVE.includes(draft.step(node).status);
  }
  if (open) return false;
  const { compensatesFailure, compensatesCancel } = draft.run.plan;
  const undoes = (reason === 'cancel' ? compensatesCancel : compensatesFailure) && draft.run.compensating === null && undoable(draft).length > 0;
  if (undoes) draft.say('CompensationStarted', { reason });
  else if (reason === 'cancel') {
    draft.say('RunCancelled', { orphaned: [...draft.run.orphaned] });
    return false;
  }
  return aftermath(draft);
}

const ACTIVE: readonly StepStatus[] = ['dispatched', 'running', 'retrying', 'waiting'];

function isActive({ run: { counts } }: RunDraft): boolean {
  return counts.dispatched + counts.running + counts.retrying + counts.waiting > 0;
}

/**
 * Whether all that is left is under way and the run needs every step, so that a walk would find nothing: in a wide group
 * that is so after nearly every fact. A group that was refused is in no count: the run's failure says so.
 */
function isAtWork(draft: RunDraft): boolean {
  const { counts, failure, plan } = draft.run;
  return plan.needsAll && failure === null && counts.pending === 0 && counts.failed + counts.cancelled === 0 && isActive(draft);
}

/** What follows a run that went wrong, one job after the other: each has its own end, and none keeps the rest from theirs. */
function aftermath(draft: RunDraft): boolean {
  const { compensating, failure, orphaned } = draft.run;
  const undoing = compensating === null ? [] : undoable(draft);
  for (const node of [...undoing, ...(compensating === 'cancel' ? [] : draft.run.plan.onFailure)]) {
    if (draft.full) return true;
    const { status } = draft.step(node);
    if (ACTIVE.includes(status)) return false;
    // One whose condition is false has never begun, and counts for nothing.
    if (status !== 'pending' || holds(draft, node.when) === false) continue;
    const begun = beginNode(draft, node);
    if (begun === 'waits') return false;
    if (begun !== 'done') refuse(draft, node, begun);
  }
  if (compensating === 'cancel') draft.say('RunCancelled', { orphaned: [...orphaned] });
  else if (failure !== null) sayFailed(draft, failure);
  return false;
}

/** The jobs that undo what succeeded, newest first. A group that succeeded is undone as one unit, in place of what is in it. */
function undoable(draft: RunDraft): JobNode[] {
  const { nodes, compensations } = draft.run.plan;
  const done = compensations.flatMap((node) => {
    const target = nodes[node.undoes ?? -1];
    const endedAt = target === undefined ? -1 : completedAt(draft, target);
    return target === undefined || endedAt < 0 ? [] : [{ node, target, endedAt }];
  });
  const inUnit = ({ ordinal }: PlanNode): boolean => done.some(({ target }) => isContainer(target) && ordinal > target.ordinal && ordinal < target.end);
  return done.filter(({ target }) => !inUnit(target)).sort((one, other) => other.endedAt - one.endedAt).map(({ node }) => node);
}

/** The revision with which it succeeded, of a group with its last step; -1 if it did not, or nothing in it ran. */
function completedAt(draft: RunDraft, node: PlanNode): number {
  if (!isContainer(node)) return draft.step(node).succeededAt;
  if (stands(draft, node).state !== 'ok') return -1;
  return draft.run.plan.nodes.slice(node.ordinal + 1, node.end).reduce((last, inside) => Math.max(last, draft.step(inside).succeededAt), -1);
}

function release(draft: RunDraft, node: GateNode, reason: 'cancel' | 'failure' | 'lostBranch'): void {
  const step = draft.step(node);
  if (step.status === 'waiting') draft.say('GateReleased', { stepId: node.id, approvalId: step.executionId ?? '', reason });
}

function stop(draft: RunDraft, node: JobNode, reason: 'cancel' | 'failure' | 'lostBranch'): void {
  const { status, executionId, attempt, stopping } = draft.step(node);
  const attemptOf = { stepId: node.id, executionId: executionId ?? '', attempt };
  if (status === 'dispatched' || status === 'retrying') draft.say('StepCancelled', { ...attemptOf, was: status, reason, orphaned: false });
  if (status !== 'running' || stopping !== null) return;
  draft.say('StepStopRequested', { ...attemptOf, reason, graceEndsAt: isoTime(draft.ctx.nowMs + policyFor(draft, node).cancelGraceMs) });
}

/** The end, once nothing runs any more: a branch that lost may still be stopping. */
function finish(draft: RunDraft, end: End & { readonly state: 'ok' | 'failed' }): boolean {
  if (isActive(draft) || draft.full) return draft.full;
  if (end.state === 'ok') draft.say('RunCompleted', {});
  else sayFailed(draft, failureAt(draft, end.failure));
  return false;
}

function sayFailed(draft: RunDraft, { error, stepId }: Failure): void {
  draft.say('RunFailed', { error, stepId, orphaned: [...draft.run.orphaned] });
}
