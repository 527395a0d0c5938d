/** Runs over time: how many began in each stretch, and how they stand now. */
import { Inject } from '@nestjs/common';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { sql } from 'kysely';
import { RUN_HOURS, RUNS } from '../../projections/run-history.js';
import type { Clock } from '../clock.js';
import { isoTime } from '../events/json.js';
import { noRuns } from '../events/run.events.js';
import type { RunStatus } from '../events/run.events.js';
import type { AsOf } from '../http/paging.js';
import { invalid } from '../http/problem.js';
import { ReadSide } from '../reading/read-side.js';
import { whereAll, within } from '../reading/selection.js';
import { CLOCK } from '../clock.js';

/** Runs that began in one stretch of time. */
export interface RunsThen {
  /** Where the stretch begins; it ends where the next one begins. */
  readonly bucket: string;
  readonly started: number;
  readonly byStatus: Readonly<Record<RunStatus, number>>;
}

export interface RunStatsAnswer {
  /** Every stretch, the empty ones too, oldest first. */
  readonly items: readonly RunsThen[];
  readonly asOf: AsOf;
}

export const MOST_BUCKETS = 1_000;
const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;

/** From the start of the stretch that `from` lies in, up to `to`; the last day by the hour unless told otherwise. */
export class RunStats extends Query<RunStatsAnswer> {
  constructor(readonly from: string | undefined, readonly to: string | undefined, readonly bucketMs: number | undefined) {
    super();
  }
}

@QueryHandler(RunStats)
export class RunStatsHandler implements IQueryHandler<RunStats> {
  constructor(
    private readonly read: ReadSide,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws Problem validation-failed for no time at all, or more stretches than an answer holds */
  async execute({ from, to, bucketMs = HOUR_MS }: RunStats): Promise<RunStatsAnswer> {
    const toMs = to === undefined ? (Math.floor(this.clock.now() / bucketMs) + 1) * bucketMs : Date.parse(to);
    const fromMs = Math.floor((from === undefined ? toMs - Math.max(DAY_MS, bucketMs) : Date.parse(from)) / bucketMs) * bucketMs;
    const buckets = Math.ceil((toMs - fromMs) / bucketMs);
    if (buckets < 1) throw invalid([{ path: '/to', message: 'must be later than from' }]);
    if (buckets > MOST_BUCKETS) throw invalid([{ path: '/bucket', message: `must be longer: between from and to there are ${buckets} of them, and an answer holds ${MOST_BUCKETS}` }]);
    const asOf = this.read.asOf();
    const items = Array.from({ length: buckets }, (_, at) => ({ bucket: isoTime(fromMs + at * bucketMs), started: 0, byStatus: noRuns() }));
    for (const { then, status, runs } of await this.counted(fromMs, toMs, bucketMs)) {
      const item = items[Math.floor((Date.parse(then) - fromMs) / bucketMs)];
      if (item === undefined) continue;
      item.started += runs;
      item.byStatus[status] += runs;
    }
    return { items, asOf };
  }

  /** From counters where whole hours are asked for; otherwise there are few enough runs to count them. */
  private async counted(fromMs: number, toMs: number, bucketMs: number): Promise<readonly { then: string; status: RunStatus; runs: number }[]> {
    const { db } = this.read;
    if (bucketMs % HOUR_MS === 0 && toMs % HOUR_MS === 0) {
      const where = within(RUN_HOURS, 'hour', isoTime(fromMs), isoTime(toMs));
      const { rows } = await sql<{ then: string; status: RunStatus; runs: number }>`select hour as ${sql.ref('then')}, status, runs from ${sql.table(RUN_HOURS.name)} ${whereAll(where)}`.execute(db);
      return rows;
    }
    const where = within(RUNS, 'startedAt', isoTime(fromMs), isoTime(toMs));
    const second = sql`substr(${sql.ref('startedAt')}, 1, ${bucketMs % 1_000 === 0 ? 19 : 23})`;
    const { rows } = await sql<{ then: string; status: RunStatus; runs: number }>`select min(${sql.ref('startedAt')}) as ${sql.ref('then')}, status, count(*) as runs from ${sql.table(RUNS.name)} ${whereAll(where)} group by ${second}, status`.execute(db);
    return rows;
  }
}
