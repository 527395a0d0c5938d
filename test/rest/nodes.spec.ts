/** What a person sees of the machinery: projections, and who runs what. */
import { expect, it } from '@jest/globals';
import type { ProjectionRow } from '../../src/http/projections.controller.js';
import type { ExecutionRow } from '../../src/runs/execution.queries.js';
import type { WorkerRow } from '../../src/runs/workers.controller.js';
import { expectProblem, type Listed, onBoth, work } from './house.js';

onBoth('The machinery', (house) => {
  it('lists every projection: its version, where it is, and that it left nothing out', async () => {
    await house().define({ name: 'told', steps: [work('a')] });
    const { items, total } = await house().read<Listed<ProjectionRow>>('/projections');
    expect(items.map(({ name }) => name)).toEqual(expect.arrayContaining(['approvals', 'batches', 'command_keys', 'executions', 'run_history']));
    expect(total).toBe(items.length);
    for (const row of items) {
      expect(row).toEqual({ name: row.name, version: expect.any(Number), build: expect.any(Number), state: 'live', position: items[0]?.position, rate: expect.any(Number), lagMs: 0, fault: null, parked: 0 });
    }
    expect(items[0]?.rate).toBeGreaterThan(0);
    expect(await house().read('/projections/executions/parked')).toMatchObject({ items: [], nextCursor: null, total: 0 });
    expectProblem(await house().get('/projections/nothing/parked'), 'not-found');
  });

  it('make the rows of a projection anew, beside those that answer', async () => {
    const h = house();
    const [before] = (await h.read<Listed<ProjectionRow>>('/projections')).items.filter(({ name }) => name === 'run_history');
    const answer = await h.post<ProjectionRow>('/projections/run_history/rebuild');
    expect([answer.status, answer.body.name]).toEqual([202, 'run_history']);
    expect(answer.body.build).toBeGreaterThan(before?.build ?? 0);
    const { items } = await h.until<Listed<ProjectionRow>>('/projections', (list) => list.items.every(({ state }) => state !== 'building'));
    expect(items.filter(({ name }) => name === 'run_history')).toMatchObject([{ build: answer.body.build, state: 'live', fault: null }]);
    expectProblem(await h.post('/projections/nothing/rebuild'), 'not-found');
  });

  it('says which node runs what, and how many slots it has left', async () => {
    await house().define({ name: 'held', steps: [work('hang', { do: 'hang' }, { cancelGrace: '5s' })] });
    const runId = await house().start('held');
    const [execution] = (await house().until<Listed<ExecutionRow>>(`/executions?run=${runId}&status=running`, ({ items }) => items.length === 1)).items;
    const { items: [node] } = await house().read<Listed<WorkerRow>>('/workers');
    expect(node).toMatchObject({ id: execution?.worker, slots: { total: 64, taken: 1, free: 63 } });
    expect(node?.running).toEqual([{ id: execution?.id, runId, batchName: 'held', stepId: 'hang', job: 'obey', attempt: 1, startedAt: execution?.startedAt, progress: null }]);
    await house().post(`/runs/${runId}/cancel`);
    await house().runIn(runId, 'cancelled');
    await house().until<Listed<WorkerRow>>('/workers', ({ items }) => items[0]?.slots.taken === 0 && items[0].running.length === 0, 'an idle node');
  });
});
