/** Refusals: each slug with its status, and never a word of the inside. */
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { beforeAll, expect, it } from '@jest/globals';
import { sealFact } from '../../src/events/envelope.js';
import { Streams } from '../../src/events/streams.js';
import { ids } from '../../src/ids.js';
import { LOG_READER } from '../../src/log/event-reader.js';
import type { EventReader, StoredFact } from '../../src/log/event-reader.js';
import type { EventWriter } from '../../src/log/event-writer.js';
import { type ProblemSlug } from '../../src/http/problem.js';
import { type Answer, expectProblem, gate, type House, onBoth, work } from './house.js';

const NOWHERE = randomUUID();

async function auditFacts(h: House): Promise<StoredFact[]> {
  const reader = h.app.get<EventReader>(LOG_READER, { strict: false });
  const facts: StoredFact[] = [];
  for await (const page of reader.readAll({ filter: { prefixes: [h.app.get(Streams).prefix('audit')] } })) facts.push(...page);
  return facts;
}

/** Bytes as they are, for what no client would send. */
function rawly(h: House, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(new URL(h.url).port), '127.0.0.1', () => socket.end(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk)).on('end', () => resolve(answer)).on('error', reject);
  });
}

onBoth('Refusals', (house, adapter) => {
  let h: House;
  let ended = '';
  let parked = '';
  let approval = '';
  beforeAll(async () => {
    h = house();
    await h.define({ name: 'one', parameters: [{ name: 'n', kind: 'integer', required: true }, { name: 'day', kind: 'string' }], steps: [work('a')] });
    await h.define({ name: 'gated', steps: [gate('ok')] });
    await h.define({ name: 'gone', steps: [work('a')] });
    await h.ask('DELETE', '/batches/gone');
    ended = (await h.runOf('one', { parameters: { n: 1 } })).id;
    const run = await h.runOf('gated');
    parked = run.id;
    approval = run.approvals[0]?.id ?? '';
  });

  it('an unknown path and unknown things are 404', async () => {
    const paths = [
      '/nowhere', '/runs/nowhere', `/runs/${NOWHERE}`, `/runs/${NOWHERE}/events`, '/batches/nowhere', `/batches/${NOWHERE}`, '/batches/nowhere/versions', '/batches/one/versions/9',
      `/executions/${NOWHERE}`, '/executions/x', `/approvals/${NOWHERE}`, '/approvals/x', '/jobs/nowhere', '/batches/gone',
    ];
    for (const path of paths) expectProblem(await h.get(path), 'not-found');
    for (const path of [`/runs/${NOWHERE}/cancel`, `/batches/${NOWHERE}/cancel`, `/approvals/${NOWHERE}/approve`, '/batches/nowhere/runs', '/jobs/nowhere/runs']) expectProblem(await h.post(path), 'not-found');
    expectProblem(await h.post(`/approvals/${NOWHERE}/reject`, { reason: 'no' }), 'not-found');
    expectProblem(await h.ask('DELETE', '/batches/nowhere'), 'not-found');
  });

  it('a wrong method is 405, and says which are taken', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/runs', 'GET, HEAD'], ['PATCH', `/runs/${ended}`, 'GET, HEAD'], ['GET', `/runs/${ended}/cancel`, 'POST'], ['POST', '/me', 'GET, HEAD'],
      ['PUT', '/batches', 'GET, HEAD, POST'], ['PATCH', '/batches/one', 'DELETE, GET, HEAD, PUT'], ['GET', `/approvals/${approval}/approve`, 'POST'], ['POST', '/live', 'GET, HEAD'],
    ] as const) {
      const answer = await h.ask(method, path);
      expectProblem(answer, 'method-not-allowed');
      expect([path, answer.headers.get('allow')]).toEqual([path, allow]);
    }
  });

  it('an answer that we do not give is 406', async () => {
    for (const accept of ['text/html', 'image/png']) expectProblem(await h.get('/runs', { headers: { accept } }), 'not-acceptable');
    for (const accept of ['application/json', '*/*', 'text/html, application/json;q=0.9', 'application/problem+json']) expect((await h.get('/runs', { headers: { accept } })).status).toBe(200);
  });

  it('a body over the limit is 413, and what fits is judged', async () => {
    expectProblem(await h.post('/batches', { name: 'big', steps: [work('a')], description: 'x'.repeat(1_200_000) }), 'payload-too-large');
    expectProblem(await h.post('/batches', { name: 'big', steps: [work('a')], description: 'x'.repeat(1_000_000) }), 'validation-failed');
  });

  it('a body of another kind is 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data; boundary=x']) {
      expectProblem(await h.post('/batches/one/runs', undefined, { raw: '{"parameters":{"n":1}}', headers: { 'content-type': type } }), 'unsupported-media-type');
    }
    expectProblem(await h.post('/batches/one/runs', undefined, { raw: '{}', headers: { 'content-encoding': 'compress' } }), 'unsupported-media-type');
    expectProblem(await h.post('/batches/one/runs', undefined, { raw: '{}', headers: { 'content-type': 'application/json; charset=latin1' } }), 'unsupported-media-type');
  });

  it('a malformed body is 400', async () => {
    for (const raw of ['{', '{"parameters":', '[]', 'null', '"x"', '1', '{"parameters":[]}', '{"other":1}', '{"reason":1}', '{"labels":{"a":1}}', '{"labels":{"":"x"}}']) {
      expect(expectProblem(await h.post('/batches/one/runs', undefined, { raw }), 'validation-failed').errors?.length).toBeGreaterThan(0);
    }
  });

  it('texts that no fact can hold are refused with their places', async () => {
    const answer = await h.post('/batches/one/runs', undefined, { raw: '{"parameters":{"n":1,"day":"a\\u0000"},"labels":{"team":"\\ud800"},"reason":"\\u0000"}' });
    expect(expectProblem(answer, 'validation-failed').errors?.map(({ path }) => path).sort()).toEqual(['/labels/team', '/parameters/day', '/reason']);
  });

  it('a malformed path is 400', async () => {
    expectProblem(await h.get('/runs/%E0%A4%A'), 'validation-failed');
  });

  it('what is no HTTP is refused without a word of the inside', async () => {
    const answer = await rawly(h, 'GET /runs HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    // Express leaves this to Node, which says nothing.
    if (adapter === 'Fastify') expect(answer).toMatch(/application\/problem\+json[^]*"type":"urn:sluice:validation-failed"/);
    expect(answer).not.toMatch(/\bat \S+ \(|node_modules/);
  });

  it.each([
    'limit=0', 'limit=501', 'limit=-1', 'limit=x', 'limit=', 'limit=1&limit=2', 'cursor=', 'cursor=x', 'cursor=%00', 'status=nothing', 'status=', 'status=failed&status=nothing', 'batch=',
    'label=team', 'label=', 'label=:x', 'trigger=nobody', 'startedAfter=yesterday', 'startedAfter=2026-01-01', 'startedBefore=2026-01-01T00:00:00', 'endedAfter=x', 'q=', `q=${'x'.repeat(201)}`, 'sort=name', 'sort=',
    'atLeast=', 'atLeast=a%20b', 'unknown=1',
  ])('GET /runs?%s is 400 with its place', async (query) => {
    const { errors = [] } = expectProblem(await h.get(`/runs?${query}`), 'validation-failed');
    const name = query.split('=')[0] ?? '';
    expect(JSON.stringify(errors)).toContain(name);
    expect(errors.map(({ message }) => message)).not.toContain('Invalid input');
  });

  it.each(['/runs?__proto__=1', '/runs?__proto__[x]=1', '/runs?constructor=1', '/batches?%5F_proto__=1', '/me?__proto__=1', '/live?__proto__=1', '/runs?toString=x'])('GET %s is 400', async (path) => {
    expectProblem(await h.get(path), 'validation-failed');
  });

  it('a job that nobody knows is named at a start, with its place in the definition', async () => {
    const inner = { id: 'both', type: 'parallel', branches: [{ steps: [work('b')] }, { steps: [{ ...work('c'), job: 'lost' }] }] };
    await h.define({ name: 'lost', steps: [work('a', {}, { compensate: { job: 'undo' } }), inner], onFailureSteps: [{ ...work('d'), job: 'tell' }] });
    const { errors = [] } = expectProblem(await h.post('/batches/lost/runs'), 'validation-failed');
    expect(errors.map(({ path, message }) => [path, /"(\w+)"/.exec(message)?.[1]])).toEqual([['/steps/0/compensate/job', 'undo'], ['/steps/1/branches/1/steps/0/job', 'lost'], ['/onFailureSteps/0/job', 'tell']]);
  });

  it.each(['/executions?status=nothing', '/executions?run=x', '/approvals?state=open', '/approvals?mine=yes', '/approvals?run=x', '/batches?source=air', '/batches?label=x', '/jobs?limit=0', '/runs/counts?limit=1', '/me?x=1', '/jobs/obey?x=1'])(
    'GET %s is 400',
    async (path) => {
      expectProblem(await h.get(path), 'validation-failed');
    },
  );

  it('keeps fields by whatever name they were sent, or says which can not be taken', async () => {
    await h.define({ name: 'wild', parameters: [{ name: 'of', kind: 'object' }], steps: [work('a')] });
    const of = { constructor: 'Eiffel', prototype: { constructor: 1 }, toString: 'x' };
    expect(await h.runOf('wild', { parameters: { of } })).toMatchObject({ status: 'completed', parameters: { of } });
    const { errors } = expectProblem(await h.post('/batches/one/runs', { parameters: { n: 1, constructor: 5 } }), 'validation-failed');
    expect(errors?.map(({ path }) => path)).toEqual(['/parameters/constructor']);
    expectProblem(await h.post('/batches/wild/runs', undefined, { raw: '{"parameters":{"of":{"a":[{"__proto__":{"b":1}}]}}}' }), 'validation-failed');
    expect((await h.post('/batches/wild/runs', { parameters: { of: { many: Array.from({ length: 100_000 }, () => 1) } } })).status).toBe(202);
  });

  it('parameters that do not fit are 400 with every fault', async () => {
    const answer = await h.post('/batches/one/runs', { parameters: { n: 'x', day: 1, more: true } });
    expect(expectProblem(answer, 'validation-failed').errors?.map(({ path }) => path).sort()).toEqual(['/parameters/day', '/parameters/more', '/parameters/n']);
    expect(expectProblem(await h.post('/batches/one/runs'), 'validation-failed').errors?.map(({ path }) => path)).toEqual(['/parameters/n']);
  });

  it.each<[ProblemSlug, (at: House) => Promise<Answer<unknown>>]>([
    ['run-already-ended', (at) => at.post(`/runs/${ended}/cancel`)],
    ['gate-already-decided', async (at) => {
      const run = await at.runOf('gated');
      const path = `/approvals/${run.approvals[0]?.id}/approve`;
      expect((await at.post(path, {}, { roles: 'boss' })).status).toBe(200);
      return at.post(path, {}, { roles: 'boss' });
    }],
    ['approval-stale', (at) => at.post(`/approvals/${approval}/approve`, { digest: '0'.repeat(64) }, { roles: 'boss' })],
    ['duplicate-name', (at) => at.post('/batches', { name: 'one', steps: [work('a')] })],
    ['batch-deleted', (at) => at.post('/batches/gone/runs')],
    ['version-conflict', (at) => at.ask('PUT', '/batches/gated', { body: { name: 'gated', steps: [work('a')] }, headers: { 'if-match': '"7"' } })],
    ['precondition-required', (at) => at.ask('PUT', '/batches/gated', { body: { name: 'gated', steps: [work('a')] } })],
    ['unauthenticated', (at) => at.get('/runs', { headers: { 'x-forwarded-for': '1.2.3.4' } })],
    ['forbidden', (at) => at.post(`/runs/${parked}/cancel`, {}, { roles: 'viewer' })],
  ])('%s', async (slug, refused) => {
    const answer = await refused(h);
    expectProblem(answer, slug);
  });

  it('HEAD answers like GET, without a body', async () => {
    for (const path of ['/me', '/runs', `/runs/${ended}`, '/batches/one', '/approvals', '/executions', `/runs/${ended}/events`, '/jobs', '/health/live']) {
      const [head, got] = [await h.ask('HEAD', path), await h.get(path)];
      expect([path, head.status, head.text]).toEqual([path, 200, '']);
      expect(head.headers.get('content-type')).toBe(got.headers.get('content-type'));
    }
    expect((await h.ask('HEAD', `/runs/${NOWHERE}`)).status).toBe(404);
    expect((await h.ask('HEAD', '/live')).status).toBe(200);
  });

  it('health is open to everybody', async () => {
    for (const path of ['/health/live', '/health/ready']) expect((await h.get(path, { headers: { 'x-forwarded-for': '1.2.3.4' } })).body).toEqual({ status: 'ok' });
    const front = await h.get('/');
    expect([front.status, front.headers.get('location')]).toEqual([302, '/dashboard']);
  });

  it('every command to a run whose stream can not be understood is 409, says what to do, and writes nothing to it', async () => {
    const log = h.app.get<EventReader & EventWriter>(LOG_READER, { strict: false });
    const run = await h.runOf('gated');
    const stream = `${h.app.get(Streams).prefix('run')}${run.id}`;
    const { revision, metadata } = (await log.readStream(stream)).at(-1)!;
    // A gate is not asked twice.
    const parked = (await log.readStream(stream)).find(({ type }) => type === 'GateParked')!;
    const again = sealFact({ stream, revision: revision + 1, prevHash: metadata.hash ?? '', id: ids.event(ids.freshCommand(), 0), type: 'GateParked', data: parked.data, metadata });
    const { position } = await log.append(stream, revision, [again]);
    const answers = [
      await h.post(`/runs/${run.id}/cancel`), await h.post(`/batches/${run.id}/cancel`), await h.post(`/runs/${run.id}/pause`), await h.post(`/runs/${run.id}/resume`), await h.post(`/runs/${run.id}/retry`),
      await h.post(`/approvals/${run.approvals[0]?.id}/approve`, {}, { roles: 'boss' }), await h.post(`/approvals/${run.approvals[0]?.id}/reject`, { reason: 'no' }, { roles: 'boss', key: 'once' }),
    ];
    for (const answer of answers) expect(expectProblem(answer, 'quarantined').detail).toMatch(/GateParked at revision \d+.*sluice verify/);
    expect((await log.readStream(stream)).at(-1)?.position).toBe(position);
    expect((await auditFacts(h)).filter(({ data }) => data.slug === 'quarantined')).toHaveLength(answers.length);
    expect((await h.runOf('one', { parameters: { n: 1 } })).status).toBe('completed');
  });

  it('what known people are refused by role or state stands in the audit stream before they are told', async () => {
    const as = `mallory-${adapter.toLowerCase()}`;
    const before = (await auditFacts(h)).length;
    await h.post(`/runs/${parked}/cancel`, {}, { as, roles: 'viewer' });
    await h.post(`/approvals/${approval}/approve`, {}, { as, roles: 'operator' });
    await h.post(`/runs/${ended}/cancel`, {}, { as, roles: 'operator' });
    await h.post(`/runs/${NOWHERE}/cancel`, {}, { as, roles: 'operator' });
    const said = (await auditFacts(h)).slice(before);
    expect(said.map(({ type, data }) => ({ type, actor: data.actor, roles: data.roles, door: data.door, command: data.command, slug: data.slug, runId: data.runId }))).toEqual([
      { type: 'CommandRefused', actor: as, roles: ['viewer'], door: `POST /runs/${parked}/cancel`, command: null, slug: 'forbidden', runId: undefined },
      { type: 'CommandRefused', actor: as, roles: ['operator'], door: `POST /approvals/${approval}/approve`, command: 'DecideGate', slug: 'forbidden', runId: parked },
      { type: 'CommandRefused', actor: as, roles: ['operator'], door: `POST /runs/${ended}/cancel`, command: 'CancelRun', slug: 'run-already-ended', runId: ended },
    ]);
    expect(said[1]?.data).toMatchObject({ approvalId: approval, stepId: 'ok', reason: expect.stringContaining('boss') });
  });
});
