/** Idempotency-Key: said again is not done again, for every mutation, also over a restart. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { verifyLog } from '../../src/audit/verify-log.js';
import { LOG_READER } from '../../src/log/event-reader.js';
import type { EventReader } from '../../src/log/event-reader.js';
import { ADAPTERS, type Answer, expectProblem, gate, House, type Json, type Listed, onBoth, work } from './house.js';

const EASY = { name: 'easy', parameters: [{ name: 'n', kind: 'integer', default: 1 }], steps: [work('a')] };

/** The second answer is the first, and says so. */
function expectAgain(second: Answer<unknown>, first: Answer<unknown>): void {
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect([second.status, second.body]).toEqual([first.status, first.body]);
  for (const name of ['sluice-position', 'location']) expect([name, second.headers.get(name)]).toEqual([name, first.headers.get(name)]);
}

onBoth('An Idempotency-Key', (house) => {
  let h: House;
  beforeAll(async () => {
    h = house();
    await h.define(EASY);
    await h.define({ name: 'hanging', steps: [work('a', { do: 'hang' })] });
    await h.define({ name: 'gated', steps: [gate('ok')] });
  });
  const totalOf = async (batch: string): Promise<number> => (await h.read<Listed<unknown>>(`/runs?batch=${batch}`)).total;

  it('starts one run, whatever the order of the body', async () => {
    const first = await h.post('/batches/easy/runs', { parameters: { n: 2 }, reason: 'once' }, { key: 'start' });
    expect(first.status).toBe(202);
    expectAgain(await h.post('/batches/easy/runs', { reason: 'once', parameters: { n: 2 } }, { key: 'start' }), first);
    await h.runIn(String(first.body.runId), 'completed');
    expectAgain(await h.post('/batches/easy/runs', { parameters: { n: 2 }, reason: 'once' }, { key: 'start' }), first);
  });

  it('with another body is refused, and nothing is done', async () => {
    const before = await totalOf('easy');
    const first = await h.post('/batches/easy/runs', { parameters: { n: 3 } }, { key: 'other' });
    await h.runIn(String(first.body.runId), 'completed');
    for (const body of [{ parameters: { n: 4 } }, {}, undefined, { parameters: { n: 3 }, labels: { a: 'b' } }]) expectProblem(await h.post('/batches/easy/runs', body, { key: 'other' }), 'idempotency-key-reused');
    expect(await totalOf('easy')).toBe(before + 1);
  });

  it('is its caller\'s, its path\'s and its own', async () => {
    const ask = { key: 'scoped' };
    const runs = [
      await h.post('/batches/easy/runs', {}, ask), await h.post('/batches/easy/runs', {}, { ...ask, as: 'ada' }), await h.post('/batches/hanging/runs', {}, ask),
      await h.post('/batches/easy/runs', {}, { key: 'scoped2' }), await h.post('/jobs/obey/runs', {}, ask), await h.post('/batches/easy/runs', {}), await h.post('/batches/easy/runs', {}),
    ];
    expect(new Set(runs.map(({ body }) => body.runId)).size).toBe(runs.length);
    expect(runs.map(({ headers }) => headers.get('idempotent-replayed'))).toEqual(runs.map(() => null));
  });

  it('said twenty times at once starts one run', async () => {
    const before = await totalOf('easy');
    const answers = await Promise.all(Array.from({ length: 20 }, () => h.post<{ runId: string; position: string }>('/batches/easy/runs', { reason: 'crowd' }, { key: 'crowd' })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.runId} ${body.position}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
    await h.runIn(answers[0]?.body.runId ?? '', 'completed');
    expect(await totalOf('easy')).toBe(before + 1);
  });

  it('cancels once, and gives the first answer when the run is over', async () => {
    const runId = await h.start('hanging');
    const first = await h.post(`/runs/${runId}/cancel`, { reason: 'enough' }, { key: 'stop' });
    expect(first.status).toBe(202);
    await h.runIn(runId, 'cancelled');
    expectAgain(await h.post(`/runs/${runId}/cancel`, { reason: 'enough' }, { key: 'stop' }), first);
    expectProblem(await h.post(`/runs/${runId}/cancel`, { reason: 'other' }, { key: 'stop' }), 'idempotency-key-reused');
  });

  it('approves once, and gives the first answer when the run is over', async () => {
    const run = await h.runOf('gated');
    const path = `/approvals/${run.approvals[0]?.id}/approve`;
    const first = await h.post(path, { note: 'fine' }, { key: 'yes', roles: 'boss' });
    expect(first.body).toMatchObject({ outcome: 'approved', given: 1, quorum: 1 });
    await h.runIn(run.id, 'completed');
    expectAgain(await h.post(path, { note: 'fine' }, { key: 'yes', roles: 'boss' }), first);
    expectProblem(await h.post(path, { note: 'else' }, { key: 'yes', roles: 'boss' }), 'idempotency-key-reused');
  });

  it('rejects once', async () => {
    const run = await h.runOf('gated');
    const path = `/approvals/${run.approvals[0]?.id}/reject`;
    const first = await h.post(path, { reason: 'no' }, { key: 'no', roles: 'boss' });
    await h.runIn(run.id, 'failed');
    expectAgain(await h.post(path, { reason: 'no' }, { key: 'no', roles: 'boss' }), first);
  });

  it('pauses once, also where the run was paused already: said again after the run was resumed, it stays resumed', async () => {
    const run = await h.runOf('gated');
    await h.post(`/runs/${run.id}/pause`);
    const first = await h.post(`/runs/${run.id}/pause`, { reason: 'wait' }, { key: 'still' });
    expect(first.status).toBe(202);
    await h.post(`/runs/${run.id}/resume`);
    expectAgain(await h.post(`/runs/${run.id}/pause`, { reason: 'wait' }, { key: 'still' }), first);
    expectProblem(await h.post(`/runs/${run.id}/pause`, { reason: 'other' }, { key: 'still' }), 'idempotency-key-reused');
    expect(await h.read(`/runs/${run.id}`)).toMatchObject({ paused: false });
  });

  it('of a person who has approved already, and of a run that is being cancelled, gives the first answers when all is over', async () => {
    await h.define({ name: 'two-sign', steps: [gate('ok', { quorum: 2 })] });
    const run = await h.runOf('two-sign');
    const path = `/approvals/${run.approvals[0]?.id}/approve`;
    await h.post(path, {}, { roles: 'boss', as: 'ada' });
    const again = { roles: 'boss', as: 'ada', key: 'mine' };
    const first = await h.post(path, {}, again);
    expect(first.body).toMatchObject({ outcome: null, given: 1, quorum: 2 });
    await h.post(path, {}, { roles: 'boss', as: 'bob' });
    await h.runIn(run.id, 'completed');
    expectAgain(await h.post(path, {}, again), first);
    await h.define({ name: 'stubborn', steps: [work('a', { do: 'stubborn', ms: 4_000 }, { cancelGrace: '10s' })] });
    const runId = await h.start('stubborn');
    await h.until<Listed<unknown>>(`/executions?run=${runId}&status=running`, ({ items }) => items.length === 1);
    await h.post(`/runs/${runId}/cancel`);
    const cancelled = await h.post(`/runs/${runId}/cancel`, {}, { key: 'twice' });
    expect(cancelled).toMatchObject({ status: 202, body: { status: 'cancelling' } });
    await h.runIn(runId, 'cancelled');
    expectAgain(await h.post(`/runs/${runId}/cancel`, {}, { key: 'twice' }), cancelled);
  });

  it('of a definition that changes nothing does not bring it back later, nor serve another batch', async () => {
    await h.define({ ...EASY, name: 'stays' });
    const put = (title: string | undefined, version: string, key?: string): Promise<Answer<Json>> => h.ask('PUT', '/batches/stays', { body: { ...EASY, name: 'stays', ...(title && { title }) }, headers: { 'if-match': version }, ...(key && { key }) });
    const first = await put(undefined, '"1"', 'same');
    expect([first.status, first.body.version]).toEqual([200, 1]);
    await put('Two', '"1"');
    expectAgain(await put(undefined, '"1"', 'same'), first);
    expect(await h.read('/batches/stays')).toMatchObject({ version: 2 });
    expect((await h.post('/batches', { ...EASY, name: 'stays', title: 'Two' }, { key: 'again' })).status).toBe(409);
  });

  it('saves a batch once, also when it has changed since', async () => {
    const first = await h.post('/batches', { ...EASY, name: 'saved' }, { key: 'save' });
    expect([first.status, first.body.version]).toEqual([201, 1]);
    expectAgain(await h.post('/batches', { ...EASY, name: 'saved' }, { key: 'save' }), first);
    const changed = await h.ask('PUT', '/batches/saved', { body: { ...EASY, name: 'saved', title: 'Two' }, headers: { 'if-match': '"1"' }, key: 'change' });
    expect([changed.status, changed.body.version]).toEqual([200, 2]);
    expectAgain(await h.post('/batches', { ...EASY, name: 'saved' }, { key: 'save' }), first);
    expectAgain(await h.ask('PUT', '/batches/saved', { body: { ...EASY, name: 'saved', title: 'Two' }, headers: { 'if-match': '"1"' }, key: 'change' }), changed);
  });

  it('of one batch does not save another', async () => {
    expect((await h.post('/batches', { ...EASY, name: 'this' }, { key: 'which' })).status).toBe(201);
    expectProblem(await h.post('/batches', { ...EASY, name: 'that' }, { key: 'which' }), 'idempotency-key-reused');
    expectProblem(await h.get('/batches/that'), 'not-found');
    const both = await Promise.all(['left', 'right'].map((name) => h.post('/batches', { ...EASY, name }, { key: 'race' })));
    expect(both.map(({ status }) => status).sort()).toEqual([201, 422]);
  });

  it('deletes once', async () => {
    await h.define({ ...EASY, name: 'doomed' });
    const first = await h.ask('DELETE', '/batches/doomed', { key: 'gone' });
    expect([first.status, first.text]).toEqual([204, '']);
    const second = await h.ask('DELETE', '/batches/doomed', { key: 'gone' });
    expect([second.status, second.headers.get('idempotent-replayed'), second.headers.get('sluice-position')]).toEqual([204, 'true', first.headers.get('sluice-position')]);
  });

  it('is 1 to 255 printable characters', async () => {
    expect((await h.post('/batches/easy/runs', {}, { key: 'x'.repeat(255) })).status).toBe(202);
    for (const key of ['x'.repeat(256), 'é']) expect(expectProblem(await h.post('/batches/easy/runs', {}, { key }), 'validation-failed').errors).toMatchObject([{ path: '/headers/idempotency-key' }]);
  });
});

describe.each(ADAPTERS)('An Idempotency-Key, over a restart on %s', (adapter) => {
  it('gives the first answers also where there was nothing to do', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
    try {
      let h = await House.open(adapter, { directory });
      await h.define({ name: 'gated', steps: [gate('ok')] });
      const { id } = await h.runOf('gated');
      await h.post(`/runs/${id}/pause`);
      const first = await h.post(`/runs/${id}/pause`, {}, { key: 'k' });
      await h.post(`/runs/${id}/resume`);
      await h.close();
      h = await House.open(adapter, { directory });
      expectAgain(await h.post(`/runs/${id}/pause`, {}, { key: 'k' }), first);
      expectProblem(await h.post(`/runs/${id}/pause`, { reason: 'x' }, { key: 'k' }), 'idempotency-key-reused');
      expect(await verifyLog(h.app.get<EventReader>(LOG_READER, { strict: false }))).toMatchObject({ faults: [] });
      await h.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('gives the first answers, and none to another body', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
    const open = (): Promise<House> => House.open(adapter, { directory });
    try {
      let h = await open();
      const saved = await h.post('/batches', EASY, { key: 'k' });
      const started = await h.post('/batches/easy/runs', { parameters: { n: 5 } }, { key: 'k' });
      await h.runIn(String(started.body.runId), 'completed');
      await h.close();
      h = await open();
      expectAgain(await h.post('/batches', EASY, { key: 'k' }), saved);
      expectAgain(await h.post('/batches/easy/runs', { parameters: { n: 5 } }, { key: 'k' }), started);
      expectProblem(await h.post('/batches/easy/runs', { parameters: { n: 6 } }, { key: 'k' }), 'idempotency-key-reused');
      expectProblem(await h.post('/batches', { ...EASY, name: 'another' }, { key: 'k' }), 'idempotency-key-reused');
      expect(await h.read('/runs')).toMatchObject({ total: 1 });
      await h.close();
      expect(h.faults).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
