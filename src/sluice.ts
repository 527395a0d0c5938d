/**
 * Sluice: the engine put together, without a web server and without Nest.
 *
 * Owns: the wiring of log, hosts, runner and reactor, and their order at start and stop. Does not own: any rule.
 *
 * 1. Start: batches of the code are defined, then everything that stands in the log is looked at, then work is taken.
 * 2. Stop: no new work, running jobs get the drain, then their signals; what they then lose is tried again elsewhere.
 */
import { isRejected } from './actors/actor.js';
import type { Origin, Rejected } from './actors/actor.js';
import { ActorHost } from './actors/actor-host.js';
import type { Answer } from './actors/actor-host.js';
import { RefusalLog } from './audit/refusal-log.js';
import { batchActor, batchVersions, fingerprint } from './batches/batch.actor.js';
import type { BatchVersion } from './batches/batch.actor.js';
import { DefineBatch } from './batches/batch.commands.js';
import { checkDefinition, notSupportedYet } from './batches/check-definition.js';
import { checkParameters } from './batches/run-parameters.js';
import type { Clock } from './clock.js';
import type { BatchDefinition } from './events/definition.js';
import { Streams } from './events/streams.js';
import { ids, parseId } from './ids.js';
import type { BatchId, RunId } from './ids.js';
import type { JobDefinition } from './jobs/job.js';
import { JobRegistry } from './jobs/job-registry.js';
import { Unavailable } from './log/log-errors.js';
import { openSqliteLog } from './log/sqlite.event-log.js';
import type { SqliteEventLog } from './log/sqlite.event-log.js';
import { JobRunner } from './reactors/job-runner.js';
import type { Say } from './reactors/job-runner.js';
import { Reactor } from './reactors/reactor.js';
import type { ReportFault } from './reactors/reactor.js';
import { compilePlan } from './runs/plan.js';
import type { Plan } from './runs/plan.js';
import { runActor } from './runs/run.actor.js';
import type { AnyRunCommand } from './runs/run.commands.js';
import type { StartableBatch } from './runs/run.draft.js';

export interface SluiceOptions {
  /** The data directory, or `:memory:`. */
  readonly directory: string;
  readonly clock: Clock;
  readonly jobs: readonly JobDefinition[];
  readonly batches: readonly BatchDefinition[];
  /** Jobs at once on this node. */
  readonly slots: number;
  /** Told of every fault that the engine goes on after; by default a warning of the process. */
  readonly report?: ReportFault;
}

/** How long to wait before a command is said again to a log that could not be reached. */
const AGAIN_MS = 100;

export async function openSluice({ directory, clock, jobs, batches, slots, report = warn }: SluiceOptions) {
  const streams = new Streams();
  const log = openSqliteLog({ directory, clock });
  const registry = new JobRegistry();
  for (const job of jobs) registry.register(job);
  const node = ids.freshIncarnation();
  const refusals = new RefusalLog({ writer: log, stream: streams.audit(node), incarnation: node, clock, report });
  const definitions = new ActorHost(batchActor(streams), log, log, clock, refusals);
  const plans = new Map<string, Plan>();
  const closing = new AbortController();
  let closed: Promise<void> | undefined;

  const planOf = (version: BatchVersion): Plan => {
    const plan = plans.get(version.definitionHash) ?? compilePlan(version.definition, version.definitionHash);
    plans.set(version.definitionHash, plan);
    return plan;
  };
  const startable = async (batch: string): Promise<StartableBatch | Rejected> => {
    const id = parseId<BatchId>(batch) ?? ids.batch(batch);
    const { versions, deleted } = await batchVersions(log, streams, id);
    const newest = versions.at(-1);
    if (newest === undefined) return { rejected: 'not-found', detail: `There is no batch ${batch}.` };
    if (deleted) return { rejected: 'batch-deleted', detail: `Batch ${newest.name} was deleted and starts no more runs.` };
    const plan = planOf(newest);
    return {
      id, name: newest.name, version: newest.version, plan,
      jobDefaults: Object.fromEntries([...plan.jobs].filter((job) => registry.has(job)).map((job) => [job, registry.defaultsOf(job)])),
      unknownJobs: [...plan.jobs].filter((job) => !registry.has(job)).map((job) => ({ path: '/steps', message: `No job is registered as "${job}".` })),
      check: (given) => checkParameters(plan.definition.parameters ?? [], given),
    };
  };
  const pinned = async (batchId: string, version: number, hash: string): Promise<Plan> => {
    const known = plans.get(hash);
    if (known !== undefined) return known;
    const id = parseId<BatchId>(batchId);
    const found = id && (await batchVersions(log, streams, id)).versions.find((one) => one.version === version && one.definitionHash === hash);
    if (found === undefined) throw new Error(`Version ${version} of batch ${batchId} is not in the log.`);
    return planOf(found);
  };
  const outlast = outlasting(clock, closing.signal);
  const say: Say = async (command) => {
    const answer = await outlast(() => runs.execute(command));
    return isRejected(answer) ? answer.rejected : undefined;
  };
  const runner = new JobRunner(node, slots, registry, say);
  const runs = new ActorHost(runActor(streams, { startable, pinned }, runner), log, log, clock, refusals);
  const reactor = new Reactor({ reader: log, streams, runner, say, outlast, clock, report });

  try {
    for (const batch of batches) await defineInCode(batch, registry, definitions);
    await reactor.start();
  } catch (error) {
    await refusals.close();
    await log.close();
    throw error;
  }
  return {
    log, streams, pinned, quarantined: reactor.quarantined,
    /** What known people were refused; its `callers` are for the guard of the doors. */
    refusals,
    /** Runs that hung and were taken up again since the start: 0 as long as all is well. */
    repairs: (): number => reactor.repairs,
    /** @throws Unavailable when the log can't say whether the command was taken */
    execute: (command: AnyRunCommand): Promise<Answer | Rejected> => runs.execute(command),
    facts: (runId: RunId) => log.readStream(streams.run(runId)),
    /** May be called again: there is one end. */
    close: (drainMs: number, graceMs: number): Promise<void> => (closed ??= shutDown({ reactor, runner, refusals, log, clock, closing }, drainMs, graceMs)),
  };
}

export type Sluice = Awaited<ReturnType<typeof openSluice>>;

interface Running {
  readonly reactor: Reactor;
  readonly runner: JobRunner;
  readonly refusals: RefusalLog;
  readonly log: SqliteEventLog;
  readonly clock: Clock;
  readonly closing: AbortController;
}

async function shutDown({ reactor, runner, refusals, log, clock, closing }: Running, drainMs: number, graceMs: number): Promise<void> {
  const drained = new AbortController();
  const after = (ms: number): Promise<void> => clock.sleep(ms, drained.signal).catch(() => undefined);
  reactor.quiesce();
  await runner.drain(after(drainMs), after(drainMs + graceMs));
  drained.abort();
  closing.abort();
  await reactor.stop();
  await refusals.close();
  await log.close();
}

/** Asks again for as long as the log can't be reached and the engine is not closing. */
function outlasting(clock: Clock, closing: AbortSignal): <T>(ask: () => Promise<T>) => Promise<T> {
  return async (ask) => {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Unavailable) || closing.aborted) throw error;
        await clock.sleep(AGAIN_MS, closing).catch(() => undefined);
      }
    }
  };
}

function warn(what: string, error?: unknown): void {
  process.emitWarning(error instanceof Error ? `${what} ${error.stack ?? error.message}` : what, 'SluiceWarning');
}

async function defineInCode(batch: BatchDefinition, registry: JobRegistry, definitions: { execute(command: DefineBatch): Promise<Answer | Rejected> }): Promise<void> {
  const { definition, errors } = checkDefinition(batch, { jobs: (name) => registry.has(name) });
  const faults = definition === undefined ? errors : [...errors, ...notSupportedYet(definition)];
  if (faults.length > 0) throw new Error(`Batch ${batch.name} can't be defined: ${faults.map(({ path, message }) => `${path}: ${message}`).join(' ')}`);
  const origin: Origin = { actor: 'code', roles: [], via: 'code', commandId: ids.freshCommand() };
  const answer = await definitions.execute(new DefineBatch(ids.batch(batch.name), { definition: batch, ...fingerprint(batch), source: 'code', expected: 'any' }, origin));
  if (isRejected(answer)) throw new Error(answer.detail);
}
