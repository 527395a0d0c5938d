/** What people expect of a batch system with gates, over the doors: one sentence, one test. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RunDetail } from '../../src/runs/run-detail.queries.js';
import { expectProblem, gate, onBoth, work } from './house.js';
import type { Answer, House, Json, Listed } from './house.js';

const boss = { as: 'kim', roles: 'boss' };
const operator = { as: 'olga', roles: 'operator' };
const undone = (id: string) => work(id, {}, { compensate: { job: 'obey', params: {} } });

onBoth('A batch system', (house) => {
  let h: House;
  let at = 0;
  beforeAll(() => {
    h = house();
  });

  async function started(definition: object, body: object = {}): Promise<string> {
    const name = `expected-${(at += 1)}`;
    await h.define({ name, ...definition });
    return h.start(name, body, { as: 'ann', roles: 'operator' });
  }
  const ended = async (definition: object, ...statuses: string[]): Promise<RunDetail> => h.runIn(await started(definition), ...statuses);
  const approve = (run: RunDetail, ask: object = boss, body: object = {}): Promise<Answer<Json>> => h.post(`/approvals/${run.approvals[0]?.id}/approve`, body, ask);
  const reject = (run: RunDetail, body: object = { reason: 'no' }): Promise<Answer<Json>> => h.post(`/approvals/${run.approvals[0]?.id}/reject`, body, boss);
  const executionsOf = async (runId: string): Promise<readonly Json[]> => (await h.read<Listed<Json>>(`/executions?run=${runId}`)).items;
  const added = ({ counts: { total, ...byStatus } }: RunDetail): void => expect(Object.values(byStatus).reduce((sum, count) => sum + count, 0)).toBe(total);

  describe('ends a run', () => {
    it('as failed when its only gate runs out of time, without a row of an execution', async () => {
      const run = await ended({ steps: [gate('ok', { timeout: 100 })] }, 'failed');
      expect([await executionsOf(run.id), run.endedAt, run.error]).toEqual([[], expect.any(String), expect.objectContaining({ code: 'gate-timed-out' })]);
    });

    it('as failed when a gate is rejected, under every policy', async () => {
      for (const failurePolicy of ['stop', 'continue', 'compensate']) {
        const run = await ended({ steps: [gate('ok'), work('after')], failurePolicy }, 'parked');
        expect((await reject(run)).status).toBe(200);
        expect(await h.runIn(run.id, 'failed')).toMatchObject({ status: 'failed', counts: { failed: 1, skipped: 1 } });
      }
    });

    it('as completed with its steps counted, the groups round them not', async () => {
      const run = await ended({ steps: [work('a'), { id: 'g', type: 'parallel', branches: [{ steps: [work('b')] }, { steps: [work('c')] }] }], onFailureSteps: [work('tell')] }, 'completed');
      expect(run).toMatchObject({ stepCount: 3, counts: { total: 3, succeeded: 3 } });
    });

    it('as completed when a race was won, though another branch had failed', async () => {
      const run = await ended({ steps: [{ id: 'g', type: 'parallel', join: 'any', branches: [{ steps: [work('bad', { do: 'fail-terminal' })] }, { steps: [work('good', { ms: 50 })] }] }] }, 'completed');
      expect(run).toMatchObject({ error: null, counts: { succeeded: 1, failed: 1 } });
    });

    it('as failed after its time-outs were tried again as often as it may', async () => {
      const run = await ended({ steps: [work('slow', { do: 'hang' }, { timeout: 20, retry: { maxAttempts: 2, backoff: 'none' } })] }, 'failed');
      expect((await executionsOf(run.id)).map(({ status, attempt }) => [attempt, status]).sort()).toEqual([[1, 'timedOut'], [2, 'timedOut']]);
    });
  });

  describe('cancels', () => {
    it('a run at a gate, for an operator who could not decide that', async () => {
      const run = await ended({ steps: [undone('before'), gate('ok'), work('after')], failurePolicy: 'compensate' }, 'parked');
      expectProblem(await approve(run, operator), 'forbidden');
      expect((await h.post(`/runs/${run.id}/cancel`, {}, operator)).status).toBe(202);
      const end = await h.runIn(run.id, 'cancelled');
      expect(end).toMatchObject({ counts: { succeeded: 1, cancelled: 2 }, approvals: [{ state: 'decided', outcome: 'cancelled' }] });
      expect((await executionsOf(run.id)).map(({ stepId }) => stepId)).toEqual(['before']);
    });

    it('a run that undoes what it did, and undoes no more', async () => {
      const steps = [undone('a'), { ...work('b'), compensate: { job: 'obey', params: { do: 'hang' } } }, work('c', { do: 'fail-terminal' })];
      const run = await h.until<RunDetail>(`/runs/${await started({ steps, failurePolicy: 'compensate' })}`, ({ status, waitingFor }) => status === 'compensating' && waitingFor.some(({ what }) => what === 'job'));
      expect((await h.post(`/runs/${run.id}/cancel`, {}, operator)).status).toBe(202);
      const end = await h.runIn(run.id, 'cancelled');
      expect(end.steps.filter(({ kind }) => kind === 'compensation').map(({ id }) => id)).toEqual(['b:compensate']);
      added(end);
    });

    it('a running job by its signal, and the counts add up', async () => {
      const runId = await started({ steps: [work('a', { do: 'hang' }), work('b')] });
      await h.until<RunDetail>(`/runs/${runId}`, ({ counts }) => counts.running === 1);
      await h.post(`/runs/${runId}/cancel`, { reason: 'enough' }, operator);
      const end = await h.runIn(runId, 'cancelled');
      added(end);
      expect((await executionsOf(runId)).map(({ status }) => status)).toEqual(['cancelled']);
    });

    it('one attempt alone, once; not one that has ended or never was', async () => {
      const runId = await started({ steps: [work('a', { do: 'hang' }, { retry: { maxAttempts: 3 } })] });
      const run = await h.until<RunDetail>(`/runs/${runId}`, ({ counts }) => counts.running === 1);
      const [id] = run.steps[0]?.executionIds ?? [];
      expect((await h.post(`/executions/${id}/cancel`, {}, operator)).status).toBe(202);
      expect(await h.runIn(runId, 'failed')).toMatchObject({ error: { code: 'execution-cancelled' }, steps: [{ attempts: 1, status: 'failed' }] });
      expectProblem(await h.post(`/executions/${id}/cancel`, {}, operator), 'run-already-ended');
      expectProblem(await h.post('/executions/0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10/cancel', {}, operator), 'not-found');
    });

    it('or approves, of both at once exactly one, and the stream says which', async () => {
      const runs = await Promise.all(Array.from({ length: 50 }, async () => h.runIn(await started({ steps: [gate('ok')] }), 'parked')));
      await Promise.all(runs.map(async (run) => {
        const [cancelled, approved] = await Promise.all([h.post(`/runs/${run.id}/cancel`, {}, operator), approve(run)]);
        const end = await h.runIn(run.id, 'completed', 'cancelled');
        const types = (await h.read<Listed<Json>>(`/runs/${run.id}/events`)).items.map(({ type }) => type);
        if (end.status === 'completed') {
          expect([approved.status, cancelled.status]).toEqual([200, 409]);
          expect(types.slice(-2)).toEqual(['GateApproved', 'RunCompleted']);
        } else {
          expect([cancelled.status, approved.status]).toEqual([202, 409]);
          expect(types.slice(-3)).toEqual(['CancelRequested', 'GateReleased', 'RunCancelled']);
        }
      }));
    });
  });

  describe('holds a gate', () => {
    it('past its deadline if it is told to, and an approval still completes the run', async () => {
      const run = await ended({ steps: [gate('ok', { timeout: 20, onTimeout: 'hold' })] }, 'parked');
      await h.until<RunDetail>(`/runs/${run.id}`, ({ approvals }) => approvals[0]?.overdue === true);
      expect((await approve(run)).status).toBe(200);
      expect(await h.runIn(run.id, 'completed')).toMatchObject({ approvals: [{ outcome: 'approved', overdue: true }] });
      expect(await ended({ steps: [gate('ok', { timeout: 20, onTimeout: 'approve' })] }, 'completed')).toMatchObject({ approvals: [{ outcome: 'autoApproved', decidedBy: null }] });
    });

    it('for those who may decide it: a refusal uses nothing up, and names in a body count for nothing', async () => {
      const run = await ended({ steps: [gate('ok')] }, 'parked');
      expectProblem(await approve(run, { as: 'eve', roles: 'clerk' }), 'forbidden');
      expectProblem(await approve(run, boss, { approver: 'somebody-else' }), 'validation-failed');
      expectProblem(await reject(run, {}), 'validation-failed');
      expect((await approve(run, boss, { note: 'seen' })).status).toBe(200);
      expect(await h.runIn(run.id, 'completed')).toMatchObject({ approvals: [{ decidedBy: 'kim', note: 'seen' }] });
      expectProblem(await approve(run), 'gate-already-decided');
    });

    it('open to anybody who is signed in where it says so', async () => {
      const run = await ended({ steps: [gate('ok', { allowedRoles: ['*'] })] }, 'parked');
      expect((await approve(run, { as: 'guest', roles: 'nothing' })).status).toBe(200);
    });

    it('as it was asked, whatever becomes of the definition', async () => {
      const run = await ended({ steps: [gate('ok', { title: 'As it was' })] }, 'parked');
      const { headers } = await h.get(`/batches/${run.batchName}`);
      await h.ask('PUT', `/batches/${run.batchName}`, { body: { name: run.batchName, steps: [gate('ok', { title: 'Another', allowedRoles: ['cfo'] })] }, headers: { 'if-match': headers.get('etag') ?? '' } });
      expect(await h.read(`/approvals/${run.approvals[0]?.id}`)).toMatchObject({ title: 'As it was', allowedRoles: ['boss'] });
      expect((await approve(run)).status).toBe(200);
      expect(await h.runIn(run.id, 'completed')).toMatchObject({ batchVersion: 1 });
    });
  });

  describe('refuses', () => {
    it('a run without what it needs, with every fault', async () => {
      const name = `expected-${(at += 1)}`;
      await h.define({ name, parameters: [{ name: 'day', kind: 'string', required: true }, { name: 'limit', kind: 'integer', required: true }], steps: [work('a')] });
      const problem = expectProblem(await h.post(`/batches/${name}/runs`, { parameters: { day: null } }), 'validation-failed');
      expect(problem.errors?.map(({ path }) => path).sort()).toEqual(['/parameters/day', '/parameters/limit']);
    });

    it('a batch whose jobs nobody has, by the step, and starts no run', async () => {
      const name = `expected-${(at += 1)}`;
      await h.define({ name, steps: [work('a', {}, { compensate: { job: 'nobody-has-it' } })] });
      expect(expectProblem(await h.post(`/batches/${name}/runs`, {}), 'validation-failed').errors?.[0]?.message).toContain('nobody-has-it');
      expect((await h.read<Listed<Json>>(`/runs?batch=${name}`)).items).toEqual([]);
    });

    it('what was never there: a run, a cancel of it, pages out of range', async () => {
      const nobody = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
      expectProblem(await h.get(`/runs/${nobody}`), 'not-found');
      for (let again = 0; again < 2; again += 1) expectProblem(await h.post(`/runs/${nobody}/cancel`, {}, operator), 'not-found');
      for (const limit of [0, 99_999, -1]) expectProblem(await h.get(`/runs?limit=${limit}`), 'validation-failed');
      const run = await ended({ steps: [work('a')] }, 'completed');
      expectProblem(await h.post(`/runs/${run.id}/cancel`, {}, operator), 'run-already-ended');
    });
  });

  it('gives a job its defaults, over those the run, and over those the step; what undoes it too', async () => {
    const parameters = [{ name: 'ms', kind: 'integer' }, { name: 'do', kind: 'string' }];
    const runId = await started({ parameters, compensateOnCancel: true, steps: [work('a', { do: 'succeed' }, { compensate: { job: 'obey', params: { do: 'succeed', outputs: { undone: true } } } }), work('b', { outputs: { from: 'step' } })] }, { parameters: { ms: 1, do: 'hang' } });
    const run = await h.runIn(runId, 'running');
    expect(run.status).toBe('running');
    const { items } = await h.until<Listed<Json>>(`/executions?run=${runId}`, ({ items: rows }) => rows.length === 2);
    const params = new Map(items.map(({ stepId, params: given }) => [stepId, given]));
    expect([params.get('a'), params.get('b')]).toEqual([{ ms: 1, do: 'succeed' }, { ms: 1, do: 'hang', outputs: { from: 'step' } }]);
    await h.post(`/runs/${runId}/cancel`, {}, operator);
    await h.runIn(runId, 'cancelled');
    expect((await executionsOf(runId)).find(({ kind }) => kind === 'compensation')).toMatchObject({ stepId: 'a:compensate', params: { ms: 1, do: 'succeed', outputs: { undone: true } } });
  });
});
