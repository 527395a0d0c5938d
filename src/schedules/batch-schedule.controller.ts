/** The doors of one schedule: what became of its occurrences; pause, resume, start a run now, or runs of the past. */
import { Body, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { Origin } from '../actors/actor.js';
import { GetBatch } from '../batches/batch.queries.js';
import { CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { DUE_TIMES, isDueTime } from '../events/cron-rule.js';
import type { JsonValue } from '../events/json.js';
import { isRefusal, problemOf, sayMutation } from '../http/accepted.js';
import { Answers, Does } from '../http/answers.js';
import { asked, storedText, timeParam } from '../http/asking.js';
import { atLeastOnly, atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import type { AtLeastOnly } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { commandIdentity, originOf } from '../http/idempotency.js';
import { Who } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { invalid, Problem } from '../http/problem.js';
import type { HttpRequest } from '../http/request.js';
import { Needs } from '../http/roles.guard.js';
import { batchIdOf, ids } from '../ids.js';
import { ReadSide } from '../reading/read-side.js';
import { StartRun } from '../runs/run.commands.js';
import { occurrencesOf } from './ledger.draft.js';
import { GetOccurrences, GetSlots } from './occurrence.queries.js';
import type { OccurrenceRow, RangeAsked, Sums } from './occurrence.queries.js';
import { ruleInForce } from './rule-in-force.js';
import { backfillAnswer, backfillPlanAnswer, backfillStartedAnswer, occurrenceListAnswer, scheduleControlAnswer, triggeredAnswer } from './schedule.answers.js';
import { PauseSchedule, ResumeSchedule, StartBackfill } from './schedule.commands.js';
import type { ScheduleCommand } from './schedule.commands.js';
import { GetBackfill } from './schedule.queries.js';
import type { BackfillDetail } from './schedule.queries.js';

const MOST_BACKFILLED = 10_000;
const MOST_PLANNED = 500;
const DAY_MS = 86_400_000;

const occurrencesQuery = asked({ from: timeParam.optional(), to: timeParam.optional(), ...atLeastQuery.shape, ...pageQuery.shape });
const reasonBody = asked({ reason: storedText(2_000).nullable().default(null) }).default({ reason: null });
const backfillBody = asked({ from: timeParam, to: timeParam, again: z.boolean().default(false), dryRun: z.boolean().default(false) });

interface Asked {
  readonly caller: Caller;
  readonly request: HttpRequest;
  readonly response: unknown;
}

interface ControlAnswer {
  readonly paused: boolean;
  readonly nextDue: string | null;
  readonly position: string;
}

@Door('batches/:batch/schedule')
@Needs('operator')
export class BatchScheduleController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    private readonly adapterHost: HttpAdapterHost,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** From a day ago until now unless asked otherwise; `to` is not in it. Newest first. */
  @Get('occurrences')
  @Does('Explains every occurrence of a range, with the sums')
  @Needs('viewer')
  @Answers(200, occurrenceListAnswer)
  async occurrences(@Param('batch') batch: string, @Query({ schema: occurrencesQuery }) { from, to, atLeast, limit, cursor }: z.output<typeof occurrencesQuery>): Promise<Page<OccurrenceRow> & Sums> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const toMs = to === undefined ? this.clock.now() : Date.parse(to);
    const range = rangeOf(from === undefined ? toMs - DAY_MS : Date.parse(from), toMs);
    const found = await this.queries.execute(new GetOccurrences(batchIdOf(batch), range, { limit, cursor }));
    if (found === undefined) throw noSchedule(batch);
    return found;
  }

  /** Nothing fires until it is resumed; what is due meanwhile is skipped. Again: nothing more happens. */
  @Post('pause')
  @Does('Pauses a schedule')
  @HttpCode(200)
  @Answers(200, scheduleControlAnswer)
  pause(@Param('batch') batch: string, @Body({ schema: reasonBody }) said: z.output<typeof reasonBody>, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<ControlAnswer> {
    return this.control(batch, said, { caller, request, response }, (origin) => new PauseSchedule(batchIdOf(batch), said.reason, origin));
  }

  @Post('resume')
  @Does('Resumes a schedule')
  @HttpCode(200)
  @Answers(200, scheduleControlAnswer)
  resume(@Param('batch') batch: string, @Body({ schema: reasonBody }) said: z.output<typeof reasonBody>, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<ControlAnswer> {
    return this.control(batch, said, { caller, request, response }, (origin) => new ResumeSchedule(batchIdOf(batch), said.reason, origin));
  }

  /** A run with the schedule's parameters, as if it were due now. It is no occurrence of the schedule, and holds none back. */
  @Post('trigger')
  @Does('Starts a run as the schedule would, now')
  @HttpCode(202)
  @Answers(202, triggeredAnswer)
  async trigger(@Param('batch') batch: string, @Body({ schema: reasonBody }) said: z.output<typeof reasonBody>, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<{ readonly runId: string; readonly position: string }> {
    const defined = await this.queries.execute(new GetBatch(batchIdOf(batch)));
    const rule = defined?.schedule ?? undefined;
    const origin = this.originOf(said, { caller, request, response });
    // Said again it has its first answer, whatever has become of the schedule: only the run knows.
    const occurrence = occurrencesOf(ruleInForce(rule ?? { cron: '@daily' })).valuesOf(this.clock.now());
    const scheduled = { version: defined?.version ?? 0, occurrence, begins: false, ...(rule === undefined && { fault: 'There is no schedule.' }) };
    const answer = await this.commands.execute(new StartRun(ids.runOf(origin.commandId), { batch: defined?.name ?? batch, parameters: {}, labels: {}, reason: said.reason, trigger: { type: 'api' }, scheduled }, origin));
    if (isRefusal(answer)) throw rule === undefined && answer.rejected !== 'idempotency-key-reused' ? noSchedule(batch) : problemOf(answer);
    sayMutation(this.adapterHost, response, answer);
    return { runId: answer.runId, position: answer.position };
  }

  /** Runs for occurrences of the past that were not fired; with `again` for all of them. */
  @Post('backfill')
  @Does('Starts the runs of a range of the past, or tells what it would start')
  @HttpCode(202)
  @Answers(202, backfillStartedAnswer)
  @Answers(200, backfillPlanAnswer, 'With `dryRun`: nothing was begun')
  async backfill(@Param('batch') batch: string, @Body({ schema: backfillBody }) said: z.output<typeof backfillBody>, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<object> {
    const { from, to, again, dryRun } = said;
    const range = rangeOf(Date.parse(from), Date.parse(to));
    if (range.toMs > this.clock.now() + DAY_MS) throw invalid([{ path: '/to', message: 'Only the past can be made up for: give a time that has come.' }]);
    const found = await this.queries.execute(new GetSlots(batchIdOf(batch), range, again, MOST_BACKFILLED + 1));
    if (found === undefined && dryRun) throw noSchedule(batch);
    // Said again it has its first answer, whatever has become of the schedule: only the command itself knows.
    const slots = found ?? [];
    if (slots.length > MOST_BACKFILLED) throw invalid([{ path: '/from', message: `More than ${MOST_BACKFILLED} occurrences are in this range: make up for it in parts.` }]);
    if (dryRun) {
      this.adapterHost.httpAdapter.status(response, 200);
      return { dryRun, total: slots.length, items: slots.slice(0, MOST_PLANNED).map(({ occurrence: { due }, outcome }) => ({ due, outcome })) };
    }
    const origin = this.originOf(said, { caller, request, response });
    const backfillId = ids.backfillOf(origin.commandId);
    const answer = await this.commands.execute(new StartBackfill(batchIdOf(batch), { id: backfillId, from, to, again, total: slots.length }, origin));
    if (isRefusal(answer)) throw answer.rejected === 'not-found' ? noSchedule(batch) : problemOf(answer);
    sayMutation(this.adapterHost, response, answer);
    const total = answer.ledger.backfills.find(({ id }) => id === backfillId)?.total ?? slots.length;
    return { backfillId, total, position: answer.position };
  }

  /** How far it is, and how its runs stand. */
  @Get('backfills/:id')
  @Does('Tells how far a backfill is')
  @Needs('viewer')
  @Answers(200, backfillAnswer)
  async backfillDetail(@Param('batch') batch: string, @Param('id') id: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<BackfillDetail> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const found = await this.queries.execute(new GetBackfill(batchIdOf(batch), id.toLowerCase()));
    if (found === undefined) throw new Problem('not-found', `There is no backfill ${id.slice(0, 100)} of this schedule.`);
    return found;
  }

  private async control(batch: string, said: z.output<typeof reasonBody>, asked: Asked, command: (origin: Origin) => ScheduleCommand): Promise<ControlAnswer> {
    const answer = await this.commands.execute(command(this.originOf(said, asked)));
    if (isRefusal(answer)) throw answer.rejected === 'not-found' ? noSchedule(batch) : problemOf(answer);
    sayMutation(this.adapterHost, asked.response, answer);
    const { paused, nextDue } = answer.ledger;
    return { paused: paused !== null, nextDue, position: answer.position };
  }

  private originOf(said: JsonValue, { caller, request }: Asked): Origin {
    return originOf(request, caller, commandIdentity(request, caller, said));
  }
}

function noSchedule(batch: string): Problem {
  return new Problem('not-found', `Batch ${batch.slice(0, 100)} has no schedule.`);
}

/** @throws Problem validation-failed */
function rangeOf(fromMs: number, toMs: number): RangeAsked {
  if (!isDueTime(fromMs) || !isDueTime(toMs)) throw invalid([{ path: '/from', message: `Ask for times ${DUE_TIMES}.` }]);
  if (toMs <= fromMs) throw invalid([{ path: '/to', message: 'The range ends before it begins.' }]);
  return { fromMs, toMs };
}
