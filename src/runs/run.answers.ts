/** What the doors of runs, executions and workers answer, for the document. */
import { z } from 'zod';
import { errorSchema, RUN_STATUSES, STEP_STATUSES, triggerSchema } from '../events/run.events.js';
import { approvalAnswer } from '../gates/approval.queries.js';
import { asOfAnswer, jsonAnswer, pageOf, timeAnswer, uuidAnswer } from '../http/answers.js';
import { EXECUTION_STATUSES } from './execution.queries.js';

const errorAnswer = errorSchema.meta({ id: 'RunError', description: 'What went wrong: `message` for people, `code` for programs' });
const statusAnswer = z.enum(RUN_STATUSES).meta({ id: 'RunStatus' });
const stepStatusAnswer = z.enum(STEP_STATUSES).meta({ id: 'StepStatus' });
const progressAnswer = z.strictObject({ done: z.number(), total: z.number().nullable() }).meta({ id: 'Progress' });
const countsAnswer = z
  .strictObject(Object.fromEntries(['total', ...STEP_STATUSES].map((status) => [status, z.int()])))
  .meta({ id: 'StepCounts', description: 'How many steps of the run stand where; they add up to `total`' });

const runShape = {
  id: uuidAnswer, batchId: uuidAnswer, batchName: z.string(), batchVersion: z.int(), status: statusAnswer, paused: z.boolean(), trigger: triggerSchema.meta({ id: 'Trigger' }),
  parameters: jsonAnswer, labels: z.record(z.string(), z.string()), startedAt: timeAnswer, endedAt: timeAnswer.nullable(), durationMs: z.number().nullable(), startedBy: z.string(),
  reason: z.string().nullable(), stepCount: z.int(), counts: countsAnswer, error: errorAnswer.nullable(), retryOf: uuidAnswer.nullable(), retriedBy: uuidAnswer.nullable(), position: z.string(),
};
export const runListAnswer = pageOf(z.strictObject(runShape).meta({ id: 'RunRow' }), 'RunList');
export const runCountsAnswer = z
  .strictObject({ total: z.int(), byStatus: z.strictObject(Object.fromEntries(RUN_STATUSES.map((status) => [status, z.int()]))), asOf: asOfAnswer })
  .meta({ id: 'RunCounts' });

export const runStatsAnswer = z
  .strictObject({ items: z.array(z.strictObject({ bucket: timeAnswer, started: z.int(), byStatus: z.strictObject(Object.fromEntries(RUN_STATUSES.map((status) => [status, z.int()]))) })), asOf: asOfAnswer })
  .meta({ id: 'RunStats', description: 'How many runs began in each stretch of time, by how they stand now' });

const stepShape = {
  id: z.string(), type: z.enum(['job', 'gate', 'parallel', 'decision']), status: stepStatusAnswer, attempts: z.int(), startedAt: timeAnswer.nullable(), endedAt: timeAnswer.nullable(),
  params: jsonAnswer, outputs: jsonAnswer, error: errorAnswer.nullable(), executionIds: z.array(uuidAnswer), approvalId: uuidAnswer.optional(),
  keptFrom: uuidAnswer.optional(), kind: z.enum(['compensation', 'onFailure']).optional(),
};
const stepAnswer = z
  .strictObject({
    ...stepShape,
    get branches() {
      return z.array(branchAnswer).optional();
    },
  })
  .meta({ id: 'StepNode' });
const branchAnswer = z
  .strictObject({
    id: z.string().nullable(), label: z.string().nullable(), taken: z.boolean().optional(),
    get steps() {
      return z.array(stepAnswer);
    },
  })
  .meta({ id: 'BranchNode' });

const waitAnswer = z
  .strictObject({ what: z.string(), stepId: z.string().optional(), since: timeAnswer, who: z.array(z.string()), endsAt: timeAnswer.optional(), text: z.string() })
  .meta({ id: 'WaitsFor', description: 'What the run waits for, who can end that, and when it ends by itself' });
const actionAnswer = z
  .strictObject({ action: z.string(), href: z.string(), method: z.literal('POST'), stepId: z.string().optional() })
  .meta({ id: 'AllowedAction', description: 'What this caller may do now, and where' });
export const runDetailAnswer = z
  .strictObject({ ...runShape, steps: z.array(stepAnswer), approvals: z.array(approvalAnswer), waitingFor: z.array(waitAnswer), allowedActions: z.array(actionAnswer) })
  .meta({ id: 'RunDetail' });

export const startedAnswer = z.strictObject({ runId: uuidAnswer, position: z.string() }).meta({ id: 'Started' });
export const controlAnswer = z.strictObject({ status: statusAnswer, position: z.string() }).meta({ id: 'Controlled' });

export const executionAnswer = z
  .strictObject({
    id: uuidAnswer, runId: uuidAnswer, batchId: uuidAnswer, batchName: z.string(), stepId: z.string(), kind: z.enum(['step', 'compensation', 'onFailure']), job: z.string(), attempt: z.int(),
    status: z.enum(EXECUTION_STATUSES).meta({ id: 'ExecutionStatus' }), worker: uuidAnswer.nullable(), queuedAt: timeAnswer, startedAt: timeAnswer.nullable(), endedAt: timeAnswer.nullable(),
    params: jsonAnswer, outputs: jsonAnswer, error: errorAnswer.nullable(), progress: progressAnswer.nullable(), log: z.array(z.string()).nullable(),
  })
  .meta({ id: 'Execution' });
export const executionListAnswer = pageOf(executionAnswer, 'ExecutionList');

const factAnswer = z
  .strictObject({
    stream: z.string(), revision: z.string(), type: z.string(), data: z.record(z.string(), jsonAnswer), metadata: z.record(z.string(), z.string()), id: uuidAnswer,
    position: z.string(), recordedAt: timeAnswer,
  })
  .meta({ id: 'Fact', description: 'An event as it stands in its stream; `metadata.hash` covers it and the one before it' });
export const factListAnswer = pageOf(factAnswer, 'FactList');

const workerAnswer = z
  .strictObject({
    id: uuidAnswer,
    slots: z.strictObject({ total: z.int(), taken: z.int(), free: z.int() }),
    running: z.array(executionAnswer.pick({ id: true, runId: true, batchName: true, stepId: true, job: true, attempt: true, startedAt: true, progress: true })),
  })
  .meta({ id: 'Worker' });
export const workerListAnswer = pageOf(workerAnswer, 'WorkerList');
