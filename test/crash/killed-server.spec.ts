/**
 * A real server, killed again and again under mixed load, and what stands in its log and its rows afterwards.
 * The seed is printed; SLUICE_TEST_SEED runs the same choices again. SLUICE_TEST_KILLS says how often,
 * SLUICE_TEST_SERVER which file is the server: a built one starts faster.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/clock.js';
import { verifyChain } from '../../src/events/envelope.js';
import { Streams } from '../../src/events/streams.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { ReadStore } from '../../src/reading/read-store.js';
import { runTypeScript } from '../child-process.js';
import type { Child } from '../child-process.js';
import { SteppedClock } from '../stepped-clock.js';
import { openEngine } from '../scenarios/engine.js';
import { rowsCaughtUp, rowsRebuilt } from '../simulation/rows.js';
import { CarefulClient, groupedBy, seeded } from './careful-client.js';
import { batches } from './killed-server.jobs.js';

const SERVER = process.env['SLUICE_TEST_SERVER'] ?? fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const JOBS = fileURLToPath(new URL('./killed-server.jobs.ts', import.meta.url));
const KILLS = Number(process.env['SLUICE_TEST_KILLS'] ?? 20);
/** A kill takes a second or two; on a machine that has much else to do, many more. */
const LIMIT_MS = KILLS * 30_000;
const LANES = 8;
/** So many answers at least are owed by a server that is killed at work. */
const OWED = 3;
/** So many answers at most it gives before. */
const MOST_ANSWERS = 40;
/** The promise is five seconds; a test has four times the slack. */
const RESUMED_WITHIN_MS = 20_000;
const SEED = Number(process.env['SLUICE_TEST_SEED'] ?? Math.trunc(Math.random() * 1e9));
const SETTLED: Readonly<Record<string, string>> = { RunCompleted: 'completed', RunFailed: 'failed', RunCancelled: 'cancelled', GateParked: 'parked' };
const OUTCOMES = ['StepSucceeded', 'StepFailed', 'StepLost', 'StepCancelled'];

const client = new CarefulClient();
const streams = new Streams();
/** What each run that was acknowledged has to come to. */
const promised = new Map<string, string>();
const odd: string[] = [];
let directory = '';
let ending = false;
let facts: readonly StoredFact[] = [];
let counts: unknown;
let server: Child | undefined;
/** Kills that hit a server while it owed several answers. */
let interrupted = 0;
let wounded = '';
let resumedFrom = 0;

function serve(): Child {
  return (server = runTypeScript(SERVER, { env: { SLUICE_DATA: directory, SLUICE_PORT: '0', SLUICE_JOBS: JOBS, SLUICE_SLOTS: '12', SLUICE_LOG_LEVEL: 'warn', SLUICE_TEST_SEED: '', SLUICE_TEST_KILLS: '', SLUICE_TEST_SERVER: '', SLUICE_DRAIN: '1s' } }));
}

async function open(child: Child): Promise<void> {
  client.url = /http:\S+/.exec(await child.line(/listening on/))![0];
}

async function kill(child: Child): Promise<void> {
  child.kill('SIGKILL');
  await child.exited;
  client.url = undefined;
  odd.push(...child.errors().split('\n').filter((line) => line !== ''));
}

async function start(batch: string, key: string): Promise<string> {
  const { status, json: { runId } } = await client.ask('POST', `/batches/${batch}/runs`, { key, body: { labels: { key } } });
  if (status !== 202) odd.push(`${key}: starting ${batch} was answered with ${status}`);
  return String(runId);
}

async function approvalOf(runId: string): Promise<string> {
  while (!client.closed) {
    const { json } = await client.ask('GET', `/approvals?run=${runId}&state=pending`);
    const [approval] = Array.isArray(json['items']) ? json['items'] : [];
    if (approval) return String(approval.id);
    await sleep(10);
  }
  return '';
}

async function cancel(runId: string, key: string): Promise<void> {
  const { status } = await client.ask('POST', `/runs/${runId}/cancel`, { key, body: { reason: 'enough' } });
  if (status !== 202 && status !== 200) odd.push(`${key}: cancelling was answered with ${status}`);
}

/** One run from its start to what it was promised. */
async function oneRun(key: string, random: () => number): Promise<void> {
  const [batch, what] = ([['three'], ['flaky'], ['wide'], ['timed'], ['gated', 'approve'], ['gated', 'reject'], ['gated', 'leave'], ['gated', 'cancel'], ['hanging', 'cancel']] as const)[Math.trunc(random() * 9)]!;
  const again = random() < 0.25;
  const runId = await start(batch, key);
  promised.set(runId, what === 'reject' ? 'failed' : what === 'cancel' ? 'cancelled' : what === 'leave' ? 'parked' : 'completed');
  if (what === 'approve' || what === 'reject') {
    const { status } = await client.ask('POST', `/approvals/${await approvalOf(runId)}/${what}`, { key, roles: 'boss', body: what === 'reject' ? { reason: 'no' } : {} });
    if (status !== 200) odd.push(`${key}: ${what} was answered with ${status}`);
  }
  if (what === 'cancel') await cancel(runId, key);
  if (again && (await start(batch, key)) !== runId) odd.push(`${key}: the same key started another run`);
}

async function lane(name: number): Promise<void> {
  const random = seeded(SEED + name);
  for (let at = 0; !ending; at += 1) await oneRun(`lane-${name}-${at}`, random);
}

/** Every fourth time while the server starts, mostly before it can be spoken to, else somewhere in its work. */
async function killAtRandom(at: number, random: () => number): Promise<void> {
  const child = serve();
  if (at % 4 === 2) await sleep(200 + random() * 1_500);
  else {
    await open(child);
    // After another number of answers each time, so that the work goes on however slow the machine is.
    const enough = client.answers + 1 + Math.trunc(random() * MOST_ANSWERS);
    while ((client.answers < enough || client.open < OWED) && !ending) await sleep(1);
    interrupted += 1;
  }
  if (at === KILLS - 1) {
    wounded = await start('long', 'wounded');
    promised.set(wounded, 'completed');
    await sleep(300);
  }
  await kill(child);
}

async function settled(): Promise<unknown> {
  for (;;) {
    const { json } = await client.ask('GET', '/runs/counts');
    const { running, failing, compensating, cancelling } = json['byStatus'] as Record<string, number>;
    if (running === 0 && failing === 0 && compensating === 0 && cancelling === 0) return json;
    if (Date.now() > resumedFrom + RESUMED_WITHIN_MS) throw new Error(`Runs hang after the last start: ${JSON.stringify(json)}`);
    await sleep(100);
  }
}

beforeAll(async () => {
  process.stdout.write(`killed server: SLUICE_TEST_SEED=${SEED}\n`);
  directory = await mkdtemp(join(tmpdir(), 'sluice-killed-server-'));
  const random = seeded(SEED);
  const lanes = Promise.all(Array.from({ length: LANES }, (_, name) => lane(name)));
  lanes.catch(() => (ending = true));
  for (let at = 0; at < KILLS && !ending; at += 1) await killAtRandom(at, random);
  const last = serve();
  await open(last);
  resumedFrom = Date.now();
  ending = true;
  await lanes;
  counts = await settled();
  await kill(last);
  const log = openSqliteLog({ directory, clock: new SystemClock() });
  const all: StoredFact[] = [];
  for await (const page of log.readAll()) all.push(...page);
  facts = all;
  await log.close();
  process.stdout.write(`killed server: ${KILLS} kills, ${promised.size} runs, ${facts.length} facts, ${client.repeats} questions asked again, ${facts.filter(({ type }) => type === 'StepLost').length} attempts lost\n`);
}, LIMIT_MS);

afterAll(async () => {
  ending = client.closed = true;
  server?.kill();
  await server?.exited;
  await rm(directory, { recursive: true, force: true });
});

const runs = (): Map<string, StoredFact[]> => groupedBy(facts.filter(({ stream }) => stream.startsWith('run-')), ({ stream }) => stream.slice(4));
const recount = (): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const said of runs().values()) sums[SETTLED[said.at(-1)!.type] ?? 'hanging'] = (sums[SETTLED[said.at(-1)!.type] ?? 'hanging'] ?? 0) + 1;
  return sums;
};

describe('A server that was killed again and again', () => {
  it('answered every question as it had promised, and warned of nothing', () => {
    expect(odd).toEqual([]);
    expect(promised.size).toBeGreaterThan(KILLS + LANES);
    expect(interrupted).toBeGreaterThanOrEqual(KILLS / 2);
    // Of what was owed some was on its way already, but hardly ever all of it.
    expect(client.repeats).toBeGreaterThanOrEqual(interrupted);
  });

  it('has every acknowledged run once, and each came to what it was told to', () => {
    const ends = new Map([...runs()].map(([runId, said]) => [runId, SETTLED[said.at(-1)!.type]]));
    expect(ends).toEqual(promised);
    for (const said of runs().values()) expect(said.filter(({ type }) => type === 'RunStarted')).toHaveLength(1);
  });

  it('recorded one outcome for each attempt, and each decision once', () => {
    for (const said of runs().values()) {
      const begun = said.filter(({ type }) => type === 'StepDispatched').map(({ data }) => data['executionId']);
      const ended = said.filter(({ type }) => OUTCOMES.includes(type)).map(({ data }) => data['executionId']);
      expect([...ended].sort()).toEqual([...begun].sort());
      expect(said.filter(({ type }) => type === 'GateApproved' || type === 'GateRejected' || type === 'CancelRequested').length).toBeLessThan(2);
    }
    expect(facts.filter(({ type, data }) => type === 'StepLost' && data['reason'] === 'crash').length).toBeGreaterThan(0);
  });

  it('has whole hash chains', () => {
    for (const said of groupedBy(facts, ({ stream }) => stream).values()) expect(verifyChain(said)).toMatchObject({ ok: true });
  });

  it('fired every timer, and none before it was due', () => {
    const at = ({ metadata }: StoredFact): number => Date.parse(metadata['at']!);
    let fired = 0;
    for (const said of runs().values()) {
      for (const [place, { type, data }] of said.entries()) {
        const due = type === 'StepRetryScheduled' ? data['retryAt'] : type === 'GateParked' ? data['deadline'] : null;
        const after = said.slice(place + 1).find((fact) => fact.data['stepId'] === data['stepId']);
        if (typeof due !== 'string' || after === undefined || after.type === 'StepCancelled') continue;
        expect(after.type).toMatch(/StepDispatched|GateApproved/);
        expect(at(after)).toBeGreaterThanOrEqual(Date.parse(due));
        fired += 1;
      }
    }
    expect(fired).toBeGreaterThan(0);
  });

  it('went on with an interrupted run by itself', () => {
    const said = runs().get(wounded)!;
    expect(said.map(({ type }) => type)).toEqual([
      'RunStarted', 'StepDispatched', 'StepStarted', 'StepLost', 'StepRetryScheduled', 'StepDispatched', 'StepStarted', 'StepSucceeded', 'RunCompleted',
    ]);
    expect(Date.parse(said[6]!.recordedAt) - resumedFrom).toBeLessThan(RESUMED_WITHIN_MS);
  });

  it('counts its runs as their streams do', () => {
    expect(counts).toMatchObject({ total: promised.size, byStatus: recount() });
    expect(recount()).toEqual({ completed: expect.any(Number), failed: expect.any(Number), cancelled: expect.any(Number), parked: expect.any(Number) });
  });

  it('has the rows that a rebuild from zero gives', async () => {
    const log = openSqliteLog({ directory, clock: new SystemClock() });
    const clock = new SystemClock();
    const kept = await rowsCaughtUp(ReadStore.open(directory, log.identity), log, streams, clock, LIMIT_MS);
    const rebuilt = await rowsRebuilt(log, streams, clock, LIMIT_MS);
    await log.close();
    expect(kept).toEqual(rebuilt);
    expect(kept['runs']).toHaveLength(promised.size);
    expect(odd).toEqual([]);
  }, LIMIT_MS);

  it('left nothing to repair', async () => {
    const clock = new SteppedClock(Date.now());
    const engine = await openEngine(directory, { jobs: [], batches }, 8, clock);
    // Two looks in a row, and one more.
    await clock.advance(46_000);
    expect(engine.repairs()).toBe(0);
    expect(engine.quarantined.size).toBe(0);
    await engine.close();
  }, LIMIT_MS);
});
