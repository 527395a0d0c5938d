/** A job run alone: a batch of one step is made for it, hidden from lists, and started. */
import { Body, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { jsonObjectSchema, labelsSchema } from '../events/definition.js';
import type { BatchDefinition } from '../events/definition.js';
import type { JsonObject } from '../events/json.js';
import { Answers, Does } from '../http/answers.js';
import { isRefusal, problemOf, sayMutation } from '../http/accepted.js';
import { asked, refuseUnstorable } from '../http/asking.js';
import { Door } from '../http/door.js';
import { commandIdentity, originOf } from '../http/idempotency.js';
import { Who } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { Links } from '../http/links.js';
import { invalid, Problem } from '../http/problem.js';
import type { HttpRequest } from '../http/request.js';
import { Needs } from '../http/roles.guard.js';
import { ids } from '../ids.js';
import { StartRun } from '../runs/run.commands.js';
import { startedAnswer } from './batch.answers.js';
import { isTooLarge } from './run-parameters.js';
import { fingerprint } from './batch.actor.js';
import { DefineBatch, JOB_BATCH_PREFIX } from './batch.commands.js';
import { KNOWN_JOBS } from './batch-authors.controller.js';
import type { KnownJobs } from './batch-authors.controller.js';

const startBody = asked({ parameters: jsonObjectSchema.superRefine(refuseUnstorable).default({}), labels: labelsSchema.superRefine(refuseUnstorable).default({}) })
  .default({ parameters: {}, labels: {} });

@Door('jobs')
@Needs('operator')
export class JobRunsController {
  constructor(
    private readonly commands: CommandBus,
    @Inject(KNOWN_JOBS) private readonly jobs: KnownJobs,
    private readonly links: Links,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Post(':name/runs')
  @Does('Runs one job alone')
  @HttpCode(202)
  @Answers(202, startedAnswer)
  async start(@Param('name') name: string, @Body({ schema: startBody }) body: z.output<typeof startBody>, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown) {
    if (!this.jobs.has(name)) throw new Problem('not-found', `No job is registered as ${name.slice(0, 100)} on this node.`);
    await this.check(name, body.parameters);
    const origin = originOf(request, caller, commandIdentity(request, caller, body));
    const batch = jobBatch(name);
    const defined = { ...origin, commandId: ids.derivedCommand('job-batch', name, origin.commandId) };
    const made = await this.commands.execute(new DefineBatch(ids.batch(batch.name), { definition: batch, ...fingerprint(batch), source: 'code', expected: 'any' }, defined));
    if (isRefusal(made)) throw problemOf(made);
    const answer = await this.commands.execute(new StartRun(ids.runOf(origin.commandId), { batch: batch.name, ...body, reason: null, trigger: { type: 'api' } }, origin));
    if (isRefusal(answer)) throw problemOf(answer);
    sayMutation(this.adapterHost, response, answer);
    this.adapterHost.httpAdapter.setHeader(response, 'Location', `${this.links.base}/runs/${answer.runId}`);
    return { runId: answer.runId, position: answer.position };
  }

  /** The batch declares no parameters of its own: they are the job's. */
  private async check(name: string, parameters: JsonObject): Promise<void> {
    if (isTooLarge(parameters)) throw invalid([{ path: '/parameters', message: 'Parameters have at most 256 KiB.' }]);
    const declared = this.jobs.declaredKeys(name);
    const unknown = declared === undefined ? [] : Object.keys(parameters).filter((key) => !declared.includes(key));
    const checked = await this.jobs.validateParameters(name, parameters);
    const errors = [
      ...unknown.map((key) => ({ path: `/parameters/${key}`, message: 'The job has no parameter of this name.' })),
      ...(checked.ok ? [] : checked.issues.map(({ path, message }) => ({ path: `/parameters${path}`, message }))),
    ];
    if (errors.length > 0) throw invalid(errors);
  }
}

/** Names of batches are smaller than those of jobs: one that does not fit is told apart by a piece of its own id. */
function jobBatch(job: string): BatchDefinition {
  const plain = /^[a-z0-9][a-z0-9._-]{0,95}$/.test(job) ? job : `${job.toLowerCase().slice(0, 80)}-${ids.batch(job).slice(0, 8)}`;
  return { name: `${JOB_BATCH_PREFIX}${plain}`, title: job, steps: [{ id: 'job', type: 'job', job }] };
}
