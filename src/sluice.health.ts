/** Whether the runtime can take commands and answer questions, said the way Terminus asks. */
import { Inject, Injectable } from '@nestjs/common';
import { READINESS } from './http/health.controller.js';
import type { Readiness } from './http/health.controller.js';

/** One entry of a health check: up, or down and why. */
export type SluiceHealthResult = Readonly<Record<string, { readonly status: 'up' | 'down'; readonly message?: string }>>;

/**
 * A health indicator for `@nestjs/terminus`, and for any check of your own: it depends on neither.
 *
 * @example
 * health.check([() => sluiceHealth.isHealthy('sluice')])
 */
@Injectable()
export class SluiceHealth {
  constructor(@Inject(READINESS) private readonly readiness: Readiness) {}

  /** Up when the log can be read and the rows have caught up since the start; else down, with the reason. Never rejects for that. */
  async isHealthy(key = 'sluice'): Promise<SluiceHealthResult> {
    const problem = await this.readiness.whyNotReady();
    return { [key]: problem === undefined ? { status: 'up' } : { status: 'down', message: problem.message } };
  }
}
