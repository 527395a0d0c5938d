/** The laws of every read model, on facts that the real engine wrote. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SystemClock } from '../src/clock.js';
import { parseJson } from '../src/events/json.js';
import { Streams } from '../src/events/streams.js';
import type { EventReader, StoredFact } from '../src/log/event-reader.js';
import { ProjectionHost } from '../src/reading/projection-host.js';
import type { Projection } from '../src/reading/projection.js';
import { ReadStore } from '../src/reading/read-store.js';
import { openEngine } from '../test/scenarios/engine.js';
import { approvals } from './approvals.js';
import { batches } from './batches.js';
import { commandKeys } from './command-keys.js';
import { executions } from './executions.js';
import { runHistory } from './run-history.js';

const streams = new Streams();
const ALL: readonly Projection[] = [runHistory(streams), executions(streams), approvals(streams), batches(streams), commandKeys()];
const clock = new SystemClock();

let facts: readonly StoredFact[] = [];
let endStates = new Map<string, { readonly status: string; readonly counts: object }>();

/** A log of these facts that delivers them in parts of these sizes. */
function logOf(said: readonly StoredFact[], sizes: readonly number[]): EventReader {
  return {
    readStream: async () => [],
    readBlob: async () => undefined,
    head: async () => said.at(-1)?.position ?? '',
    async *readAll({ after = '' } = {}) {
      const rest = said.filter(({ position }) => position > after);
      if (rest.length > 0) yield rest;
    },
    async *subscribe({ after = '', signal }) {
      const rest = said.filter(({ position }) => position > after);
      for (let at = 0, part = 0; at < rest.length; part += 1) {
        const size = sizes[part % sizes.length] ?? rest.length;
        yield { kind: 'facts', facts: rest.slice(at, at + size) };
        at += size;
      }
      yield { kind: 'caughtUp', position: said.at(-1)?.position ?? '' };
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  };
}

function open(store: ReadStore, log: EventReader): ProjectionHost {
  return new ProjectionHost({ reader: log, store, projections: ALL, clock, report: (message) => { throw new Error(message); } });
}

type Row = Readonly<Record<string, string | number>>;

async function tables(store: ReadStore): Promise<Record<string, Row[]>> {
  const db = store.queries<Record<string, Row>>();
  const names = ALL.flatMap((projection) => projection.tables);
  const entries = await Promise.all(names.map(async ({ name, key }) => [name, await key.reduce((query, column) => query.orderBy(column), db.selectFrom(name).selectAll()).execute()] as const));
  return Object.fromEntries(entries);
}

/** The rows that these parts give. */
async function rowsOf(sizes: readonly number[]): Promise<Record<string, Row[]>> {
  const store = ReadStore.open(':memory:', 'log');
  const host = open(store, logOf(facts, sizes));
  await host.start();
  expect(await host.waitFor(facts.at(-1)!.position, 20_000)).toBe(true);
  const rows = await tables(store);
  await host.stop();
  store.close();
  return rows;
}

/** How many rows, or how much in them, by what stands in a column; what comes to nothing is left out. */
function summed(rows: readonly Row[], by: string, amount?: string): Record<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(String(row[by]), (sums.get(String(row[by])) ?? 0) + (amount === undefined ? 1 : Number(row[amount])));
  return Object.fromEntries([...sums].filter(([, sum]) => sum !== 0));
}

beforeAll(async () => {
  const engine = await openEngine(':memory:');
  const started = await Promise.all(['three', 'wide', 'flaky', 'gated', 'gated', 'hasty', 'hanging', 'stubborn', 'slow'].map((batch, at) => engine.start(batch, `${batch}-${at}`)));
  const [, , , approved, rejected, , hanging, stubborn] = started;
  await engine.until(approved!, 'parked');
  await engine.approve(approved!, ['boss']);
  await engine.until(rejected!, 'parked');
  await engine.cancel(rejected!);
  await engine.cancel(hanging!);
  await engine.cancel(stubborn!);
  const ends = await Promise.all(started.map((runId) => engine.until(runId, 'completed', 'failed', 'cancelled')));
  endStates = new Map(ends.map(({ value, context }, at) => [started[at]!, { status: value, counts: context.counts }]));
  const all: StoredFact[] = [];
  for await (const page of engine.log.readAll()) all.push(...page);
  facts = all;
  await engine.close();
}, 120_000);

afterAll(() => {
  expect(facts.length).toBeGreaterThan(700);
});

describe('Every projection', () => {
  it('gives the same rows in any split of the facts into batches', async () => {
    const whole = await rowsOf([10_000]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 }), async (sizes) => {
        expect(await rowsOf(sizes)).toEqual(whole);
      }),
      { numRuns: 12 },
    );
    expect(await rowsOf([1])).toEqual(whole);
  });

  it('gives the same rows when it is stopped anywhere and goes on', async () => {
    const whole = await rowsOf([10_000]);
    const store = ReadStore.open(':memory:', 'log');
    for (const upTo of [1, 40, 41, 300, facts.length]) {
      const host = open(store, logOf(facts.slice(0, upTo), [7]));
      await host.start();
      expect(await host.waitFor(facts[upTo - 1]!.position, 10_000)).toBe(true);
      await host.stop();
    }
    expect(await tables(store)).toEqual(whole);
    store.close();
  });

  it('gives the same rows when it is rebuilt beside itself', async () => {
    const whole = await rowsOf([10_000]);
    const store = ReadStore.open(':memory:', 'log');
    const host = open(store, logOf(facts, [50]));
    await host.start();
    await host.waitFor(facts.at(-1)!.position, 10_000);
    for (const { name } of ALL) await host.rebuild(name);
    expect(host.status().map(({ state, build }) => [state, build > ALL.length])).toEqual(ALL.map(() => ['live', true]));
    expect(await tables(store)).toEqual(whole);
    await host.stop();
    store.close();
  });
});

describe('The rows', () => {
  it('agree with the machines about every run, and the counters with the rows', async () => {
    const { runs, run_counts, executions: attempts, execution_counts, approvals: asked } = await rowsOf([100]);
    const seen = new Map(runs!.map(({ id, status, counts }) => [String(id), { status: String(status), counts: parseJson(String(counts)) }]));
    expect(seen).toEqual(endStates);
    expect(summed(run_counts!, 'status', 'runs')).toEqual(summed(runs!, 'status'));
    expect(summed(execution_counts!, 'status', 'executions')).toEqual(summed(attempts!, 'status'));
    expect(attempts!.length).toBeGreaterThan(300);
    expect(asked!.map(({ outcome }) => outcome).sort()).toEqual(['approved', 'cancelled', 'timedOut']);
  });
});

