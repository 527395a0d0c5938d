import 'reflect-metadata';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Duration, RetryPolicy } from '../events/definition.js';

/** Writes to the execution's log: bounded, best effort, shown beside the execution. */
export interface JobLog {
  info(message: string, data?: unknown): void;
  warn(message: string, data?: unknown): void;
  error(message: string, data?: unknown): void;
}

/** What a job is given for one attempt. */
export interface JobContext<P = unknown> {
  readonly runId: string;
  readonly stepId: string;
  /** Another one for every attempt. */
  readonly executionId: string;
  /** 1 for the first attempt; counts every execution of the step, lost ones too. */
  readonly attempt: number;
  /** The same for every attempt at the same step of the same run: hand it to the systems that the job calls. */
  readonly idempotencyKey: string;
  /** Parameters as the job's schema gave them back. */
  readonly params: P;
  /** Outputs of the run's earlier steps, by step id. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Aborted on cancel, time-out and shutdown. What the job does after its grace is refused. */
  readonly signal: AbortSignal;
  /** Best effort; the last one before the end goes into the outcome. */
  progress(done: number, total?: number): void;
  readonly log: JobLog;
}

/**
 * A job: `run` is called once per attempt, at least once per step.
 *
 * @typeParam P what the parameter schema gives back
 * @typeParam O the outputs: JSON, at most 256 KiB, read by later steps as `outputs.<step id>`
 */
export interface JobHandler<P = unknown, O = unknown> {
  run(ctx: JobContext<P>): Promise<O>;
}

/** Parameters of a job without a schema: whatever its steps pass. */
export type AnyParameters = Readonly<Record<string, unknown>>;

/** How a job is found, checked and tried. A step's own `retry`, `timeout` and `cancelGrace` win over these. */
export interface JobOptions<
  PS extends StandardSchemaV1 = StandardSchemaV1<unknown, AnyParameters>,
  OS extends StandardSchemaV1 = StandardSchemaV1,
> {
  /** What definitions call it: 1 to 100 letters, digits, `.`, `_` or `-`. */
  readonly name: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  /** Checked before the job is claimed. Run parameters are passed only for keys that it declares. */
  readonly parameters?: PS;
  /** Checked before the outputs are stored. */
  readonly outputs?: OS;
  readonly retry?: RetryPolicy;
  /** Per attempt, from its start. */
  readonly timeout?: Duration;
  /** How long an attempt may take to stop after its signal was aborted. */
  readonly cancelGrace?: Duration;
}

/** A job as a plain object, made by {@link defineJob}. */
export interface JobDefinition<P = unknown, O = unknown> extends JobOptions<StandardSchemaV1, StandardSchemaV1>, JobHandler<P, O> {}

type OutputOf<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>;
type InputOf<S extends StandardSchemaV1> = StandardSchemaV1.InferInput<S>;

/**
 * Defines a job as a plain object. `ctx.params` has the type that the parameter schema gives back; with a schema for the
 * outputs, `run` must return what it takes.
 *
 * @example
 * const greet = defineJob({
 *   name: 'greet',
 *   parameters: z.object({ who: z.string().default('world') }),
 *   run: async ({ params }) => ({ text: `Hello ${params.who}` }),
 * });
 */
export function defineJob<OS extends StandardSchemaV1, PS extends StandardSchemaV1 = StandardSchemaV1<unknown, AnyParameters>>(
  job: JobOptions<PS, OS> & { readonly outputs: OS } & JobHandler<OutputOf<PS>, InputOf<OS>>,
): JobDefinition<OutputOf<PS>, InputOf<OS>>;
export function defineJob<O, PS extends StandardSchemaV1 = StandardSchemaV1<unknown, AnyParameters>>(
  job: Omit<JobOptions<PS>, 'outputs'> & { readonly outputs?: never } & JobHandler<OutputOf<PS>, O>,
): JobDefinition<OutputOf<PS>, O>;
export function defineJob(job: JobDefinition): JobDefinition {
  return job;
}

/** Where the decorator leaves the options. A text, so that two loaded copies of the package agree on it. */
const JOB_METADATA = 'sluice:job';

/**
 * Makes a provider a job. The class is checked against the schemas: `run` must take what `parameters` gives back and
 * return what `outputs` takes. Request-scoped providers are made anew for each attempt.
 *
 * @example
 * const parameters = z.object({ day: z.iso.date() });
 *
 * \@Job({ name: 'extract-ledger', parameters, retry: { maxAttempts: 3 } })
 * class ExtractLedger implements JobHandler<z.infer<typeof parameters>> {
 *   constructor(private readonly ledger: Ledger) {}
 *   async run({ params, signal }: JobContext<z.infer<typeof parameters>>) {
 *     return { rows: await this.ledger.extract(params.day, signal) };
 *   }
 * }
 */
export function Job<
  PS extends StandardSchemaV1 = StandardSchemaV1<unknown, AnyParameters>,
  OS extends StandardSchemaV1 = StandardSchemaV1<unknown>,
>(options: JobOptions<PS, OS>): (target: new (...args: never[]) => JobHandler<OutputOf<PS>, InputOf<OS>>) => void {
  return (target) => Reflect.defineMetadata(JOB_METADATA, options, target);
}

/** What `@Job` said about a class, or undefined if it is not decorated itself (a decorated parent does not count). */
export function jobOptionsOf(target: unknown): JobOptions<StandardSchemaV1, StandardSchemaV1> | undefined {
  if (typeof target !== 'function') return undefined;
  const options: unknown = Reflect.getOwnMetadata(JOB_METADATA, target);
  return isJobOptions(options) ? options : undefined;
}

/** True for a job as a plain object or an instance that carries its own options: a name and a `run`. */
export function isJobDefinition(value: unknown): value is JobDefinition {
  return isJobOptions(value) && 'run' in value && typeof value.run === 'function';
}

function isJobOptions(value: unknown): value is JobOptions<StandardSchemaV1, StandardSchemaV1> {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}
