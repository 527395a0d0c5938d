/** A run that has failed or was cancelled is tried again over the doors. */
import { expect, it } from '@jest/globals';
import { defineJob } from '../../src/jobs/job.js';
import { z } from 'zod';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import type { RunDetail } from '../../src/runs/run-detail.queries.js';
import { expectProblem, gate, onBoth, work } from './house.js';
import type { House } from './house.js';

/** Gives back what it is given: the outputs of the steps before it. */
const echo = defineJob({ name: 'echo', parameters: z.object({}), run: ({ outputs }) => Promise.resolve({ saw: { ...outputs } }) });
const steps = (b: object) => [work('a', { outputs: { total: 7 } }), b, { id: 'see', type: 'job', job: 'echo' }, work('c', { outputs: { n: '{{ outputs.a.total + 1 }}' } })];
const BAD = work('b', { do: 'fail-terminal' });
const GOOD = work('b', { outputs: { fine: true } });

onBoth('A retry', (house) => {
  let at = 0;
  const retry = (runId: string, body: object = {}, ask: object = {}) => house().post<{ runId: string; position: string }>(`/runs/${runId}/retry`, body, ask);

  /** A batch of its own, and a run of it that has failed. */
  async function failed(h: House, definition: object = { steps: steps(BAD) }): Promise<{ name: string; run: RunDetail }> {
    const name = `retried-${(at += 1)}`;
    await h.define({ name, ...definition });
    return { name, run: await h.runOf(name, { labels: { team: 'finance' } }) };
  }

  async function improve(h: House, name: string, definition: object): Promise<void> {
    const { headers } = await h.get(`/batches/${name}`);
    const answer = await h.ask<{ position: string }>('PUT', `/batches/${name}`, { body: { name, ...definition }, headers: { 'if-match': headers.get('etag') ?? '' } });
    expect(answer.status).toBe(200);
  }

  it('is a new run on the newest version that keeps what succeeded, and each names the other', async () => {
    const h = house();
    const { name, run } = await failed(h);
    expect(run.allowedActions).toEqual([{ action: 'retry', href: `/runs/${run.id}/retry`, method: 'POST' }]);
    await improve(h, name, { steps: steps(GOOD) });
    const answer = await retry(run.id, { version: 'newest', reason: 'b is mended' }, { as: 'rita', roles: 'operator' });
    const again = ids.retryOf(run.id as RunId);
    expect([answer.status, answer.body.runId, answer.headers.get('location')]).toEqual([202, again, `/runs/${again}`]);
    expect(answer.headers.get('sluice-position')).toBe(answer.body.position);
    await h.read(`/runs?limit=1&atLeast=${answer.body.position}`);
    const second = await h.runIn(again, 'completed');
    expect(second).toMatchObject({ retryOf: run.id, trigger: { type: 'retry' }, startedBy: 'rita', reason: 'b is mended', labels: { team: 'finance' }, batchVersion: 2, stepCount: 4, counts: { total: 4, succeeded: 4 } });
    const [a, b, see, c] = second.steps;
    expect(a).toMatchObject({ id: 'a', status: 'succeeded', attempts: 0, outputs: { total: 7 }, keptFrom: run.id, executionIds: run.steps[0]?.executionIds });
    expect(b).toMatchObject({ attempts: 1, outputs: { fine: true } });
    expect([see?.outputs, c?.outputs]).toEqual([{ saw: { a: { total: 7 }, b: { fine: true } } }, { n: 8 }]);
    expect(await h.read(`/runs/${run.id}`)).toMatchObject({ status: 'failed', retriedBy: again, allowedActions: [], steps: [{ status: 'succeeded' }, { status: 'failed' }, { status: 'skipped' }, { status: 'skipped' }] });
    expect((await h.read<{ items: { id: string }[] }>(`/runs?trigger=retry&batch=${name}`)).items.map(({ id }) => id)).toEqual([again]);
  });

  it('is one, and the same key gives it again', async () => {
    const { run } = await failed(house());
    const first = await retry(run.id, {}, { key: 'once' });
    const same = await retry(run.id, {}, { key: 'once' });
    expect([first.status, same.status, same.headers.get('idempotent-replayed'), same.body]).toEqual([202, 202, 'true', first.body]);
    const { detail, retriedBy } = expectProblem(await retry(run.id), 'not-retryable');
    expect([detail, retriedBy]).toEqual([expect.stringContaining(first.body.runId), first.body.runId]);
  });

  it('is refused for what has not ended in that way, for strangers, and for who may not', async () => {
    const h = house();
    const { run } = await failed(h, { steps: [gate('ok')] });
    expectProblem(await retry(run.id), 'not-retryable');
    expectProblem(await retry('0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10'), 'not-found');
    expectProblem(await retry(run.id, {}, { as: 'vic', roles: 'viewer' }), 'forbidden');
    expectProblem(await retry(run.id, { from: 'a' }), 'validation-failed');
  });

  it('from a step that there is not is refused with its place', async () => {
    const { run } = await failed(house());
    expect(expectProblem(await retry(run.id, { fromStep: 'nobody' }), 'validation-failed').errors).toEqual([{ path: '/fromStep', message: `Run ${run.id} has no step "nobody".` }]);
    expect((await retry(run.id, { fromStep: 'a' })).status).toBe(202);
  });

  it('on a version that does not agree is refused with the difference, and on the original one still goes', async () => {
    const h = house();
    const { name, run } = await failed(h);
    await improve(h, name, { steps: [work('before'), ...steps(GOOD)] });
    const problem = expectProblem(await retry(run.id, { version: 'newest' }), 'not-retryable');
    expect(problem.errors).toEqual([{ path: '/steps/0', message: 'Here stood job "a", which is behind the run; now it is job "before".' }]);
    expect(problem.allowedActions).toMatchObject([{ action: 'retry' }]);
    const answer = await retry(run.id);
    expect(await h.runIn(answer.body.runId, 'failed')).toMatchObject({ batchVersion: 1, counts: { succeeded: 1, failed: 1 } });
  });

  it('of a deleted batch is refused, and no longer offered', async () => {
    const h = house();
    const { name, run } = await failed(h);
    await h.ask('DELETE', `/batches/${name}`);
    expectProblem(await retry(run.id), 'batch-deleted');
    expect(await h.until<RunDetail>(`/runs/${run.id}`, ({ allowedActions }) => allowedActions.length === 0)).toMatchObject({ status: 'failed' });
  });

  it('keeps an approval, and opens a gate anew that nobody of the chain may decide', async () => {
    const h = house();
    const name = `retried-${(at += 1)}`;
    await h.define({ name, steps: [gate('first'), gate('second', { notTheStarter: true })] });
    const boss = { as: 'kim', roles: 'boss' };
    const run = await h.runIn(await h.start(name, {}, { as: 'ann', roles: 'operator' }), 'parked');
    await h.post(`/approvals/${run.approvals[0]?.id}/approve`, {}, boss);
    const parked = await h.until<RunDetail>(`/runs/${run.id}`, ({ approvals }) => approvals.length === 2);
    await h.post(`/approvals/${parked.approvals[1]?.id}/reject`, { reason: 'not yet' }, boss);
    await h.runIn(run.id, 'failed');
    const { runId } = (await retry(run.id, {}, { as: 'rita', roles: 'operator' })).body;
    const again = await h.runIn(runId, 'parked');
    expect(again.steps).toMatchObject([{ status: 'succeeded', approvalId: parked.approvals[0]?.id, keptFrom: run.id }, { status: 'waiting' }]);
    expect(again.approvals.map(({ stepId }) => stepId)).toEqual(['second']);
    const open = `/approvals/${again.approvals[0]?.id}`;
    for (const as of ['ann', 'rita']) {
      expectProblem(await h.post(`${open}/approve`, {}, { as, roles: 'boss' }), 'forbidden');
      expect((await h.read<RunDetail>(`/runs/${runId}`, { as, roles: 'boss' })).allowedActions).toEqual([]);
    }
    expect((await h.read<RunDetail>(`/runs/${runId}`, boss)).allowedActions.map(({ action }) => action)).toEqual(['approve', 'reject']);
    expect((await h.post(`${open}/approve`, {}, boss)).status).toBe(200);
    expect((await h.runIn(runId, 'completed')).status).toBe('completed');
  });

  it('hands on outputs too large for a fact', async () => {
    const h = house();
    const { name, run } = await failed(h, { steps: [work('a', { outputs: { text: 'x'.repeat(100_000) } }), BAD] });
    await improve(h, name, { steps: [work('a', { outputs: { text: 'x'.repeat(100_000) } }), { id: 'size', type: 'job', job: 'echo' }] });
    const { runId } = (await retry(run.id, { version: 'newest' })).body;
    const { steps: [, size] } = await h.runIn(runId, 'completed');
    const execution = await h.read<{ outputs: { saw: { a: { text: string } } } }>(`/executions/${size?.executionIds[0]}`);
    expect(execution.outputs.saw.a.text).toHaveLength(100_000);
  });
}, { jobs: [echo] });
