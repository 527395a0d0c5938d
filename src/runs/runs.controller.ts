/** The doors of runs: start and watch. */
import { Body, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { durationMs, durationSchema } from '../events/duration.js';
import { jsonObjectSchema, labelsSchema } from '../events/definition.js';
import { RUN_STATUSES } from '../events/run.events.js';
import { Answers, Does } from '../http/answers.js';
import { isRefusal, problemOf, sayMutation } from '../http/accepted.js';
import { asked, labelParam, refuseUnstorable, several, storedText, textParam, timeParam } from '../http/asking.js';
import { atLeastOnly, atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import type { AtLeastOnly } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { commandIdentity, originOf } from '../http/idempotency.js';
import { Who } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { Links } from '../http/links.js';
import { pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { Problem } from '../http/problem.js';
import type { HttpRequest } from '../http/request.js';
import { Needs, NeedsCaller } from '../http/roles.guard.js';
import { batchIdOf, ids, parseId } from '../ids.js';
import type { RunId } from '../ids.js';
import { ReadSide } from '../reading/read-side.js';
import { runCountsAnswer, runDetailAnswer, runListAnswer, runStatsAnswer, startedAnswer } from './run.answers.js';
import { StartRun } from './run.commands.js';
import { GetRun } from './run-detail.queries.js';
import type { RunDetail } from './run-detail.queries.js';
import { CountRuns, ListRuns } from './run.queries.js';
import { RunStats } from './run-stats.queries.js';
import type { RunStatsAnswer } from './run-stats.queries.js';
import type { RunCounts, RunFilter, RunRow } from './run.queries.js';

const reason = storedText(2_000);
const startBody = asked({
  parameters: jsonObjectSchema.superRefine(refuseUnstorable).default({}),
  labels: labelsSchema.superRefine(refuseUnstorable).default({}),
  reason: reason.nullable().default(null),
}).default({ parameters: {}, labels: {}, reason: null });
type StartBody = z.output<typeof startBody>;

const filterShape = {
  status: several(z.enum(RUN_STATUSES)),
  batch: textParam.optional(),
  label: several(labelParam),
  trigger: several(z.enum(['api', 'schedule', 'backfill', 'retry', 'code'])),
  startedBy: textParam.optional(),
  startedAfter: timeParam.optional(),
  startedBefore: timeParam.optional(),
  endedAfter: timeParam.optional(),
  q: textParam.optional(),
};
const countQuery = asked({ ...filterShape, ...atLeastQuery.shape });
const listQuery = asked({
  ...filterShape, ...atLeastQuery.shape, ...pageQuery.shape,
  // A plus that is not escaped arrives as a space.
  sort: z.preprocess((said) => (typeof said === 'string' ? said.replace(/^ /, '+') : said), z.enum(['-startedAt', '+startedAt', 'startedAt', '-durationMs', '+durationMs', 'durationMs'])).default('-startedAt'),
});
const statsQuery = asked({
  from: timeParam.optional(),
  to: timeParam.optional(),
  bucket: durationSchema.transform(durationMs).pipe(z.number().min(1_000, 'must be at least a second')).optional(),
  ...atLeastQuery.shape,
});

@Door()
export class RunsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    private readonly links: Links,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Starts a run of the batch's newest version. The same Idempotency-Key starts the same run, for ever. */
  @Post('batches/:batch/runs')
  @Does('Starts a run')
  @HttpCode(202)
  @Needs('operator')
  @Answers(202, startedAnswer)
  async start(@Param('batch') batch: string, @Body({ schema: startBody }) body: StartBody, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
    const origin = originOf(request, caller, commandIdentity(request, caller, body));
    const answer = await this.commands.execute(new StartRun(ids.runOf(origin.commandId), { batch, ...body, trigger: { type: 'api' } }, origin));
    if (isRefusal(answer)) throw problemOf(answer);
    sayMutation(this.adapterHost, response, answer);
    this.adapterHost.httpAdapter.setHeader(response, 'Location', `${this.links.base}/runs/${answer.runId}`);
    return { runId: answer.runId, position: answer.position };
  }

  @Get('runs')
  @Does('Lists runs, the newest first')
  @Needs('viewer')
  @Answers(200, runListAnswer)
  async list(@Query({ schema: listQuery }) query: z.output<typeof listQuery>): Promise<Page<RunRow>> {
    const { limit, cursor, sort, atLeast, ...filter } = query;
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const column = sort.endsWith('durationMs') ? 'durationMs' : 'startedAt';
    return this.queries.execute(new ListRuns(withBatchId(filter), { limit, cursor }, sort.startsWith('-') ? `-${column}` : `+${column}`));
  }

  @Get('runs/counts')
  @Does('Counts runs by status')
  @Needs('viewer')
  @Answers(200, runCountsAnswer)
  async counts(@Query({ schema: countQuery }) query: z.output<typeof countQuery>): Promise<RunCounts> {
    const { atLeast, ...filter } = query;
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return this.queries.execute(new CountRuns(withBatchId(filter)));
  }

  /** Runs over time: for each stretch how many began, by how they stand now. */
  @Get('runs/stats')
  @Does('Counts runs over time')
  @Needs('viewer')
  @Answers(200, runStatsAnswer)
  async stats(@Query({ schema: statsQuery }) { from, to, bucket, atLeast }: z.output<typeof statsQuery>): Promise<RunStatsAnswer> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return this.queries.execute(new RunStats(from, to, bucket));
  }

  @Get('runs/:runId')
  @Does('Tells of one run: its steps, what it waits for, what may be done')
  @NeedsCaller()
  @Answers(200, runDetailAnswer)
  async detail(@Param('runId') runId: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly, @Who() caller: Caller): Promise<RunDetail> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const found = await this.queries.execute(new GetRun(idOf(runId), caller, this.links.base));
    if (found === undefined) throw noRun(runId);
    if (found === 'forbidden') throw new Problem('forbidden', `Looking at this run needs the role viewer, or a role of one of its gates; ${caller.actor} has neither.`);
    return found;
  }
}

/** @throws Problem not-found for what can't be the id of a run */
export function idOf(runId: string): RunId {
  const id = parseId<RunId>(runId);
  if (id === undefined) throw noRun(runId);
  return id;
}

export function noRun(runId: string): Problem {
  return new Problem('not-found', `There is no run ${runId.slice(0, 100)}.`);
}

function withBatchId({ batch, ...filter }: RunFilter): RunFilter {
  return { ...filter, ...(batch !== undefined && { batch: batchIdOf(batch) }) };
}
