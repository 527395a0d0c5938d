/** What the doors answer, as far as the command line reads it. Loose: a newer server may say more. */
import { z } from 'zod';

const text = z.string();
const maybe = z.string().nullish();
const counted = z.number().nullish();
const error = z.looseObject({ kind: maybe, code: maybe, message: maybe }).nullish();
const names = z.array(text).nullish();
const labels = z.record(text, z.unknown()).nullish();

export function listOf<T extends z.ZodType>(item: T) {
  return z.looseObject({ items: z.array(item), nextCursor: maybe, total: counted, totalIs: maybe });
}

export const batchRow = z.looseObject({
  id: text, name: text, title: maybe, version: z.number(), source: maybe, stepCount: counted, updatedAt: maybe, updatedBy: maybe,
  schedule: z.looseObject({ cron: maybe }).nullish(),
});
export type BatchRow = z.infer<typeof batchRow>;

/** What its runs take. */
export const batchParameters = z.looseObject({
  definition: z.looseObject({ parameters: z.array(z.looseObject({ name: text, kind: text })).nullish() }),
});

export const batchSaved = z.looseObject({
  name: maybe, version: z.number(),
  warnings: z.array(z.looseObject({ path: z.string().catch(''), message: text })).nullish(),
});

export const projectionRow = z.looseObject({
  name: text, version: z.number(), build: z.number(), state: text, position: z.string().catch(''), rate: z.number().catch(0), fault: maybe, parked: z.number().catch(0), lagMs: counted,
});
export type ProjectionRow = z.infer<typeof projectionRow>;

export const runStarted = z.looseObject({ runId: text, position: maybe });
export const runControlled = z.looseObject({ status: text, position: maybe });

export const runRow = z.looseObject({
  id: text, batchId: maybe, batchName: maybe, batchVersion: counted, status: text, paused: z.boolean().nullish(),
  trigger: z.looseObject({ type: maybe, due: maybe }).nullish(), parameters: z.unknown().optional(), labels, startedAt: maybe, endedAt: maybe, durationMs: counted,
  startedBy: maybe, reason: maybe, counts: z.record(text, z.number()).nullish(), error, retryOf: maybe, retriedBy: maybe, position: maybe,
});
export type RunRow = z.infer<typeof runRow>;

export const stepNode = z.looseObject({
  id: text, type: maybe, status: text, attempts: counted, startedAt: maybe, endedAt: maybe, error, approvalId: maybe, executionIds: names, keptFrom: maybe, kind: maybe,
  get branches(): Children<typeof branchNode> {
    return z.array(branchNode).nullish();
  },
});
export type StepNode = z.infer<typeof stepNode>;

const branchNode = z.looseObject({
  id: maybe, label: maybe, status: maybe, taken: z.boolean().nullish(),
  get steps(): Children<typeof stepNode> {
    return z.array(stepNode).nullish();
  },
});
type Children<T extends z.ZodType> = z.ZodOptional<z.ZodNullable<z.ZodArray<T>>>;

export const approvalRow = z.looseObject({
  id: text, runId: text, batchName: maybe, stepId: text, state: text, title: maybe, description: maybe, data: z.unknown().optional(), allowedRoles: names,
  quorum: counted, given: counted, since: maybe, deadline: maybe, overdue: z.boolean().nullish(),
  outcome: maybe, decidedBy: maybe, decidedAt: maybe, note: maybe,
});
export type ApprovalRow = z.infer<typeof approvalRow>;

export const approvalDecided = z.looseObject({ outcome: maybe, given: counted, quorum: counted, position: maybe });

const waitingFor = z.looseObject({
  what: text, stepId: maybe, since: maybe, who: names, endsAt: maybe, text: maybe,
});
export type WaitingFor = z.infer<typeof waitingFor>;

export const runDetail = runRow.extend({
  steps: z.array(stepNode).nullish(),
  approvals: z.array(approvalRow).nullish(),
  waitingFor: z.array(waitingFor).nullish(),
  allowedActions: z.array(z.looseObject({ action: text, href: maybe, method: maybe, stepId: maybe })).nullish(),
});
export type RunDetail = z.infer<typeof runDetail>;

export const executionRow = z.looseObject({
  id: text, runId: text, stepId: text, kind: maybe, job: maybe, attempt: z.number(), status: text, worker: maybe, startedAt: maybe, endedAt: maybe, error,
});
export type ExecutionRow = z.infer<typeof executionRow>;

export const factRow = z.looseObject({
  revision: text, type: text, data: z.unknown().optional(), metadata: z.record(text, text).nullish(), position: maybe, recordedAt: maybe,
});
export type FactRow = z.infer<typeof factRow>;

export const jobRow = z.looseObject({
  name: text, description: maybe, tags: names,
  parameters: z.looseObject({ properties: z.record(text, z.unknown()).nullish(), required: names }).nullish().catch(null),
});
export type JobRow = z.infer<typeof jobRow>;

export const runCounts = z.looseObject({ total: z.number(), byStatus: z.record(text, z.number()) });

export const scheduleRow = z.looseObject({
  batchId: text, batchName: text, cron: text, timeZone: maybe, paused: z.boolean().nullish(), nextDue: maybe,
  lastOccurrence: z.looseObject({ due: text, outcome: text, reason: maybe, runId: maybe }).nullish(),
});
export type ScheduleRow = z.infer<typeof scheduleRow>;
export const scheduleControlled = z.looseObject({ paused: z.boolean(), nextDue: maybe, position: maybe });

const occurrenceRow = z.looseObject({ due: text, outcome: text, reason: maybe, runId: maybe, at: maybe });
export type OccurrenceRow = z.infer<typeof occurrenceRow>;
export const occurrenceList = listOf(occurrenceRow).extend({ expected: z.number(), fired: z.number(), skipped: z.number(), missed: z.number(), pending: z.number(), unexplained: z.number() });

export const backfillBegun = z.looseObject({ backfillId: text, total: z.number(), position: maybe });
export const backfillPlanned = z.looseObject({ total: z.number(), items: z.array(z.looseObject({ due: text, outcome: text })) });
export const backfillRow = z.looseObject({ id: text, total: z.number(), done: z.number(), endedAt: maybe, runs: z.record(text, z.number()) });
export type BackfillRow = z.infer<typeof backfillRow>;

/** Statuses that a run does not leave. */
export function hasEnded(status: string): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

export const RUN_STATUSES = ['running', 'parked', 'failing', 'compensating', 'cancelling', 'completed', 'failed', 'cancelled'] as const;
