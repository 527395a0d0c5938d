/** Questions about runs: which there are, and how many stand where. */
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import { noRuns, RUN_STATUSES } from '../events/run.events.js';
import type { RunStatus } from '../events/run.events.js';
import { listed } from '../http/listing.js';
import type { AsOf, Page, PageQuery } from '../http/paging.js';
import { RUN_COUNTS, RUN_LABELS, RUNS } from '../../projections/run-history.js';
import type { RunHistoryRow, RunRow } from '../../projections/run-history.js';
import { ReadSide } from '../reading/read-side.js';
import { is, isOneOf, mentions, rowById, whereAll, within } from '../reading/selection.js';

export type { RunRow } from '../../projections/run-history.js';

/** All that is given must hold; of several statuses or triggers one. */
export interface RunFilter {
  readonly status?: readonly RunStatus[] | undefined;
  /** Id of the batch. */
  readonly batch?: string | undefined;
  readonly label?: readonly (readonly [key: string, value: string])[] | undefined;
  readonly trigger?: readonly string[] | undefined;
  readonly startedBy?: string | undefined;
  readonly startedAfter?: string | undefined;
  readonly startedBefore?: string | undefined;
  readonly endedAfter?: string | undefined;
  readonly q?: string | undefined;
}

export type RunOrder = '-startedAt' | '+startedAt' | '-durationMs' | '+durationMs';

export interface RunCounts {
  readonly total: number;
  readonly byStatus: Readonly<Record<RunStatus, number>>;
  readonly asOf: AsOf;
}

export class ListRuns extends Query<Page<RunRow>> {
  constructor(readonly filter: RunFilter, readonly page: PageQuery, readonly order: RunOrder) {
    super();
  }
}

export class CountRuns extends Query<RunCounts> {
  constructor(readonly filter: RunFilter) {
    super();
  }
}

/** One row, without its steps. */
export class GetRunRow extends Query<RunRow | undefined> {
  constructor(readonly id: string) {
    super();
  }
}

@QueryHandler(GetRunRow)
export class GetRunRowHandler implements IQueryHandler<GetRunRow> {
  constructor(private readonly read: ReadSide) {}

  async execute({ id }: GetRunRow): Promise<RunRow | undefined> {
    const row = await rowById(this.read.db, RUNS, id);
    return row && runRow(row);
  }
}

@QueryHandler(ListRuns)
export class ListRunsHandler implements IQueryHandler<ListRuns> {
  constructor(private readonly read: ReadSide) {}

  async execute({ filter, page: { limit, cursor }, order }: ListRuns): Promise<Page<RunRow>> {
    const column = order.slice(1) === 'durationMs' ? 'durationMs' : 'startedAt';
    const selection = { table: RUNS, where: conditions(filter), order: column, descending: order.startsWith('-') } as const;
    const total = isCounted(filter) ? sum(await countsOf(this.read, filter)) : undefined;
    return listed(this.read, { selection, limit, cursor, total, show: runRow });
  }
}

@QueryHandler(CountRuns)
export class CountRunsHandler implements IQueryHandler<CountRuns> {
  constructor(private readonly read: ReadSide) {}

  async execute({ filter }: CountRuns): Promise<RunCounts> {
    const asOf = this.read.asOf();
    const counts = isCounted(filter) ? await countsOf(this.read, filter) : await counted(this.read, filter);
    const byStatus = noRuns();
    for (const { status, runs } of counts) byStatus[status] = runs;
    return { total: sum(counts), byStatus, asOf };
  }
}

/** The row as it is shown: what stands beside it stays here. */
export function runRow({ triggerType: _type, definitionHash: _hash, timeoutAt: _out, pausedAt: _at, pausedBy: _by, ...row }: RunHistoryRow): RunRow {
  return row;
}

interface Count {
  readonly status: RunStatus;
  readonly runs: number;
}

function isCounted({ status: _status, batch: _batch, ...others }: RunFilter): boolean {
  return Object.values(others).every((value) => value === undefined);
}

async function countsOf({ db }: ReadSide, { status = RUN_STATUSES, batch }: RunFilter): Promise<Count[]> {
  const where = [isOneOf(RUN_COUNTS, 'status', status), ...(batch === undefined ? [] : [is(RUN_COUNTS, 'batchId', batch)])];
  const { rows } = await sql<Count>`select status, sum(runs) as runs from ${sql.table(RUN_COUNTS.name)} ${whereAll(where)} group by status`.execute(db);
  return rows;
}

async function counted({ db }: ReadSide, filter: RunFilter): Promise<Count[]> {
  const { rows } = await sql<Count>`select status, count(*) as runs from ${sql.table(RUNS.name)} ${whereAll(conditions(filter))} group by status`.execute(db);
  return rows;
}

function sum(counts: readonly Count[]): number {
  return counts.reduce((total, { runs }) => total + runs, 0);
}

function conditions({ status, batch, label = [], trigger, startedBy, startedAfter, startedBefore, endedAfter, q }: RunFilter): RawBuilder<unknown>[] {
  return [
    ...(status === undefined ? [] : [isOneOf(RUNS, 'status', status)]),
    ...(batch === undefined ? [] : [is(RUNS, 'batchId', batch)]),
    ...(trigger === undefined ? [] : [isOneOf(RUNS, 'triggerType', trigger)]),
    ...(startedBy === undefined ? [] : [is(RUNS, 'startedBy', startedBy)]),
    ...within(RUNS, 'startedAt', startedAfter, startedBefore),
    ...within(RUNS, 'endedAt', endedAfter, undefined),
    ...label.map(([key, value]) => sql`exists (select 1 from ${sql.table(RUN_LABELS.name)} where ${is(RUN_LABELS, 'key', key)} and ${is(RUN_LABELS, 'value', value)} and ${sql.ref(`${RUN_LABELS.name}.runId`)} = ${sql.ref(`${RUNS.name}.id`)})`),
    ...(q === undefined ? [] : [mentions(RUNS, ['id', 'batchName', 'startedBy', 'reason', 'labels'], q)]),
  ];
}
