/** The doors of projections: how far each is, and what it could not take. */
import { Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { z } from 'zod';
import type { ProjectionStatus } from '../reading/projection-status.js';
import { ReadSide } from '../reading/read-side.js';
import { sayMutation } from './accepted.js';
import { Answers, Does, pageOf } from './answers.js';
import { atLeastOnly, awaitAtLeast } from './at-least.js';
import type { AtLeastOnly } from './at-least.js';
import { Door } from './door.js';
import type { Page } from './paging.js';
import { Problem } from './problem.js';
import { Needs } from './roles.guard.js';


/** One build of a projection: the one that answers, or one that is made beside it. */
export interface ProjectionRow extends Omit<ProjectionStatus, 'parked'> {
  readonly lagMs: number;
  /** How many streams are left out. */
  readonly parked: number;
}

/** A stream that is left out of one projection, with the first fact that could not be taken and why. */
export interface ParkedStream {
  readonly id: string;
  readonly stream: string;
  readonly position: string;
  readonly reason: string;
}

const projectionAnswer = z
  .strictObject({
    name: z.string(), version: z.int(), build: z.int(), state: z.enum(['live', 'catchingUp', 'building']), position: z.string(), rate: z.number(), fault: z.string().nullable(),
    parked: z.int(), lagMs: z.number(),
  })
  .meta({ id: 'Projection', description: 'One build of a projection; `rate` in facts a second' });
const parkedAnswer = z.strictObject({ id: z.string(), stream: z.string(), position: z.string(), reason: z.string() }).meta({ id: 'ParkedStream' });

@Door('projections')
@Needs('viewer')
export class ProjectionsController {
  constructor(
    private readonly read: ReadSide,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get()
  @Does('Lists projections and how far each is')
  @Answers(200, pageOf(projectionAnswer, 'ProjectionList'))
  async list(@Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<Page<ProjectionRow>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const asOf = this.read.asOf();
    return whole(this.rows(), asOf);
  }

  /**
   * Makes the rows anew from the whole log beside those that answer, and lets them answer when they stand at the same
   * position. Said again meanwhile, it tells how far that is; `fault` says what came of one that ended in nothing.
   */
  @Post(':name/rebuild')
  @Does('Makes the rows of a projection anew beside those that answer')
  @HttpCode(202)
  @Needs('admin')
  @Answers(202, projectionAnswer)
  async rebuild(@Param('name') name: string, @Res({ passthrough: true }) response: unknown): Promise<ProjectionRow> {
    this.known(name);
    const building = (): ProjectionRow | undefined => this.rows().find((row) => row.name === name && row.state === 'building');
    if (building() === undefined) await this.read.host.beginRebuild(name);
    sayMutation(this.adapterHost, response, { position: this.read.host.position(), replayed: false });
    const row = building() ?? this.rows().find((one) => one.name === name);
    if (row === undefined) throw new Error(`Projection ${name} has no build.`);
    return row;
  }

  @Get(':name/parked')
  @Does('Lists the streams that a projection left out, and why')
  @Answers(200, pageOf(parkedAnswer, 'ParkedList'))
  async parked(@Param('name') name: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<Page<ParkedStream>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return whole(this.known(name).flatMap(({ parked }) => parked.map((one) => ({ id: one.stream, ...one }))), this.read.asOf());
  }

  private rows(): ProjectionRow[] {
    return projectionRows(this.read);
  }

  /** @throws Problem not-found */
  private known(name: string): readonly ProjectionStatus[] {
    const builds = this.read.host.status().filter((one) => one.name === name);
    if (builds.length === 0) throw new Problem('not-found', `There is no projection ${name.slice(0, 100)}. GET /projections lists those that there are.`);
    return builds;
  }
}

/** Every build as it stands. */
export function projectionRows(read: ReadSide): ProjectionRow[] {
  const { lagMs } = read.asOf();
  return read.host.status().map((one) => ({ ...one, lagMs, parked: one.parked.length }));
}

/** A list that fits one page. */
function whole<T>(items: readonly T[], asOf: Page<T>['asOf']): Page<T> {
  return { items, nextCursor: null, total: items.length, totalIs: 'exact', asOf };
}
