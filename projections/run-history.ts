/**
 * Run history: one row a run, as lists and details show it, its labels for filters, how many runs of each batch stand in
 * which status, and how many began in each hour.
 */
import type { JsonValue } from '../src/events/json.js';
import type { Placed } from '../src/events/run.codec.js';
import type { RunError, RunFact, RunStatus, StepCounts, Trigger } from '../src/events/run.events.js';
import type { Streams } from '../src/events/streams.js';
import type { Projection, Rows, Table } from '../src/reading/projection.js';
import { countsAfter, statusAfter } from './run-counts.js';
import { runFactOf } from './sources.js';
import type { FactOf } from './sources.js';

export interface RunRow {
  readonly id: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly batchVersion: number;
  readonly status: RunStatus;
  readonly paused: boolean;
  readonly trigger: Trigger;
  /** A payload over the inline limit stands here as a reference to its blob. */
  readonly parameters: JsonValue;
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly startedBy: string;
  readonly reason: string | null;
  readonly stepCount: number;
  readonly counts: StepCounts;
  readonly error: RunError | null;
  readonly retryOf: string | null;
  readonly retriedBy: string | null;
  readonly position: string;
}

/** What stands beside the row that is shown. */
export interface RunHistoryRow extends RunRow {
  readonly triggerType: string;
  /** Of the definition that it is pinned to. */
  readonly definitionHash: string;
  /** When the run as a whole is out of time. */
  readonly timeoutAt: string | null;
  readonly pausedAt: string | null;
  readonly pausedBy: string | null;
}

export interface RunLabelRow {
  readonly key: string;
  readonly value: string;
  readonly runId: string;
}

export interface RunCountRow {
  readonly batchId: string;
  readonly status: RunStatus;
  readonly runs: number;
}

/** Runs that began within one hour, by how they stand now. */
export interface RunHourRow {
  /** Where the hour begins. */
  readonly hour: string;
  readonly status: RunStatus;
  readonly runs: number;
}

export const RUNS: Table<RunHistoryRow> = {
  name: 'runs',
  columns: {
    id: 'text', batchId: 'text', batchName: 'text', batchVersion: 'integer', status: 'text', paused: 'flag', trigger: 'json', parameters: 'json',
    labels: 'json', startedAt: 'text', endedAt: 'text', durationMs: 'integer', startedBy: 'text', reason: 'text', stepCount: 'integer',
    counts: 'json', error: 'json', retryOf: 'text', retriedBy: 'text', position: 'text', triggerType: 'text', definitionHash: 'text', timeoutAt: 'text', pausedAt: 'text', pausedBy: 'text',
  },
  key: ['id'],
  indexes: [['startedAt', 'id'], ['status', 'startedAt', 'id'], ['batchId', 'startedAt', 'id'], ['batchId', 'status', 'startedAt', 'id'], ['durationMs', 'id']],
};

export const RUN_LABELS: Table<RunLabelRow> = { name: 'run_labels', columns: { key: 'text', value: 'text', runId: 'text' }, key: ['key', 'value', 'runId'], indexes: [] };

export const RUN_COUNTS: Table<RunCountRow> = {
  name: 'run_counts', columns: { batchId: 'text', status: 'text', runs: 'integer' }, key: ['batchId', 'status'], indexes: [],
};

export const RUN_HOURS: Table<RunHourRow> = { name: 'run_hours', columns: { hour: 'text', status: 'text', runs: 'integer' }, key: ['hour', 'status'], indexes: [] };

export function runHistory(streams: Streams): Projection {
  return {
    name: 'run_history',
    version: 5,
    tables: [RUNS, RUN_LABELS, RUN_COUNTS, RUN_HOURS],
    apply(stored, rows) {
      const of = runFactOf(streams, stored);
      if (of === undefined) return;
      const before = rows.get(RUNS, of.id);
      const after = before === undefined ? begun(of, rows) : gone(before, of);
      rows.put(RUNS, after);
      if (before === undefined && after.retryOf !== null) linkBack(rows, after.retryOf, of.id);
      count(rows, before, after);
    },
  };
}

function begun({ id, fact, at, position }: FactOf<Placed<RunFact>>, rows: Rows): RunHistoryRow {
  if (fact.type !== 'RunStarted') throw new Error(`The stream of run ${id} does not begin with RunStarted.`);
  const { data } = fact;
  for (const [key, value] of Object.entries(data.labels)) rows.put(RUN_LABELS, { key, value, runId: id });
  return {
    id, batchId: data.batchId, batchName: data.batchName, batchVersion: data.batchVersion, status: 'running', paused: false, trigger: data.trigger,
    parameters: data.parameters, labels: data.labels, startedAt: at, endedAt: null, durationMs: null, startedBy: fact.actor, reason: data.reason,
    stepCount: data.stepCount,
    counts: { total: data.total, pending: data.total, dispatched: 0, running: 0, retrying: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 },
    error: null, retryOf: data.retry?.of ?? null, retriedBy: null, position, triggerType: data.trigger.type, definitionHash: data.definitionHash, timeoutAt: data.timeoutAt ?? null, pausedAt: null, pausedBy: null,
  };
}

/** The run that is tried again names the one that does it. */
function linkBack(rows: Rows, of: string, by: string): void {
  const row = rows.get(RUNS, of);
  if (row !== undefined) rows.put(RUNS, { ...row, retriedBy: by });
}

/** What winds down is not held up any more. */
const UNPAUSED = { paused: false, pausedAt: null, pausedBy: null } as const;

function gone(row: RunHistoryRow, { fact, at, position }: FactOf<Placed<RunFact>>): RunHistoryRow {
  const counts = countsAfter(row.counts, fact);
  const next = { ...row, counts, status: statusAfter(row.status, counts, fact), position };
  switch (fact.type) {
    case 'RunPaused':
      return { ...next, paused: true, pausedAt: at, pausedBy: fact.data.by };
    case 'RunResumed':
      return { ...next, ...UNPAUSED };
    case 'CancelRequested':
      return { ...next, ...UNPAUSED };
    case 'RunFailing':
      return { ...next, ...UNPAUSED, error: fact.data.error };
    case 'RunFailed':
      return { ...next, error: fact.data.error, ...ended(row, at) };
    case 'RunCompleted':
    case 'RunCancelled':
      return { ...next, ...ended(row, at) };
    default:
      return next;
  }
}

/** A run that has ended is not paused any more. */
function ended(row: RunHistoryRow, at: string): Pick<RunHistoryRow, 'endedAt' | 'durationMs' | 'paused'> {
  return { paused: false, endedAt: at, durationMs: Math.max(0, Date.parse(at) - Date.parse(row.startedAt)) };
}

function count(rows: Rows, before: RunHistoryRow | undefined, { batchId, status, startedAt }: RunHistoryRow): void {
  if (before?.status === status) return;
  const hour = `${startedAt.slice(0, 13)}:00:00.000Z`;
  rows.add(RUN_COUNTS, { batchId, status }, 'runs', 1);
  rows.add(RUN_HOURS, { hour, status }, 'runs', 1);
  if (before === undefined) return;
  rows.add(RUN_COUNTS, { batchId, status: before.status }, 'runs', -1);
  rows.add(RUN_HOURS, { hour, status: before.status }, 'runs', -1);
}
