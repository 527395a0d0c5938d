/** The doors of jobs: which this node has, with their parameters as JSON Schema. */
import { Get, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { Answers, Does, pageOf } from '../http/answers.js';
import { asked, textParam } from '../http/asking.js';
import { asOf, atLeastOnly, atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import type { AtLeastOnly } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { decodeCursor, encodeCursor, pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { Problem } from '../http/problem.js';
import { Needs } from '../http/roles.guard.js';
import { ReadSide } from '../reading/read-side.js';
import { JobRegistry } from './job-registry.js';
import type { JobDescription } from './job-registry.js';

const listQuery = asked({ q: textParam.optional(), ...atLeastQuery.shape, ...pageQuery.shape });

const schema = z.record(z.string(), z.unknown());
const jobAnswer = z
  .strictObject({
    name: z.string(), description: z.string().nullable(), tags: z.array(z.string()), parameters: schema, outputs: schema.optional(), retry: z.record(z.string(), z.unknown()),
    timeoutMs: z.int().nullable(), cancelGraceMs: z.int(),
  })
  .meta({ id: 'Job', description: '`parameters` and `outputs` are JSON Schemas' });

@Door('jobs')
@Needs('viewer')
export class JobsController {
  constructor(
    private readonly jobs: JobRegistry,
    private readonly read: ReadSide,
  ) {}

  /** By name. */
  @Get()
  @Does('Lists the jobs of this node')
  @Answers(200, pageOf(jobAnswer, 'JobList'))
  async list(@Query({ schema: listQuery }) { q, limit, cursor, atLeast }: z.output<typeof listQuery>): Promise<Page<JobDescription>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const after = cursor === undefined ? '' : decodeCursor(cursor, z.string());
    const names = this.jobs.names().filter((name) => q === undefined || name.toLowerCase().includes(q.toLowerCase()));
    const rest = names.filter((name) => name > after);
    const page = rest.slice(0, limit);
    const last = rest.length > limit ? page.at(-1) : undefined;
    return {
      items: page.map((name) => this.jobs.describe(name)),
      nextCursor: last === undefined ? null : encodeCursor(last),
      total: names.length,
      totalIs: 'exact',
      asOf: asOf(this.read.host),
    };
  }

  @Get(':name')
  @Does('Tells of one job, with the schema of its parameters')
  @Answers(200, jobAnswer)
  async one(@Param('name') name: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<JobDescription> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    if (!this.jobs.has(name)) throw new Problem('not-found', `No job is registered as ${name.slice(0, 100)} on this node.`);
    return this.jobs.describe(name);
  }
}
