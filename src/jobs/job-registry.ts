/**
 * JobRegistry: the jobs of this node, by name.
 *
 * Owns: names, schemas and defaults of the registered jobs, and how a handler is got for an attempt.
 * Does not own: running them (the job runner's), their parameters' resolution (the run's).
 * Talks to: nobody. Filled by discovery, by `forFeature` and by loaded modules before the node takes work.
 *
 * 1. A name stands for one job, for the whole life of the node.
 * 2. What is registered is right: names, retry policies and durations are checked when they come in.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { durationMs, durationSchema, jobStepSchema, retryPolicySchema, type Duration, type RetryPolicy } from '../events/definition.js';
import type { JobDefaults } from '../events/run.events.js';
import type { JobDefinition, JobHandler, JobOptions } from './job.js';
import { jsonSchemaOf, keysOf, validateWith, type JobValidation, type JsonSchema } from './job-schema.js';

/** The attempt that a handler is wanted for; a request-scoped provider can inject it as `REQUEST`. */
export interface JobAttempt {
  readonly runId: string;
  readonly stepId: string;
  readonly executionId: string;
  readonly attempt: number;
}

/** Gets the handler for one attempt: always the same one, or a fresh one for a request-scoped provider. */
export type JobHandlerResolver = (attempt?: JobAttempt) => Promise<JobHandler>;

export interface RegisteredJob {
  readonly name: string;
  readonly options: JobOptions<StandardSchemaV1, StandardSchemaV1>;
  readonly parameters: StandardSchemaV1 | undefined;
  readonly outputs: StandardSchemaV1 | undefined;
  /** Who brought it, for messages: a class, a module's file, `defineJob`. */
  readonly origin: string;
  readonly resolveHandler: JobHandlerResolver;
}

/** A job as `GET /jobs` shows it. */
export interface JobDescription {
  readonly name: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly parameters: JsonSchema;
  readonly outputs?: JsonSchema;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | null;
  readonly cancelGraceMs: number;
}

/** What holds for a job that says nothing: one attempt, no time-out, ten seconds to stop. */
export const JOB_DEFAULTS = {
  maxAttempts: 1,
  backoff: 'exponential',
  initialDelayMs: 1_000,
  maxDelayMs: 60_000,
  jitter: true,
  lostCounts: false,
  maxLosses: 5,
  timeoutMs: null,
  cancelGraceMs: 10_000,
} as const satisfies Omit<JobDefaults, 'declares'>;

export class DuplicateJobError extends Error {
  constructor(name: string, first: string, second: string) {
    super(`The job "${name}" is registered twice: by ${first} and by ${second}. Rename one of them.`);
    this.name = 'DuplicateJobError';
  }
}

export class InvalidJobError extends Error {
  constructor(name: string, origin: string, fault: string) {
    super(`The job ${JSON.stringify(name)} of ${origin} can't be registered: ${fault}`);
    this.name = 'InvalidJobError';
  }
}

export class UnknownJobError extends Error {
  constructor(name: string) {
    super(`No job is registered as "${name}" on this node.`);
    this.name = 'UnknownJobError';
  }
}

export class JobRegistry {
  private readonly jobs = new Map<string, RegisteredJob>();
  private readonly described = new Map<string, JobDescription>();

  /** @throws DuplicateJobError, InvalidJobError */
  register(job: JobDefinition, origin = 'defineJob'): RegisteredJob {
    return this.registerResolved(job, async () => job, origin);
  }

  /**
   * Registers a job whose handler is got for each attempt, as for a `@Job` class.
   *
   * @throws DuplicateJobError, InvalidJobError
   */
  registerResolved(options: JobOptions<StandardSchemaV1, StandardSchemaV1>, resolveHandler: JobHandlerResolver, origin: string): RegisteredJob {
    const { name, parameters, outputs } = options;
    const fault = faultOf(options);
    if (fault !== undefined) throw new InvalidJobError(name, origin, fault);
    const other = this.jobs.get(name);
    if (other !== undefined) throw new DuplicateJobError(name, other.origin, origin);
    const job: RegisteredJob = { name, options, parameters, outputs, origin, resolveHandler };
    this.jobs.set(name, job);
    return job;
  }

  has(name: string): boolean {
    return this.jobs.has(name);
  }

  get(name: string): RegisteredJob | undefined {
    return this.jobs.get(name);
  }

  /** Sorted. */
  names(): readonly string[] {
    return [...this.jobs.keys()].sort();
  }

  /** @throws UnknownJobError */
  validateParameters(name: string, params: unknown): JobValidation | Promise<JobValidation> {
    return validateWith(this.expect(name).parameters, params);
  }

  /** @throws UnknownJobError */
  validateOutputs(name: string, outputs: unknown): JobValidation | Promise<JobValidation> {
    return validateWith(this.expect(name).outputs, outputs);
  }

  /**
   * The keys that the job's parameter schema declares, sorted: none without a schema, undefined if they can't be known.
   *
   * @throws UnknownJobError
   */
  declaredKeys(name: string): readonly string[] | undefined {
    return this.expect(name).parameters === undefined ? [] : keysOf(this.describe(name).parameters);
  }

  /**
   * Retry, time-out and grace of the job with everything filled in: what a run writes down when it begins.
   *
   * @throws UnknownJobError
   */
  defaultsOf(name: string): JobDefaults {
    const { retry, timeout, cancelGrace } = this.expect(name).options;
    return {
      maxAttempts: retry?.maxAttempts ?? JOB_DEFAULTS.maxAttempts,
      backoff: retry?.backoff ?? JOB_DEFAULTS.backoff,
      initialDelayMs: msOr(retry?.initialDelay, JOB_DEFAULTS.initialDelayMs),
      maxDelayMs: msOr(retry?.maxDelay, JOB_DEFAULTS.maxDelayMs),
      jitter: retry?.jitter ?? JOB_DEFAULTS.jitter,
      lostCounts: retry?.lostCounts ?? JOB_DEFAULTS.lostCounts,
      maxLosses: retry?.maxLosses ?? JOB_DEFAULTS.maxLosses,
      timeoutMs: msOr(timeout, JOB_DEFAULTS.timeoutMs),
      cancelGraceMs: msOr(cancelGrace, JOB_DEFAULTS.cancelGraceMs),
      declares: this.declaredKeys(name)?.slice() ?? null,
    };
  }

  /** @throws UnknownJobError */
  describe(name: string): JobDescription {
    const known = this.described.get(name);
    if (known !== undefined) return known;
    const description = descriptionOf(this.expect(name));
    this.described.set(name, description);
    return description;
  }

  private expect(name: string): RegisteredJob {
    const job = this.jobs.get(name);
    if (job === undefined) throw new UnknownJobError(name);
    return job;
  }
}

function descriptionOf({ name, options, parameters, outputs }: RegisteredJob): JobDescription {
  return {
    name,
    description: options.description ?? null,
    tags: options.tags ?? [],
    parameters: parameters === undefined ? {} : jsonSchemaOf(parameters, 'input'),
    ...(outputs === undefined ? {} : { outputs: jsonSchemaOf(outputs, 'output') }),
    retry: options.retry ?? { maxAttempts: JOB_DEFAULTS.maxAttempts },
    timeoutMs: msOr(options.timeout, JOB_DEFAULTS.timeoutMs),
    cancelGraceMs: msOr(options.cancelGrace, JOB_DEFAULTS.cancelGraceMs),
  };
}

function msOr<T extends number | null>(duration: Duration | undefined, otherwise: T): number | T {
  return duration === undefined ? otherwise : durationMs(duration);
}

function faultOf({ name, retry, timeout, cancelGrace, parameters, outputs }: JobOptions<StandardSchemaV1, StandardSchemaV1>): string | undefined {
  const checks = [
    ['name', jobStepSchema.shape.job.safeParse(name)],
    ['retry', retryPolicySchema.optional().safeParse(retry)],
    ['timeout', durationSchema.optional().safeParse(timeout)],
    ['cancelGrace', durationSchema.optional().safeParse(cancelGrace)],
  ] as const;
  for (const [field, { error }] of checks) {
    const issue = error?.issues[0];
    if (issue !== undefined) return `${[field, ...issue.path].join('.')}: ${issue.message}`;
  }
  if (parameters !== undefined && !isStandardSchema(parameters)) return 'parameters: Give a Standard Schema, for example one of zod.';
  if (outputs !== undefined && !isStandardSchema(outputs)) return 'outputs: Give a Standard Schema, for example one of zod.';
  return undefined;
}

/** What comes from a loaded module was never seen by the compiler. */
function isStandardSchema(value: unknown): boolean {
  const standard: unknown = (typeof value === 'object' && value !== null) || typeof value === 'function' ? Reflect.get(value, '~standard') : undefined;
  return typeof standard === 'object' && standard !== null && 'validate' in standard && typeof standard.validate === 'function';
}
