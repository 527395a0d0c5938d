/** One run with all that is known of it: its steps as a tree, its approvals, what it waits for, what may be done. */
import { Inject } from '@nestjs/common';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { APPROVALS } from '../../projections/approvals.js';
import { DECISIONS, EXECUTIONS, REFUSED_STEPS, SKIPPED_STEPS } from '../../projections/executions.js';
import { RUNS } from '../../projections/run-history.js';
import { approvalRow, mayDecide } from '../gates/approval.queries.js';
import type { ApprovalHistoryRow, ApprovalRow } from '../gates/approval.queries.js';
import { hasRole } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { ReadSide } from '../reading/read-side.js';
import { is, rowById, rowsOf, selectRows } from '../reading/selection.js';
import type { Plans } from './run.actor.js';
import { runRow } from './run.queries.js';
import type { RunRow } from './run.queries.js';
import { stepTree, waitingFor } from './run-steps.queries.js';
import type { StepNode, WaitsFor } from './run-steps.queries.js';

/** Under which the query is given the definitions that runs are pinned to. */
export const PLANS = Symbol('plans');

/** What this caller may do now, and where. */
export interface AllowedAction {
  readonly action: 'cancel' | 'pause' | 'resume' | 'approve' | 'reject';
  readonly href: string;
  readonly method: 'POST';
  readonly stepId?: string;
}

export interface RunDetail extends RunRow {
  readonly steps: readonly StepNode[];
  readonly approvals: readonly ApprovalRow[];
  readonly waitingFor: readonly WaitsFor[];
  readonly allowedActions: readonly AllowedAction[];
}

/** Undefined if there is no such run; 'forbidden' for a caller who neither views nor decides anything in it. */
export class GetRun extends Query<RunDetail | 'forbidden' | undefined> {
  constructor(readonly id: string, readonly caller: Caller, readonly base: string) {
    super();
  }
}

/** Far more than a run may have: no page is needed. */
const ALL = 100_000;

@QueryHandler(GetRun)
export class GetRunHandler implements IQueryHandler<GetRun> {
  constructor(
    private readonly read: ReadSide,
    @Inject(PLANS) private readonly plans: Pick<Plans, 'pinned'>,
  ) {}

  async execute({ id, caller, base }: GetRun): Promise<RunDetail | 'forbidden' | undefined> {
    const { db } = this.read;
    const row = await rowById(db, RUNS, id);
    if (row === undefined) return undefined;
    const gates = await selectRows(db, { table: APPROVALS, where: [is(APPROVALS, 'runId', id)], order: 'since', descending: false }, ALL);
    const { definition, nodes } = await this.plans.pinned(row.batchId, row.batchVersion, row.definitionHash);
    // Of any of its gates, also of those that it has not come to.
    const holdsGate = nodes.some((node) => node.kind === 'gate' && mayDecide(node.step, caller));
    if (!hasRole(caller, 'viewer') && !holdsGate) return 'forbidden';
    const attempts = await selectRows(db, { table: EXECUTIONS, where: [is(EXECUTIONS, 'runId', id)], order: 'queuedAt', descending: false }, ALL);
    const refused = await rowsOf(db, REFUSED_STEPS, [is(REFUSED_STEPS, 'runId', id)]);
    const skipped = await rowsOf(db, SKIPPED_STEPS, [is(SKIPPED_STEPS, 'runId', id)]);
    const decisions = await rowsOf(db, DECISIONS, [is(DECISIONS, 'runId', id)]);
    const parts = { run: row, attempts, gates, refused, skipped, decisions };
    return {
      ...runRow(row),
      parameters: await this.read.whole(row.parameters),
      steps: stepTree(definition.steps, parts),
      approvals: gates.map(approvalRow),
      waitingFor: waitingFor(parts),
      allowedActions: allowedActions(row, gates, caller, base),
    };
  }
}

function allowedActions({ id, status, paused }: RunRow, gates: readonly ApprovalHistoryRow[], caller: Caller, base: string): AllowedAction[] {
  const open = status === 'running' || status === 'parked' || status === 'failing' || status === 'compensating';
  const goesOn = status === 'running' || status === 'parked';
  const controls = [...(open ? ['cancel' as const] : []), ...(goesOn ? [paused ? ('resume' as const) : ('pause' as const)] : [])];
  const pending = gates.filter((gate) => gate.state === 'pending' && mayDecide(gate, caller));
  return [
    ...(hasRole(caller, 'operator') ? controls.map((action) => ({ action, href: `${base}/runs/${id}/${action}`, method: 'POST' }) as const) : []),
    ...pending.flatMap(({ id: approvalId, stepId }) =>
      (['approve', 'reject'] as const).map((action) => ({ action, href: `${base}/approvals/${approvalId}/${action}`, method: 'POST', stepId }) as const),
    ),
  ];
}
