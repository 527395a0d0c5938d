/** What grows: long streams, wide groups, many parked runs, many timers, and the way back after a kill. */
import { spawn } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../src/clock.js';
import { SystemClock } from '../src/clock.js';
import { canonicalJson } from '../src/events/canonical.js';
import type { BatchDefinition } from '../src/events/definition.js';
import { parseJson } from '../src/events/json.js';
import { defineJob } from '../src/jobs/job.js';
import type { StoredFact } from '../src/log/event-reader.js';
import { compilePlan } from '../src/runs/plan.js';
import { replayRun } from '../src/runs/run.replay.js';
import { logAlone } from './bare-loop.js';
import { work } from './three-steps.js';
import { drive, inTemp, openBench, percentile } from './trial.js';
import type { Figure } from './trial.js';

const ANYONE: readonly string[] = ['*'];

function wide(steps: number): BatchDefinition {
  const branches = Array.from({ length: steps }, (_, at) => ({ steps: [{ id: `s${at}`, type: 'job' as const, job: 'work' }] }));
  return { name: 'wide', steps: [{ id: 'all', type: 'parallel', branches }] };
}

/** A run of 10,000 facts, made by an engine whose jobs fail twice, folded from the texts that stand in the log. */
export function fold(): Promise<readonly Figure[]> {
  return inTemp(async (directory) => {
    const failing = defineJob({ name: 'work', retry: { maxAttempts: 3, initialDelay: 1, maxDelay: 1, backoff: 'none' }, run: async ({ attempt }) => {
      if (attempt < 3) throw new Error('not yet');
      return {};
    } });
    const definition = wide(909);
    const bench = await openBench(directory, { jobs: [failing], batches: [definition] });
    const { runId, ended } = bench.start('wide');
    await ended;
    const stored = await bench.sluice.log.readStream(bench.sluice.streams.run(runId));
    await bench.close();
    const texts = stored.map(({ data, ...envelope }) => [envelope, canonicalJson(data)] as const);
    const plan = compilePlan(definition, 'f'.repeat(64));
    const took: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const facts = texts.map(([envelope, text]) => ({ ...envelope, data: parseJson(text) }) as StoredFact);
      const from = performance.now();
      const { value } = replayRun(plan, facts);
      took.push(performance.now() - from);
      if (value !== 'completed') throw new Error(`The run folds to ${value}.`);
    }
    took.sort((a, b) => a - b);
    return [{ name: `fold of ${stored.length.toLocaleString('en')} facts, decoding included`, value: percentile(took, 0.5), unit: 'ms' }];
  });
}

export function logFigures(): Promise<readonly Figure[]> {
  return inTemp(async (directory) => {
    const log = logAlone(directory);
    await drive(300, 1, () => log.append(1));
    const alone = await drive(1_500, 1, () => log.append(1));
    const groups = await drive(30_000, 100, () => log.append(1));
    await log.close();
    return [
      { name: 'appends, one by one', value: alone.perSecond, unit: '/s', note: `p50 ${percentile(alone.tookMs, 0.5).toFixed(2)} ms, p99 ${percentile(alone.tookMs, 0.99).toFixed(2)} ms; each is one sync` },
      { name: 'appends, 100 at once', value: groups.perSecond, unit: '/s', note: `p50 ${percentile(groups.tookMs, 0.5).toFixed(2)} ms, p99 ${percentile(groups.tookMs, 0.99).toFixed(2)} ms; one sync for those that come together` },
    ];
  });
}

/** The first ones warm up. */
const GROUPS_BEFORE = 8;
const GROUPS = 15;

export function groupOf1000(): Promise<readonly Figure[]> {
  return inTemp(async (directory) => {
    const bench = await openBench(directory, { jobs: [work], batches: [wide(999)] });
    const took: number[] = [];
    for (let round = 0; round < GROUPS_BEFORE + GROUPS; round += 1) {
      const from = performance.now();
      await bench.start('wide').ended;
      took.push(performance.now() - from);
    }
    await bench.close();
    const warm = took.slice(GROUPS_BEFORE).sort((a, b) => a - b);
    const note = `${warm[0]?.toFixed(0)} to ${warm.at(-1)?.toFixed(0)} ms; the first ones of a new process: ${took.slice(0, 3).map((ms) => ms.toFixed(0)).join(', ')} ms`;
    return [{ name: 'group of 1,000 steps (the group and its 999 jobs, which take no time)', value: percentile(warm, 0.5), unit: 'ms', note }];
  });
}

/** 64 runs in the middle of their second step on an engine that is killed; the next one says when all of them run again. */
export function afterKill(): Promise<readonly Figure[]> {
  return inTemp(async (directory) => {
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('./killed.ts', import.meta.url)), directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      void ended.then(() => reject(new Error('The engine that was to be killed ended by itself.')));
    });
    child.kill('SIGKILL');
    await ended;
    const begun = new Set<string>();
    let all: () => void = () => undefined;
    const resumed = new Promise<void>((resolve) => (all = resolve));
    const hang = defineJob({ name: 'hang', run: async ({ runId }) => (begun.add(runId).size === 64 && all(), {}) });
    const from = performance.now();
    const bench = await openBench(directory, { jobs: [work, hang] });
    const opened = performance.now() - from;
    await resumed;
    const took = performance.now() - from;
    const facts = Number(await bench.sluice.log.head());
    await bench.close();
    return [{ name: 'after kill -9: opened, and all 64 interrupted runs at work again', value: took, unit: 'ms', note: `taking work after ${opened.toFixed(0)} ms; the log held ${facts.toLocaleString('en')} facts` }];
  });
}

const GATE: BatchDefinition = { name: 'gated', steps: [{ id: 'ask', type: 'gate', title: 'Go on?', allowedRoles: [...ANYONE] }] };
const PARKED = 100_000;
/** They fill what is bounded anyway. */
const PARKED_BEFORE = PARKED / 4;

export function parkedRuns(): Promise<readonly Figure[]> {
  return inTemp(async (directory) => {
    const seeding = await openBench(directory, { batches: [GATE] });
    await drive(PARKED_BEFORE, 256, async () => void (await seeding.start('gated', false).durable));
    await seeding.sluice.read.settled();
    const before = heap();
    const seeded = await drive(PARKED, 256, async () => void (await seeding.start('gated', false).durable));
    await seeding.sluice.read.settled();
    const grown = heap() - before;
    await seeding.close();
    const empty = heap();
    const from = performance.now();
    const bench = await openBench(directory, { batches: [GATE] });
    const opened = performance.now() - from;
    const held = heap() - empty;
    await bench.close();
    return [
      { name: 'memory of a parked run, after 100,000 were started', value: grown / PARKED, unit: 'bytes', note: `started ${seeded.perSecond.toFixed(0)}/s` },
      { name: 'memory of a parked run, after a start on that log', value: held / (PARKED_BEFORE + PARKED), unit: 'bytes', note: `the start took ${opened.toFixed(0)} ms` },
    ];
  });
}

/** Bytes that are reachable. */
function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const TIMERS = 10_000;

/** Gates whose deadlines all fall in one second. */
export function timerLateness(): Promise<readonly Figure[]> {
  return inTemp(async (directory) => {
    const clock = new HeldClock();
    const timed: BatchDefinition = { name: 'timed', steps: [{ id: 'ask', type: 'gate', title: 'Go on?', allowedRoles: [...ANYONE], timeout: '1h', onTimeout: 'approve' }] };
    const bench = await openBench(directory, { batches: [timed], clock });
    const runs: { runId: string; ended: Promise<void> }[] = [];
    await drive(TIMERS, 256, async (at) => {
      clock.hold((at / TIMERS) * 1_000);
      const { runId, durable, ended } = bench.start('timed');
      runs.push({ runId, ended });
      await durable;
    });
    await bench.sluice.read.settled();
    clock.letGo(60 * 60 * 1_000 - 1_000);
    await Promise.all(runs.map(({ ended }) => ended));
    const late: number[] = [];
    for await (const page of bench.sluice.log.readAll({ filter: { prefixes: ['run-'] } })) {
      for (const { stream, type, data, recordedAt } of page) {
        if (type === 'GateParked') deadlines.set(stream, Date.parse(data['deadline'] as string));
        if (type === 'GateApproved') late.push(Date.parse(recordedAt) - (deadlines.get(stream) ?? NaN));
      }
    }
    await bench.close();
    late.sort((a, b) => a - b);
    if (late.length !== TIMERS || (late[0] ?? -1) < 0) throw new Error(`${late.length} of ${TIMERS} timers fired, the earliest ${late[0]} ms after its time.`);
    const [p50, p99] = [percentile(late, 0.5), percentile(late, 0.99)];
    return [
      { name: 'lateness of 10,000 timers due in one second, p50', value: p50, unit: 'ms' },
      { name: 'lateness of 10,000 timers due in one second, p99', value: p99, unit: 'ms', note: `at most ${late.at(-1)} ms; from its deadline until the fact is durable` },
    ];
  });
}

const deadlines = new Map<string, number>();

/** A clock that stands where it is held, and from `letGo` on runs as any other, further ahead. */
class HeldClock implements Clock {
  private readonly real = new SystemClock();
  private readonly base = this.real.now();
  private readonly armed = new Map<symbol, { readonly atMs: number; readonly wake: () => void }>();
  private heldMs: number | undefined = 0;
  private ahead = 0;

  hold(ms: number): void {
    this.heldMs = ms;
  }

  letGo(aheadMs: number): void {
    this.ahead = this.base + aheadMs - this.real.now();
    this.heldMs = undefined;
    const armed = [...this.armed.values()];
    this.armed.clear();
    for (const { atMs, wake } of armed) this.wakeAt(atMs, wake);
  }

  now(): number {
    return this.heldMs === undefined ? this.real.now() + this.ahead : this.base + this.heldMs;
  }

  elapsed(): number {
    return this.real.elapsed();
  }

  wakeAt(atMs: number, wake: () => void): () => void {
    if (this.heldMs === undefined || atMs - this.now() < 60_000) return this.real.wakeAt(this.heldMs === undefined ? atMs - this.ahead : this.real.now() + atMs - this.now(), wake);
    const entry = Symbol('wake');
    this.armed.set(entry, { atMs, wake });
    return () => void this.armed.delete(entry);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.real.sleep(ms, signal);
  }
}
