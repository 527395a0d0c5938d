/** Who may pass which door: each role alone, and the roles of gates. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RunDetail } from '../../src/runs/run-detail.queries.js';
import { type Answer, expectProblem, gate, type House, keysOf, type Listed, onBoth, work } from './house.js';

const ROLES = ['viewer', 'operator', 'author', 'auditor', 'admin', 'boss'] as const;
type Role = (typeof ROLES)[number];
const VIEWERS: readonly Role[] = ['viewer', 'operator', 'author', 'auditor', 'admin'];
const BATCH = { name: 'fresh', steps: [work('a')] };

onBoth('Roles', (house) => {
  let h: House;
  let parked: RunDetail;
  let approval = '';
  let execution = '';
  beforeAll(async () => {
    h = house();
    await h.define({ name: 'gated', steps: [work('a'), gate('ok')] });
    await h.define({ name: 'plain', steps: [work('a')] });
    parked = await h.runOf('gated');
    approval = parked.approvals[0]?.id ?? '';
    execution = parked.steps[0]?.executionIds[0] ?? '';
  });

  /** The door, who may pass, what they are answered. */
  const doors: readonly (readonly [name: string, may: readonly Role[], status: number, ask: (at: House, roles: string) => Promise<Answer<unknown>>])[] = [
    ['GET /me', ROLES, 200, (at, roles) => at.get('/me', { roles })],
    ...['/jobs', '/jobs/obey', '/batches', '/batches/gated', '/batches/gated/versions', '/batches/gated/versions/1', '/runs', '/runs/counts', '/executions'].map(
      (path) => [`GET ${path}`, VIEWERS, 200, (at: House, roles: string) => at.get(path, { roles })] as const,
    ),
    ['GET an execution', VIEWERS, 200, (at, roles) => at.get(`/executions/${execution}`, { roles })],
    ['GET the events of a run', VIEWERS, 200, (at, roles) => at.get(`/runs/${parked.id}/events`, { roles })],
    ['GET a run with a gate of boss', ROLES, 200, (at, roles) => at.get(`/runs/${parked.id}`, { roles })],
    ['GET its approval', ROLES, 200, (at, roles) => at.get(`/approvals/${approval}`, { roles })],
    ['GET /approvals', ROLES, 200, (at, roles) => at.get('/approvals', { roles })],
    ['POST /batches/validate', VIEWERS, 200, (at, roles) => at.post('/batches/validate', BATCH, { roles })],
    ['POST /batches', ['author', 'admin'], 201, (at, roles) => at.post('/batches', { ...BATCH, name: `by-${roles}` }, { roles })],
    ['PUT a batch', ['author', 'admin'], 200, (at, roles) => at.ask('PUT', `/batches/by-${roles}`, { body: { ...BATCH, name: `by-${roles}`, title: 'New' }, headers: { 'if-match': '"1"' }, roles })],
    ['DELETE a batch', ['author', 'admin'], 204, (at, roles) => at.ask('DELETE', `/batches/by-${roles}`, { roles })],
    ['POST a run', ['operator', 'admin'], 202, (at, roles) => at.post('/batches/plain/runs', {}, { roles })],
    ['POST a run of a job', ['operator', 'admin'], 202, (at, roles) => at.post('/jobs/obey/runs', {}, { roles })],
    ['POST cancel', ['operator', 'admin'], 202, async (at, roles) => at.post(`/runs/${await at.start('gated')}/cancel`, {}, { roles })],
    ['POST cancel by the other path', ['operator', 'admin'], 202, async (at, roles) => at.post(`/batches/${await at.start('gated')}/cancel`, {}, { roles })],
    ['POST pause', ['operator', 'admin'], 202, async (at, roles) => at.post(`/runs/${await at.start('gated')}/pause`, {}, { roles })],
    ['POST resume', ['operator', 'admin'], 202, async (at, roles) => at.post(`/runs/${await at.start('gated')}/resume`, {}, { roles })],
    ['POST approve', ['boss'], 200, async (at, roles) => at.post(`/approvals/${(await at.runOf('gated')).approvals[0]?.id}/approve`, {}, { roles })],
    ['POST reject', ['boss'], 200, async (at, roles) => at.post(`/approvals/${(await at.runOf('gated')).approvals[0]?.id}/reject`, { reason: 'no' }, { roles })],
    ['POST a rebuild', ['admin'], 202, (at, roles) => at.post('/projections/approvals/rebuild', undefined, { roles })],
    ...['/audit/keys', '/audit/events', '/audit/runs/x/export'].map((path) => [`GET ${path}`, ['auditor', 'admin'], 501, (at: House, roles: string) => at.get(path, { roles })] as const),
    ...['cut-over', 'roll-back', 'repair', 'parked/x/skip'].map((path) => [`POST ${path}`, ['admin'], 501, (at: House, roles: string) => at.post(`/projections/approvals/${path}`, undefined, { roles })] as const),
  ];

  describe.each(doors)('%s', (_, may, status, ask) => {
    it.each(ROLES)('%s', async (role) => {
      const answer = await ask(h, role);
      if (may.includes(role)) expect([answer.status, answer.text.slice(0, 500)]).toEqual([status, expect.any(String)]);
      else expectProblem(answer, 'forbidden');
    });
  });

  it('nobody without a role passes but to ask who they are, and sees no approval', async () => {
    expect((await h.get('/me', { roles: '' })).body).toMatchObject({ roles: [] });
    expectProblem(await h.get('/runs', { roles: '' }), 'forbidden');
    expectProblem(await h.get(`/runs/${parked.id}`, { roles: '' }), 'forbidden');
    expectProblem(await h.get(`/approvals/${approval}`, { roles: '' }), 'forbidden');
    expect(await h.read('/approvals', { roles: '' })).toMatchObject({ items: [], total: 0 });
  });

  it('a role of a gate opens that run and that approval, and no others', async () => {
    await h.define({ name: 'others', steps: [gate('cfo', { allowedRoles: ['cfo', 'ceo'] })] });
    const run = await h.runOf('others');
    expectProblem(await h.get(`/runs/${run.id}`, { roles: 'boss' }), 'forbidden');
    expectProblem(await h.get(`/approvals/${run.approvals[0]?.id}`, { roles: 'boss' }), 'forbidden');
    for (const roles of ['cfo', 'ceo']) {
      expect((await h.read<Listed<{ id: string }>>('/approvals?state=pending', { roles })).items.map(({ id }) => id)).toEqual([run.approvals[0]?.id]);
      expect((await h.get(`/runs/${run.id}`, { roles })).status).toBe(200);
    }
  });

  it('a role of a gate opens its run also before the gate is reached', async () => {
    await h.define({ name: 'later', steps: [work('stuck', { do: 'hang' }), { id: 'both', type: 'parallel', branches: [{ steps: [gate('deep', { allowedRoles: ['cfo'] })] }] }] });
    const runId = await h.start('later');
    expect((await h.get(`/runs/${runId}`, { roles: 'cfo' })).status).toBe(200);
    expectProblem(await h.get(`/runs/${runId}`, { roles: 'boss' }), 'forbidden');
    await h.post(`/runs/${runId}/cancel`);
  });

  it('a gate for everybody is for whoever is signed in', async () => {
    await h.define({ name: 'open', steps: [gate('any', { allowedRoles: ['*'] })] });
    const run = await h.runOf('open');
    expect((await h.get(`/runs/${run.id}`, { roles: '' })).status).toBe(200);
    expect((await h.post(`/approvals/${run.approvals[0]?.id}/approve`, {}, { as: 'passer-by', roles: '' })).body).toMatchObject({ outcome: 'approved' });
    expect((await h.read<RunDetail>(`/approvals/${run.approvals[0]?.id}?atLeast=${(await h.read<Listed<unknown>>('/runs')).asOf.position}`))).toMatchObject({ decidedBy: 'passer-by' });
  });

  it('mine=true is what the caller may decide, also for a viewer', async () => {
    const all = await h.read<Listed<{ allowedRoles: string[] }>>('/approvals?limit=500', { roles: 'viewer,cfo' });
    const mine = await h.read<Listed<{ allowedRoles: string[] }>>('/approvals?limit=500&mine=true', { roles: 'viewer,cfo' });
    expect(mine.items.length).toBeGreaterThan(0);
    expect(mine.items).toEqual(all.items.filter(({ allowedRoles }) => allowedRoles.includes('cfo') || allowedRoles.includes('*')));
    expect(mine.total).toBe(mine.items.length);
  });

  it('what one may do is told to each caller by their roles', async () => {
    const actions = async (roles: string): Promise<string[]> => (await h.read<RunDetail>(`/runs/${parked.id}`, { roles })).allowedActions.map(({ action }) => action);
    expect(await actions('viewer')).toEqual([]);
    expect(await actions('operator')).toEqual(['cancel', 'pause']);
    expect(await actions('boss')).toEqual(['approve', 'reject']);
    expect(await actions('admin')).toEqual(['cancel', 'pause']);
  });

  it('identity never comes from a body', async () => {
    const answer = await h.post('/batches/plain/runs', { actor: 'root', startedBy: 'root' });
    expect(expectProblem(answer, 'validation-failed').errors?.map(({ message }) => message).join()).toMatch(/actor/);
    const runId = await h.start('plain', {}, { as: 'ada', roles: 'operator' });
    expect(await h.read(`/runs/${runId}`)).toMatchObject({ startedBy: 'ada' });
  });

  it('keys of a refusal are the same for everybody', async () => {
    const body = expectProblem(await h.post(`/runs/${parked.id}/cancel`, {}, { roles: 'viewer' }), 'forbidden');
    expect(keysOf(body)).toEqual(['detail', 'status', 'title', 'type']);
    expect(body.detail).toContain('operator');
  });
});
