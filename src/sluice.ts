/**
 * Sluice: the engine put together, without a web server and without Nest.
 *
 * Owns: the wiring of log, hosts, runner, reactor and read side, and their order at start and stop. Does not own: any rule.
 *
 * 1. Start: batches of the code are defined, then everything that stands in the log is looked at, then work is taken.
 * 2. The read side catches up beside that: a run does not wait for rows.
 * 3. Stop: no new work, running jobs get the drain, then their signals; what they then lose is tried again elsewhere.
 */
import { setMaxListeners } from 'node:events';
import { BATCHES } from '../projections/batches.js';
import { FIRED, SCHEDULES } from '../projections/schedules.js';
import { isRejected } from './actors/actor.js';
import { ActorHost } from './actors/actor-host.js';
import { AnswerLog } from './audit/answer-log.js';
import { RefusalLog } from './audit/refusal-log.js';
import { batchActor } from './batches/batch.actor.js';
import type { Clock } from './clock.js';
import { defineInCode, Definitions, orphanInCode } from './definitions.js';
import type { BatchDefinition } from './events/definition.js';
import type { Backfill, Slot } from './events/schedule.events.js';
import { Streams } from './events/streams.js';
import { ids } from './ids.js';
import type { BatchId } from './ids.js';
import type { JobRegistry } from './jobs/job-registry.js';
import { Denied, Unavailable } from './log/log-errors.js';
import type { EngineLog } from './log/open-log.js';
import { openSqliteLog } from './log/sqlite.event-log.js';
import { ReadSide } from './reading/read-side.js';
import { ReadStore } from './reading/read-store.js';
import type { RowKeeper } from './reading/row-keeper.js';
import { is, rowsOf } from './reading/selection.js';
import { JobRunner } from './reactors/job-runner.js';
import type { Say } from './reactors/job-runner.js';
import { Reactor } from './reactors/reactor.js';
import type { ReportFault } from './reactors/reactor.js';
import type { Left } from './reactors/schedules-left.js';
import { Timekeeper } from './reactors/timekeeper.js';
import { rowsBeside, rowsHere } from './rows.js';
import type { Rows } from './rows.js';
import { runActor } from './runs/run.actor.js';
import { GetSlots, GetSlotsHandler } from './schedules/occurrence.queries.js';
import { scheduleActor } from './schedules/schedule.actor.js';

/** Where facts and rows are. They are closed with the engine. */
export interface Stores {
  readonly log: EngineLog;
  readonly rows: ReadStore;
}

export interface SluiceOptions {
  /** The data directory, or `:memory:`. */
  readonly directory: string;
  /** Stores that are open already, in place of those in the directory. */
  readonly stores?: Stores;
  readonly clock: Clock;
  /** Opened by the caller, and closed with the engine. That of the data directory if absent. */
  readonly log?: EngineLog;
  /** Rows are made in a thread of their own, which opens the log of this URL as well: for a data directory. In this one if absent. */
  readonly rowsBeside?: string | undefined;
  /** May be filled until `start`. */
  readonly jobs: JobRegistry;
  /** Jobs at once on this node. */
  readonly slots: number;
  readonly namespace?: string | undefined;
  /** How long a query waits for the position that it asks for, in milliseconds; 2,000 unless given. */
  readonly readWaitMs?: number;
  /** Attempts that may wait for a free slot before starts are turned away; 100,000 unless given. */
  readonly mostWaiting?: number;
  /** Told of every fault that the engine goes on after; by default a warning of the process. */
  readonly report?: ReportFault;
}

/** How long to wait before a command is said again to a log that could not be reached. */
const AGAIN_MS = 100;
const READ_WAIT_MS = 2_000;
const MOST_WAITING = 100_000;
/** However long a rebuild takes. */
const ROWS_WAIT_MS = 24 * 60 * 60 * 1_000;

export type SluiceEngine = ReturnType<typeof openSluice>;

/**
 * Opens the stores and puts everything together; nothing runs before `start`.
 *
 * @throws LogUnusable, ReadStoreUnusable
 */
export function openSluice({ directory, stores, clock, log: given, jobs, slots, namespace, readWaitMs = READ_WAIT_MS, mostWaiting = MOST_WAITING, rowsBeside: beside, report = warn }: SluiceOptions) {
  const streams = new Streams(namespace);
  const log: EngineLog = stores?.log ?? given ?? openSqliteLog({ directory, clock });
  const rows = closingOnError(log, (): Rows => {
    const parts = { reader: log, clock, report };
    return beside !== undefined && stores === undefined ? rowsBeside({ directory, url: beside, ...(namespace !== undefined && { namespace }) }, log, parts) : rowsHere(stores?.rows ?? ReadStore.open(directory, log.identity, log.rowsFile), streams, parts);
  });
  const { host: reading } = rows;
  const node = ids.freshIncarnation();
  const refusals = new RefusalLog({ writer: log, stream: streams.audit(node), incarnation: node, clock, report });
  const records = { refusals, answers: new AnswerLog(log, streams, clock) };
  const definitions = new Definitions(log, streams, jobs);
  const batches = new ActorHost(batchActor(streams), log, log, clock, records);
  const schedules = new ActorHost(scheduleActor(log, streams), log, log, clock, records);
  const closing = new AbortController();
  // Whoever outlasts a log that is away waits on it, and they may be many.
  setMaxListeners(0, closing.signal);
  const outlast = outlasting(clock, closing.signal, report);
  const say: Say = async (command) => {
    const answer = await outlast(() => runs.execute(command));
    return isRejected(answer) ? answer.rejected : undefined;
  };
  const runner = new JobRunner(node, slots, jobs, say);
  const run = runActor(streams, definitions, runner, log, { most: mostWaiting, waiting: () => reactor.waits });
  const runs = new ActorHost(log.deliversLate === true ? { ...run, onAppended: (facts) => reactor.hear(facts) } : run, log, log, clock, records);
  const reactor = new Reactor({ reader: log, streams, runner, say, outlast, clock, report });
  const read = new ReadSide({ host: reading, queries: () => rows.queries(), reader: log, waitMs: readWaitMs });
  const timekeeper = new Timekeeper({
    reader: log, streams, clock, report, say,
    tell: async (command) => {
      const answer = await outlast(() => schedules.execute(command));
      return isRejected(answer) ? undefined : answer.state;
    },
    left: () => leftOf(read),
    slotsOf: (batchId, backfill) => slotsOf(new GetSlotsHandler(read, clock), batchId, backfill),
  });
  const parts = { timekeeper, reactor, runner, refusals, reading, rows, log, clock, closing };
  let closed: Promise<void> | undefined;
  let orphaning: Promise<void> = Promise.resolve();
  /** The rows say which batches code has ever defined, so it waits until they know. */
  const orphanGone = async (inCode: readonly BatchDefinition[]): Promise<void> => {
    if (!(await reading.waitFor(await log.head(), ROWS_WAIT_MS))) return;
    const known = await rowsOf(read.db, BATCHES, [is(BATCHES, 'source', 'code'), is(BATCHES, 'hidden', 0), is(BATCHES, 'deleted', 0), is(BATCHES, 'orphaned', 0)]);
    await orphanInCode(known.filter(({ name }) => !inCode.some((batch) => batch.name === name)).map(({ id }) => id), batches);
  };

  return {
    /** This incarnation of the node. */
    node,
    log, streams, definitions, runs, batches, schedules, timekeeper, runner, read,
    /** What known people were refused; its `callers` are for the guard of the doors. */
    refusals,
    /** Runs that are left alone, and why. */
    quarantined: reactor.quarantined,
    /** Runs that hung and were taken up again since the start: 0 as long as all is well. */
    repairs: (): number => reactor.repairs,
    /** Takes up what was left and begins to work. */
    async start(inCode: readonly BatchDefinition[] = []): Promise<void> {
      await reading.start();
      for (const batch of inCode) await defineInCode(batch, jobs, batches, report);
      await reactor.start();
      await timekeeper.start();
      orphaning = orphanGone(inCode).catch((error: unknown) => {
        if (closed === undefined) report('Batches that the code no longer has could not be marked.', error);
      });
    },
    /** May be called again: there is one end. */
    close: (drainMs: number, graceMs: number): Promise<void> => (closed ??= shutDown({ ...parts, orphaned: () => orphaning }, drainMs, graceMs)),
  };
}

function closingOnError<T>(log: EngineLog, work: () => T): T {
  try {
    return work();
  } catch (error) {
    void log.close();
    throw error;
  }
}

interface Parts {
  /** Resolves when no batch is being marked. */
  readonly orphaned: () => Promise<void>;
  readonly timekeeper: Timekeeper;
  readonly reactor: Reactor;
  readonly runner: JobRunner;
  readonly refusals: RefusalLog;
  readonly reading: RowKeeper;
  readonly rows: Rows;
  readonly log: EngineLog;
  readonly clock: Clock;
  readonly closing: AbortController;
}

async function shutDown({ orphaned, timekeeper, reactor, runner, refusals, reading, rows, log, clock, closing }: Parts, drainMs: number, graceMs: number): Promise<void> {
  const drained = new AbortController();
  const after = (ms: number): Promise<void> => clock.sleep(ms, drained.signal).catch(() => undefined);
  timekeeper.quiesce();
  reactor.quiesce();
  await runner.drain(after(drainMs), after(drainMs + graceMs));
  drained.abort();
  closing.abort();
  await timekeeper.stop();
  await reactor.stop();
  await refusals.close();
  await reading.stop();
  await orphaned();
  await log.close();
  rows.close();
}

/** What schedules leave to be done, by their rows. The position is taken first: what is seen twice is done once. */
async function leftOf({ db, host }: ReadSide): Promise<Left> {
  const position = host.position();
  const [schedules, fired] = await Promise.all([rowsOf(db, SCHEDULES, []), rowsOf(db, FIRED, [])]);
  return { position, fired, schedules: schedules.map(({ id, ledger, batchRevision }) => ({ batchId: id, ledger, isBehind: batchRevision > (ledger?.definedRevision ?? -1) })) };
}

const BACKFILLED_AT_ONCE = 50;

async function slotsOf(handler: GetSlotsHandler, batchId: BatchId, { from, to, again, doneUntil, total, done }: Backfill): Promise<{ readonly slots: readonly Slot[]; readonly final: boolean }> {
  const fromMs = doneUntil === null ? Date.parse(from) : Date.parse(doneUntil) + 1;
  const found = (await handler.execute(new GetSlots(batchId, { fromMs, toMs: Date.parse(to) }, again, BACKFILLED_AT_ONCE + 1))) ?? [];
  const slots = found.slice(0, BACKFILLED_AT_ONCE).map(({ occurrence, version }) => ({ occurrence, version }));
  return { slots, final: found.length <= BACKFILLED_AT_ONCE || done + slots.length >= total };
}

/** Asks again for as long as the log can't be reached, or forbids writing, and the engine is not closing. */
function outlasting(clock: Clock, closing: AbortSignal, report: ReportFault): <T>(ask: () => Promise<T>) => Promise<T> {
  return async (ask) => {
    for (let told = false; ; ) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Unavailable || error instanceof Denied) || closing.aborted) throw error;
        // That it is away is seen by everybody.
        if (error instanceof Denied && !told) report('The log does not let this node write. It is tried again until it does.', error);
        told ||= error instanceof Denied;
        await clock.sleep(AGAIN_MS, closing).catch(() => undefined);
      }
    }
  };
}

function warn(what: string, error?: unknown): void {
  process.emitWarning(error instanceof Error ? `${what} ${error.stack ?? error.message}` : what, 'SluiceWarning');
}
