import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, list, problem, StandIn } from '../../test/cli/stand-in.js';

const BATCH = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
const RUN = '7d4df3de-0fb5-5f3c-8a6f-3c1f5a1e9b02';
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

describe('sluice schedules', () => {
  const row = { batchId: BATCH, batchName: 'nightly', cron: '30 2 * * *', timeZone: 'Europe/Stockholm', paused: false, nextDue: '2026-11-25T01:30:00.000Z', lastOccurrence: { due: '2026-11-24T01:30:00.000Z', outcome: 'skipped', reason: 'overlap', runId: null } };

  it('lists them, with and without the word', async () => {
    server.on('GET /schedules', list([row, { ...row, batchName: 'hourly', paused: true, nextDue: null, lastOccurrence: null }]));
    const { code, out } = await ask(server.url, ['schedules']);
    expect(code).toBe(0);
    expect(out).toMatch(/^nightly {2}30 2 \* \* \* {2}Europe\/Stockholm {2}2026-11-25 01:30:00Z {2}2026-11-24 01:30:00Z skipped \(overlap\)$/m);
    expect(out).toMatch(/^hourly .* paused/m);
    expect((await ask(server.url, ['schedules', 'list', '--limit', '7'])).out).toBe(out);
    expect(server.asked[1]?.query.get('limit')).toBe('7');
  });

  it('pauses, resumes and triggers one', async () => {
    server.on('POST /batches/nightly/schedule/pause', { body: { paused: true, nextDue: null, position: '1' } });
    server.on('POST /batches/nightly/schedule/resume', { body: { paused: false, nextDue: row.nextDue, position: '2' } });
    server.on('POST /batches/nightly/schedule/trigger', { status: 202, body: { runId: RUN, position: '3' } });
    expect((await ask(server.url, ['schedules', 'pause', 'nightly', '-m', 'holiday'])).out).toBe('The schedule of nightly is paused.\n');
    expect((await ask(server.url, ['schedules', 'resume', 'nightly'])).out).toContain('it is due next at 2026-11-25 01:30:00Z');
    expect((await ask(server.url, ['schedules', 'trigger', 'nightly'])).out).toBe(`Run ${RUN} has begun.\n`);
    expect(server.asked.map(({ body }) => body)).toEqual([{ reason: 'holiday' }, {}, {}]);
  });

  it('tells what became of occurrences, and the sums', async () => {
    const items = [{ due: '2026-11-24T01:30:00.000Z', outcome: 'fired', reason: null, runId: RUN, at: null }, { due: '2026-11-23T01:30:00.000Z', outcome: 'missed', reason: 'down', runId: null, at: null }];
    server.on('GET /batches/nightly/schedule/occurrences', { body: { items, nextCursor: null, total: 2, totalIs: 'exact', expected: 2, fired: 1, skipped: 0, missed: 1, pending: 0, unexplained: 0 } });
    const { out } = await ask(server.url, ['schedules', 'occurrences', 'nightly', '--from', '2026-11-23T00:00:00Z']);
    expect(out).toMatch(/fired +7d4df3de[^]*missed \(down\)[^]*2 expected: 1 fired, 0 skipped, 1 missed, 0 pending, 0 unexplained\.\n$/);
  });

  it('says what a backfill would start, and waits until its runs have ended', async () => {
    const range = ['--from', '2026-11-23T00:00:00Z', '--to', '2026-11-24T00:00:00Z'];
    server.on('POST /batches/nightly/schedule/backfill', [{ body: { dryRun: true, total: 1, items: [{ due: '2026-11-23T01:30:00.000Z', outcome: 'missed' }] } }, { status: 202, body: { backfillId: RUN, total: 2, position: '4' } }]);
    expect((await ask(server.url, ['schedules', 'backfill', 'nightly', ...range, '--dry-run'])).out).toBe('1 run would be started.\n  2026-11-23 01:30:00Z  missed\n');
    const at = (done: number, completed: number, failed: number, endedAt: string | null) => ({ body: { id: RUN, total: 2, done, endedAt, runs: { completed, failed } } });
    server.on(`GET /batches/nightly/schedule/backfills/${RUN}`, [at(1, 0, 0, null), at(2, 1, 0, row.nextDue), at(2, 1, 1, row.nextDue)]);
    const { code, out } = await ask(server.url, ['schedules', 'backfill', 'nightly', ...range, '--again', '--watch']);
    expect(out).toContain('2 of 2 begun, 2 ended, 1 of them not well.');
    expect(code).toBe(1);
    expect(server.asked.map(({ body }) => body).filter((body) => body !== undefined)).toMatchObject([{ again: false, dryRun: true }, { again: true, dryRun: false }]);
  });

  it('ends with 1 when there is no schedule', async () => {
    server.on('POST /batches/other/schedule/pause', problem('not-found', 404, 'Batch other has no schedule.'));
    expect(await ask(server.url, ['schedules', 'pause', 'other'])).toMatchObject({ code: 1, out: '' });
  });
});
