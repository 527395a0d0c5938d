/** Questions about approvals: the gates that wait for people, and those that were decided. */
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { sql } from 'kysely';
import { z } from 'zod';
import { APPROVAL_COUNTS, APPROVAL_ROLES, APPROVALS } from '../../projections/approvals.js';
import type { ApprovalHistoryRow, ApprovalRow } from '../../projections/approvals.js';
import { jsonAnswer, pageOf, timeAnswer, uuidAnswer } from '../http/answers.js';
import { listed } from '../http/listing.js';
import type { Caller } from '../http/identity.js';
import type { Page, PageQuery } from '../http/paging.js';
import { ReadSide } from '../reading/read-side.js';
import { is, isOneOf, rowById, whereAll } from '../reading/selection.js';

export type { ApprovalHistoryRow, ApprovalRow } from '../../projections/approvals.js';

const gateOutcomeAnswer = z.enum(['approved', 'autoApproved', 'rejected', 'timedOut', 'cancelled']).meta({ id: 'GateOutcome' });

/** How the doors show one, for the document. */
export const approvalAnswer = z
  .strictObject({
    id: uuidAnswer, runId: uuidAnswer, batchId: uuidAnswer, batchName: z.string(), stepId: z.string(), state: z.enum(['pending', 'decided']), title: z.string(),
    description: z.string().nullable(), data: jsonAnswer, digest: z.string(), allowedRoles: z.array(z.string()), quorum: z.int(), given: z.int(), since: timeAnswer,
    deadline: timeAnswer.nullable(), overdue: z.boolean(), outcome: gateOutcomeAnswer.nullable(), decidedBy: z.string().nullable(), decidedAt: timeAnswer.nullable(), note: z.string().nullable(),
  })
  .meta({ id: 'Approval' });
export const approvalListAnswer = pageOf(approvalAnswer, 'ApprovalList');
export const decisionAnswer = z
  .strictObject({ outcome: gateOutcomeAnswer.nullable(), given: z.int(), quorum: z.int(), position: z.string() })
  .meta({ id: 'Decided', description: '`outcome` is null while others have to approve too' });

export interface ApprovalFilter {
  readonly state?: 'pending' | 'decided' | undefined;
  readonly run?: string | undefined;
  /** Only those that one of these roles may decide; all if absent. */
  readonly roles?: readonly string[] | undefined;
}

export class ListApprovals extends Query<Page<ApprovalRow>> {
  constructor(readonly filter: ApprovalFilter, readonly page: PageQuery) {
    super();
  }
}

/** With what is needed to decide on it. */
export class GetApproval extends Query<ApprovalHistoryRow | undefined> {
  constructor(readonly id: string) {
    super();
  }
}

@QueryHandler(ListApprovals)
export class ListApprovalsHandler implements IQueryHandler<ListApprovals> {
  constructor(private readonly read: ReadSide) {}

  async execute({ filter: { state, run, roles }, page: { limit, cursor } }: ListApprovals): Promise<Page<ApprovalRow>> {
    const where = [
      ...(state === undefined ? [] : [is(APPROVALS, 'state', state)]),
      ...(run === undefined ? [] : [is(APPROVALS, 'runId', run)]),
      ...(roles === undefined ? [] : [sql`${sql.ref(`${APPROVALS.name}.id`)} in (select ${sql.ref('approvalId')} from ${sql.table(APPROVAL_ROLES.name)} where ${isOneOf(APPROVAL_ROLES, 'role', [...roles, '*'])})`]),
    ];
    const total = run === undefined && roles === undefined ? await this.total(state) : undefined;
    const whole = this.read.wholes();
    const show = async (row: ApprovalHistoryRow): Promise<ApprovalRow> => ({ ...approvalRow(row), data: await whole(row.data) });
    return listed(this.read, { selection: { table: APPROVALS, where, order: 'since', descending: true }, limit, cursor, total, show });
  }

  private async total(state: string | undefined): Promise<number> {
    const where = state === undefined ? [] : [isOneOf(APPROVAL_COUNTS, 'state', [state])];
    const { rows } = await sql<{ n: number | null }>`select sum(approvals) as n from ${sql.table(APPROVAL_COUNTS.name)} ${whereAll(where)}`.execute(this.read.db);
    return rows[0]?.n ?? 0;
  }
}

@QueryHandler(GetApproval)
export class GetApprovalHandler implements IQueryHandler<GetApproval> {
  constructor(private readonly read: ReadSide) {}

  async execute({ id }: GetApproval): Promise<ApprovalHistoryRow | undefined> {
    const row = await rowById(this.read.db, APPROVALS, id);
    return row && { ...row, data: await this.read.whole(row.data) };
  }
}

/** The row as it is shown: what stands beside it stays here. */
export function approvalRow({ onTimeout: _then, notTheStarter: _not, starters: _by, givenBy: _given, ...row }: ApprovalHistoryRow): ApprovalRow {
  return row;
}

/** Whether the gate's roles let this caller look at it and decide. */
export function mayDecide({ allowedRoles }: Pick<ApprovalRow, 'allowedRoles'>, { roles }: Caller): boolean {
  return allowedRoles.some((role) => role === '*' || roles.has(role));
}
