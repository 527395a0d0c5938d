/**
 * The facts of a schedule: its rules as they came into force, and what became of each occurrence. Names are stored for ever.
 *
 * Every fact carries the ledger as it is after it, so that a schedule of any age is loaded by reading its last fact.
 */
import { z } from 'zod';
import { checkedOnce } from './checked-once.js';
import { Upcasting } from './upcasting.js';

const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const time = z.iso.datetime({ precision: 3 });
const TIME = z.regexes.datetime({ precision: 3 });
/** As a list of `time`, which takes a third of what it costs to check a whole ledger. */
const times = z.custom<string[]>((given) => Array.isArray(given) && given.every((one) => typeof one === 'string' && TIME.test(one)), 'A list of times is expected here.');
const counted = z.int().min(0);

/** A schedule's rule with everything filled in that its author left out, but for what it gives a run. */
export const ruleInForceSchema = z.strictObject({
  cron: z.string(),
  timeZone: z.string(),
  catchUp: z.enum(['skip', 'latest', 'all']),
  catchUpWindowMs: counted.nullable(),
  catchUpLimit: z.int().min(1),
  overlap: z.enum(['allow', 'skip', 'queue', 'cancelPrevious']),
  queueLimit: z.int().min(1),
  jitterMs: counted,
  startAt: time.nullable(),
  endAt: time.nullable(),
});
export type RuleInForce = z.infer<typeof ruleInForceSchema>;

/** What an expression in the schedule's parameters may know. */
export const occurrenceSchema = z.strictObject({ due: time, date: z.string(), time: z.string(), timeZone: z.string(), previous: time.nullable() });
export type OccurrenceData = z.infer<typeof occurrenceSchema>;

export const SKIPPED = ['paused', 'overlap', 'queueFull', 'catchUp', 'superseded', 'ended'] as const;
export const MISSED = ['down', 'window', 'limit'] as const;
export type SkippedReason = (typeof SKIPPED)[number];
export type MissedReason = (typeof MISSED)[number];

/** From this moment on (exclusive) the rule of this version is in force; null: none. */
const stretchSchema = z.strictObject({ from: time, version: z.int().min(1), rule: ruleInForceSchema.nullable(), paused: z.boolean() });
export type StretchOfRule = z.infer<typeof stretchSchema>;

const slot = { occurrence: occurrenceSchema, version: z.int().min(1) };
export const slotSchema = z.strictObject(slot);
export type Slot = z.infer<typeof slotSchema>;

const backfillSchema = z.strictObject({
  id: uuid, from: time, to: time, again: z.boolean(), by: z.string(), total: counted, done: counted,
  /** The last one that was begun. */
  doneUntil: time.nullable(),
});
export type Backfill = z.infer<typeof backfillSchema>;

export const ledgerSchema = z.strictObject({
  batchName: z.string(),
  /** Revision of the newest fact of the batch that is in this. */
  definedRevision: counted,
  /** Everything due up to here is in a fact, or in the queue. */
  judgedUntil: time,
  /** Oldest first, as far as there is something to judge by them; the last one is in force now. A ledger hands them on to the next as they are. */
  inForce: checkedOnce(z.array(stretchSchema).min(1)),
  paused: z.strictObject({ since: time, by: z.string(), reason: z.string().nullable() }).nullable(),
  /** Why no rule is in force. */
  ended: z.enum(['removed', 'deleted', 'orphaned']).nullable(),
  /** Occurrences that wait for a run of this schedule to end. */
  queue: z.array(slotSchema),
  /** Due times of the runs that were begun last and may be under way. */
  open: times,
  backfills: z.array(backfillSchema),
  sums: z.strictObject({ fired: counted, skipped: counted, missed: counted }),
  last: z.strictObject({ due: time, outcome: z.enum(['fired', 'skipped', 'missed']), reason: z.string().nullable(), runId: uuid.nullable() }).nullable(),
  /** The next occurrence that is not judged; null while paused. */
  nextDue: time.nullable(),
  /** When there is something to judge. */
  wakeAt: time.nullable(),
});
export type Ledger = z.infer<typeof ledgerSchema>;

const ledger = ledgerSchema;
/** Occurrences that follow one another: the first, the last, how many. */
const stretchOfOccurrences = { from: time, to: time, count: z.int().min(1) };

export const scheduleFactSchemas = {
  ScheduleAdopted: z.strictObject({ batchId: uuid, version: z.int().min(1), rule: ruleInForceSchema, from: time, ledger }),
  /** No rule is in force from here on. */
  ScheduleEnded: z.strictObject({ reason: z.enum(['removed', 'deleted', 'orphaned']), from: time, ledger }),
  SchedulePaused: z.strictObject({ by: z.string(), reason: z.string().nullable(), from: time, ledger }),
  ScheduleResumed: z.strictObject({ by: z.string(), reason: z.string().nullable(), from: time, ledger }),
  /** `by`: it was due, it was caught up with, it had waited. */
  OccurrenceFired: z.strictObject({ ...slot, runId: uuid, by: z.enum(['time', 'catchUp', 'queue']), ledger }),
  /** It waits for the runs under way to end; these are asked to. */
  OccurrenceQueued: z.strictObject({ due: time, cancels: z.array(uuid), ledger }),
  OccurrencesSkipped: z.strictObject({ ...stretchOfOccurrences, reason: z.enum(SKIPPED), ledger }),
  OccurrencesMissed: z.strictObject({ ...stretchOfOccurrences, reason: z.enum(MISSED), ledger }),
  BackfillStarted: z.strictObject({ backfillId: uuid, from: time, to: time, again: z.boolean(), by: z.string(), total: counted, ledger }),
  /** Another run for an occurrence of the past. What became of it then stays as it is. */
  OccurrenceBackfilled: z.strictObject({ backfillId: uuid, ...slot, runId: uuid, ledger }),
  BackfillEnded: z.strictObject({ backfillId: uuid, done: counted, ledger }),
} as const;

export type ScheduleFactType = keyof typeof scheduleFactSchemas;
export type ScheduleFactData<T extends ScheduleFactType> = z.infer<(typeof scheduleFactSchemas)[T]>;
export type ScheduleFact = { [T in ScheduleFactType]: { readonly type: T; readonly data: ScheduleFactData<T> } }[ScheduleFactType];

/** Object.keys gives plain strings; the filter says what they are. */
const types = Object.keys(scheduleFactSchemas).filter((type): type is ScheduleFactType => type in scheduleFactSchemas);
/** A type that changes its fields is counted up in `changed` and gets an upcaster from the version before. */
export const scheduleUpcasting = new Upcasting<ScheduleFactType>({ types, changed: {}, upcasters: [] });
