import { describe, expect, it } from '@jest/globals';
import { expectProblem, onBoth } from './house.js';
import type { Json } from './house.js';

onBoth('Schedules', (house) => {
  describe('preview', () => {
    const preview = (query: string) => house().ask<{ items: readonly { due: string }[]; errors?: readonly { path: string; message: string }[] }>('GET', `/schedules/preview?${query}`);

    it('tells the next moments of a rule in its zone', async () => {
      const { status, body } = await preview('cron=30%202%20*%20*%20*&timeZone=Europe/Stockholm&count=3&from=2026-03-28T00:00:00Z');
      expect(status).toBe(200);
      expect(body).toEqual({ items: [{ due: '2026-03-28T01:30:00.000Z' }, { due: '2026-03-29T01:00:00.000Z' }, { due: '2026-03-30T00:30:00.000Z' }] });
    });

    it('begins now, in UTC, with ten', async () => {
      const { body } = await preview('cron=@hourly');
      expect(body.items).toHaveLength(10);
      expect(Date.parse(body.items[0]!.due)).toBeGreaterThan(Date.now() - 60_000);
    });

    it('tells the place of a fault', async () => {
      expect((await preview('cron=0%2025%20*%20*%20*')).body.errors).toEqual([{ path: '/cron', message: 'Field 2 of the cron rule, the hour, does not parse: "25".' }]);
      expect((await preview('cron=0%200%20*%20*%20*%20*%202027')).body.errors?.[0]?.message).toContain('this one has 7');
      expect((await preview('cron=@reboot')).body.errors?.[0]?.message).toContain('@daily');
      expect((await preview('cron=@daily&timeZone=Mars/Olympus&count=0')).body.errors?.map(({ path }) => path)).toEqual(['/timeZone', '/count']);
      expect((await preview('timeZone=UTC')).status).toBe(400);
      expect((await preview('cron=*%20*%20*%20*%20*%20*&from=9999-12-31T23:59:00Z')).body.errors).toEqual([{ path: '/from', message: 'must be between 1970 and 9000' }]);
    });
  });

  describe('of a batch', () => {
    const scheduled = (name: string, schedule: object, more: object = {}): object => ({ name, steps: [{ id: 'a', type: 'job', job: 'obey' }], schedule, ...more });
    const yearly = { cron: '0 0 1 1 *', timeZone: 'Europe/Stockholm' };
    const seen = async (path: string): Promise<Json> => {
      const { position } = (await house().read<{ asOf: { position: string } }>('/schedules')).asOf;
      return house().read<Json>(`${path}${path.includes('?') ? '&' : '?'}atLeast=${position}`);
    };
    /** It is taken over a moment after the batch is defined: pausing takes it over at once. */
    const defined = async (name: string, schedule: object = yearly, more: object = {}): Promise<void> => {
      expect((await house().post('/batches', scheduled(name, schedule, more))).status).toBe(201);
      await house().post(`/batches/${name}/schedule/resume`);
    };

    it('are listed, paused with a reason, and resumed', async () => {
      const h = house();
      await defined('yearly');
      const paused = await h.post<{ paused: boolean; position: string }>('/batches/yearly/schedule/pause', { reason: 'holiday' }, { key: 'pause-1' });
      expect([paused.status, paused.body.paused]).toEqual([200, true]);
      const held = (await h.read<{ items: Json[] }>(`/schedules?atLeast=${paused.body.position}`)).items.find(({ batchName }) => batchName === 'yearly');
      expect(held).toMatchObject({ paused: true, pause: { by: 'dev', reason: 'holiday', since: expect.stringMatching(/Z$/) }, nextDue: null });
      const resumed = await h.post<{ nextDue: string; position: string }>('/batches/yearly/schedule/resume');
      expect(resumed.body.nextDue).toMatch(/^\d{4}-12-31T23:00:00.000Z$/);
      const again = await h.post<{ paused: boolean }>('/batches/yearly/schedule/pause', { reason: 'holiday' }, { key: 'pause-1' });
      expect([again.body, again.headers.get('idempotent-replayed')]).toEqual([paused.body, 'true']);
      expectProblem(await h.post('/batches/yearly/schedule/pause', { reason: 'other' }, { key: 'pause-1' }), 'idempotency-key-reused');
      const { items } = await h.read<{ items: Json[] }>(`/schedules?atLeast=${resumed.body.position}`);
      expect(items.find(({ batchName }) => batchName === 'yearly')).toMatchObject({ cron: '0 0 1 1 *', timeZone: 'Europe/Stockholm', paused: false, pause: null, nextDue: resumed.body.nextDue, lastOccurrence: null });
    });

    it('tell what is expected, also of what is to come', async () => {
      await defined('expected');
      const year = new Date().getUTCFullYear();
      const told = await seen(`/batches/expected/schedule/occurrences?from=${year}-01-01T00:00:00Z&to=${year + 3}-01-01T00:00:00Z`);
      expect(told).toMatchObject({ expected: 3, fired: 0, skipped: 0, missed: 0, pending: 3, unexplained: 0, total: 3, nextCursor: null });
      expect(told['items']).toMatchObject([{ outcome: 'pending' }, { outcome: 'pending' }, { outcome: 'pending', due: `${year}-12-31T23:00:00.000Z`, runId: null, reason: null, at: null }]);
      const page = await seen(`/batches/expected/schedule/occurrences?from=${year}-01-01T00:00:00Z&to=${year + 3}-01-01T00:00:00Z&limit=2`);
      expect(await seen(`/batches/expected/schedule/occurrences?from=${year}-01-01T00:00:00Z&to=${year + 3}-01-01T00:00:00Z&limit=2&cursor=${String(page['nextCursor'] as string)}`)).toMatchObject({ items: [{ due: `${year}-12-31T23:00:00.000Z` }], nextCursor: null });
    });

    it('start a run now with what the schedule gives, and runs of the past only where there are any', async () => {
      const h = house();
      await defined('now', { ...yearly, parameters: { day: '{{ occurrence.date }}' } }, { parameters: [{ name: 'day', kind: 'string', required: true }] });
      const { status, body } = await h.post<{ runId: string }>('/batches/now/schedule/trigger', { reason: 'why not' });
      expect(status).toBe(202);
      const run = await h.runIn(body.runId, 'completed');
      expect(run).toMatchObject({ trigger: { type: 'api' }, reason: 'why not', parameters: { day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) } });
      const range = { from: '2026-01-01T00:00:00Z', to: new Date().toISOString() };
      expect(await h.post('/batches/now/schedule/backfill', { ...range, dryRun: true })).toMatchObject({ status: 200, body: { dryRun: true, total: 0, items: [] } });
      expectProblem(await h.post('/batches/now/schedule/backfill', { from: range.to, to: range.from }), 'validation-failed');
      expectProblem(await h.post('/batches/now/schedule/backfill', { from: range.from, to: '2999-01-01T00:00:00Z' }), 'validation-failed');
    });

    it('give the first answer to a trigger that is said again, whatever has become of the schedule', async () => {
      const h = house();
      await defined('gone-since');
      const first = await h.post<{ runId: string }>('/batches/gone-since/schedule/trigger', {}, { key: 'trigger-1' });
      expect(first.status).toBe(202);
      expect((await h.ask('DELETE', '/batches/gone-since')).status).toBeLessThan(300);
      expect(await h.post('/batches/gone-since/schedule/trigger', {}, { key: 'trigger-1' })).toMatchObject({ status: 202, body: { runId: first.body.runId } });
      expectProblem(await h.post('/batches/gone-since/schedule/trigger', { reason: 'another' }, { key: 'trigger-1' }), 'idempotency-key-reused');
      expectProblem(await h.post('/batches/gone-since/schedule/trigger', {}, { key: 'trigger-2' }), 'not-found');
      await seen('/batches?limit=1');
      const past = { from: '2026-01-01T00:00:00Z', to: new Date().toISOString() };
      for (const dryRun of [true, false]) expectProblem(await h.post('/batches/gone-since/schedule/backfill', { ...past, dryRun }), 'not-found');
    });

    it('are not there where there are none', async () => {
      const h = house();
      await h.post('/batches', { name: 'plain', steps: [{ id: 'a', type: 'job', job: 'obey' }] });
      for (const dryRun of [true, false]) expectProblem(await h.post('/batches/plain/schedule/backfill', { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', dryRun }), 'not-found');
      for (const door of ['pause', 'resume', 'trigger']) expectProblem(await h.post(`/batches/plain/schedule/${door}`), 'not-found');
      expectProblem(await h.get('/batches/plain/schedule/occurrences'), 'not-found');
      expectProblem(await h.post('/batches/plain/schedule/pause', {}, { roles: 'viewer' }), 'forbidden');
      expectProblem(await h.get(`/batches/plain/schedule/backfills/${'0'.repeat(8)}`), 'not-found');
    });
  });
});
