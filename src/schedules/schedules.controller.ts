/** The doors of schedules as a whole: which there are, and when a rule would be due. */
import { Get, Inject, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { cronFault, DUE_TIMES, isDueTime, isTimeZone } from '../events/cron-rule.js';
import { isoTime } from '../events/json.js';
import { Answers, Does } from '../http/answers.js';
import { asked, timeParam } from '../http/asking.js';
import { atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { Needs } from '../http/roles.guard.js';
import { ReadSide } from '../reading/read-side.js';
import { Occurrences } from './occurrences.js';
import { previewAnswer, scheduleListAnswer } from './schedule.answers.js';
import { ListSchedules } from './schedule.queries.js';
import type { ScheduleRow } from './schedule.queries.js';

const MOST_PREVIEWED = 1_000;

const listQuery = asked({ ...atLeastQuery.shape, ...pageQuery.shape });
const previewQuery = asked({
  cron: z.string().max(200).superRefine((rule, ctx) => {
    const message = cronFault(rule);
    if (message !== undefined) ctx.addIssue({ code: 'custom', message });
  }),
  timeZone: z.string().max(100).refine(isTimeZone, 'must be an IANA time zone, like "Europe/Stockholm" or "UTC"').default('UTC'),
  count: z
    .string()
    .regex(/^\d{1,4}$/, `must be a whole number from 1 to ${MOST_PREVIEWED}`)
    .transform(Number)
    .pipe(z.number().min(1, 'must be at least 1').max(MOST_PREVIEWED, `must be at most ${MOST_PREVIEWED}`))
    .default(10),
  from: timeParam.refine((time) => isDueTime(Date.parse(time)), `must be ${DUE_TIMES}`).optional(),
});

@Door('schedules')
@Needs('viewer')
export class SchedulesController {
  constructor(
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** By the names of their batches. */
  @Get()
  @Does('Lists schedules, the next due first')
  @Answers(200, scheduleListAnswer)
  async list(@Query({ schema: listQuery }) { limit, cursor, atLeast }: z.output<typeof listQuery>): Promise<Page<ScheduleRow>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return this.queries.execute(new ListSchedules({ limit, cursor }));
  }

  /** The next moments at which the rule is due, after `from` or from now on. */
  @Get('preview')
  @Does('Tells when a rule would be due, saving nothing')
  @Answers(200, previewAnswer)
  preview(@Query({ schema: previewQuery }) { cron, timeZone, count, from }: z.output<typeof previewQuery>): { readonly items: readonly { readonly due: string }[] } {
    const occurrences = Occurrences.of({ cron, timeZone, startAtMs: null, endAtMs: null });
    const items: { due: string }[] = [];
    for (let due = occurrences.next(from === undefined ? this.clock.now() : Date.parse(from) - 1); due !== undefined && items.length < count; due = occurrences.next(due)) {
      items.push({ due: isoTime(due) });
    }
    return { items };
  }
}
