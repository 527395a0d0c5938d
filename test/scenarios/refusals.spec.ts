import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyChain } from '../../src/events/envelope.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { ids } from '../../src/ids.js';
import { RetryRun } from '../../src/runs/run.commands.js';
import { openEngine } from './engine.js';
import type { Engine } from './engine.js';

let directory: string;
let engine: Engine;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-refusals-'));
  engine = await openEngine(directory);
});
afterEach(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

async function audited(): Promise<readonly StoredFact[]> {
  const pages: StoredFact[] = [];
  for await (const page of engine.log.readAll({ filter: { prefixes: [engine.streams.prefix('audit')] } })) pages.push(...page);
  return pages;
}

/** What the audit streams say next. */
async function nextAudited(): Promise<readonly StoredFact[]> {
  const ending = new AbortController();
  const filter = { prefixes: [engine.streams.prefix('audit')] };
  for await (const delivery of engine.log.subscribe({ filter, signal: ending.signal })) if (delivery.kind === 'facts') return delivery.facts;
  throw new Error('The log was closed.');
}

describe('what the engine refuses', () => {
  it('stands in the audit stream when the answer is there: the wrong role, the gate decided before, the run that has ended', async () => {
    const runId = await engine.start('gated', 'k1');
    await engine.until(runId, 'parked');
    await engine.approve(runId, ['operator']);
    expect(await audited()).toMatchObject([{ type: 'CommandRefused', data: { actor: 'kim', roles: ['operator'], command: 'DecideGate', slug: 'forbidden', runId, stepId: 'ok' } }]);
    await engine.approve(runId, ['boss']);
    await engine.approve(runId, ['boss']);
    await engine.until(runId, 'completed');
    await engine.cancel(runId);
    expect((await audited()).map((fact) => fact.data.slug)).toEqual(['forbidden', 'gate-already-decided', 'run-already-ended']);
    expect(verifyChain(await audited())).toMatchObject({ ok: true });
  });

  it('stands there for a retry too, about the run that was to be tried again', async () => {
    const runId = await engine.start('gated', 'k1');
    await engine.until(runId, 'parked');
    const origin = { actor: 'rita', roles: ['operator'], via: 'code' as const, commandId: ids.freshCommand() };
    await engine.execute(new RetryRun(ids.retryOf(runId), { of: runId, fromStep: null, version: 'original', reason: null }, origin));
    expect(await audited()).toMatchObject([{ type: 'CommandRefused', data: { actor: 'rita', command: 'RetryRun', slug: 'not-retryable', runId } }]);
  });

  it('is not recorded when the request itself was wrong', async () => {
    await expect(engine.start('unheard-of', 'k1')).rejects.toThrow('There is no batch');
    await engine.approve(engine.runIdOf('nowhere'), ['boss']);
    expect(await audited()).toEqual([]);
  });

  it('holds what a stubborn job said after its run had gone on without it', async () => {
    const runId = await engine.start('stubborn', 'k1');
    await engine.cancel(runId);
    expect(await nextAudited()).toMatchObject([{ type: 'OutcomeFenced', data: { runId, stepId: 'a', outcome: 'succeeded' } }]);
  });
});
