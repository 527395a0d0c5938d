import { afterEach, describe, expect, it } from '@jest/globals';
import { defineBatch } from '../batches/define-batch.js';
import { SluiceTestingModule } from './sluice-testing.module.js';
import type { SluiceTrial } from './sluice-testing.module.js';

const obey = (id: string, params: Record<string, string | number> = {}, more = {}) => ({ id, type: 'job' as const, job: 'obey', params, ...more });
const gated = defineBatch({ name: 'gated', steps: [obey('a'), { id: 'release', type: 'gate', allowedRoles: ['boss'], timeout: '30d' }, obey('b')] });
const held = defineBatch({ name: 'held', steps: [{ id: 'release', type: 'gate', allowedRoles: ['boss'], timeout: '1d', onTimeout: 'approve' }, obey('nap', { ms: 3_600_000 })] });
const hanging = defineBatch({ name: 'hanging', steps: [obey('a', { do: 'hang' })] });
const stubborn = defineBatch({ name: 'stubborn', steps: [obey('a', { do: 'stubborn', ms: 60_000 })] });
const flaky = defineBatch({ name: 'flaky', steps: [obey('a', { failTimes: 2 }, { retry: { maxAttempts: 3, initialDelay: '1m', backoff: 'fixed', jitter: false } })] });

describe('a trial on the simulated clock', () => {
  let trial: SluiceTrial;
  const open = async () => (trial = await SluiceTestingModule.start({ batches: [gated, held, hanging, stubborn, flaky] }));
  afterEach(() => trial.close());
  const statusOf = async (runId: string) => (await trial.sluice.get(runId))?.status;

  it('gets to the end of a gate of 30 days, and not a moment before', async () => {
    const { sluice, advance } = await open();
    const { runId } = await sluice.start(gated, {}, { actor: 'ann' });
    await trial.idle();
    expect(await statusOf(runId)).toBe('parked');
    await advance(30 * 24 * 60 * 60 * 1_000 - 1);
    expect(await statusOf(runId)).toBe('parked');
    await advance('1ms');
    expect(await statusOf(runId)).toBe('failed');
  });

  it('lets what a timer leads to happen before the next one', async () => {
    const { sluice, advance } = await open();
    const { runId } = await sluice.start(held, {}, { actor: 'ann' });
    await advance('1d');
    expect(await statusOf(runId)).toBe('running');
    await advance('1h');
    expect(await sluice.get(runId)).toMatchObject({ status: 'completed', endedAt: '2026-01-02T01:00:00.000Z' });
  });

  it('goes on after an approval once it is idle', async () => {
    const { sluice, idle } = await open();
    const { runId } = await sluice.start(gated, {}, { actor: 'ann' });
    await idle();
    const approval = (await sluice.get(runId))?.approvals[0];
    await sluice.approve(approval!.id, { actor: 'kim', roles: ['boss'] });
    await idle();
    expect(await statusOf(runId)).toBe('completed');
  });

  it('waits for back-off on the way', async () => {
    const { sluice, advance } = await open();
    const { runId } = await sluice.start(flaky, {}, { actor: 'ann' });
    await advance('1m');
    expect(await statusOf(runId)).toBe('running');
    await advance('1m');
    expect(await statusOf(runId)).toBe('completed');
  });

  it('is idle while a job hangs, and cancels it', async () => {
    const { sluice, idle } = await open();
    const { runId } = await sluice.start(hanging, {}, { actor: 'ann' });
    await idle();
    await sluice.cancel(runId, { actor: 'ann' });
    await idle();
    expect(await statusOf(runId)).toBe('cancelled');
  });

  it('tries a run again that was cancelled, from where it was, and once', async () => {
    const { sluice, idle } = await open();
    const { runId } = await sluice.start(gated, {}, { actor: 'ann' });
    await idle();
    await sluice.cancel(runId, { actor: 'ann' });
    await idle();
    const again = await sluice.retry(runId, { actor: 'rita', reason: 'too soon', idempotencyKey: 'once' });
    await idle();
    expect(await sluice.get(again.runId)).toMatchObject({ status: 'parked', retryOf: runId, startedBy: 'rita', steps: [{ status: 'succeeded', keptFrom: runId }, { status: 'waiting' }, { status: 'pending' }] });
    expect((await sluice.retry(runId, { actor: 'rita', reason: 'too soon', idempotencyKey: 'once' })).runId).toBe(again.runId);
    await expect(sluice.retry(runId, { actor: 'rita' })).rejects.toMatchObject({ code: 'not-retryable', retriedBy: again.runId });
    expect(await sluice.list({}, { limit: 1 })).toMatchObject({ items: [{ status: expect.any(String) }], total: 2 });
    for (const limit of [0, 501, 1.5]) await expect(sluice.list({}, { limit })).rejects.toMatchObject({ code: 'validation-failed', errors: [{ path: '/limit' }] });
    await expect(sluice.retry(again.runId, { actor: 'rita', fromStep: 'a' })).rejects.toMatchObject({ code: 'not-retryable' });
  });

  it('arms nothing while runs wait for people', async () => {
    const { sluice, idle, clock } = await open();
    await sluice.start(gated, {}, { actor: 'ann' });
    await idle();
    await trial.advance('1m');
    expect(clock.pending).toBe(1);
  });

  it('closes without waiting for a job that does not stop', async () => {
    const { sluice, idle } = await open();
    await sluice.start(stubborn, {}, { actor: 'ann' });
    await idle();
    await expect(trial.close()).resolves.toBeUndefined();
  });
});
