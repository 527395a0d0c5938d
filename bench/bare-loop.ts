/**
 * What the engine is held against: loops that do the least with which a run could be called durable.
 *
 * `bareLoop`: a statechart by XState's public `transition`, seven appends a run in shared transactions, a row for the run
 * and each step; no envelope, no chain, no ids to find again, no checks, no retry, no recovery.
 * `logAlone`: the four appends of a run as the engine writes them, sealed, one after the other, and nothing else.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { assign, initialTransition, setup, transition } from 'xstate';
import { SystemClock } from '../src/clock.js';
import { GENESIS_HASH, sealFact } from '../src/events/envelope.js';
import type { JsonObject } from '../src/events/json.js';
import { ids } from '../src/ids.js';
import type { CommandId } from '../src/ids.js';
import { openSqliteLog } from '../src/log/sqlite.event-log.js';

type BareFact =
  | { readonly type: 'Started'; readonly by: string }
  | { readonly type: 'Dispatched' | 'Begun' | 'Done'; readonly step: string }
  | { readonly type: 'Completed' };

const machine = setup({
  types: { context: {} as { readonly steps: Readonly<Record<string, string>>; readonly done: number }, events: {} as BareFact },
  actions: {
    note: assign(({ context, event }) => ('step' in event ? { steps: { ...context.steps, [event.step]: event.type }, done: context.done + Number(event.type === 'Done') } : {})),
  },
}).createMachine({
  context: { steps: {}, done: 0 },
  initial: 'new',
  states: {
    new: { on: { Started: 'running' } },
    running: { on: { Dispatched: { actions: 'note' }, Begun: { actions: 'note' }, Done: { actions: 'note' }, Completed: 'completed' } },
    completed: { type: 'final' },
  },
});

interface Append {
  readonly run: string;
  readonly revision: number;
  readonly facts: readonly BareFact[];
  readonly done: () => void;
}

export function bareLoop(directory: string): { run(): Promise<void>; close(): void } {
  const db = new Database(join(directory, 'bare.db'));
  db.exec(`pragma journal_mode = wal; pragma synchronous = full;
    create table facts (position integer primary key, run text not null, revision integer not null, type text not null, id text not null, data text not null, at integer not null);
    create unique index place on facts (run, revision);
    create table runs (id text primary key, status text not null, started integer not null, ended integer, done integer not null);
    create index listed on runs (status, started);
    create table steps (id text primary key, run text not null, step text not null, status text not null);
    create table checkpoint (position integer not null); insert into checkpoint values (0)`);
  const fact = db.prepare('insert into facts (run, revision, type, id, data, at) values (?, ?, ?, ?, ?, ?)');
  const [begin, end] = [db.prepare("insert into runs values (?, 'running', ?, null, 0)"), db.prepare("update runs set status = 'completed', ended = ? where id = ?")];
  const [step, move] = [db.prepare("insert into steps values (?, ?, ?, 'Dispatched')"), db.prepare('update steps set status = ? where id = ?')];
  const [count, checkpoint] = [db.prepare('update runs set done = done + 1 where id = ?'), db.prepare('update checkpoint set position = position + ?')];
  const rowsOf = (run: string, one: BareFact): void => {
    if (one.type === 'Started') begin.run(run, Date.now());
    else if (one.type === 'Completed') end.run(Date.now(), run);
    else if (one.type === 'Dispatched') step.run(`${run}/${one.step}`, run, one.step);
    else move.run(one.type, `${run}/${one.step}`);
    if (one.type === 'Done') count.run(run);
  };
  const logged = db.transaction((group: readonly Append[]) => {
    for (const { run, revision, facts } of group) facts.forEach((one, at) => fact.run(run, revision + at, one.type, randomUUID(), JSON.stringify(one), Date.now()));
  });
  const projected = db.transaction((group: readonly Append[]) => {
    for (const { run, facts } of group) for (const one of facts) rowsOf(run, one);
    checkpoint.run(group.reduce((sum, { facts }) => sum + facts.length, 0));
  });
  let waiting: Append[] = [];
  const flush = (): void => {
    const group = waiting;
    waiting = [];
    logged.immediate(group);
    projected.immediate(group);
    for (const { done } of group) done();
  };
  const append = (run: string, revision: number, facts: readonly BareFact[]): Promise<void> =>
    new Promise((done) => {
      if (waiting.push({ run, revision, facts, done }) === 1) setImmediate(flush);
    });
  return {
    async run() {
      // In the order of time, as those of the engine: ids by chance write five times as much.
      const run = ids.freshCommand();
      let [state] = initialTransition(machine);
      let revision = 0;
      const say = async (...facts: readonly BareFact[]): Promise<void> => {
        for (const one of facts) [state] = transition(machine, state, one);
        await append(run, revision, facts);
        revision += facts.length;
      };
      await say({ type: 'Started', by: 'bench' }, { type: 'Dispatched', step: 'a' });
      for (const [at, name] of ['a', 'b', 'c'].entries()) {
        await say({ type: 'Begun', step: name });
        const next = ['b', 'c'][at];
        await say({ type: 'Done', step: name }, next === undefined ? { type: 'Completed' } : { type: 'Dispatched', step: next });
      }
      if (state.value !== 'completed') throw new Error(`The bare loop ended in ${String(state.value)}.`);
    },
    close: () => void db.close(),
  };
}

const PARTS = [['RunStarted', 'StepDispatched', 'StepStarted'], ['StepSucceeded', 'StepDispatched', 'StepStarted'], ['StepSucceeded', 'StepDispatched', 'StepStarted'], ['StepSucceeded', 'RunCompleted']];

export function logAlone(directory: string): { run(): Promise<void>; append(facts: number): Promise<void>; close(): Promise<void> } {
  const log = openSqliteLog({ directory, clock: new SystemClock() });
  const write = async (parts: readonly (readonly string[])[]): Promise<void> => {
    const stream = `run-${ids.freshCommand()}`;
    let [revision, prevHash] = [-1, GENESIS_HASH];
    for (const types of parts) {
      const command = ids.freshCommand();
      const before = revision;
      const facts = types.map((type, index) => {
        revision += 1;
        const fact = sealFact({ stream, revision, prevHash, id: ids.event(command, index), type, data: dataOf(type), metadata: metadataOf(command) });
        prevHash = fact.metadata.hash;
        return fact;
      });
      await log.append(stream, before === -1 ? 'none' : before, facts);
    }
  };
  return { run: () => write(PARTS), append: (facts) => write([Array.from({ length: facts }, () => 'StepSucceeded')]), close: () => log.close() };
}

const uuid = ids.freshCommand();

function dataOf(type: string): JsonObject {
  if (type === 'RunStarted') return { runId: uuid, batchId: uuid, batchName: 'three', batchVersion: 1, definitionHash: 'f'.repeat(64), trigger: { type: 'code' }, parameters: {}, labels: {}, reason: null, stepCount: 3, total: 3, jobDefaults: { work: { maxAttempts: 1, backoff: 'exponential', initialDelayMs: 1_000, maxDelayMs: 60_000, jitter: true, lostCounts: false, maxLosses: 5, timeoutMs: null, cancelGraceMs: 10_000, declares: [] } } };
  if (type === 'RunCompleted') return {};
  return { stepId: 'a', executionId: uuid, attempt: 1, ...(type === 'StepDispatched' ? { job: 'work', kind: 'step', params: {} } : type === 'StepStarted' ? { worker: uuid, timeoutAt: null } : { outputs: { done: true }, log: [] }) };
}

function metadataOf(command: CommandId): Record<string, string> {
  return { $correlationId: command, $causationId: command, actor: 'bench', at: '2026-01-01T00:00:00.000Z', commandId: command, machine: 'batch-run@1', roles: '', schemaVersion: '1', via: 'code' };
}
