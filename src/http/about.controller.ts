/** What this server is: its version, its node, where its data lies, how far its rows are. */
import { Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { ReadSide } from '../reading/read-side.js';
import type { ProjectionStatus } from '../reading/projection-status.js';
import { Answers, asOfAnswer, Does, timeAnswer, uuidAnswer } from './answers.js';
import { asOf, atLeastOnly, awaitAtLeast } from './at-least.js';
import type { AtLeastOnly } from './at-least.js';
import { Door } from './door.js';
import type { AsOf } from './paging.js';
import { Needs } from './roles.guard.js';

/** Under which the controller is given {@link AboutNode}. */
export const ABOUT = Symbol('about');

export interface AboutNode {
  readonly version: string;
  /** As callers sign in, like `dev`. */
  readonly auth: string;
  readonly data: { readonly directory: string };
  /** This incarnation of it; jobs at once, and how many of them are taken now. */
  readonly node: { readonly id: string; readonly startedAt: string; readonly slots: number; readonly taken: number };
  readonly projections: readonly Pick<ProjectionStatus, 'name' | 'version' | 'state' | 'position' | 'parked'>[];
}


const aboutAnswer = z
  .strictObject({
    version: z.string(), auth: z.string(), data: z.strictObject({ directory: z.string() }),
    node: z.strictObject({ id: uuidAnswer, startedAt: timeAnswer, slots: z.int(), taken: z.int() }),
    projections: z.array(z.strictObject({
      name: z.string(), version: z.int(), state: z.enum(['live', 'catchingUp', 'building']), position: z.string(),
      parked: z.array(z.strictObject({ stream: z.string(), position: z.string(), reason: z.string() })),
    })),
    asOf: asOfAnswer,
  })
  .meta({ id: 'About', description: 'What this server is: its version, its node, where its data lies, how far its rows are' });

@Door('about')
@Needs('viewer')
export class AboutController {
  constructor(
    @Inject(ABOUT) private readonly about: () => AboutNode,
    private readonly read: ReadSide,
  ) {}

  @Get()
  @Does('Tells of this node: version, place of its data, settings')
  @Answers(200, aboutAnswer)
  async tell(@Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<AboutNode & { readonly asOf: AsOf }> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return { ...this.about(), asOf: asOf(this.read.host) };
  }
}
