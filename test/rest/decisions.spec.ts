/** What people decide about runs: cancel, approve, reject; and what every state lets them do. */
import { beforeAll, expect, it } from '@jest/globals';
import type { RunDetail } from '../../src/runs/run-detail.queries.js';
import { expectProblem, gate, type House, keysOf, type Listed, onBoth, work } from './house.js';

const retry = { retry: { maxAttempts: 2, backoff: 'fixed', initialDelay: '1h', jitter: false } };

onBoth('Decisions', (house) => {
  let h: House;
  beforeAll(async () => {
    h = house();
    await h.define({ name: 'quick', steps: [work('a')] });
    await h.define({ name: 'hanging', steps: [work('a', { do: 'hang' }), work('b')] });
    await h.define({ name: 'stubborn', steps: [work('a', { do: 'stubborn', ms: 4_000 }, { cancelGrace: '10s' })] });
    await h.define({ name: 'retrying', steps: [work('a', { do: 'fail' }, retry)] });
    await h.define({ name: 'gated', steps: [gate('ok', { title: 'Release it?', timeout: '2d', show: { n: '1 + 1' } }), work('b')] });
    await h.define({ name: 'bad', steps: [work('a', { do: 'fail-terminal' })] });
  });
  /** Of those that decide or end something. */
  const actionsOf = ({ allowedActions }: RunDetail): string[] => allowedActions.map(({ action }) => action).filter((action) => ['cancel', 'approve', 'reject'].includes(action));
  const cancel = (runId: string, path = 'runs', body: object = { reason: 'enough' }) => h.post(`/${path}/${runId}/cancel`, body);

  it.each(['runs', 'batches'])('a running run is cancelled over /%s', async (path) => {
    const runId = await h.start('hanging');
    await h.until<RunDetail>(`/runs/${runId}`, ({ steps }) => steps[0]?.status === 'running');
    const answer = await cancel(runId, path);
    expect([answer.status, keysOf(answer.body)]).toEqual([202, ['position', 'status']]);
    const run = await h.runIn(runId, 'cancelled');
    expect(run.steps.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
    expect(run).toMatchObject({ counts: { total: 2, cancelled: 2 }, waitingFor: [], endedAt: expect.any(String) });
    const { items } = await h.read<Listed<{ type: string; data: object }>>(`/runs/${runId}/events`);
    expect(items.find(({ type }) => type === 'CancelRequested')?.data).toEqual({ by: 'dev', reason: 'enough' });
  });

  it('a run that is parked is cancelled without the role of its gate, and the approval is released', async () => {
    const { id, approvals } = await h.runOf('gated');
    const answer = await h.post(`/runs/${id}/cancel`, {}, { roles: 'operator' });
    expect(answer.status).toBe(202);
    const run = await h.runIn(id, 'cancelled');
    expect(run.approvals).toMatchObject([{ state: 'decided', outcome: 'cancelled', decidedBy: null }]);
    expectProblem(await h.post(`/approvals/${approvals[0]?.id}/approve`, {}, { roles: 'boss' }), 'gate-already-decided');
  });

  it('a cancel said again is taken again, and told 200 once the run is cancelled', async () => {
    const runId = await h.start('stubborn');
    await h.until<RunDetail>(`/runs/${runId}`, ({ steps }) => steps[0]?.status === 'running');
    const [first, again] = [await cancel(runId), await cancel(runId, 'batches', {})];
    expect([first, again].map(({ status, body }) => [status, body.status])).toEqual([[202, 'cancelling'], [202, 'cancelling']]);
    const cancelling = await h.read<RunDetail>(`/runs/${runId}?atLeast=${String(first.body.position)}`);
    if (cancelling.status === 'cancelling') {
      expect(actionsOf(cancelling)).toEqual([]);
      expect(cancelling.waitingFor).toMatchObject([{ what: 'job', stepId: 'a' }]);
    }
    await h.runIn(runId, 'cancelled');
    const after = await cancel(runId);
    expect([after.status, after.body]).toEqual([200, { status: 'cancelled', position: after.headers.get('sluice-position') }]);
    const { items } = await h.read<Listed<{ type: string }>>(`/runs/${runId}/events`);
    expect(items.filter(({ type }) => type === 'CancelRequested')).toHaveLength(1);
  });

  it.each(['quick', 'bad'])('a run of %s that has ended can not be cancelled, and the answer says what can be done', async (batch) => {
    const run = await h.runOf(batch);
    for (const path of ['runs', 'batches']) expect(expectProblem(await cancel(run.id, path), 'run-already-ended').allowedActions).toEqual(run.allowedActions);
  });

  it('an approval lets the run go on', async () => {
    const run = await h.runOf('gated');
    const [asked] = run.approvals;
    expect(asked).toMatchObject({ title: 'Release it?', data: { n: 2 }, deadline: new Date(Date.parse(asked?.since ?? '') + 172_800_000).toISOString() });
    const answer = await h.post(`/approvals/${asked?.id}/approve`, { note: 'fine', digest: asked?.digest }, { roles: 'boss', as: 'kim' });
    expect([answer.status, answer.body]).toEqual([200, { outcome: 'approved', given: 1, quorum: 1, position: answer.headers.get('sluice-position') }]);
    expect(await h.read(`/approvals/${asked?.id}?atLeast=${String(answer.body.position)}`)).toMatchObject({ state: 'decided', outcome: 'approved', decidedBy: 'kim', given: 1, note: 'fine' });
    expect((await h.runIn(run.id, 'completed')).steps.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  });

  it('a rejection fails the run, and says who and why', async () => {
    const run = await h.runOf('gated');
    const answer = await h.post(`/approvals/${run.approvals[0]?.id}/reject`, { reason: 'too early' }, { roles: 'boss', as: 'kim' });
    expect([answer.status, answer.body]).toEqual([200, { outcome: 'rejected', given: 0, quorum: 1, position: answer.headers.get('sluice-position') }]);
    const failed = await h.runIn(run.id, 'failed');
    expect(failed.error).toMatchObject({ kind: 'rejected', code: 'gate-rejected', message: expect.stringMatching(/kim.*too early/), retryable: false });
    expect(failed.approvals).toMatchObject([{ outcome: 'rejected', decidedBy: 'kim', note: 'too early' }]);
    expect(failed.steps.map(({ status }) => status)).toEqual(['failed', 'skipped']);
  });

  it('a rejection needs a reason', async () => {
    const { approvals } = await h.runOf('gated');
    for (const body of [undefined, {}, { reason: '' }, { reason: '  ' }, { reason: null }, { note: 'no' }]) expectProblem(await h.post(`/approvals/${approvals[0]?.id}/reject`, body, { roles: 'boss' }), 'validation-failed');
    expect(await h.read(`/approvals/${approvals[0]?.id}`)).toMatchObject({ state: 'pending' });
  });

  it('a gate is decided once, and who comes late is told what may be done', async () => {
    const { approvals } = await h.runOf('gated');
    const path = `/approvals/${approvals[0]?.id}`;
    const both = await Promise.all([h.post(`${path}/approve`, {}, { roles: 'boss', as: 'kim' }), h.post(`${path}/reject`, { reason: 'no' }, { roles: 'boss', as: 'lee' })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    const late = expectProblem(await h.post(`${path}/reject`, { reason: 'no' }, { roles: 'boss' }), 'gate-already-decided');
    expect(JSON.stringify(late.allowedActions)).not.toMatch(/approve|reject/);
  });

  it('who was shown something else can not decide', async () => {
    const { approvals } = await h.runOf('gated');
    const stale = expectProblem(await h.post(`/approvals/${approvals[0]?.id}/approve`, { digest: 'f'.repeat(64) }, { roles: 'boss' }), 'approval-stale');
    expect(stale.allowedActions).toEqual(expect.arrayContaining([expect.objectContaining({ action: 'approve' }), expect.objectContaining({ action: 'reject' })]));
    expect(await h.read(`/approvals/${approvals[0]?.id}`)).toMatchObject({ state: 'pending', given: 0 });
  });

  it('every state says what it waits for and what may be done', async () => {
    const running = await h.start('hanging');
    const hanging = await h.until<RunDetail>(`/runs/${running}`, ({ steps }) => steps[0]?.status === 'running');
    expect([actionsOf(hanging), hanging.waitingFor]).toMatchObject([['cancel'], [{ what: 'job', stepId: 'a', who: [expect.any(String)], text: expect.stringContaining('obey') }]]);
    const retrying = await h.until<RunDetail>(`/runs/${await h.start('retrying')}`, ({ steps }) => steps[0]?.status === 'retrying');
    expect([actionsOf(retrying), retrying.waitingFor]).toMatchObject([['cancel'], [{ what: 'retry', stepId: 'a', endsAt: expect.any(String) }]]);
    expect(retrying.counts).toMatchObject({ total: 1, retrying: 1 });
    const parked = await h.runOf('gated');
    expect(parked.waitingFor).toMatchObject([{ what: 'approval', stepId: 'ok', who: ['boss'], endsAt: parked.approvals[0]?.deadline, text: expect.stringContaining('Release it?') }]);
    const ended = await h.runOf('quick');
    expect([actionsOf(ended), ended.waitingFor]).toEqual([[], []]);
    for (const runId of [running, retrying.id]) await cancel(runId);
    await h.runIn(retrying.id, 'cancelled');
  });
});
