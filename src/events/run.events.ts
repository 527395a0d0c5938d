/**
 * The facts of a run. Names are stored for ever. Each fact is one event of the run's machine.
 *
 * A fact carries the values that were drawn (due times, ids, resolved parameters), never instructions to draw them.
 * Where a step leaves a state that the fact's type does not tell, `was` says which one, so that a reader can count
 * without folding.
 */
import { z } from 'zod';
import type { JsonValue } from './json.js';
import { Upcasting } from './upcasting.js';

const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const time = z.iso.datetime({ precision: 3 });
const json = z.custom<JsonValue>((value) => value !== undefined);
const counted = z.int().min(0);

/** `error` everywhere: what went wrong, for people (`message`) and for programs (`code`). */
export const errorSchema = z.strictObject({
  kind: z.enum(['error', 'terminal', 'timeout', 'lost', 'validation', 'expression', 'rejected', 'unknown-job']),
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
});
export type RunError = z.infer<typeof errorSchema>;

export const triggerSchema = z.strictObject({
  type: z.enum(['api', 'schedule', 'backfill', 'retry', 'code']),
  due: time.optional(),
});
export type Trigger = z.infer<typeof triggerSchema>;

/** Retry, time-out and grace of a job as they were when the run began, all resolved. */
export const jobDefaultsSchema = z.strictObject({
  maxAttempts: z.int().min(1),
  backoff: z.enum(['none', 'fixed', 'exponential']),
  initialDelayMs: counted,
  maxDelayMs: counted,
  jitter: z.boolean(),
  lostCounts: z.boolean(),
  maxLosses: z.int().min(1),
  timeoutMs: counted.nullable(),
  cancelGraceMs: counted,
  /** The keys that the job's parameter schema declares; null when they can't be known: then none are passed. */
  declares: z.array(z.string()).nullable(),
});
export type JobDefaults = z.infer<typeof jobDefaultsSchema>;

const attempt = { stepId: z.string(), executionId: uuid, attempt: z.int().min(1) };
const gate = { stepId: z.string(), approvalId: uuid };
const report = { progress: z.strictObject({ done: z.number(), total: z.number().nullable() }).optional(), log: z.array(z.string()).optional() };

/** The code of an attempt's error that an operator has cancelled alone. */
export const EXECUTION_CANCELLED = 'execution-cancelled';

export const runFactSchemas = {
  RunStarted: z.strictObject({
    runId: uuid, batchId: uuid, batchName: z.string(), batchVersion: z.int().min(1), definitionHash: z.string(),
    trigger: triggerSchema, parameters: json, labels: z.record(z.string(), z.string()), reason: z.string().nullable(),
    stepCount: counted, total: counted, jobDefaults: z.record(z.string(), jobDefaultsSchema),
    /** When the run as a whole has run out of time. */
    timeoutAt: time.nullable().optional(),
    /** Who counts as its starter besides the actor: whoever started the runs that it retries, or last edited what a schedule started. */
    starters: z.array(z.string()).optional(),
    /** The run that it tries again, and what of it is kept, in the order in which it happened: `StepKept` and others follow. */
    retry: z.strictObject({ of: uuid, version: z.enum(['original', 'newest']), fromStep: z.string().nullable(), keeps: z.array(z.string()) }).optional(),
  }),
  /** A step that succeeded, or was approved, in a run before: `from` says in which, and by which execution or approval. */
  StepKept: z.strictObject({ stepId: z.string(), from: z.strictObject({ runId: uuid, id: uuid }), outputs: json.optional() }),
  StepDispatched: z.strictObject({ ...attempt, job: z.string(), kind: z.enum(['step', 'compensation', 'onFailure']), params: json }),
  StepStarted: z.strictObject({ ...attempt, worker: z.string(), timeoutAt: time.nullable() }),
  StepSucceeded: z.strictObject({ ...attempt, outputs: json, ...report }),
  /** An attempt failed. `final`: the step failed with it; otherwise `StepRetryScheduled` follows. */
  StepFailed: z.strictObject({ ...attempt, was: z.enum(['dispatched', 'running']), error: errorSchema, timedOut: z.boolean(), orphaned: z.boolean(), final: z.boolean(), ...report }),
  /**
   * A step that failed before it began: its condition, its parameters or its gate's texts could not be made. A group or a
   * decision fails as one unit: `skipped` steps of it will not run.
   */
  StepRefused: z.strictObject({ stepId: z.string(), error: errorSchema, skipped: counted.optional(), kind: z.enum(['compensation', 'onFailure']).optional() }),
  /** Steps that will not run: the step itself, a group as one unit, or some branches of it. `count`: the steps that count. */
  StepSkipped: z.strictObject({ stepId: z.string(), branches: z.array(counted).nullable(), reason: z.enum(['when', 'lostBranch']), count: counted }),
  /** A decision's branch (by index; null: none fits), and how many steps of the others are skipped. */
  DecisionTaken: z.strictObject({ stepId: z.string(), branch: counted.nullable(), branchId: z.string().nullable(), count: counted }),
  /** An attempt was lost with its node. `final`: it was one too many. */
  StepLost: z.strictObject({ ...attempt, reason: z.enum(['crash', 'shutdown', 'lease']), error: errorSchema, final: z.boolean() }),
  StepRetryScheduled: z.strictObject({ ...attempt, nextAttempt: z.int().min(2), retryAt: time }),
  /** The attempt's signal is to be aborted; at `graceEndsAt` it is fenced. */
  StepStopRequested: z.strictObject({ ...attempt, reason: z.enum(['timeout', 'cancel', 'failure', 'lostBranch', 'operator']), graceEndsAt: time }),
  StepCancelled: z.strictObject({ stepId: z.string(), executionId: uuid, attempt: z.int().min(1), was: z.enum(['dispatched', 'running', 'retrying']), reason: z.enum(['cancel', 'failure', 'lostBranch']), orphaned: z.boolean(), ...report }),
  GateParked: z.strictObject({
    ...gate, title: z.string(), description: z.string().nullable(), data: json, digest: z.string(), allowedRoles: z.array(z.string()),
    quorum: z.int().min(1), notTheStarter: z.boolean(), deadline: time.nullable(), onTimeout: z.enum(['fail', 'approve', 'hold']),
  }),
  GateApprovalGiven: z.strictObject({ ...gate, by: z.string(), note: z.string().nullable(), digest: z.string(), given: z.int().min(1), quorum: z.int().min(1) }),
  GateApproved: z.strictObject({ ...gate, outcome: z.enum(['approved', 'autoApproved']), by: z.string().nullable(), note: z.string().nullable(), digest: z.string(), given: counted, quorum: z.int().min(1) }),
  GateRejected: z.strictObject({ ...gate, by: z.string(), reason: z.string(), digest: z.string(), given: counted, quorum: z.int().min(1) }),
  GateTimedOut: z.strictObject({ ...gate }),
  GateOverdue: z.strictObject({ ...gate }),
  GateReleased: z.strictObject({ ...gate, reason: z.enum(['cancel', 'failure', 'lostBranch']) }),
  /** Dispatching has ended; what runs is being stopped. */
  RunFailing: z.strictObject({ stepId: z.string().nullable(), cause: z.enum(['step', 'gate', 'timeout']), error: errorSchema }),
  CancelRequested: z.strictObject({ by: z.string(), reason: z.string().nullable() }),
  /** What succeeded is being undone, newest first. */
  CompensationStarted: z.strictObject({ reason: z.enum(['failure', 'cancel']) }),
  /** Nothing new is begun until `RunResumed`; outcomes and decisions are still taken. */
  RunPaused: z.strictObject({ by: z.string(), reason: z.string().nullable() }),
  RunResumed: z.strictObject({ by: z.string(), reason: z.string().nullable() }),
  RunCompleted: z.strictObject({}),
  RunFailed: z.strictObject({ error: errorSchema, stepId: z.string().nullable(), orphaned: z.array(uuid) }),
  RunCancelled: z.strictObject({ orphaned: z.array(uuid) }),
} as const;

/** What ends a run: no fact of it follows. */
const RUN_ENDS: readonly string[] = ['RunCompleted', 'RunFailed', 'RunCancelled'] satisfies (keyof typeof runFactSchemas)[];
export function endsRun({ type }: { readonly type: string }): boolean {
  return RUN_ENDS.includes(type);
}

export type RunFactType = keyof typeof runFactSchemas;
export type RunFactData<T extends RunFactType> = z.infer<(typeof runFactSchemas)[T]>;
export type RunFact = { [T in RunFactType]: { readonly type: T; readonly data: RunFactData<T> } }[RunFactType];

/** Object.keys gives plain strings; the filter says what they are. */
const types = Object.keys(runFactSchemas).filter((type): type is RunFactType => type in runFactSchemas);
/** A type that changes its fields is counted up in `changed` and gets an upcaster from the version before. */
export const runUpcasting = new Upcasting<RunFactType>({ types, changed: {}, upcasters: [] });

/** Fields that may hold a large payload: over the inline limit they go to a blob and the fact names it. */
export const RUN_PAYLOADS: Partial<Record<RunFactType, 'parameters' | 'params' | 'outputs' | 'data'>> = {
  RunStarted: 'parameters', StepKept: 'outputs', StepDispatched: 'params', StepSucceeded: 'outputs', GateParked: 'data',
};

export type RunStatus = 'running' | 'parked' | 'failing' | 'compensating' | 'cancelling' | 'completed' | 'failed' | 'cancelled';
export const RUN_STATUSES: readonly RunStatus[] = ['running', 'parked', 'failing', 'compensating', 'cancelling', 'completed', 'failed', 'cancelled'];

/** No runs of any status: to be filled in. */
export function noRuns(): Record<RunStatus, number> {
  return { running: 0, parked: 0, failing: 0, compensating: 0, cancelling: 0, completed: 0, failed: 0, cancelled: 0 };
}

export type StepStatus = 'pending' | 'dispatched' | 'running' | 'retrying' | 'waiting' | 'succeeded' | 'failed' | 'cancelled' | 'skipped';
export const STEP_STATUSES: readonly StepStatus[] = ['pending', 'dispatched', 'running', 'retrying', 'waiting', 'succeeded', 'failed', 'cancelled', 'skipped'];
/** How many of the run's steps stand where. They always add up to `total`. */
export type StepCounts = Readonly<Record<StepStatus | 'total', number>>;
