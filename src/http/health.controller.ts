/** Whether the process lives, and whether it should be sent requests. */
import { Get, Inject } from '@nestjs/common';
import { z } from 'zod';
import { Answers, Does } from './answers.js';
import { Door } from './door.js';
import type { Problem } from './problem.js';
import { Open } from './roles.guard.js';

/** Under which the controller is given {@link Readiness}. */
export const READINESS = Symbol('readiness');

export interface Readiness {
  /** Why no request should be sent here now, said as the refusal it would get; undefined if all is well. */
  whyNotReady(): Promise<Problem | undefined>;
}

const okAnswer = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Ok' });

@Door('health')
@Open()
export class HealthController {
  constructor(@Inject(READINESS) private readonly readiness: Readiness) {}

  /** Looks at nothing else: a store that is down is no reason to kill this process. */
  @Get('live')
  @Does('Answers while the process does')
  @Answers(200, okAnswer)
  live(): { readonly status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Does('Answers 200 once the log can be read and the rows have caught up')
  @Answers(200, okAnswer)
  async ready(): Promise<{ readonly status: 'ok' }> {
    const problem = await this.readiness.whyNotReady();
    if (problem !== undefined) throw problem;
    return { status: 'ok' };
  }
}
