/**
 * What a run is: its machine's context, step by step. Kept in chunks that are copied on write, so that a fact costs the
 * same in a run of 5 or 5,000 steps.
 */
import type { JsonValue } from '../events/json.js';
import type { Placed } from '../events/run.codec.js';
import type { JobDefaults, RunError, RunFact, StepCounts, StepStatus, Trigger } from '../events/run.events.js';
import type { Plan } from './plan.js';

export type RunEvent = Placed<RunFact>;

export type StopReason = 'timeout' | 'cancel' | 'failure' | 'lostBranch' | 'operator';

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
  /** Of a step that failed. */
  readonly error: RunError | null;
  /** Revision of the fact with which it failed; -1 before. */
  readonly failedAt: number;
  /** Revision of the fact with which it succeeded; -1 before. */
  readonly succeededAt: number;
  /** Of a decision that was taken: the index of its branch, null for none. */
  readonly branch: number | null;
  /** When the next attempt may begin, while it is waited for. */
  readonly retryAt: string | null;
}

export interface GateState {
  readonly allowedRoles: readonly string[];
  readonly digest: string;
  readonly quorum: number;
  readonly notTheStarter: boolean;
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
  /** Everybody who counts as its starter. */
  readonly starters: readonly string[];
  /** The run that it tries again, and the steps of it that are kept. */
  readonly retry: { readonly of: string; readonly keeps: readonly string[] } | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, JsonValue>>;
  readonly jobDefaults: Readonly<Record<string, JobDefaults>>;
  readonly chunks: readonly (readonly StepState[])[];
  readonly counts: StepCounts;
  /** The first failure that decided the run's end, or the first of any under `continue`. */
  readonly failure: { readonly stepId: string | null; readonly error: RunError } | null;
  readonly orphaned: readonly string[];
  readonly paused: boolean;
  /** Why what succeeded is undone, or was. */
  readonly compensating: 'failure' | 'cancel' | null;
}

export const CHUNK = 32;
const PENDING: StepState = {
  status: 'pending', attempt: 0, executionId: null, worker: null, failures: 0, losses: 0, stopping: null, generation: -1, outputs: undefined, gate: null, error: null, failedAt: -1, succeededAt: -1, branch: null, retryAt: null,
};
const NO_COUNTS: StepCounts = { total: 0, pending: 0, dispatched: 0, running: 0, retrying: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 };

export function emptyContext(plan: Plan): RunContext {
  const chunks: StepState[][] = [];
  for (let at = 0; at < plan.nodes.length; at += CHUNK) chunks.push(new Array<StepState>(Math.min(CHUNK, plan.nodes.length - at)).fill(PENDING));
  return {
    plan, runId: '', batchId: '', batchName: '', batchVersion: 0, trigger: { type: 'api' }, startedBy: '', starters: [], retry: null, labels: {}, parameters: {}, jobDefaults: {},
    chunks, counts: { ...NO_COUNTS, total: plan.total, pending: plan.total }, failure: null, orphaned: [], paused: false, compensating: null,
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

/** What is to be kept of the run that it tries again and is not yet. */
export function keepsLeft(context: RunContext): readonly string[] {
  return (context.retry?.keeps ?? []).filter((stepId) => stepOf(context, stepId)?.status === 'pending');
}

/** The context with one step changed; what it counts as is not touched. */
export function changed(context: RunContext, ordinal: number, change: (step: StepState) => StepState): RunContext {
  const place = Math.floor(ordinal / CHUNK);
  return { ...context, chunks: context.chunks.with(place, context.chunks[place]!.with(ordinal % CHUNK, change(stepAt(context, ordinal)))) };
}

export function moved(counts: StepCounts, from: StepStatus, to: StepStatus, count: number): StepCounts {
  // A spread with keys that are only known when it runs takes several times as long.
  const after = { ...counts };
  after[from] -= count;
  after[to] += count;
  return after;
}
