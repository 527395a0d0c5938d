/** Approvals: one row a gate that parked, with what its people are shown and what they decided; the roles that may see it. */
import type { JsonValue } from '../src/events/json.js';
import type { Placed } from '../src/events/run.codec.js';
import type { RunFact, RunFactData } from '../src/events/run.events.js';
import type { Streams } from '../src/events/streams.js';
import type { Projection, Rows, Table } from '../src/reading/projection.js';
import { runFactOf } from './sources.js';
import type { FactOf } from './sources.js';

export type GateOutcome = 'approved' | 'autoApproved' | 'rejected' | 'timedOut' | 'cancelled';

export interface ApprovalRow {
  readonly id: string;
  readonly runId: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly stepId: string;
  readonly state: 'pending' | 'decided';
  readonly title: string;
  readonly description: string | null;
  readonly data: JsonValue;
  readonly digest: string;
  readonly allowedRoles: readonly string[];
  readonly quorum: number;
  /** How many have approved so far. */
  readonly given: number;
  readonly since: string;
  readonly deadline: string | null;
  readonly overdue: boolean;
  readonly outcome: GateOutcome | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  readonly note: string | null;
}

export interface ApprovalHistoryRow extends ApprovalRow {
  /** With `hold` it stays open after its deadline. */
  readonly onTimeout: 'fail' | 'approve' | 'hold';
  readonly notTheStarter: boolean;
  /** Everybody who counts as the run's starter. */
  readonly starters: readonly string[];
  /** Who has approved so far, in order. */
  readonly givenBy: readonly string[];
}

export interface ApprovalRoleRow {
  readonly state: 'pending' | 'decided';
  readonly role: string;
  readonly approvalId: string;
}

interface OpenRunRow {
  readonly runId: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly starters: readonly string[];
}

export interface ApprovalCountRow {
  readonly state: 'pending' | 'decided';
  readonly approvals: number;
}

export const APPROVALS: Table<ApprovalHistoryRow> = {
  name: 'approvals',
  columns: {
    id: 'text', runId: 'text', batchId: 'text', batchName: 'text', stepId: 'text', state: 'text', title: 'text', description: 'text', data: 'json', digest: 'text',
    allowedRoles: 'json', quorum: 'integer', given: 'integer', since: 'text', deadline: 'text', overdue: 'flag', outcome: 'text', decidedBy: 'text', decidedAt: 'text',
    note: 'text', onTimeout: 'text', notTheStarter: 'flag', starters: 'json', givenBy: 'json',
  },
  key: ['id'],
  indexes: [['since', 'id'], ['state', 'since', 'id'], ['runId', 'since', 'id']],
};
export const APPROVAL_ROLES: Table<ApprovalRoleRow> = { name: 'approval_roles', columns: { state: 'text', role: 'text', approvalId: 'text' }, key: ['approvalId', 'role'], indexes: [['role', 'state', 'approvalId']] };
const OPEN_RUNS: Table<OpenRunRow> = { name: 'approval_runs', columns: { runId: 'text', batchId: 'text', batchName: 'text', starters: 'json' }, key: ['runId'], indexes: [] };
export const APPROVAL_COUNTS: Table<ApprovalCountRow> = { name: 'approval_counts', columns: { state: 'text', approvals: 'integer' }, key: ['state'], indexes: [] };

export function approvals(streams: Streams): Projection {
  return {
    name: 'approvals',
    version: 3,
    tables: [APPROVALS, APPROVAL_ROLES, OPEN_RUNS, APPROVAL_COUNTS],
    apply(stored, rows) {
      const of = runFactOf(streams, stored);
      if (of !== undefined) take(of, rows);
    },
  };
}

function take({ id: runId, fact, at }: FactOf<Placed<RunFact>>, rows: Rows): void {
  switch (fact.type) {
    case 'RunStarted':
      return rows.put(OPEN_RUNS, { runId, batchId: fact.data.batchId, batchName: fact.data.batchName, starters: [...(fact.data.starters ?? []), fact.actor] });
    case 'RunCompleted':
    case 'RunFailed':
    case 'RunCancelled':
      return rows.remove(OPEN_RUNS, runId);
    case 'GateParked':
      return put(rows, undefined, parked(runId, fact.data, at, rows));
    case 'GateApprovalGiven':
      return change(rows, fact.data.approvalId, (row) => ({ given: fact.data.given, givenBy: [...row.givenBy, fact.data.by] }));
    case 'GateOverdue':
      return change(rows, fact.data.approvalId, () => ({ overdue: true }));
    case 'GateApproved': {
      const { outcome, by, note, given } = fact.data;
      return change(rows, fact.data.approvalId, (row) => ({ ...decided(outcome, at, by, note), given, givenBy: by === null ? row.givenBy : [...row.givenBy, by] }));
    }
    case 'GateRejected':
      return change(rows, fact.data.approvalId, () => decided('rejected', at, fact.data.by, fact.data.reason));
    case 'GateTimedOut':
      return change(rows, fact.data.approvalId, () => decided('timedOut', at, null, null));
    case 'GateReleased':
      return change(rows, fact.data.approvalId, () => decided('cancelled', at, null, null));
    default:
  }
}

function parked(runId: string, data: RunFactData<'GateParked'>, at: string, rows: Rows): ApprovalHistoryRow {
  const run = rows.get(OPEN_RUNS, runId);
  if (run === undefined) throw new Error(`Gate ${data.stepId} stands before run ${runId} has begun.`);
  const { approvalId: id, stepId, title, description, data: shown, digest, allowedRoles, quorum, notTheStarter, deadline, onTimeout } = data;
  return {
    id, runId, batchId: run.batchId, batchName: run.batchName, stepId, state: 'pending', title, description, data: shown, digest, allowedRoles, quorum, given: 0,
    since: at, deadline, overdue: false, outcome: null, decidedBy: null, decidedAt: null, note: null, onTimeout, notTheStarter, starters: run.starters, givenBy: [],
  };
}

function decided(outcome: GateOutcome, at: string, by: string | null, note: string | null): Partial<ApprovalHistoryRow> {
  return { state: 'decided', outcome, decidedBy: by, decidedAt: at, note };
}

function change(rows: Rows, id: string, to: (row: ApprovalHistoryRow) => Partial<ApprovalHistoryRow>): void {
  const row = rows.get(APPROVALS, id);
  if (row === undefined) throw new Error(`Approval ${id} was never asked for.`);
  put(rows, row, { ...row, ...to(row) });
}

function put(rows: Rows, before: ApprovalHistoryRow | undefined, after: ApprovalHistoryRow): void {
  rows.put(APPROVALS, after);
  if (before?.state === after.state) return;
  for (const role of after.allowedRoles) rows.put(APPROVAL_ROLES, { state: after.state, role, approvalId: after.id });
  rows.add(APPROVAL_COUNTS, { state: after.state }, 'approvals', 1);
  if (before !== undefined) rows.add(APPROVAL_COUNTS, { state: before.state }, 'approvals', -1);
}
