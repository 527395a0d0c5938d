/** The doors by which a run is controlled: cancel it or one attempt of it, pause, resume, retry. */
import { Body, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { Origin } from '../actors/actor.js';
import type { RunStatus } from '../events/run.events.js';
import { Answers, Does } from '../http/answers.js';
import { isRefusal, problemOf, sayMutation } from '../http/accepted.js';
import { asked, storedText, textParam } from '../http/asking.js';
import { Door } from '../http/door.js';
import { commandIdentity, originOf } from '../http/idempotency.js';
import { Who } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { Links } from '../http/links.js';
import { Problem } from '../http/problem.js';
import type { HttpRequest } from '../http/request.js';
import { Needs } from '../http/roles.guard.js';
import { ids, parseId } from '../ids.js';
import type { ExecutionId, RunId } from '../ids.js';
import { ReadSide } from '../reading/read-side.js';
import { GetExecution } from './execution.queries.js';
import type { ExecutionRow } from './execution.queries.js';
import { controlAnswer, startedAnswer } from './run.answers.js';
import { CancelExecution, CancelRun, PauseRun, ResumeRun, RetryRun } from './run.commands.js';
import type { RunAnswer, RunCommand } from './run.commands.js';
import { GetRun } from './run-detail.queries.js';
import { idOf } from './runs.controller.js';

const body = asked({ reason: storedText(2_000).nullable().default(null) }).default({ reason: null });
type Said = z.output<typeof body>;
const retryBody = asked({ fromStep: textParam.nullable().default(null), version: z.enum(['original', 'newest']).default('original'), reason: storedText(2_000).nullable().default(null) })
  .default({ fromStep: null, version: 'original', reason: null });
type Retried = z.output<typeof retryBody>;

interface ControlAnswer {
  readonly status: RunStatus;
  readonly position: string;
}

interface Asked {
  readonly caller: Caller;
  readonly request: HttpRequest;
  readonly response: unknown;
  readonly said: Said | Retried;
}

@Door()
@Needs('operator')
export class RunControlController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    private readonly links: Links,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Also under `/batches`, where older callers look for it. */
  @Post(['runs/:runId/cancel', 'batches/:runId/cancel'])
  @Does('Cancels a run, wherever it stands; under /batches too, by the id of the run')
  @HttpCode(202)
  @Answers(202, controlAnswer)
  @Answers(200, controlAnswer, 'It was cancelled already')
  cancel(@Param('runId') runId: string, @Body({ schema: body }) said: Said, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<ControlAnswer> {
    return this.control(runId, { caller, request, response, said }, (id, origin) => new CancelRun(id, said.reason, origin));
  }

  /** Nothing new is begun until the run is resumed. Again: nothing more happens. */
  @Post('runs/:runId/pause')
  @Does('Pauses a run: nothing new is begun')
  @HttpCode(202)
  @Answers(202, controlAnswer)
  pause(@Param('runId') runId: string, @Body({ schema: body }) said: Said, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<ControlAnswer> {
    return this.control(runId, { caller, request, response, said }, (id, origin) => new PauseRun(id, said.reason, origin));
  }

  @Post('runs/:runId/resume')
  @Does('Resumes a run')
  @HttpCode(202)
  @Answers(202, controlAnswer)
  resume(@Param('runId') runId: string, @Body({ schema: body }) said: Said, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<ControlAnswer> {
    return this.control(runId, { caller, request, response, said }, (id, origin) => new ResumeRun(id, said.reason, origin));
  }

  /** A new run that keeps what succeeded before that step, or before where the run came to a halt. There is one for each run. */
  @Post('runs/:runId/retry')
  @Does('Tries a run again that failed or was cancelled, as a new run that keeps what succeeded')
  @HttpCode(202)
  @Answers(202, startedAnswer)
  async retry(@Param('runId') runId: string, @Body({ schema: retryBody }) said: Retried, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<{ readonly runId: RunId; readonly position: string }> {
    const of = idOf(runId);
    const again = ids.retryOf(of);
    const answer = await this.say(of, { caller, request, response, said }, (origin) => new RetryRun(again, { of, ...said }, origin));
    this.adapterHost.httpAdapter.setHeader(response, 'Location', `${this.links.base}/runs/${again}`);
    return { runId: again, position: answer.position };
  }

  /** Stops one attempt: its step fails with it and is not tried again. */
  @Post('executions/:id/cancel')
  @Does('Cancels one attempt')
  @HttpCode(202)
  @Answers(202, controlAnswer)
  async cancelExecution(@Param('id') text: string, @Body({ schema: body }) said: Said, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<ControlAnswer> {
    const row = await this.execution(text);
    return this.control(row.runId, { caller, request, response, said }, (id, origin) => new CancelExecution(id, row.id, row.stepId, origin));
  }

  /** One that was dispatched a moment ago is waited for. @throws Problem not-found */
  private async execution(text: string): Promise<ExecutionRow> {
    const id = parseId<ExecutionId>(text);
    const find = (): Promise<ExecutionRow | undefined> => (id === undefined ? Promise.resolve(undefined) : this.queries.execute(new GetExecution(id)));
    const row = (await find()) ?? (await this.read.settled().then(find));
    if (row === undefined) throw new Problem('not-found', `There is no execution ${text.slice(0, 100)}.`);
    return row;
  }

  private async control(runId: string, asked: Asked, command: (id: RunId, origin: Origin) => RunCommand): Promise<ControlAnswer> {
    const id = idOf(runId);
    const answer = await this.say(id, asked, (origin) => command(id, origin));
    // What is cancelled already needs no more waiting for.
    if (!answer.said && answer.status === 'cancelled') this.adapterHost.httpAdapter.status(asked.response, 200);
    return { status: answer.status, position: answer.position };
  }

  /** @throws Problem if it is refused, with what may be done to this run instead */
  private async say(about: RunId, { caller, request, response, said }: Asked, command: (origin: Origin) => RunCommand): Promise<RunAnswer> {
    const answer = await this.commands.execute(command(originOf(request, caller, commandIdentity(request, caller, { ...said }))));
    if (isRefusal(answer)) throw problemOf(answer, byState(answer.rejected) ? { allowedActions: await this.actionsOn(about, caller) } : {});
    sayMutation(this.adapterHost, response, answer);
    return answer;
  }

  /** What may be done instead; the read side is given the time to see why it was refused. */
  private async actionsOn(id: RunId, caller: Caller): Promise<readonly object[]> {
    await this.read.settled();
    const found = await this.queries.execute(new GetRun(id, caller, this.links.base));
    return typeof found === 'object' ? found.allowedActions : [];
  }
}

function byState(refused: string): boolean {
  return refused === 'run-already-ended' || refused === 'not-retryable';
}
