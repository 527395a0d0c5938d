/** The door of the overview: the figures that are looked at together, all of one moment, in one answer. */
import { Get, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { durationMs, durationSchema } from '../events/duration.js';
import { approvalListAnswer, ListApprovals } from '../gates/approval.queries.js';
import type { ApprovalRow } from '../gates/approval.queries.js';
import { Answers, asOfAnswer, Does } from '../http/answers.js';
import { asked, timeParam } from '../http/asking.js';
import { atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { Who } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import type { AsOf, Page } from '../http/paging.js';
import { Needs } from '../http/roles.guard.js';
import { ReadSide } from '../reading/read-side.js';
import { runCountsAnswer, runListAnswer, runStatsAnswer } from './run.answers.js';
import { CountRuns, ListRuns } from './run.queries.js';
import type { RunCounts, RunRow } from './run.queries.js';
import { RunStats } from './run-stats.queries.js';
import type { RunStatsAnswer } from './run-stats.queries.js';

const FAILED = 6;
const NEWEST = 10;
const WAITING = 100;
/** Rows move on between two questions; under any load some round finds them where they were. */
const MOST_ROUNDS = 50;

const overviewQuery = asked({
  from: timeParam.optional(),
  bucket: durationSchema.transform(durationMs).pipe(z.number().min(1_000, 'must be at least a second')).optional(),
  ...atLeastQuery.shape,
});
const overviewAnswer = z
  .strictObject({ counts: runCountsAnswer, pending: approvalListAnswer, mine: approvalListAnswer, failed: runListAnswer, newest: runListAnswer, stats: runStatsAnswer, asOf: asOfAnswer })
  .meta({ id: 'Overview', description: 'Figures of one moment: runs by status, gates that wait, those that the caller may decide, the newest runs and failures, runs over time' });

interface OverviewAnswer {
  readonly counts: RunCounts;
  readonly pending: Page<ApprovalRow>;
  readonly mine: Page<ApprovalRow>;
  readonly failed: Page<RunRow>;
  readonly newest: Page<RunRow>;
  readonly stats: RunStatsAnswer;
}

@Door('overview')
@Needs('viewer')
export class OverviewController {
  constructor(
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
  ) {}

  /** `from` and `bucket` are those of the runs over time. */
  @Get()
  @Does('Gives the figures of the overview, all of one moment')
  @Answers(200, overviewAnswer)
  async tell(@Query({ schema: overviewQuery }) { from, bucket, atLeast }: z.output<typeof overviewQuery>, @Who() caller: Caller): Promise<OverviewAnswer & { readonly asOf: AsOf }> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    for (let round = 1; ; round += 1) {
      const answer = await this.once(from, bucket, caller);
      const { asOf } = answer.counts;
      const isOneMoment = Object.values(answer).every((part: { readonly asOf: AsOf }) => part.asOf.position === asOf.position) && this.read.asOf().position === asOf.position;
      if (isOneMoment || round === MOST_ROUNDS) return { ...answer, asOf };
    }
  }

  private async once(from: string | undefined, bucketMs: number | undefined, { roles }: Caller): Promise<OverviewAnswer> {
    const runs = (status: readonly 'failed'[], limit: number): Promise<Page<RunRow>> => this.queries.execute(new ListRuns({ status: [...status] }, { limit, cursor: undefined }, '-startedAt'));
    const gates = (mine: ReadonlySet<string> | undefined): Promise<Page<ApprovalRow>> => this.queries.execute(new ListApprovals({ state: 'pending', run: undefined, roles: mine && [...mine] }, { limit: WAITING, cursor: undefined }));
    const [counts, pending, mine, failed, newest, stats] = await Promise.all([
      this.queries.execute(new CountRuns({})), gates(undefined), gates(roles), runs(['failed'], FAILED), runs([], NEWEST), this.queries.execute(new RunStats(from, undefined, bucketMs)),
    ]);
    return { counts, pending, mine, failed, newest, stats };
  }
}
