/**
 * How each fact changes a run, and which fact can happen to it. Pure: no time, no ids.
 *
 * 1. `counts` add up to `total` after every fact.
 * 2. `applyFact` is called only with a fact that `accepts` took.
 */
import { isJsonObject } from '../events/json.js';
import type { JsonValue } from '../events/json.js';
import type { StepCounts, StepStatus } from '../events/run.events.js';
import { isContainer } from './plan.js';
import { changed, moved, stepAt, stepOf } from './run.context.js';
import type { GateState, RunContext, RunEvent, StepState } from './run.context.js';
import { afterRefusedGroup, afterSkip, nodeOf, pendingIn, skippedBy } from './run.skips.js';


/** Whether this fact can happen to this run now. The lifecycle state is judged by the machine; this judges the step. */
export function accepts(context: RunContext, event: RunEvent): boolean {
  if (!isStepFact(event)) return acceptsRunFact(context, event);
  const step = stepOf(context, event.data.stepId);
  if (step === undefined) return false;
  switch (event.type) {
    case 'StepDispatched':
      return (step.status === 'pending' || step.status === 'retrying') && event.data.attempt === step.attempt + 1;
    case 'StepRefused':
      return step.status === 'pending' && event.data.skipped === refusedWith(context, event);
    case 'GateParked':
    case 'StepKept':
      return step.status === 'pending';
    case 'StepSkipped':
      return (event.data.branches !== null || step.status === 'pending') && pendingIn(context, skippedBy(context, event)).length === event.data.count;
    case 'DecisionTaken':
      return step.status === 'pending' && pendingIn(context, skippedBy(context, event)).length === event.data.count;
    case 'StepStarted':
      return step.status === 'dispatched' && step.executionId === event.data.executionId;
    case 'StepSucceeded':
    case 'StepLost':
      return step.status === 'running' && step.executionId === event.data.executionId;
    case 'StepStopRequested':
      return step.status === 'running' && step.executionId === event.data.executionId && step.stopping === null;
    case 'StepFailed':
    case 'StepCancelled':
      return step.status === event.data.was && step.executionId === event.data.executionId;
    case 'StepRetryScheduled':
      return step.status === 'retrying' && step.executionId === event.data.executionId && event.data.nextAttempt === step.attempt + 1;
    case 'GateOverdue':
      return step.status === 'waiting' && step.executionId === event.data.approvalId && step.gate?.overdue === false;
    case 'GateApprovalGiven':
      return step.status === 'waiting' && step.executionId === event.data.approvalId && !step.gate?.given.includes(event.data.by);
    case 'GateApproved':
    case 'GateRejected':
    case 'GateTimedOut':
    case 'GateReleased':
      return step.status === 'waiting' && step.executionId === event.data.approvalId;
  }
}

function isStepFact(event: RunEvent): event is Exclude<RunEvent, { type: RunFactOfTheWhole }> {
  return !['RunStarted', 'RunFailing', 'CancelRequested', 'RunCompleted', 'RunFailed', 'RunCancelled', 'RunPaused', 'RunResumed', 'CompensationStarted'].includes(event.type);
}

type RunFactOfTheWhole = 'CompensationStarted' | 'RunPaused' | 'RunResumed' | 'RunStarted' | 'RunFailing' | 'CancelRequested' | 'RunCompleted' | 'RunFailed' | 'RunCancelled';

function acceptsRunFact(context: RunContext, event: RunEvent): boolean {
  const { dispatched, running, retrying, waiting, pending } = context.counts;
  const active = dispatched + running + retrying + waiting;
  if (event.type === 'RunCompleted') return active === 0 && pending === 0;
  if (event.type === 'RunFailed' || event.type === 'RunCancelled') return active === 0;
  if (event.type === 'CompensationStarted') return active === 0 && context.compensating === null;
  if (event.type === 'RunPaused' || event.type === 'RunResumed') return context.paused === (event.type === 'RunResumed');
  return true;
}

export function applyFact(context: RunContext, event: RunEvent): RunContext {
  switch (event.type) {
    case 'RunStarted':
      return {
        ...context, runId: event.data.runId, batchId: event.data.batchId, batchName: event.data.batchName, batchVersion: event.data.batchVersion,
        trigger: event.data.trigger, startedBy: event.actor, starters: [...new Set([...(event.data.starters ?? []), event.actor])],
        retry: event.data.retry === undefined ? null : { of: event.data.retry.of, keeps: event.data.retry.keeps }, labels: event.data.labels, jobDefaults: event.data.jobDefaults,
        parameters: parametersOf(event.data.parameters),
      };
    case 'RunFailing':
      // What winds down is not held up any more.
      return { ...context, paused: false, failure: { stepId: event.data.stepId, error: event.data.error } };
    case 'CompensationStarted':
      return { ...context, compensating: event.data.reason };
    case 'RunPaused':
    case 'RunResumed':
      return { ...context, paused: event.type === 'RunPaused' };
    case 'CancelRequested':
      return { ...context, paused: false };
    case 'RunCompleted':
      return settlePending(context, 'skipped');
    case 'RunFailed':
      return settlePending(context, 'skipped');
    case 'RunCancelled':
      return settlePending(context, 'cancelled');
    case 'StepSkipped':
    case 'DecisionTaken':
      return afterSkip(context, event);
    case 'StepRefused':
      return noteFailure(afterRefusal(context, event), event);
    case 'StepFailed':
    case 'StepCancelled':
      return noteOrphan(noteFailure(withStep(context, event.data.stepId, (step) => afterStepFact(step, event)), event), event);
    default:
      return noteFailure(withStep(context, event.data.stepId, (step) => afterStepFact(step, event)), event);
  }
}

type StepFact = Exclude<RunEvent, { type: 'StepSkipped' | 'DecisionTaken' | RunFactOfTheWhole }>;

function afterStepFact(step: StepState, event: StepFact): StepState {
  switch (event.type) {
    case 'StepDispatched':
      return { ...step, status: 'dispatched', attempt: event.data.attempt, executionId: event.data.executionId, worker: null, stopping: null, retryAt: null };
    case 'StepStarted':
      return { ...step, status: 'running', worker: event.data.worker, generation: event.revision };
    case 'StepKept':
      return { ...step, status: 'succeeded', succeededAt: event.revision, outputs: event.data.outputs };
    case 'StepSucceeded':
      return { ...step, status: 'succeeded', succeededAt: event.revision, losses: 0, outputs: event.data.outputs, stopping: null };
    case 'StepFailed':
      return { ...step, ...failed(event), failures: step.failures + 1, losses: 0, stopping: null };
    case 'StepLost':
      return { ...step, ...failed(event), losses: step.losses + 1, stopping: null };
    case 'StepRetryScheduled':
      return { ...step, generation: event.revision, retryAt: event.data.retryAt };
    case 'StepRefused':
      return { ...step, status: 'failed', error: event.data.error, failedAt: event.revision };
    case 'StepStopRequested':
      return { ...step, stopping: event.data.reason, generation: event.revision };
    case 'StepCancelled':
      return { ...step, status: 'cancelled', stopping: null };
    case 'GateParked':
      return {
        ...step, status: 'waiting', executionId: event.data.approvalId, generation: event.revision,
        gate: { allowedRoles: event.data.allowedRoles, digest: event.data.digest, quorum: event.data.quorum, notTheStarter: event.data.notTheStarter, onTimeout: event.data.onTimeout, given: [], overdue: false, outcome: null },
      };
    case 'GateApprovalGiven':
      return withGate(step, (gate) => ({ ...gate, given: [...gate.given, event.data.by] }));
    case 'GateOverdue':
      return withGate(step, (gate) => ({ ...gate, overdue: true }));
    case 'GateApproved':
      return withGate({ ...step, status: 'succeeded' }, (gate) => ({ ...gate, outcome: event.data.outcome }));
    case 'GateRejected':
      return withGate({ ...step, status: 'failed' }, (gate) => ({ ...gate, outcome: 'rejected' }));
    case 'GateTimedOut':
      return withGate({ ...step, status: 'failed' }, (gate) => ({ ...gate, outcome: 'timedOut' }));
    case 'GateReleased':
      return withGate({ ...step, status: 'cancelled' }, (gate) => ({ ...gate, outcome: 'cancelled' }));
  }
}

function failed({ data, revision }: StepFact & { type: 'StepFailed' | 'StepLost' }): Pick<StepState, 'status'> & Partial<StepState> {
  return data.final ? { status: 'failed', error: data.error, failedAt: revision } : { status: 'retrying' };
}

function withGate(step: StepState, change: (gate: GateState) => GateState): StepState {
  return step.gate === null ? step : { ...step, gate: change(step.gate) };
}

function withStep(context: RunContext, stepId: string, change: (step: StepState) => StepState): RunContext {
  const ordinal = context.plan.ordinals.get(stepId) ?? -1;
  const before = stepAt(context, ordinal);
  const after = change(before);
  const counts = countsAfter(context, ordinal, before.status, after.status);
  return { ...changed(context, ordinal, () => after), counts };
}

/** How many steps a refused group takes with it; undefined for a step that is none. */
function refusedWith(context: RunContext, event: RunEvent & { type: 'StepRefused' }): number | undefined {
  const node = nodeOf(context, event.data.stepId);
  return node !== undefined && isContainer(node) ? pendingIn(context, [{ from: node.ordinal + 1, to: node.end }]).length : undefined;
}

function afterRefusal(context: RunContext, event: RunEvent & { type: 'StepRefused' }): RunContext {
  const node = nodeOf(context, event.data.stepId);
  return node !== undefined && isContainer(node) ? afterRefusedGroup(context, node, event) : withStep(context, event.data.stepId, (step) => afterStepFact(step, event));
}

/** What follows a run that went wrong counts from when it begins. */
function countsAfter({ plan, counts }: RunContext, ordinal: number, before: StepStatus, after: StepStatus): StepCounts {
  if (before === after) return counts;
  const node = plan.nodes[ordinal];
  if (node?.kind !== 'job' || node.role === 'step' || before !== 'pending') return moved(counts, before, after, 1);
  return { ...moved(counts, 'pending', after, 1), total: counts.total + 1, pending: counts.pending };
}

function settlePending(context: RunContext, to: 'skipped' | 'cancelled'): RunContext {
  const settled = (step: StepState): StepState => (step.status === 'pending' ? { ...step, status: to } : step);
  return { ...context, chunks: context.chunks.map((chunk) => chunk.map(settled)), counts: moved(context.counts, 'pending', to, context.counts.pending) };
}

function noteOrphan(context: RunContext, event: RunEvent & { type: 'StepFailed' | 'StepCancelled' }): RunContext {
  return event.data.orphaned ? { ...context, orphaned: [...context.orphaned, event.data.executionId] } : context;
}

function noteFailure(context: RunContext, event: StepFact | (RunEvent & { type: 'StepRefused' })): RunContext {
  if (context.failure !== null) return context;
  const ended = event.type === 'StepRefused' || ((event.type === 'StepFailed' || event.type === 'StepLost') && event.data.final);
  return ended ? { ...context, failure: { stepId: event.data.stepId, error: event.data.error } } : context;
}

function parametersOf(value: JsonValue): Readonly<Record<string, JsonValue>> {
  return isJsonObject(value) ? value : {};
}
