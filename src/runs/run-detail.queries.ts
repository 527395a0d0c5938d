/** One run with all that is known of it: its steps as a tree, its approvals, what it waits for, what may be done. */
import { Inject } from '@nestjs/common';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { APPROVALS } from '../../projections/approvals.js';
import { BATCHES } from '../../projections/batches.js';
import { DECISIONS, EXECUTIONS, KEPT_STEPS, REFUSED_STEPS, SKIPPED_STEPS } from '../../projections/executions.js';
import { RUNS } from '../../projections/run-history.js';
import type { RunHistoryRow } from '../../projections/run-history.js';
import { approvalRow, mayDecide } from '../gates/approval.queries.js';
import type { ApprovalHistoryRow, ApprovalRow } from '../gates/approval.queries.js';
import { hasRole } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { ReadSide } from '../reading/read-side.js';
import { is, rowById, rowsOf, selectRows } from '../reading/selection.js';
import type { Plans } from './run.replay.js';
import { runRow } from './run.queries.js';
import type { RunRow } from './run.queries.js';
import { stepTree, waitingFor } from './run-steps.queries.js';
import type { RunParts, StepNode, WaitsFor } from './run-steps.queries.js';

/** Under which the query is given the definitions that runs are pinned to. */
export const PLANS = Symbol('plans');

/** Under which the query is given the runs that are left alone, and why. */
export const QUARANTINED = Symbol('quarantined');

/** What this caller may do now, and where. */
export interface AllowedAction {
  readonly action: 'cancel' | 'pause' | 'resume' | 'retry' | 'approve' | 'reject' | 'cancelExecution';
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
    @Inject(QUARANTINED) private readonly quarantined: ReadonlyMap<string, string>,
  ) {}

  async execute({ id, caller, base }: GetRun): Promise<RunDetail | 'forbidden' | undefined> {
    const { db } = this.read;
    const row = await rowById(db, RUNS, id);
    if (row === undefined) return undefined;
    const whole = this.read.wholes();
    const gates = await selectRows(db, { table: APPROVALS, where: [is(APPROVALS, 'runId', id)], order: 'since', descending: false }, ALL);
    const { definition, nodes } = await this.plans.pinned(row.batchId, row.batchVersion, row.definitionHash);
    // Of any of its gates, also of those that it has not come to.
    const holdsGate = nodes.some((node) => node.kind === 'gate' && mayDecide(node.step, caller));
    if (!hasRole(caller, 'viewer') && !holdsGate) return 'forbidden';
    const stored = await selectRows(db, { table: EXECUTIONS, where: [is(EXECUTIONS, 'runId', id)], order: 'queuedAt', descending: false }, ALL);
    const attempts = await Promise.all(stored.map(async (attempt) => ({ ...attempt, params: await whole(attempt.params), outputs: await whole(attempt.outputs) })));
    const refused = await rowsOf(db, REFUSED_STEPS, [is(REFUSED_STEPS, 'runId', id)]);
    const skipped = await rowsOf(db, SKIPPED_STEPS, [is(SKIPPED_STEPS, 'runId', id)]);
    const kept = await rowsOf(db, KEPT_STEPS, [is(KEPT_STEPS, 'runId', id)]);
    const decisions = await rowsOf(db, DECISIONS, [is(DECISIONS, 'runId', id)]);
    const alone = this.leftAlone(row);
    const parts = { run: row, attempts, gates, refused, skipped, kept, decisions };
    return {
      ...runRow(row),
      parameters: await this.read.whole(row.parameters),
      steps: stepTree(definition.steps, parts),
      approvals: await Promise.all(gates.map(async (gate) => ({ ...approvalRow(gate), data: await whole(gate.data) }))),
      waitingFor: alone ?? waitingFor(parts),
      allowedActions: alone !== undefined ? [] : allowedActions({ ...parts, startable: await this.startable(row.batchId) }, caller, base),
    };
  }

  /** A stream that can not be understood: nothing goes on until a maintainer has looked. */
  private leftAlone({ id, startedAt, endedAt }: RunHistoryRow): readonly WaitsFor[] | undefined {
    const why = this.quarantined.get(id);
    return why === undefined || endedAt !== null ? undefined : [{ what: 'maintainer', since: startedAt, who: ['admin'], text: `The run is left alone, because its stream can not be understood: ${why}` }];
  }

  /** A deleted batch starts no more runs. */
  private async startable(batchId: string): Promise<boolean> {
    const batch = await rowById(this.read.db, BATCHES, batchId);
    return batch !== undefined && !batch.deleted;
  }
}

/** What its machine would take from this caller now, and do something for. */
export function allowedActions({ run, gates, attempts, startable }: RunParts & { readonly startable: boolean }, caller: Caller, base: string): AllowedAction[] {
  const { id, status, paused } = run;
  const goesOn = status === 'running' || status === 'parked';
  const controls = [
    ...(goesOn || status === 'failing' || status === 'compensating' ? ['cancel' as const] : []),
    ...(goesOn ? [paused ? ('resume' as const) : ('pause' as const)] : []),
    ...((status === 'failed' || status === 'cancelled') && run.retriedBy === null && startable ? ['retry' as const] : []),
  ];
  const stoppable = attempts.filter((attempt) => attempt.stopping === null && (attempt.status === 'running' || attempt.status === 'queued'));
  const action = (name: AllowedAction['action'], path: string, stepId?: string): AllowedAction => ({ action: name, href: `${base}${path}`, method: 'POST', ...(stepId !== undefined && { stepId }) });
  return [
    ...(hasRole(caller, 'operator') ? controls.map((name) => action(name, `/runs/${id}/${name}`)) : []),
    ...(goesOn ? gates : []).flatMap((gate) => decisionsOn(gate, caller).map((name) => action(name, `/approvals/${gate.id}/${name}`, gate.stepId))),
    ...(hasRole(caller, 'operator') && run.endedAt === null ? stoppable.map((attempt) => action('cancelExecution', `/executions/${attempt.id}/cancel`, attempt.stepId)) : []),
  ];
}

/** Whoever has approved already changes nothing by approving again, and may still reject. */
function decisionsOn(gate: ApprovalHistoryRow, caller: Caller): readonly ('approve' | 'reject')[] {
  if (gate.state !== 'pending' || !mayDecide(gate, caller) || (gate.notTheStarter && gate.starters.includes(caller.actor))) return [];
  return gate.givenBy.includes(caller.actor) ? ['reject'] : ['approve', 'reject'];
}
