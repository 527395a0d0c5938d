/** The doors where batch definitions are written: judged as a whole, saved as another version, deleted. */
import { Body, Delete, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CommandBus } from '@nestjs/cqrs';
import { batchDefinitionSchema } from '../events/definition.js';
import type { BatchDefinition } from '../events/definition.js';
import { isRefusal, problemOf, sayMutation } from '../http/accepted.js';
import { Answers, Does, judgedElsewhere } from '../http/answers.js';
import { Door } from '../http/door.js';
import { commandIdentity, originOf } from '../http/idempotency.js';
import { Who } from '../http/identity.js';
import type { Caller } from '../http/identity.js';
import { KeyLedger } from '../http/key-ledger.js';
import { Links } from '../http/links.js';
import { invalid, Problem } from '../http/problem.js';
import type { JsonFault } from '../events/json.js';
import { headerOf } from '../http/request.js';
import type { HttpRequest } from '../http/request.js';
import { Needs } from '../http/roles.guard.js';
import { batchIdOf, ids } from '../ids.js';
import type { BatchId } from '../ids.js';
import { etagOf, noBatch, versionOf } from './batch-paths.js';
import { fingerprint } from './batch.actor.js';
import { DefineBatch, DeleteBatch, JOB_BATCH_PREFIX } from './batch.commands.js';
import type { ExpectedVersion } from './batch.commands.js';
import { judgedAnswer, savedAnswer } from './batch.answers.js';
import { checkDefinition, notSupportedYet } from './check-definition.js';

/** Under which the doors are told which jobs there are. */
export const KNOWN_JOBS = Symbol('known jobs');

/** Of the jobs of this node as much as the doors of batches ask. */
export interface KnownJobs {
  has(name: string): boolean;
  declaredKeys(name: string): readonly string[] | undefined;
  validateParameters(name: string, params: unknown): Checked | Promise<Checked>;
}
type Checked = { readonly ok: true } | { readonly ok: false; readonly issues: readonly JsonFault[] };

interface Saved {
  readonly id: BatchId;
  readonly name: string;
  readonly version: number;
  readonly position: string;
  readonly warnings: readonly JsonFault[];
}

const definitionBody = judgedElsewhere(batchDefinitionSchema);

@Door('batches')
@Needs('author')
export class BatchAuthorsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly keys: KeyLedger,
    @Inject(KNOWN_JOBS) private readonly jobs: KnownJobs,
    private readonly links: Links,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Post()
  @Does('Saves a new batch')
  @HttpCode(201)
  @Answers(201, savedAnswer)
  async create(@Body({ schema: definitionBody }) body: unknown, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<Saved> {
    const saved = await this.save(this.checked(body), 'none', { caller, request, response });
    this.adapterHost.httpAdapter.setHeader(response, 'Location', `${this.links.base}/batches/${saved.id}`);
    return saved;
  }

  /** Judges a definition and saves nothing. */
  @Post('validate')
  @Does('Judges a definition, saving nothing')
  @HttpCode(200)
  @Needs('viewer')
  @Answers(200, judgedAnswer)
  validate(@Body({ schema: definitionBody }) body: unknown): { readonly errors: readonly JsonFault[]; readonly warnings: readonly JsonFault[] } {
    const { definition, errors, warnings } = this.check(body);
    return { errors: definition === undefined ? errors : [...errors, ...notSupportedYet(definition)], warnings };
  }

  @Put(':batch')
  @Does('Saves another version of a batch')
  @Answers(200, savedAnswer)
  async change(@Param('batch') batch: string, @Body({ schema: definitionBody }) body: unknown, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<Saved> {
    const expected = versionOf(headerOf(request, 'if-match'));
    const checked = this.checked(body);
    if (ids.batch(checked.definition.name) !== batchIdOf(batch)) {
      throw invalid([{ path: '/name', message: 'The name of a batch is fixed for ever: give the one that this batch has, or make another batch.' }]);
    }
    return this.save(checked, expected, { caller, request, response });
  }

  @Delete(':batch')
  @Does('Deletes a batch: it starts no more runs, and its history stays')
  @HttpCode(204)
  async remove(@Param('batch') batch: string, @Who() caller: Caller, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<void> {
    const wanted = headerOf(request, 'if-match');
    const answer = await this.commands.execute(new DeleteBatch(batchIdOf(batch), originOf(request, caller, commandIdentity(request, caller, undefined)), wanted === undefined ? 'any' : versionOf(wanted)));
    if (isRefusal(answer)) throw answer.rejected === 'not-found' ? noBatch(batch) : problemOf(answer);
    sayMutation(this.adapterHost, response, answer);
  }

  private async save({ definition, warnings }: CheckedDefinition, expected: ExpectedVersion, { caller, request, response }: Asked): Promise<Saved> {
    const id = ids.batch(definition.name);
    const print = fingerprint(definition);
    const identity = commandIdentity(request, caller, print.definitionHash);
    const command = new DefineBatch(id, { definition, ...print, source: 'api', expected }, originOf(request, caller, identity));
    const answer = await this.keys.once(identity, async () => {
      const given = await this.commands.execute(command);
      if (isRefusal(given)) throw problemOf(given);
      return given;
    });
    sayMutation(this.adapterHost, response, answer);
    this.adapterHost.httpAdapter.setHeader(response, 'ETag', etagOf(answer.version));
    return { id, name: definition.name, version: answer.version, position: answer.position, warnings };
  }

  private check(body: unknown): ReturnType<typeof checkDefinition> {
    return checkDefinition(body, { jobs: (name) => this.jobs.has(name) });
  }

  /** @throws Problem with every fault */
  private checked(body: unknown): CheckedDefinition {
    const { definition, errors, warnings } = this.check(body);
    if (definition === undefined) throw invalid(errors);
    const missing = notSupportedYet(definition);
    if (missing.length > 0) throw new Problem('not-supported-yet', missing.map(({ path, message }) => `${path}: ${message}`).join(' '), { errors: missing });
    if (definition.name.startsWith(JOB_BATCH_PREFIX)) throw invalid([{ path: '/name', message: `Names that begin with "${JOB_BATCH_PREFIX}" are kept for jobs that are run alone.` }]);
    return { definition, warnings };
  }
}

interface CheckedDefinition {
  readonly definition: BatchDefinition;
  readonly warnings: readonly JsonFault[];
}

interface Asked {
  readonly caller: Caller;
  readonly request: HttpRequest;
  readonly response: unknown;
}
