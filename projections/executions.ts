/**
 * Executions: one row an attempt at a job, with what it was given and what became of it; the steps that failed
 * before they had an attempt, those that were skipped, the decisions that were taken; and how many executions stand in which status.
 */
import type { JsonValue } from '../src/events/json.js';
import type { Placed } from '../src/events/run.codec.js';
import { EXECUTION_CANCELLED } from '../src/events/run.events.js';
import type { RunError, RunFact, RunFactData, StepStatus } from '../src/events/run.events.js';
import type { Streams } from '../src/events/streams.js';
import type { Projection, Rows, Table } from '../src/reading/projection.js';
import { runFactOf } from './sources.js';
import type { FactOf } from './sources.js';

export type ExecutionStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'timedOut' | 'lost' | 'cancelled' | 'orphaned';
export const EXECUTION_STATUSES: readonly ExecutionStatus[] = ['queued', 'running', 'succeeded', 'failed', 'timedOut', 'lost', 'cancelled', 'orphaned'];

export interface ExecutionRow {
  readonly id: string;
  readonly runId: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly stepId: string;
  readonly kind: 'step' | 'compensation' | 'onFailure';
  readonly job: string;
  readonly attempt: number;
  readonly status: ExecutionStatus;
  /** The incarnation of the node that runs it, or did. */
  readonly worker: string | null;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly params: JsonValue;
  readonly outputs: JsonValue;
  readonly error: RunError | null;
  readonly progress: { readonly done: number; readonly total: number | null } | null;
  readonly log: readonly string[] | null;
}

export interface ExecutionHistoryRow extends ExecutionRow {
  /** What the step came to by this attempt, as long as there is no later one. */
  readonly stepStatus: StepStatus;
  /** When its time-out, its grace or its wait for the next attempt is over; null if nothing ends it but itself. */
  readonly endsAt: string | null;
  /** Why its signal was aborted. */
  readonly stopping: string | null;
}

/** A run of which something is open: what its executions are called by. */
interface OpenRunRow {
  readonly runId: string;
  readonly batchId: string;
  readonly batchName: string;
}

export interface RefusedStepRow {
  readonly runId: string;
  readonly stepId: string;
  readonly kind: 'step' | 'compensation' | 'onFailure';
  readonly at: string;
  readonly error: RunError;
}

/** Steps that will not run: the step as a whole, or these branches of it. */
export interface SkippedStepRow {
  readonly runId: string;
  readonly stepId: string;
  readonly revision: number;
  readonly branches: readonly number[] | null;
  readonly at: string;
}

/** A step that succeeded in a run before: in which, by which execution or approval. */
export interface KeptStepRow {
  readonly runId: string;
  readonly stepId: string;
  readonly fromRun: string;
  readonly fromId: string;
  readonly outputs: JsonValue;
  readonly at: string;
}

/** A decision that was taken: the index of its branch, null for none. */
export interface DecisionRow {
  readonly runId: string;
  readonly stepId: string;
  readonly branch: number | null;
  readonly at: string;
}

export interface ExecutionCountRow {
  readonly status: ExecutionStatus;
  readonly executions: number;
}

export const EXECUTIONS: Table<ExecutionHistoryRow> = {
  name: 'executions',
  columns: {
    id: 'text', runId: 'text', batchId: 'text', batchName: 'text', stepId: 'text', kind: 'text', job: 'text', attempt: 'integer', status: 'text', worker: 'text',
    queuedAt: 'text', startedAt: 'text', endedAt: 'text', params: 'json', outputs: 'json', error: 'json', progress: 'json', log: 'json', stepStatus: 'text',
    endsAt: 'text', stopping: 'text',
  },
  key: ['id'],
  indexes: [['queuedAt', 'id'], ['runId', 'queuedAt', 'id'], ['status', 'queuedAt', 'id'], ['job', 'queuedAt', 'id'], ['batchId', 'queuedAt', 'id']],
};
const OPEN_RUNS: Table<OpenRunRow> = { name: 'execution_runs', columns: { runId: 'text', batchId: 'text', batchName: 'text' }, key: ['runId'], indexes: [] };
export const REFUSED_STEPS: Table<RefusedStepRow> = { name: 'refused_steps', columns: { runId: 'text', stepId: 'text', kind: 'text', at: 'text', error: 'json' }, key: ['runId', 'stepId'], indexes: [] };
export const SKIPPED_STEPS: Table<SkippedStepRow> = {
  name: 'skipped_steps', columns: { runId: 'text', stepId: 'text', revision: 'integer', branches: 'json', at: 'text' }, key: ['runId', 'stepId', 'revision'], indexes: [],
};
export const KEPT_STEPS: Table<KeptStepRow> = {
  name: 'kept_steps', columns: { runId: 'text', stepId: 'text', fromRun: 'text', fromId: 'text', outputs: 'json', at: 'text' }, key: ['runId', 'stepId'], indexes: [],
};
export const DECISIONS: Table<DecisionRow> = { name: 'decisions', columns: { runId: 'text', stepId: 'text', branch: 'integer', at: 'text' }, key: ['runId', 'stepId'], indexes: [] };
export const EXECUTION_COUNTS: Table<ExecutionCountRow> = { name: 'execution_counts', columns: { status: 'text', executions: 'integer' }, key: ['status'], indexes: [] };

export function executions(streams: Streams): Projection {
  return {
    name: 'executions',
    version: 3,
    tables: [EXECUTIONS, OPEN_RUNS, REFUSED_STEPS, SKIPPED_STEPS, KEPT_STEPS, DECISIONS, EXECUTION_COUNTS],
    apply(stored, rows) {
      const of = runFactOf(streams, stored);
      if (of !== undefined) take(of, rows);
    },
  };
}

function take({ id: runId, fact, at }: FactOf<Placed<RunFact>>, rows: Rows): void {
  switch (fact.type) {
    case 'RunStarted':
      return rows.put(OPEN_RUNS, { runId, batchId: fact.data.batchId, batchName: fact.data.batchName });
    case 'RunCompleted':
    case 'RunFailed':
    case 'RunCancelled':
      return rows.remove(OPEN_RUNS, runId);
    case 'StepRefused':
      return rows.put(REFUSED_STEPS, { runId, stepId: fact.data.stepId, kind: fact.data.kind ?? 'step', at, error: fact.data.error });
    case 'StepSkipped':
      return rows.put(SKIPPED_STEPS, { runId, stepId: fact.data.stepId, revision: fact.revision, branches: fact.data.branches, at });
    case 'StepKept':
      return rows.put(KEPT_STEPS, { runId, stepId: fact.data.stepId, fromRun: fact.data.from.runId, fromId: fact.data.from.id, outputs: fact.data.outputs ?? null, at });
    case 'DecisionTaken':
      return rows.put(DECISIONS, { runId, stepId: fact.data.stepId, branch: fact.data.branch, at });
    case 'StepDispatched':
      return put(rows, undefined, queued(runId, fact.data, at, rows));
    case 'StepStarted':
      return change(rows, fact.data.executionId, { status: 'running', stepStatus: 'running', worker: fact.data.worker, startedAt: at, endsAt: fact.data.timeoutAt });
    case 'StepStopRequested':
      return change(rows, fact.data.executionId, { endsAt: fact.data.graceEndsAt, stopping: fact.data.reason });
    case 'StepRetryScheduled':
      return change(rows, fact.data.executionId, { endsAt: fact.data.retryAt });
    case 'StepSucceeded':
      return change(rows, fact.data.executionId, { status: 'succeeded', stepStatus: 'succeeded', endedAt: at, endsAt: null, outputs: fact.data.outputs, ...reported(fact.data) });
    case 'StepFailed': {
      const { orphaned, timedOut, final, error } = fact.data;
      const status = orphaned ? 'orphaned' : timedOut ? 'timedOut' : error.code === EXECUTION_CANCELLED ? 'cancelled' : 'failed';
      return change(rows, fact.data.executionId, { status, stepStatus: final ? 'failed' : 'retrying', endedAt: at, endsAt: null, error, ...reported(fact.data) });
    }
    case 'StepLost':
      return change(rows, fact.data.executionId, { status: 'lost', stepStatus: fact.data.final ? 'failed' : 'retrying', endedAt: at, endsAt: null, error: fact.data.error });
    case 'StepCancelled':
      // Of a step that waited for its next attempt the last one had ended before.
      if (fact.data.was === 'retrying') return change(rows, fact.data.executionId, { stepStatus: 'cancelled', endsAt: null });
      return change(rows, fact.data.executionId, { status: fact.data.orphaned ? 'orphaned' : 'cancelled', stepStatus: 'cancelled', endedAt: at, endsAt: null, ...reported(fact.data) });
    default:
  }
}

function queued(runId: string, data: RunFactData<'StepDispatched'>, at: string, rows: Rows): ExecutionHistoryRow {
  const run = rows.get(OPEN_RUNS, runId);
  if (run === undefined) throw new Error(`An attempt at step ${data.stepId} stands before run ${runId} has begun.`);
  return {
    id: data.executionId, runId, batchId: run.batchId, batchName: run.batchName, stepId: data.stepId, kind: data.kind, job: data.job, attempt: data.attempt,
    status: 'queued', worker: null, queuedAt: at, startedAt: null, endedAt: null, params: data.params, outputs: null, error: null, progress: null, log: null,
    stepStatus: 'dispatched', endsAt: null, stopping: null,
  };
}

function reported({ progress, log }: { readonly progress?: { done: number; total: number | null } | undefined; readonly log?: string[] | undefined }): Partial<ExecutionRow> {
  return { ...(progress !== undefined && { progress }), ...(log !== undefined && { log }) };
}

function change(rows: Rows, id: string, to: Partial<ExecutionHistoryRow>): void {
  const row = rows.get(EXECUTIONS, id);
  if (row === undefined) throw new Error(`Execution ${id} was never dispatched.`);
  put(rows, row, { ...row, ...to });
}

function put(rows: Rows, before: ExecutionHistoryRow | undefined, after: ExecutionHistoryRow): void {
  rows.put(EXECUTIONS, after);
  if (before?.status === after.status) return;
  rows.add(EXECUTION_COUNTS, { status: after.status }, 'executions', 1);
  if (before !== undefined) rows.add(EXECUTION_COUNTS, { status: before.status }, 'executions', -1);
}
