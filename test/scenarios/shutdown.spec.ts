import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/clock.js';
import type { Clock } from '../../src/clock.js';
import { defineJob } from '../../src/jobs/job.js';
import { SteppedClock } from '../stepped-clock.js';
import { openEngine } from './engine.js';
import type { Engine } from './engine.js';

const reasons: string[] = [];
let release: () => void = () => undefined;
/** Waits for its signal at the first attempt and notes its reason; succeeds at the second. */
const patient = defineJob({
  name: 'patient',
  run: ({ attempt, signal }) =>
    attempt > 1 ? Promise.resolve({ attempt }) : new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reasons.push(String(signal.reason instanceof Error ? signal.reason.message : signal.reason));
        reject(new Error('stopped'));
      });
    }),
});
/** Heeds nothing until it is let go. */
const deaf = defineJob({ name: 'deaf', run: () => new Promise<object>((resolve) => (release = () => resolve({}))) });
const step = (job: string) => [{ id: 'a', type: 'job' as const, job }];
const guests = { jobs: [patient, deaf], batches: [{ name: 'patient', steps: step('patient') }, { name: 'deaf', steps: step('deaf') }] };

let directory: string;
let engine: Engine;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
const open = async (slots = 16, clock: Clock = new SystemClock()): Promise<void> => {
  engine = await openEngine(directory, guests, slots, clock);
};
const types = async (runId: Parameters<Engine['facts']>[0]) => (await engine.facts(runId)).map((fact) => fact.type);

async function untilFact(runId: Parameters<Engine['facts']>[0], type: string, times = 1): Promise<void> {
  const ending = new AbortController();
  let seen = 0;
  for await (const delivery of engine.log.subscribe({ filter: { prefixes: [engine.streams.run(runId)] }, signal: ending.signal })) {
    if (delivery.kind === 'facts') seen += delivery.facts.filter((fact) => fact.type === type).length;
    if (seen >= times) return;
  }
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-shutdown-'));
  unhandled.length = 0;
  reasons.length = 0;
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await engine.close();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  await rm(directory, { recursive: true, force: true });
  expect(unhandled).toEqual([]);
});

describe('an engine that is closed', () => {
  it('signals a hanging job, writes that its attempt was lost, and runs it again at the next start', async () => {
    await open();
    const runId = await engine.start('patient', 'k1');
    await engine.until(runId, 'running');
    await engine.close();
    expect(reasons).toEqual(['shutdown']);
    await open();
    await engine.until(runId, 'completed');
    const facts = await engine.facts(runId);
    expect(facts.map((fact) => fact.type)).toEqual([
      'RunStarted', 'StepDispatched', 'StepStarted', 'StepLost', 'StepRetryScheduled', 'StepDispatched', 'StepStarted', 'StepSucceeded', 'RunCompleted',
    ]);
    expect(facts[3]?.data).toMatchObject({ reason: 'shutdown', final: false });
    expect(facts[6]?.data.worker).not.toBe(facts[2]?.data.worker);
  });

  it.each([1, 3])('loses nothing while jobs run and claims are under way, with %i slots', async (slots) => {
    await open(slots);
    const runs = await Promise.all(Array.from({ length: 30 }, (_, at) => engine.start('three', `k${at}`)));
    await engine.close();
    await open(slots);
    for (const runId of runs) await engine.until(runId, 'completed');
    const lost = (await Promise.all(runs.map((runId) => engine.facts(runId)))).flat().filter((fact) => fact.type === 'StepLost');
    // An attempt that was claimed and not begun is given back, not found lost.
    expect(lost.filter((fact) => fact.data.reason !== 'shutdown')).toEqual([]);
  });

  it('has all its slots when starts of before are said again', async () => {
    await open(2);
    const runs = await Promise.all(['k1', 'k2', 'k3'].map((key) => engine.start('three', key)));
    for (const runId of runs) await engine.until(runId, 'completed');
    await engine.close();
    await open(2);
    expect(await Promise.all(['k1', 'k2', 'k3'].map((key) => engine.start('three', key)))).toEqual(runs);
    await engine.until(await engine.start('three', 'k4'), 'completed');
  });

  it('takes its wake-ups back, and fires at the next start what fell due while it closed', async () => {
    const clock = new SteppedClock();
    await open(16, clock);
    const runId = await engine.start('hasty', 'k1');
    await engine.until(runId, 'parked');
    const closed = engine.close();
    await clock.advance(60);
    await closed;
    expect(clock.pending).toBe(0);
    await open(16, clock);
    await engine.until(runId, 'failed');
    expect(await types(runId)).toContain('GateTimedOut');
  });

  it('does not wait for a job that is deaf, and hears it no more', async () => {
    const clock = new SteppedClock();
    await open(16, clock);
    const runId = await engine.start('deaf', 'k1');
    await untilFact(runId, 'StepStarted');
    const hasty = await engine.start('hasty', 'k2');
    await untilFact(hasty, 'GateParked');
    const closed = engine.close();
    await clock.advance(1_000);
    await closed;
    release();
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
    await open();
    // Nothing was fired while it waited for the job.
    expect((await engine.facts(hasty)).filter((fact) => fact.type === 'GateTimedOut').map((fact) => fact.metadata.at)).not.toContain('2026-01-01T00:00:00.050Z');
    await untilFact(hasty, 'GateTimedOut');
    await untilFact(runId, 'StepLost');
    await untilFact(runId, 'StepStarted', 2);
    release();
    await engine.until(runId, 'completed');
  });

  it('may be closed twice at once', async () => {
    await open();
    expect((await Promise.allSettled([engine.close(), engine.close()])).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    // Nobody holds the data any more: it can be opened again.
    await open();
    await engine.until(await engine.start('patient', 'k1'), 'running');
  });
});
