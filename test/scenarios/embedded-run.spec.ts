import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { sealFact, verifyChain } from '../../src/events/envelope.js';
import { ids } from '../../src/ids.js';
import { openEngine } from './engine.js';
import type { Engine } from './engine.js';

let directory: string;
let engine: Engine;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-engine-'));
  engine = await openEngine(directory);
});
afterEach(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

const types = async (runId: Parameters<Engine['facts']>[0]) => (await engine.facts(runId)).map((fact) => fact.type);

describe('a run on the embedded log', () => {
  it('of three steps costs eleven facts in four appends and completes', async () => {
    const runId = await engine.start('three', 'k1');
    await engine.until(runId, 'completed');
    const facts = await engine.facts(runId);
    expect(facts.map((fact) => fact.type)).toEqual(['RunStarted', ...['a', 'b', 'c'].flatMap(() => ['StepDispatched', 'StepStarted', 'StepSucceeded']), 'RunCompleted']);
    expect(new Set(facts.map((fact) => fact.metadata.commandId)).size).toBe(4);
    expect(verifyChain(facts)).toMatchObject({ ok: true });
  });

  it('is started once by a key that comes many times at once', async () => {
    const started = await Promise.all(Array.from({ length: 40 }, (_, at) => engine.start('three', `k${at % 5}`)));
    expect(new Set(started).size).toBe(5);
    for (const runId of new Set(started)) await engine.until(runId, 'completed');
  });

  it('of three hundred branches ends with more branches than slots', async () => {
    const state = await engine.until(await engine.start('wide', 'k1'), 'completed', 'failed');
    expect(state.context.counts).toMatchObject({ total: 300, succeeded: 300 });
  });

  it('tries a flaky step again until it succeeds', async () => {
    const runId = await engine.start('flaky', 'k1');
    await engine.until(runId, 'completed');
    expect((await types(runId)).filter((type) => type === 'StepStarted')).toHaveLength(3);
  });

  it('parks at its gate, is refused to the wrong role, and goes on when approved', async () => {
    const runId = await engine.start('gated', 'k1');
    await engine.until(runId, 'parked');
    expect(await engine.approve(runId, ['operator', 'admin'])).toMatchObject({ rejected: 'forbidden' });
    await engine.approve(runId, ['boss']);
    await engine.until(runId, 'completed');
  });

  it('fails at a gate that nobody decided in time', async () => {
    const state = await engine.until(await engine.start('hasty', 'k1'), 'failed');
    expect(state.context.failure).toMatchObject({ error: { code: 'gate-timed-out' } });
  });

  it('stops a running job long before its cancel could be taken for lost', async () => {
    const runId = await engine.start('hanging', 'k1');
    const began = performance.now();
    await engine.cancel(runId);
    const state = await engine.until(runId, 'cancelled');
    expect(performance.now() - began).toBeLessThan(6_000);
    expect(state.context.orphaned).toEqual([]);
  });

  it('is cancelled round a stubborn job, which can change it no more', async () => {
    const runId = await engine.start('stubborn', 'k1');
    await engine.cancel(runId);
    const state = await engine.until(runId, 'cancelled');
    expect(state.context.orphaned).toHaveLength(1);
    const before = await types(runId);
    await engine.close();
    engine = await openEngine(directory);
    expect(await types(runId)).toEqual(before);
  });

  it('that waits for a slot begins when an orphan gives its slot back', async () => {
    await engine.close();
    engine = await openEngine(directory, { jobs: [], batches: [] }, 1);
    const stubborn = await engine.start('stubborn', 'k1');
    const waiting = await engine.start('three', 'k2');
    await engine.cancel(stubborn);
    await engine.until(stubborn, 'cancelled');
    expect((await types(waiting)).at(-1)).toBe('StepDispatched');
    await engine.until(waiting, 'completed');
  });

  it('whose stream holds what no run knows is left alone and stops no other', async () => {
    const poisoned = await engine.start('gated', 'k1');
    await engine.until(poisoned, 'parked');
    const [first, ...rest] = await engine.facts(poisoned);
    const revision = rest.length;
    const stream = engine.streams.run(poisoned);
    const prevHash = rest.at(-1)?.metadata.hash ?? '';
    const bad = sealFact({ stream, revision: revision + 1, prevHash, id: ids.event(ids.freshCommand(), 0), type: 'StepVanished', data: {}, metadata: first?.metadata ?? {} });
    await engine.log.append(stream, revision, [bad]);
    await engine.until(await engine.start('three', 'k2'), 'completed');
    expect([...engine.quarantined]).toEqual([[poisoned, expect.stringContaining('StepVanished')]]);
    await engine.close();
    engine = await openEngine(directory);
    await engine.until(await engine.start('three', 'k3'), 'completed');
    expect(engine.quarantined.size).toBe(1);
    const before = (await engine.facts(poisoned)).length;
    for (const said of [engine.cancel(poisoned), engine.approve(poisoned, ['boss'])]) {
      expect(await said).toEqual({ rejected: 'quarantined', detail: expect.stringMatching(/StepVanished.*sluice verify/) });
    }
    expect((await engine.facts(poisoned)).length).toBe(before);
  });

  it('fails by its step\'s time-out', async () => {
    const state = await engine.until(await engine.start('slow', 'k1'), 'failed');
    expect(state.context.failure).toMatchObject({ stepId: 'a', error: { kind: 'timeout' } });
  });

  it.each([20])('ends one way alone when cancel and approve race, %i times', async (times) => {
    for (let at = 0; at < times; at += 1) {
      const runId = await engine.start('gated', `race${at}`);
      await engine.until(runId, 'parked');
      const [cancelled, approved] = await Promise.all(at % 2 ? [engine.cancel(runId), engine.approve(runId, ['boss'])] : [engine.approve(runId, ['boss']), engine.cancel(runId)].reverse());
      const state = await engine.until(runId, 'completed', 'cancelled');
      if (state.value === 'cancelled') expect(cancelled).toHaveProperty('facts');
      else expect(approved).toHaveProperty('facts');
      expect(verifyChain(await engine.facts(runId))).toMatchObject({ ok: true });
    }
  });
});
