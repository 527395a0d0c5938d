/**
 * The state of one run as its machine's context, and how each fact changes it. Pure: no time, no ids.
 *
 * 1. `counts` add up to `total` after every fact.
 * 2. `applyFact` is called only with a fact that `accepts` took.
 * 3. Step states are kept in chunks that are copied on write, so that a fact costs the same in a run of 5 or 5,000 steps.
 */
import { isJsonObject } from '../events/json.js';
import type { JsonValue } from '../events/json.js';
import type { Placed } from '../events/run.codec.js';
import type { JobDefaults, RunError, RunFact, StepCounts, StepStatus, Trigger } from '../events/run.events.js';
import type { Plan } from './plan.js';

export type StopReason = 'timeout' | 'cancel' | 'failure' | 'lostBranch';

export interface StepState {
  readonly status: StepStatus;
  readonly attempt: number;
  /** Of the newest attempt, or of the gate's approval. */
  readonly executionId: string | null;
  readonly worker: string | null;
  /** Failures that count against `maxAttempts`. */
  readonly failures: number;
  /** Losses in a row. */
  readonly losses: number;
  readonly stopping: StopReason | null;
  /** Revision of the fact that armed the timer which now runs for this step. */
  readonly generation: number;
  readonly outputs: JsonValue | undefined;
  readonly gate: GateState | null;
}

export interface GateState {
  readonly allowedRoles: readonly string[];
  readonly digest: string;
  readonly quorum: number;
  readonly onTimeout: 'fail' | 'approve' | 'hold';
  readonly given: readonly string[];
  readonly overdue: boolean;
  readonly outcome: 'approved' | 'autoApproved' | 'rejected' | 'timedOut' | 'cancelled' | null;
}

export interface RunContext {
  readonly plan: Plan;
  readonly runId: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly batchVersion: number;
  readonly trigger: Trigger;
  readonly startedBy: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, JsonValue>>;
  readonly jobDefaults: Readonly<Record<string, JobDefaults>>;
  readonly chunks: readonly (readonly StepState[])[];
  readonly counts: StepCounts;
  /** The first failure that decided the run's end, or the first of any under `continue`. */
  readonly failure: { readonly stepId: string; readonly error: RunError } | null;
  readonly orphaned: readonly string[];
}

const CHUNK = 32;
const PENDING: StepState = {
  status: 'pending', attempt: 0, executionId: null, worker: null, failures: 0, losses: 0, stopping: null, generation: -1, outputs: undefined, gate: null,
};
const NO_COUNTS: StepCounts = { total: 0, pending: 0, dispatched: 0, running: 0, retrying: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 };

export function emptyContext(plan: Plan): RunContext {
  const chunks: StepState[][] = [];
  for (let at = 0; at < plan.nodes.length; at += CHUNK) chunks.push(new Array<StepState>(Math.min(CHUNK, plan.nodes.length - at)).fill(PENDING));
  return {
    plan, runId: '', batchId: '', batchName: '', batchVersion: 0, trigger: { type: 'api' }, startedBy: '', labels: {}, parameters: {}, jobDefaults: {},
    chunks, counts: { ...NO_COUNTS, total: plan.total, pending: plan.total }, failure: null, orphaned: [],
  };
}

export function stepAt(context: RunContext, ordinal: number): StepState {
  const step = context.chunks[Math.floor(ordinal / CHUNK)]?.[ordinal % CHUNK];
  if (step === undefined) throw new RangeError(`The plan of run ${context.runId} has no step number ${ordinal}.`);
  return step;
}

export function stepOf(context: RunContext, stepId: string): StepState | undefined {
  const ordinal = context.plan.ordinals.get(stepId);
  return ordinal === undefined ? undefined : stepAt(context, ordinal);
}

export type RunEvent = Placed<RunFact>;

/** Whether this fact can happen to this run now. The lifecycle state is judged by the machine; this judges the step. */
export function accepts(context: RunContext, event: RunEvent): boolean {
  if (!isStepFact(event)) return acceptsRunFact(context, event);
  const step = stepOf(context, event.data.stepId);
  if (step === undefined) return false;
  switch (event.type) {
    case 'StepDispatched':
      return (step.status === 'pending' || step.status === 'retrying') && event.data.attempt === step.attempt + 1;
    case 'StepRefused':
    case 'GateParked':
      return step.status === 'pending';
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

function isStepFact(event: RunEvent): event is StepFact {
  return !['RunStarted', 'RunFailing', 'CancelRequested', 'RunCompleted', 'RunFailed', 'RunCancelled'].includes(event.type);
}

function acceptsRunFact(context: RunContext, event: RunEvent): boolean {
  const { dispatched, running, retrying, waiting, pending } = context.counts;
  const active = dispatched + running + retrying + waiting;
  if (event.type === 'RunCompleted') return active === 0 && pending === 0;
  if (event.type === 'RunFailed' || event.type === 'RunCancelled') return active === 0;
  return true;
}

export function applyFact(context: RunContext, event: RunEvent): RunContext {
  switch (event.type) {
    case 'RunStarted':
      return {
        ...context, runId: event.data.runId, batchId: event.data.batchId, batchName: event.data.batchName, batchVersion: event.data.batchVersion,
        trigger: event.data.trigger, startedBy: event.actor, labels: event.data.labels, jobDefaults: event.data.jobDefaults,
        parameters: parametersOf(event.data.parameters),
      };
    case 'RunFailing':
      return { ...context, failure: { stepId: event.data.stepId, error: event.data.error } };
    case 'CancelRequested':
      return { ...context };
    case 'RunCompleted':
      return settlePending(context, 'skipped');
    case 'RunFailed':
      return settlePending(context, 'skipped');
    case 'RunCancelled':
      return settlePending(context, 'cancelled');
    case 'StepFailed':
    case 'StepCancelled':
      return noteOrphan(noteFailure(withStep(context, event.data.stepId, (step) => afterStepFact(step, event)), event), event);
    default:
      return noteFailure(withStep(context, event.data.stepId, (step) => afterStepFact(step, event)), event);
  }
}

type StepFact = Exclude<RunEvent, { type: 'RunStarted' | 'RunFailing' | 'CancelRequested' | 'RunCompleted' | 'RunFailed' | 'RunCancelled' }>;

function afterStepFact(step: StepState, event: StepFact): StepState {
  switch (event.type) {
    case 'StepDispatched':
      return { ...step, status: 'dispatched', attempt: event.data.attempt, executionId: event.data.executionId, worker: null, stopping: null };
    case 'StepStarted':
      return { ...step, status: 'running', worker: event.data.worker, generation: event.revision };
    case 'StepSucceeded':
      return { ...step, status: 'succeeded', losses: 0, outputs: event.data.outputs, stopping: null };
    case 'StepFailed':
      return { ...step, status: event.data.final ? 'failed' : 'retrying', failures: step.failures + 1, losses: 0, stopping: null };
    case 'StepLost':
      return { ...step, status: event.data.final ? 'failed' : 'retrying', losses: step.losses + 1, stopping: null };
    case 'StepRetryScheduled':
      return { ...step, generation: event.revision };
    case 'StepRefused':
      return { ...step, status: 'failed' };
    case 'StepStopRequested':
      return { ...step, stopping: event.data.reason, generation: event.revision };
    case 'StepCancelled':
      return { ...step, status: 'cancelled', stopping: null };
    case 'GateParked':
      return {
        ...step, status: 'waiting', executionId: event.data.approvalId, generation: event.revision,
        gate: { allowedRoles: event.data.allowedRoles, digest: event.data.digest, quorum: event.data.quorum, onTimeout: event.data.onTimeout, given: [], overdue: false, outcome: null },
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

function withGate(step: StepState, change: (gate: GateState) => GateState): StepState {
  return step.gate === null ? step : { ...step, gate: change(step.gate) };
}

function withStep(context: RunContext, stepId: string, change: (step: StepState) => StepState): RunContext {
  const ordinal = context.plan.ordinals.get(stepId) ?? -1;
  const before = stepAt(context, ordinal);
  const after = change(before);
  const place = Math.floor(ordinal / CHUNK);
  const chunk = context.chunks[place]!.with(ordinal % CHUNK, after);
  const counts = before.status === after.status ? context.counts : moved(context.counts, before.status, after.status, 1);
  return { ...context, chunks: context.chunks.with(place, chunk), counts };
}

function moved(counts: StepCounts, from: StepStatus, to: StepStatus, count: number): StepCounts {
  return { ...counts, [from]: counts[from] - count, [to]: counts[to] + count };
}

function settlePending(context: RunContext, to: 'skipped' | 'cancelled'): RunContext {
  const settled = (step: StepState): StepState => (step.status === 'pending' ? { ...step, status: to } : step);
  return { ...context, chunks: context.chunks.map((chunk) => chunk.map(settled)), counts: moved(context.counts, 'pending', to, context.counts.pending) };
}

function noteOrphan(context: RunContext, event: RunEvent & { type: 'StepFailed' | 'StepCancelled' }): RunContext {
  return event.data.orphaned ? { ...context, orphaned: [...context.orphaned, event.data.executionId] } : context;
}

function noteFailure(context: RunContext, event: StepFact): RunContext {
  if (context.failure !== null) return context;
  const ended = event.type === 'StepRefused' || ((event.type === 'StepFailed' || event.type === 'StepLost') && event.data.final);
  return ended ? { ...context, failure: { stepId: event.data.stepId, error: event.data.error } } : context;
}

function parametersOf(value: JsonValue): Readonly<Record<string, JsonValue>> {
  return isJsonObject(value) ? value : {};
}
