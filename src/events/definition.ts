import { z } from 'zod';
import { durationSchema } from './duration.js';
import type { JsonObject, JsonValue } from './json.js';

export { durationMs, durationSchema } from './duration.js';
export type { Duration } from './duration.js';

/** What a definition may be at most. */
export const DEFINITION_LIMITS = {
  /** Bytes of the definition as JSON text in UTF-8. */
  maxBytes: 1024 * 1024,
  /** Steps of every type, nested ones and `onFailureSteps` included. */
  maxSteps: 1_000,
  /** Levels of step lists: the definition's own list is level 1, a branch's list one more. */
  maxDepth: 8,
  /** Levels of arrays and objects in a free JSON value (`params`, `default`, …). */
  maxJsonDepth: 32,
} as const;

/** True for what survives a round trip through JSON: no `undefined`, NaN, bigint, function or class instance. */
export function isJsonValue(value: unknown, levelsLeft: number = DEFINITION_LIMITS.maxJsonDepth): value is JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || levelsLeft <= 0) return false;
  if (Array.isArray(value)) return value.every((item) => isJsonValue(item, levelsLeft - 1));
  if (!isPlainObject(value)) return false;
  return Object.values(value).every((item) => isJsonValue(item, levelsLeft - 1));
}

/** Made by `JSON.parse`, a literal, or without a prototype. */
function isPlainJsonObject(value: unknown): value is JsonObject {
  return isPlainObject(value) && isJsonValue(value);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export const jsonValueSchema = z.custom<JsonValue>(
  (value) => isJsonValue(value),
  `Give a JSON value of at most ${DEFINITION_LIMITS.maxJsonDepth} levels.`,
);
export const jsonObjectSchema = z
  .custom<JsonObject>(isPlainJsonObject, `Give a JSON object of at most ${DEFINITION_LIMITS.maxJsonDepth} levels.`)
  .meta({ type: 'object' });

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** The shape of a step's id, and of a decision branch's. */
export const STEP_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

const idSchema = z
  .string()
  .regex(STEP_ID, 'An id has 1 to 64 letters, digits, "_" or "-", and begins with a letter or digit.');
const jobNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'A job is named by 1 to 100 letters, digits, ".", "_" or "-".');
const titleSchema = z.string().min(1, 'Give a title, or leave the field out.').max(200, 'A title has at most 200 characters.');
const descriptionSchema = z.string().max(10_000, 'A description has at most 10,000 characters.');
const expressionSchema = z
  .string()
  .min(1, 'Give an expression, or leave the field out.')
  .max(4_000, 'An expression has at most 4,000 characters.');
const roleSchema = z
  .string()
  .regex(/^(?:\*|[^\s,*][^\s,]{0,99})$/, 'A role is "*" or a name of at most 100 characters without spaces and commas.');

/** A batch's name: fixed for ever, and never to be mistaken for an id. */
export const batchNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,99}$/,
    'A name has 1 to 100 lower-case letters, digits, ".", "_" or "-", and begins with a letter or digit.',
  )
  .refine((name) => !UUID.test(name), 'A name may not look like a UUID, because batches are also found by their id.');

export const labelsSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/, 'A label is named by 1 to 63 letters, digits, ".", "_", "/" or "-".'),
    z.string().max(256, "A label's value has at most 256 characters."),
    { error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) },
  )
  .refine((labels) => Object.keys(labels).length <= 64, 'There may be at most 64 labels.');
export type Labels = z.infer<typeof labelsSchema>;

export const parameterKindSchema = z.enum(['string', 'integer', 'number', 'boolean', 'datetime', 'object', 'secret']);
export type ParameterKind = z.infer<typeof parameterKindSchema>;

/** One parameter that a run of the batch takes. */
export const parameterDeclarationSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'A parameter is named by 1 to 64 letters, digits, "_" or "-", a letter first.'),
  kind: parameterKindSchema,
  required: z.boolean().optional(),
  default: jsonValueSchema.optional(),
  title: titleSchema.optional(),
  description: descriptionSchema.optional(),
});
export type ParameterDeclaration = z.infer<typeof parameterDeclarationSchema>;

/** When a failed attempt is tried again. `maxAttempts` counts the first one and is 1 unless given. */
export const retryPolicySchema = z.strictObject({
  maxAttempts: z.int().min(1, 'maxAttempts counts the first attempt, so it is at least 1.').max(1_000, 'maxAttempts is at most 1,000.').optional(),
  backoff: z.enum(['none', 'fixed', 'exponential']).optional(),
  initialDelay: durationSchema.optional(),
  maxDelay: durationSchema.optional(),
  jitter: z.boolean().optional(),
  /** Lost attempts count against `maxAttempts`. */
  lostCounts: z.boolean().optional(),
  /** After so many losses in a row the step fails; 5 unless given. */
  maxLosses: z.int().min(1, 'maxLosses is at least 1.').max(1_000, 'maxLosses is at most 1,000.').optional(),
});
export type RetryPolicy = z.infer<typeof retryPolicySchema>;

/** The job that undoes a step. */
export const compensateDefinitionSchema = z.strictObject({
  job: jobNameSchema,
  params: jsonObjectSchema.optional(),
  retry: retryPolicySchema.optional(),
  timeout: durationSchema.optional(),
});
export type CompensateDefinition = z.infer<typeof compensateDefinitionSchema>;

const stepFields = {
  id: idSchema,
  title: titleSchema.optional(),
  description: descriptionSchema.optional(),
  when: expressionSchema.optional(),
};

export const jobStepSchema = z.strictObject({
  ...stepFields,
  type: z.literal('job'),
  job: jobNameSchema,
  params: jsonObjectSchema.optional(),
  retry: retryPolicySchema.optional(),
  timeout: durationSchema.optional(),
  cancelGrace: durationSchema.optional(),
  compensate: compensateDefinitionSchema.optional(),
});
export type JobStep = z.infer<typeof jobStepSchema>;

export const gateTimeoutActionSchema = z.enum(['fail', 'approve', 'hold']);

const shownNameSchema = z
  .string()
  .regex(/^(?!__proto__$)[^]{1,100}$/, 'What is shown has a name of 1 to 100 characters, and not "__proto__".');

export const gateStepSchema = z.strictObject({
  ...stepFields,
  type: z.literal('gate'),
  allowedRoles: z.array(roleSchema).min(1, 'Name at least one role; "*" means anyone who is signed in.').max(100, 'There may be at most 100 roles.'),
  quorum: z.int().min(1, 'quorum is the number of people who must approve, at least 1.').max(100, 'quorum is at most 100.').optional(),
  notTheStarter: z.boolean().optional(),
  timeout: durationSchema.optional(),
  onTimeout: gateTimeoutActionSchema.optional(),
  /** What the deciders are shown: a name for each, and an expression. */
  show: z.record(shownNameSchema, expressionSchema).optional(),
});
export type GateStep = z.infer<typeof gateStepSchema>;

export const joinPolicySchema = z.enum(['all', 'any', 'majority']);
export type JoinPolicy = z.infer<typeof joinPolicySchema>;

/** A branch of a parallel group. */
export type ParallelBranchDefinition = {
  id?: string | undefined;
  label?: string | undefined;
  steps: StepDefinition[];
};
/** A branch of a decision; one without `when` is the else. Its steps may be none. */
export type DecisionBranchDefinition = ParallelBranchDefinition & { when?: string | undefined };
export type BranchDefinition = ParallelBranchDefinition | DecisionBranchDefinition;

/** Fields that every step has. */
type StepFields = Pick<JobStep, 'id' | 'title' | 'description' | 'when'>;
/** Branches side by side. */
export type ParallelStep = StepFields & {
  type: 'parallel';
  join?: JoinPolicy | undefined;
  branches: ParallelBranchDefinition[];
  compensate?: CompensateDefinition | undefined;
};
/** One branch of several: the first whose `when` is true. */
export type DecisionStep = StepFields & {
  type: 'decision';
  branches: DecisionBranchDefinition[];
  compensate?: CompensateDefinition | undefined;
};
export type StepDefinition = JobStep | GateStep | ParallelStep | DecisionStep;

// The recursive types are written out, because TypeScript can't infer a schema that holds itself;
// the annotations of the two getters make it compare them with the schemas.
const branchFields = { id: idSchema.optional(), label: titleSchema.optional() };

const parallelBranchSchema = z.strictObject({
  ...branchFields,
  get steps(): z.ZodType<StepDefinition[]> {
    return z.array(stepDefinitionSchema).min(1, 'A branch of a parallel group needs at least one step.');
  },
});

const decisionBranchSchema = z.strictObject({
  ...branchFields,
  when: expressionSchema.optional(),
  get steps(): z.ZodType<StepDefinition[]> {
    return z.array(stepDefinitionSchema);
  },
});

export const parallelStepSchema = z.strictObject({
  ...stepFields,
  type: z.literal('parallel'),
  join: joinPolicySchema.optional(),
  branches: z.array(parallelBranchSchema).min(1, 'A parallel group needs at least one branch.'),
  compensate: compensateDefinitionSchema.optional(),
});

export const decisionStepSchema = z.strictObject({
  ...stepFields,
  type: z.literal('decision'),
  branches: z.array(decisionBranchSchema).min(1, 'A decision needs at least one branch.'),
  compensate: compensateDefinitionSchema.optional(),
});

export const stepDefinitionSchema = z.discriminatedUnion('type', [
  jobStepSchema,
  gateStepSchema,
  parallelStepSchema,
  decisionStepSchema,
]).meta({ id: 'StepDefinition' });

const momentSchema = z.iso.datetime({
  offset: true,
  error: 'Give a time as ISO 8601 with its zone, like "2026-01-31T00:00:00Z".',
});

/** When runs start by themselves. Only `cron` is needed; the zone is UTC unless given. */
export const scheduleRuleSchema = z.strictObject({
  cron: z.string().min(1, 'Give a cron rule of 5 or 6 fields.').max(200, 'A cron rule has at most 200 characters.'),
  timeZone: z.string().min(1, 'Give an IANA time zone like "Europe/Stockholm".').max(100, 'A time zone has at most 100 characters.').optional(),
  catchUp: z.enum(['skip', 'latest', 'all']).optional(),
  catchUpWindow: durationSchema.optional(),
  catchUpLimit: z.int().min(1, 'catchUpLimit is at least 1.').max(10_000, 'catchUpLimit is at most 10,000.').optional(),
  overlap: z.enum(['allow', 'skip', 'queue', 'cancelPrevious']).optional(),
  queueLimit: z.int().min(1, 'queueLimit is at least 1.').max(100, 'queueLimit is at most 100.').optional(),
  jitter: durationSchema.optional(),
  startAt: momentSchema.nullable().optional(),
  endAt: momentSchema.nullable().optional(),
  parameters: jsonObjectSchema.optional(),
  paused: z.boolean().optional(),
});
export type ScheduleRule = z.infer<typeof scheduleRuleSchema>;

export const failurePolicySchema = z.enum(['stop', 'continue', 'compensate']);

/**
 * A batch definition as its author writes it. Nothing is filled in: what is stored is what was given.
 * This is the shape alone; `checkDefinition` also judges what the parts say about each other.
 */
export const batchDefinitionSchema = z.strictObject({
  name: batchNameSchema,
  title: titleSchema.optional(),
  description: descriptionSchema.optional(),
  labels: labelsSchema.optional(),
  parameters: z.array(parameterDeclarationSchema).max(200, 'There may be at most 200 parameters.').optional(),
  steps: z.array(stepDefinitionSchema).min(1, 'A definition needs at least one step.'),
  failurePolicy: failurePolicySchema.optional(),
  compensateOnCancel: z.boolean().optional(),
  onFailureSteps: z.array(jobStepSchema).optional(),
  timeout: durationSchema.optional(),
  schedule: scheduleRuleSchema.nullable().optional(),
}).meta({ id: 'BatchDefinition' });
export type BatchDefinition = z.infer<typeof batchDefinitionSchema>;
