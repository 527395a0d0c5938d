/** The doors of schedules: when a rule would be due. */
import { Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { cronFault, isTimeZone } from '../events/cron-rule.js';
import { isoTime } from '../events/json.js';
import { Answers, timeAnswer } from '../http/answers.js';
import { timeParam } from '../http/asking.js';
import { Door } from '../http/door.js';
import { Needs } from '../http/roles.guard.js';
import { Occurrences } from './occurrences.js';

const MOST_PREVIEWED = 1_000;

const previewQuery = z.strictObject({
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
  from: timeParam.optional(),
});

const previewAnswer = z.strictObject({ items: z.array(z.strictObject({ due: timeAnswer })) }).meta({ id: 'SchedulePreview' });

@Door('schedules')
@Needs('viewer')
export class SchedulesController {
  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** The next moments at which the rule is due, after `from` or from now on. */
  @Get('preview')
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
