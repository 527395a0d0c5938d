/** Batches: written, changed, deleted, judged; jobs that are run alone. */
import { beforeAll, expect, it } from '@jest/globals';
import { expectProblem, gate, type House, type Json, keysOf, type Listed, onBoth, work } from './house.js';

const plain = (name: string, more: object = {}): object => ({ name, steps: [work('a')], ...more });
const CODED = { name: 'coded', steps: [{ id: 'a', type: 'job', job: 'obey' } as const] };

onBoth('Batches', (house) => {
  let h: House;
  beforeAll(() => {
    h = house();
  });
  const put = (name: string, body: object, etag?: string) => h.ask('PUT', `/batches/${name}`, { body, ...(etag !== undefined && { headers: { 'if-match': etag } }) });

  it('are made with where they are and which version that is', async () => {
    const made = await h.post('/batches', plain('made'));
    expect(made.status).toBe(201);
    expect(keysOf(made.body)).toEqual(['id', 'name', 'position', 'version', 'warnings']);
    expect(made.body).toMatchObject({ name: 'made', version: 1, warnings: [], position: made.headers.get('sluice-position') });
    expect([made.headers.get('location'), made.headers.get('etag')]).toEqual([`/batches/${String(made.body.id)}`, '"1"']);
    const read = await h.get(`/batches/${String(made.body.id)}?atLeast=${String(made.body.position)}`);
    expect([read.status, read.headers.get('etag'), read.body.definition]).toEqual([200, '"1"', plain('made')]);
    expect((await h.get('/batches/made')).body).toEqual(read.body);
  });

  it('are changed only by who has seen what they change', async () => {
    await h.define(plain('changing'));
    expectProblem(await put('changing', plain('changing', { title: 'Two' })), 'precondition-required');
    expectProblem(await put('changing', plain('changing', { title: 'Two' }), 'two'), 'validation-failed');
    const second = await put('changing', plain('changing', { title: 'Two' }), '"1"');
    expect([second.status, second.body.version, second.headers.get('etag')]).toEqual([200, 2, '"2"']);
    const stale = await put('changing', plain('changing', { title: 'Three' }), '"1"');
    expect(expectProblem(stale, 'version-conflict').detail).toContain('version 2');
    expect(await h.read('/batches/changing')).toMatchObject({ version: 2, title: 'Two' });
    const both = await Promise.all(['A', 'B'].map((title) => put('changing', plain('changing', { title }), '"2"')));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  it('what changes nothing makes no version', async () => {
    await h.define(plain('same'));
    expect((await put('same', plain('same'), '"1"')).body).toMatchObject({ version: 1 });
    expect(await h.read('/batches/same/versions')).toMatchObject({ total: 1 });
  });

  it('keep every version for ever, newest first', async () => {
    await h.define(plain('versions'));
    await put('versions', plain('versions', { title: 'Two' }), '"1"');
    const { items, total } = await h.read<Listed<Json>>('/batches/versions/versions');
    expect([total, items.map(({ version }) => version)]).toEqual([2, [2, 1]]);
    const first = await h.read<Listed<Json>>('/batches/versions/versions?limit=1');
    expect(first).toMatchObject({ items: [{ version: 2 }], total: 2 });
    expect(await h.read(`/batches/versions/versions?limit=1&cursor=${first.nextCursor}`)).toMatchObject({ items: [{ version: 1 }], nextCursor: null, total: 2 });
    expectProblem(await h.get('/batches/versions/versions?cursor=x'), 'validation-failed');
    const one = await h.read('/batches/versions/versions/1');
    expect(one).toMatchObject({ version: 1, definition: plain('versions'), definedBy: 'dev', source: 'api' });
    await h.ask('DELETE', '/batches/versions');
    expect(await h.read('/batches/versions/versions')).toMatchObject({ total: 2 });
    expect(await h.read('/batches/versions/versions/1')).toEqual(one);
    expectProblem(await h.get('/batches/versions/versions/3'), 'not-found');
    expectProblem(await h.get('/batches/versions/versions/x'), 'not-found');
  });

  it('have a name that is fixed and taken once', async () => {
    await h.define(plain('named'));
    expect(expectProblem(await put('named', plain('renamed'), '"1"'), 'validation-failed').errors).toMatchObject([{ path: '/name' }]);
    expectProblem(await h.post('/batches', plain('named')), 'duplicate-name');
    expectProblem(await put('nowhere', plain('nowhere'), '"1"'), 'not-found');
    expect(expectProblem(await h.post('/batches', plain('job.mine')), 'validation-failed').errors).toMatchObject([{ path: '/name' }]);
  });

  it('that are deleted are gone from lists and start nothing, and may come again', async () => {
    const id = await h.define(plain('doomed'));
    const running = await h.start('doomed');
    for (const [etag, slug] of [['"7"', 'version-conflict'], ['W/"1"', 'validation-failed']] as const) expectProblem(await h.ask('DELETE', `/batches/${id}`, { headers: { 'if-match': etag } }), slug);
    const gone = await h.ask('DELETE', `/batches/${id}`, { headers: { 'if-match': '"1"' } });
    expect([gone.status, gone.text]).toEqual([204, '']);
    const position = gone.headers.get('sluice-position') ?? '';
    expectProblem(await h.get('/batches/doomed'), 'not-found');
    expect(await h.read(`/batches?q=doomed&atLeast=${position}`)).toMatchObject({ items: [], total: 0 });
    expectProblem(await h.post('/batches/doomed/runs'), 'batch-deleted');
    expectProblem(await put('doomed', plain('doomed', { title: 'x' }), '"1"'), 'not-found');
    await h.runIn(running, 'completed');
    const again = await h.post('/batches', plain('doomed'));
    expect([again.status, again.body.id, again.body.version]).toEqual([201, id, 2]);
    await h.runOf('doomed');
  });

  it('that are defined in code are changed there', async () => {
    expect(await h.read('/batches/coded')).toMatchObject({ source: 'code', createdBy: 'code' });
    expectProblem(await put('coded', { ...CODED, title: 'x' }, '"1"'), 'code-defined');
    expectProblem(await h.ask('DELETE', '/batches/coded'), 'code-defined');
    expect((await h.runOf('coded')).status).toBe('completed');
  });

  it('are judged as a whole, with every fault and its place, and nothing is saved', async () => {
    const wrong = { name: 'Wrong', steps: [work('a'), work('a'), { id: 'g', type: 'gate', allowedRoles: [] }], more: 1 };
    const judged = await h.post<{ errors: { path: string }[]; warnings: unknown[] }>('/batches/validate', wrong);
    expect(judged.status).toBe(200);
    const places = judged.body.errors.map(({ path }) => path);
    expect(places).toEqual(expect.arrayContaining(['/name', '/steps/1/id', '/steps/2/allowedRoles', '/more']));
    expect(expectProblem(await h.post('/batches', wrong), 'validation-failed').errors?.map(({ path }) => path)).toEqual(places);
    expect((await h.post('/batches/validate', plain('fine'))).body).toEqual({ errors: [], warnings: [] });
    expectProblem(await h.get('/batches/fine'), 'not-found');
    for (const body of [{}, [], { name: 'x' }, { name: 'x', steps: [] }]) expect((await h.post<{ errors: unknown[] }>('/batches/validate', body)).body.errors.length).toBeGreaterThan(0);
  });

  it('with a job that is not there are saved with a warning, and not started', async () => {
    const absent = { name: 'absent', steps: [{ id: 'a', type: 'job', job: 'nobody' }] };
    const made = await h.post('/batches', absent);
    expect([made.status, made.body.warnings]).toEqual([201, [{ path: '/steps/0/job', message: expect.stringContaining('nobody') }]]);
    expect((await h.post('/batches/validate', absent)).body).toEqual({ errors: [], warnings: made.body.warnings });
    const { errors } = expectProblem(await h.post('/batches/absent/runs'), 'validation-failed');
    expect(errors?.map(({ message }) => message).join()).toContain('nobody');
  });

  it('of a job that is run alone are hidden unless asked for', async () => {
    const started = await h.post<{ runId: string; position: string }>('/jobs/obey/runs', { parameters: { outputs: { n: 1 } }, labels: { why: 'trial' } });
    expect([started.status, started.headers.get('location')]).toEqual([202, `/runs/${started.body.runId}`]);
    const run = await h.runIn(started.body.runId, 'completed');
    expect(run).toMatchObject({ batchName: 'job.obey', stepCount: 1, labels: { why: 'trial' }, parameters: { outputs: { n: 1 } } });
    expect(run.steps).toMatchObject([{ status: 'succeeded', outputs: { n: 1 } }]);
    const names = async (query: string): Promise<unknown[]> => (await h.read<Listed<Json>>(`/batches?limit=500&${query}`)).items.map(({ name }) => name);
    expect(await names('')).not.toContain('job.obey');
    expect(await names('hidden=true')).toContain('job.obey');
    await h.post('/jobs/obey/runs');
    expect(await h.read('/batches/job.obey/versions')).toMatchObject({ total: 1 });
  });

  it('with a parameter that is a secret are refused as a whole until secrets are built', async () => {
    const secret = plain('secretive', { parameters: [{ name: 'day', kind: 'string' }, { name: 'key', kind: 'secret' }] });
    expect(expectProblem(await h.post('/batches', secret), 'not-supported-yet').errors).toMatchObject([{ path: '/parameters/1/kind' }]);
    expectProblem(await h.get('/batches/secretive'), 'not-found');
  });

  it('a job that is run alone takes no more than a run', async () => {
    const answer = await h.post('/jobs/obey/runs', { parameters: { outputs: { s: 'x'.repeat(260 * 1024) } } });
    expect(expectProblem(answer, 'validation-failed').errors).toEqual([{ path: '/parameters', message: 'Parameters have at most 256 KiB.' }]);
  });

  it('a job that is run alone judges its own parameters', async () => {
    const { errors } = expectProblem(await h.post('/jobs/obey/runs', { parameters: { do: 'dance', ms: -1, more: 1 } }), 'validation-failed');
    expect(errors?.map(({ path }) => path)).toEqual(expect.arrayContaining(['/parameters/do', '/parameters/ms', '/parameters/more']));
  });

  it('a run keeps to the version that it began with', async () => {
    await h.define({ name: 'pinned', steps: [gate('ok'), work('old')] });
    const run = await h.runOf('pinned');
    await put('pinned', { name: 'pinned', steps: [work('new')] }, '"1"');
    await h.post(`/approvals/${run.approvals[0]?.id}/approve`, {}, { roles: 'boss' });
    const ended = await h.runIn(run.id, 'completed');
    expect([ended.batchVersion, ended.steps.map(({ id }) => id)]).toEqual([1, ['ok', 'old']]);
    expect((await h.runOf('pinned')).batchVersion).toBe(2);
  });
}, { batches: [CODED] });
