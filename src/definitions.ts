/**
 * Definitions: what a run needs to know of its batch, from the batch's own stream.
 *
 * Owns: compiled plans by the hash of their definition, and the versions that were read (bounded, never trusted without
 * a look at what came after them). Does not own: definitions (batches), jobs (registry).
 *
 * 1. A plan is made from a version that stands in the log; a run gets the very one that it began with.
 */
import { LRUCache } from 'lru-cache';
import { isRejected } from './actors/actor.js';
import type { Origin, Rejected } from './actors/actor.js';
import type { ActorHost } from './actors/actor-host.js';
import { batchVersions, fingerprint } from './batches/batch.actor.js';
import type { BatchVersion, BatchVersions } from './batches/batch.actor.js';
import { DefineBatch, JOB_BATCH_PREFIX, OrphanBatch } from './batches/batch.commands.js';
import type { AnyBatchCommand } from './batches/batch.commands.js';
import type { BatchState } from './batches/batch.decide.js';
import { checkDefinition, notSupportedYet } from './batches/check-definition.js';
import { unknownJobs } from './batches/placed-steps.js';
import { checkParameters } from './batches/run-parameters.js';
import type { BatchDefinition, ParameterDeclaration } from './events/definition.js';
import { isJsonObject } from './events/json.js';
import type { Streams } from './events/streams.js';
import { compileParams, ExpressionError, isFault } from './expressions/expression.js';
import { batchIdOf, ids, parseId } from './ids.js';
import type { BatchId } from './ids.js';
import type { JobRegistry } from './jobs/job-registry.js';
import type { EventReader } from './log/event-reader.js';
import { compilePlan } from './runs/plan.js';
import type { Plan } from './runs/plan.js';
import type { Plans } from './runs/run.replay.js';
import type { ScheduledStart } from './runs/run.commands.js';
import type { StartableBatch } from './runs/run.draft.js';

const MOST_PLANS = 500;
const MOST_BATCHES = 500;

/** Looks at one batch in the log: the one under way, and the one that begins after it, if somebody asked meanwhile. */
interface Looks {
  readonly now: Promise<BatchVersions>;
  next: Promise<BatchVersions> | undefined;
}

export class Definitions implements Plans {
  private readonly plans = new LRUCache<string, Plan>({ max: MOST_PLANS });
  /** As they were when somebody last looked. */
  private readonly known = new LRUCache<BatchId, BatchVersions>({ max: MOST_BATCHES });
  private readonly looks = new Map<BatchId, Looks>();

  constructor(
    private readonly reader: EventReader,
    private readonly streams: Streams,
    private readonly jobs: JobRegistry,
  ) {}

  /**
   * @param at a version of it; the newest unless given
   * @param scheduled a run of its schedule: its parameters are the schedule's, and it begins whatever stands against it
   */
  async startable(batch: string, at?: number, scheduled?: ScheduledStart): Promise<StartableBatch | Rejected> {
    const id = batchIdOf(batch);
    const { versions, deleted } = await this.versionsOf(id);
    const found = at === undefined ? versions.at(-1) : versions.find(({ version }) => version === at);
    if (found === undefined) return { rejected: 'not-found', detail: `There is no batch ${batch.slice(0, 100)}${at === undefined ? '' : ` of version ${at}`}.` };
    const { name, version, by: editedBy } = found;
    const refused = deleted ? ({ rejected: 'batch-deleted', detail: `Batch ${name} was deleted and starts no more runs.` } as const) : undefined;
    if (refused !== undefined && scheduled?.begins !== true) return refused;
    const plan = this.planOf(found);
    const known = [...plan.jobs].filter((job) => this.jobs.has(job));
    return {
      id, name, version, editedBy, plan,
      jobDefaults: Object.fromEntries(known.map((job) => [job, this.jobs.defaultsOf(job)])),
      unknownJobs: known.length === plan.jobs.size ? [] : unknownJobs(plan.definition, this.jobs),
      // The parameters of a job that is run alone are its own: it judges them itself.
      ...(refused !== undefined && { refused }),
      check: (given) =>
        scheduled !== undefined ? checkScheduled(scheduled, versions, plan.definition.parameters ?? []) :
        name.startsWith(JOB_BATCH_PREFIX) && isJsonObject(given) ? { parameters: given, errors: [] } : checkParameters(plan.definition.parameters ?? [], given),
    };
  }

  async pinned(batchId: string, version: number, hash: string): Promise<Plan> {
    const known = this.plans.get(hash);
    if (known !== undefined) return known;
    const id = parseId<BatchId>(batchId);
    const found = id && (await this.versionsOf(id)).versions.find((one) => one.version === version && one.definitionHash === hash);
    if (found === undefined) throw new Error(`Version ${version} of batch ${batchId} is not in the log.`);
    return this.planOf(found);
  }

  /** Whoever asks while a look is under way shares the next one: it begins after they asked, so it sees what they know of. */
  private versionsOf(id: BatchId): Promise<BatchVersions> {
    const looks = this.looks.get(id);
    return looks === undefined ? this.begin(id) : (looks.next ??= looks.now.catch(() => undefined).then(() => this.begin(id)));
  }

  private begin(id: BatchId): Promise<BatchVersions> {
    const now = this.look(id);
    this.looks.set(id, { now, next: undefined });
    return now;
  }

  private async look(id: BatchId): Promise<BatchVersions> {
    try {
      const versions = await batchVersions(this.reader, this.streams, id, this.known.get(id));
      this.known.set(id, versions);
      return versions;
    } finally {
      if (this.looks.get(id)?.next === undefined) this.looks.delete(id);
    }
  }

  private planOf({ definition, definitionHash }: BatchVersion): Plan {
    const plan = this.plans.get(definitionHash) ?? compilePlan(definition, definitionHash);
    this.plans.set(definitionHash, plan);
    return plan;
  }
}

/** What the schedule's rule gives its run, as it was when the occurrence was due. */
function checkScheduled({ version, occurrence }: ScheduledStart, versions: readonly BatchVersion[], declared: readonly ParameterDeclaration[]): ReturnType<StartableBatch['check']> {
  const given = versions.find((one) => one.version === version)?.definition.schedule?.parameters ?? {};
  const compiled = compileParams(given);
  if (isFault(compiled)) return { parameters: {}, errors: [{ path: '/schedule/parameters', message: compiled.fault }] };
  try {
    return checkParameters(declared, compiled.evaluate({ params: {}, outputs: () => undefined, run: {}, occurrence }), '/schedule/parameters');
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { parameters: {}, errors: [{ path: '/schedule/parameters', message: error.message }] };
  }
}

/** A batch that is defined in code can't be saved: its faults, with their places, are in the message. */
export class UnusableBatch extends Error {
  override readonly name = 'UnusableBatch';
}

/**
 * Saves a batch that is defined in code. One that an older build says, which newer code has replaced, changes nothing and
 * is warned of: a rolling restart must not flip versions.
 *
 * @throws UnusableBatch: a node does not start with a batch that can't be meant
 */
export async function defineInCode(batch: BatchDefinition, jobs: JobRegistry, host: ActorHost<BatchState, AnyBatchCommand>, warn: (what: string) => void): Promise<void> {
  const { definition, errors } = checkDefinition(batch, { jobs: (name) => jobs.has(name) });
  const faults = definition === undefined ? errors : [...errors, ...notSupportedYet(definition)];
  if (faults.length > 0) throw new UnusableBatch([`Batch ${batch.name} can't be defined:`, ...faults.map(({ path, message }) => `  ${path || '/'}: ${message}`)].join('\n'));
  const origin: Origin = { actor: 'code', roles: [], via: 'code', commandId: ids.freshCommand() };
  const print = fingerprint(batch);
  const answer = await host.execute(new DefineBatch(ids.batch(batch.name), { definition: batch, ...print, source: 'code', expected: 'any' }, origin));
  if (isRejected(answer)) throw new UnusableBatch(answer.detail);
  if (answer.state.hash !== print.definitionHash) warn(`Batch ${batch.name} stays at version ${answer.state.version}: the code's definition is one that it had before, so this is taken for an older build.`);
}

/** Marks the batches that code had defined and has no longer. */
export async function orphanInCode(gone: readonly string[], host: ActorHost<BatchState, AnyBatchCommand>): Promise<void> {
  for (const id of gone) {
    const batchId = parseId<BatchId>(id);
    if (batchId !== undefined) await host.execute(new OrphanBatch(batchId, { actor: 'code', roles: [], via: 'code', commandId: ids.freshCommand() }));
  }
}
