/** What every keeper of rows holds to, in this thread or in one of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RUNS } from '../../projections/run-history.js';
import { SystemClock } from '../../src/clock.js';
import { GENESIS_HASH, sealFact } from '../../src/events/envelope.js';
import { Streams } from '../../src/events/streams.js';
import { ids } from '../../src/ids.js';
import { EMBEDDED, openLog } from '../../src/log/open-log.js';
import type { EngineLog } from '../../src/log/open-log.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { ReadStoreUnusable } from '../../src/reading/read-errors.js';
import { ReadStore } from '../../src/reading/read-store.js';
import { rowsOf } from '../../src/reading/selection.js';
import { rowsBeside, rowsHere } from '../../src/rows.js';
import type { Rows, RowsOf, RowsParts, RowsPlace } from '../../src/rows.js';
import { EventStoreDouble } from '../eventstoredb/double.js';
import { rowsIn, rowsRebuilt } from '../simulation/rows.js';

const FROM_SOURCES = ['--no-warnings', '--import', pathToFileURL(fileURLToPath(new URL('../typescript-loader.mjs', import.meta.url))).href];
const LONG_MS = 180_000;
const streams = new Streams(undefined);
const clock = new SystemClock();
const BATCH = ids.batch('one');

/** The threads that were begun, newest last. */
let threads: Worker[] = [];

function fromSources(place: RowsPlace): Worker {
  const thread = new Worker(new URL('../../src/rows.worker.ts', import.meta.url), { workerData: place, execArgv: FROM_SOURCES });
  threads.push(thread);
  return thread;
}

/** A log, and rows that are made from it. */
interface Kind {
  log(): Promise<EngineLog>;
  rows(of: RowsOf, parts: RowsParts): Rows;
}
const embedded = async (): Promise<EngineLog> => openSqliteLog({ directory, clock });
const here: Kind = { log: embedded, rows: ({ identity }, parts) => rowsHere(ReadStore.open(directory, identity), streams, parts) };
const beside: Kind = { log: embedded, rows: (of, parts) => rowsBeside({ directory, url: EMBEDDED }, of, parts, fromSources) };
const ofServer: Kind = {
  log: () => openLog({ url: double.url, directory, streams, clock }),
  rows: (of, parts) => rowsBeside({ directory, url: double.url }, of, parts, fromSources),
};

let directory: string;
let double: EventStoreDouble;
let log: EngineLog;
let reports: string[];
let rows: Rows;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-rows-'));
  double = await new EventStoreDouble().start();
  [reports, threads] = [[], []];
});

afterEach(async () => {
  await rows.host.stop();
  rows.close();
  await log.close();
  double.kill();
  rmSync(directory, { recursive: true, force: true });
});

async function open(kind: Kind, of: RowsOf = log): Promise<void> {
  rows = kind.rows(of, { reader: log, clock, report: (what) => reports.push(what) });
  await rows.host.start();
}

/** Stops them where they have one run. */
async function left(kind: Kind): Promise<void> {
  await open(kind);
  await rows.host.waitFor(await endedRun(), LONG_MS);
  await rows.host.stop();
  rows.close();
}

/** Appends a run with one step that has ended. Gives its position. */
async function endedRun(text = ''): Promise<string> {
  const [command, executionId] = [ids.freshCommand(), ids.freshCommand()];
  const stream = `run-${command}`;
  const metadata = { commandId: command, actor: 'ann', at: '2026-01-31T00:00:00.000Z', schemaVersion: '1' };
  const of = { stepId: 'a', executionId, attempt: 1 };
  const said = [
    ['RunStarted', { runId: command, batchId: BATCH, batchName: 'one', batchVersion: 1, definitionHash: 'f'.repeat(64), trigger: { type: 'code' }, parameters: {}, labels: {}, reason: null, stepCount: 1, total: 1, jobDefaults: {} }],
    ['StepDispatched', { ...of, job: 'work', kind: 'step', params: {} }],
    ['StepStarted', { ...of, worker: command, timeoutAt: null }],
    ['StepSucceeded', { ...of, outputs: { done: true, text } }],
    ['RunCompleted', {}],
  ] as const;
  let prevHash = GENESIS_HASH;
  const facts = said.map(([type, data], revision) => {
    const fact = sealFact({ stream, revision, prevHash, id: ids.event(command, revision), type, data, metadata });
    prevHash = fact.metadata.hash;
    return fact;
  });
  return (await log.append(stream, 'none', facts)).position;
}

const counted = async (): Promise<number> => (await rowsOf(rows.queries(), RUNS, [])).length;

describe.each([['in this thread', here], ['in a thread of its own', beside], ["in a thread of its own, of a server's log", ofServer]])('Rows that are made %s', (_, how) => {
  beforeEach(async () => {
    log = await how.log();
  });

  it('hold what was waited for, and are those that a rebuild gives', async () => {
    await endedRun();
    await open(how);
    for (let more = 0; more < 30; more += 1) await endedRun();
    expect(await rows.host.waitFor(await log.head(), LONG_MS)).toBe(true);
    expect(rows.host.position()).toBe(await log.head());
    expect(await rowsIn(rows, streams)).toEqual(await rowsRebuilt(log, streams, clock, LONG_MS));
    expect(reports).toEqual([]);
  }, LONG_MS);

  it('hold what was heard of, to whoever asks for no position', async () => {
    await open(how);
    await rows.host.waitFor(await log.head(), LONG_MS);
    while (!rows.host.caughtUp) await new Promise((resolve) => setImmediate(resolve));
    // A busy machine may take longer than nobody in particular is waited for.
    for (let tries = 1; tries <= 20; tries += 1) {
      await endedRun();
      // A turn, in which the log's subscribers hear of it.
      await new Promise((resolve) => setImmediate(resolve));
      await rows.host.taken();
      if ((await counted()) === tries) return;
    }
    throw new Error('Never did the rows hold what had just been said.');
  }, LONG_MS);

  it('say so when they have not got there in time', async () => {
    await open(how);
    expect(await rows.host.waitFor(`${await log.head()}9`, 50)).toBe(false);
  }, LONG_MS);

  it('go on where they were left', async () => {
    await left(how);
    const last = await endedRun();
    await open(how);
    expect(await rows.host.waitFor(last, LONG_MS)).toBe(true);
    expect(await counted()).toBe(2);
  }, LONG_MS);

  it('are not made on another log than theirs', async () => {
    await left(how);
    await expect(open(how, { identity: 'another', ...(log.rowsFile !== undefined && { rowsFile: log.rowsFile }) })).rejects.toThrow(ReadStoreUnusable);
    await open(how);
  }, LONG_MS);

  it('are made anew beside those that answer', async () => {
    await open(how);
    await rows.host.waitFor(await endedRun(), LONG_MS);
    const [before] = rows.host.status().filter(({ name }) => name === 'run_history');
    await rows.host.beginRebuild('run_history');
    const done = (): boolean => rows.host.status().some(({ name, build, state }) => name === 'run_history' && state === 'live' && build > (before?.build ?? Infinity));
    while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
    await rows.host.waitFor(await endedRun(), LONG_MS);
    expect(await counted()).toBe(2);
    expect(rows.host.status().filter(({ name }) => name === 'run_history')).toHaveLength(1);
  }, LONG_MS);

  it('answer all that is asked within one turn of one moment', async () => {
    await open(how);
    let writing = true;
    const writes = (async () => {
      while (writing) await endedRun();
    })();
    for (let look = 0; look < 12; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      const position = rows.host.position();
      const [first, second] = [await rowsIn(rows, streams), await rowsIn(rows, streams)];
      expect(second).toEqual(first);
      expect(rows.host.position()).toBe(position);
      // The newest fact of any run that is seen is within the position that was told.
      for (const { position: of } of await rowsOf(rows.queries(), RUNS, [])) expect(of <= position).toBe(true);
    }
    writing = false;
    await writes;
  }, LONG_MS);

  if (how !== here) {
    it('go on after their thread has died, and say so', async () => {
      await open(how);
      await rows.host.waitFor(await endedRun(), LONG_MS);
      const waiting = rows.host.waitFor(`${await log.head()}9`, LONG_MS);
      await threads[0]?.terminate();
      expect(await waiting).toBe(false);
      const last = await endedRun();
      while (!(await rows.host.waitFor(last, LONG_MS))) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await counted()).toBe(2);
      expect(reports).toEqual([expect.stringContaining('It is begun again.')]);
      expect(threads).toHaveLength(2);
    }, LONG_MS);

  }

  if (how === beside) {
    it('refuse a log that ends before them', async () => {
      await left(how);
      const { identity } = log;
      await log.close();
      for (const file of ['log.db', 'log.db-wal', 'log.db-shm']) rmSync(join(directory, file), { force: true });
      log = openSqliteLog({ directory, clock, freshIdentity: identity });
      await expect(open(how)).rejects.toThrow(ReadStoreUnusable);
    }, LONG_MS);
  }

  if (how === ofServer) {
    it('take what is handed over, and read what was too much for that, without a gap', async () => {
      await open(how);
      await rows.host.waitFor(await endedRun(), LONG_MS);
      const { pages, subscriptions } = double;
      for (let more = 0; more < 5; more += 1) await rows.host.waitFor(await endedRun(), LONG_MS);
      expect(await counted()).toBe(6);
      expect(double.subscriptions).toBe(subscriptions);
      expect(double.pages).toBe(pages);
      // More than is handed over at once: text that no batch name needs.
      for (let more = 0; more < 12; more += 1) await endedRun('x'.repeat(450_000));
      expect(await rows.host.waitFor(await log.head(), LONG_MS)).toBe(true);
      expect(await rowsIn(rows, streams)).toEqual(await rowsRebuilt(log, streams, clock, LONG_MS));
      expect(reports).toEqual([]);
    }, LONG_MS);

    it('are taken up again where others have written much since', async () => {
      await open(how);
      await rows.host.waitFor(await endedRun(), LONG_MS);
      const heard = log.subscribe({ after: await log.head(), signal: new AbortController().signal })[Symbol.asyncIterator]();
      const foreign = Array.from({ length: 2_500 }, (_, index) => ({ id: ids.event(ids.freshCommand(), index), type: 'T', contentType: 'application/json', data: Buffer.from('{}'), metadata: Buffer.from('{}') }));
      await heard.next();
      double.store.append('of-others', 'any', foreign);
      expect((await heard.next()).value).toMatchObject({ kind: 'checkpoint' });
      expect(rows.host.lagMs()).toBe(0);
      await rows.host.stop();
      rows.close();
      await open(how);
      expect(await counted()).toBe(1);
    }, LONG_MS);

    it('go on when the server was lost', async () => {
      await open(how);
      await rows.host.waitFor(await endedRun(), LONG_MS);
      double.kill();
      await double.start();
      const last = await endedRun();
      while (!(await rows.host.waitFor(last, LONG_MS))) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await counted()).toBe(2);
      expect(reports).toEqual([]);
    }, LONG_MS);
  }
});
