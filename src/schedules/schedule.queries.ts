/** Questions about schedules: which there are, and how a backfill stands. */
import { Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { BACKFILLS, SCHEDULES } from '../../projections/schedules.js';
import type { BackfillRow, ScheduleRow as LedgerRow } from '../../projections/schedules.js';
import type { Ledger } from '../events/schedule.events.js';
import type { RunStatus } from '../events/run.events.js';
import { listed } from '../http/listing.js';
import type { Page, PageQuery } from '../http/paging.js';
import { ReadSide } from '../reading/read-side.js';
import { is, rowById } from '../reading/selection.js';
import { CountRuns } from '../runs/run.queries.js';

export interface ScheduleRow {
  readonly batchId: string;
  readonly batchName: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly paused: boolean;
  /** Since when, by whom and why it is paused. */
  readonly pause: Ledger['paused'];
  /** Null while paused, and when the rule names no moment any more. */
  readonly nextDue: string | null;
  readonly lastOccurrence: Ledger['last'];
}

export interface BackfillDetail extends Omit<BackfillRow, 'batchId' | 'doneUntil'> {
  readonly runs: Readonly<Record<RunStatus, number>>;
}

export class ListSchedules extends Query<Page<ScheduleRow>> {
  constructor(readonly page: PageQuery) {
    super();
  }
}

/** Undefined if no rule of it is in force. */
export class GetSchedule extends Query<ScheduleRow | undefined> {
  constructor(readonly batchId: string) {
    super();
  }
}

export class GetBackfill extends Query<BackfillDetail | undefined> {
  constructor(readonly batchId: string, readonly id: string) {
    super();
  }
}

@QueryHandler(ListSchedules)
export class ListSchedulesHandler implements IQueryHandler<ListSchedules> {
  constructor(private readonly read: ReadSide) {}

  async execute({ page: { limit, cursor } }: ListSchedules): Promise<Page<ScheduleRow>> {
    const selection = { table: SCHEDULES, where: [is(SCHEDULES, 'isInForce', 1)], order: 'batchName', descending: false } as const;
    return listed(this.read, { selection, limit, cursor, show: scheduleRow });
  }
}

@QueryHandler(GetSchedule)
export class GetScheduleHandler implements IQueryHandler<GetSchedule> {
  constructor(private readonly read: ReadSide) {}

  async execute({ batchId }: GetSchedule): Promise<ScheduleRow | undefined> {
    const row = await rowById(this.read.db, SCHEDULES, batchId);
    return row?.isInForce === true ? scheduleRow(row) : undefined;
  }
}

@QueryHandler(GetBackfill)
export class GetBackfillHandler implements IQueryHandler<GetBackfill> {
  constructor(
    private readonly read: ReadSide,
    private readonly queries: QueryBus,
  ) {}

  async execute({ batchId, id }: GetBackfill): Promise<BackfillDetail | undefined> {
    const row = await rowById(this.read.db, BACKFILLS, id);
    if (row?.batchId !== batchId) return undefined;
    const { byStatus } = await this.queries.execute(new CountRuns({ batch: batchId, label: [['backfill', id]] }));
    const { batchId: _batch, doneUntil: _until, ...told } = row;
    return { ...told, runs: byStatus };
  }
}

export function scheduleRow({ id, batchName, cron, timeZone, paused, ledger, nextDue, lastOccurrence }: LedgerRow): ScheduleRow {
  return { batchId: id, batchName, cron: cron ?? '', timeZone: timeZone ?? '', paused, pause: ledger?.paused ?? null, nextDue, lastOccurrence };
}
