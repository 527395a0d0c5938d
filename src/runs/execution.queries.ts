/** Questions about executions: the attempts at jobs. */
import { Inject } from '@nestjs/common';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { sql } from 'kysely';
import { EXECUTION_COUNTS, EXECUTIONS } from '../../projections/executions.js';
import type { ExecutionHistoryRow, ExecutionRow, ExecutionStatus } from '../../projections/executions.js';
import { listed } from '../http/listing.js';
import type { Page, PageQuery } from '../http/paging.js';
import type { Report } from './run.commands.js';
import { ReadSide } from '../reading/read-side.js';
import { is, isOneOf, mentions, rowById, whereAll, within } from '../reading/selection.js';

export { EXECUTION_STATUSES } from '../../projections/executions.js';
export type { ExecutionRow } from '../../projections/executions.js';

export interface ExecutionFilter {
  readonly status?: readonly ExecutionStatus[] | undefined;
  readonly job?: string | undefined;
  readonly run?: string | undefined;
  /** Id of the batch. */
  readonly batch?: string | undefined;
  readonly worker?: string | undefined;
  /** Queued at this time or later. */
  readonly from?: string | undefined;
  /** Queued before. */
  readonly to?: string | undefined;
  readonly q?: string | undefined;
}

export class ListExecutions extends Query<Page<ExecutionRow>> {
  constructor(readonly filter: ExecutionFilter, readonly page: PageQuery) {
    super();
  }
}

export class GetExecution extends Query<ExecutionRow | undefined> {
  constructor(readonly id: string) {
    super();
  }
}

/** Under which queries are given what the attempts that run now have told. */
export const RUNNING_REPORTS = Symbol('running reports');

/** Progress and log of attempts that run here: best effort, and nowhere else until they end. */
export interface RunningReports {
  reportOf(executionId: string): Report | undefined;
}

@QueryHandler(ListExecutions)
export class ListExecutionsHandler implements IQueryHandler<ListExecutions> {
  constructor(
    private readonly read: ReadSide,
    @Inject(RUNNING_REPORTS) private readonly running: RunningReports,
  ) {}

  async execute({ filter, page: { limit, cursor } }: ListExecutions): Promise<Page<ExecutionRow>> {
    const { status, ...others } = filter;
    const { job, run, batch, worker, from, to, q } = others;
    const where = [
      ...(status === undefined ? [] : [isOneOf(EXECUTIONS, 'status', status)]),
      ...(job === undefined ? [] : [is(EXECUTIONS, 'job', job)]),
      ...(run === undefined ? [] : [is(EXECUTIONS, 'runId', run)]),
      ...(batch === undefined ? [] : [is(EXECUTIONS, 'batchId', batch)]),
      ...(worker === undefined ? [] : [is(EXECUTIONS, 'worker', worker)]),
      ...within(EXECUTIONS, 'queuedAt', from, to),
      ...(q === undefined ? [] : [mentions(EXECUTIONS, ['id', 'runId', 'batchName', 'stepId', 'job', 'error'], q)]),
    ];
    const counted = Object.values(others).every((value) => value === undefined);
    const total = counted ? await this.total(status) : undefined;
    return listed(this.read, { selection: { table: EXECUTIONS, where, order: 'queuedAt', descending: true }, limit, cursor, total, show: (row) => executionRow(row, this.running) });
  }

  private async total(status: readonly string[] | undefined): Promise<number> {
    const where = status === undefined ? [] : [isOneOf(EXECUTION_COUNTS, 'status', status)];
    const { rows } = await sql<{ n: number | null }>`select sum(executions) as n from ${sql.table(EXECUTION_COUNTS.name)} ${whereAll(where)}`.execute(this.read.db);
    return rows[0]?.n ?? 0;
  }
}

@QueryHandler(GetExecution)
export class GetExecutionHandler implements IQueryHandler<GetExecution> {
  constructor(
    private readonly read: ReadSide,
    @Inject(RUNNING_REPORTS) private readonly running: RunningReports,
  ) {}

  async execute({ id }: GetExecution): Promise<ExecutionRow | undefined> {
    const row = await rowById(this.read.db, EXECUTIONS, id);
    if (row === undefined) return undefined;
    const { params, outputs } = row;
    return { ...executionRow(row, this.running), params: await this.read.whole(params), outputs: await this.read.whole(outputs) };
  }
}

/** The row as it is shown: what stands beside it stays here, and what runs tells how far it is. */
function executionRow({ stepStatus: _status, endsAt: _ends, stopping: _stopping, ...row }: ExecutionHistoryRow, running: RunningReports): ExecutionRow {
  const report = row.status === 'running' ? running.reportOf(row.id) : undefined;
  return report === undefined ? row : { ...row, progress: report.progress ?? null, log: report.log ?? null };
}
