/** What the doors of schedules answer, for the document. */
import { z } from 'zod';
import { asOfAnswer, timeAnswer, uuidAnswer } from '../http/answers.js';

export const previewAnswer = z.strictObject({ items: z.array(z.strictObject({ due: timeAnswer })) }).meta({ id: 'SchedulePreview' });

const lastAnswer = z.strictObject({ due: timeAnswer, outcome: z.enum(['fired', 'skipped', 'missed']), reason: z.string().nullable(), runId: uuidAnswer.nullable() });
const pauseAnswer = z.strictObject({ since: timeAnswer, by: z.string(), reason: z.string().nullable() });
const rowAnswer = z
  .strictObject({ batchId: uuidAnswer, batchName: z.string(), cron: z.string(), timeZone: z.string(), paused: z.boolean(), pause: pauseAnswer.nullable(), nextDue: timeAnswer.nullable(), lastOccurrence: lastAnswer.nullable() })
  .meta({ id: 'ScheduleRow' });
const page = { nextCursor: z.string().nullable(), total: z.int(), totalIs: z.enum(['exact', 'atLeast']), asOf: asOfAnswer };
export const scheduleListAnswer = z.strictObject({ items: z.array(rowAnswer), ...page }).meta({ id: 'ScheduleList' });

const outcome = z.enum(['fired', 'skipped', 'missed', 'pending']);
const occurrenceAnswer = z.strictObject({ due: timeAnswer, outcome, reason: z.string().nullable(), runId: uuidAnswer.nullable(), at: timeAnswer.nullable() }).meta({ id: 'Occurrence' });
export const occurrenceListAnswer = z
  .strictObject({ items: z.array(occurrenceAnswer), ...page, expected: z.int(), fired: z.int(), skipped: z.int(), missed: z.int(), pending: z.int(), unexplained: z.int() })
  .meta({ id: 'OccurrenceList', description: 'The sums are those of the whole range: expected = fired + skipped + missed + pending + unexplained' });

export const scheduleControlAnswer = z.strictObject({ paused: z.boolean(), nextDue: timeAnswer.nullable(), position: z.string() }).meta({ id: 'ScheduleControl' });
export const triggeredAnswer = z.strictObject({ runId: uuidAnswer, position: z.string() });
export const backfillStartedAnswer = z.strictObject({ backfillId: uuidAnswer, total: z.int(), position: z.string() }).meta({ id: 'BackfillStarted' });
export const backfillPlanAnswer = z
  .strictObject({ dryRun: z.literal(true), total: z.int(), items: z.array(z.strictObject({ due: timeAnswer, outcome })) })
  .meta({ id: 'BackfillPlan', description: 'What would be begun, oldest first; at most 500 are told' });
export const backfillAnswer = z
  .strictObject({
    id: uuidAnswer, from: timeAnswer, to: timeAnswer, again: z.boolean(), by: z.string(), total: z.int(), done: z.int(), startedAt: timeAnswer, endedAt: timeAnswer.nullable(),
    runs: z.record(z.string(), z.int()),
  })
  .meta({ id: 'Backfill', description: '`done` of `total` occurrences have their run; `runs` tells how these stand' });
