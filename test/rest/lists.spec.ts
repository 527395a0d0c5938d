/** Lists: pages, order, filters, totals, counts, and reading one's own writes. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RunDetail } from '../../src/runs/run-detail.queries.js';
import { expectProblem, gate, type House, type Json, type Listed, onBoth, work } from './house.js';

interface Row {
  readonly id: string;
  readonly status: string;
  readonly batchName: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly startedBy: string;
  readonly reason: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

async function walk<T extends { readonly id: string }>(at: House, path: string, between: () => Promise<unknown> = () => Promise.resolve()): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: Listed<T> = await at.read(`${path}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    rows.push(...page.items);
    cursor = page.nextCursor;
    await between();
  }
  return rows;
}

onBoth('Lists', (house) => {
  let h: House;
  let all: readonly Row[] = [];
  let batchId = '';
  beforeAll(async () => {
    h = house();
    batchId = await h.define({ name: 'quick', steps: [work('a')], labels: { team: 'ops' } });
    await h.define({ name: 'bad', steps: [work('a', { do: 'fail-terminal' })], labels: { team: 'finance' }, description: 'Of the _books_ 100%' });
    await h.define({ name: 'gated', steps: [gate('ok')], labels: { team: 'finance', region: 'eu' } });
    const started = [
      await h.start('quick', { labels: { day: 'mon', empty: '' }, reason: '100% sure' }, { as: 'ada' }), await h.start('quick', { labels: { day: 'tue' }, reason: '100x sure' }, { as: 'ben' }),
      await h.start('bad', { reason: 'under_score' }), await h.start('bad', { reason: 'underXscore' }), await h.start('gated'), await h.start('gated', { labels: { day: 'mon' } }),
      await h.start('quick'),
    ];
    for (const runId of started) await h.runIn(runId, 'completed', 'failed', 'parked');
    all = (await h.read<Listed<Row>>('/runs?limit=500')).items;
    expect(all).toHaveLength(7);
  });

  const matching = async (query: string, right: (row: Row) => boolean): Promise<void> => {
    const page = await h.read<Listed<Row>>(`/runs?limit=500&${query}`);
    const expected = idsOf(all.filter(right));
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan(all.length);
    expect(idsOf(page.items)).toEqual(expected);
    expect(page).toMatchObject({ total: expected.length, totalIs: 'exact', nextCursor: null });
    const counts = await h.read<{ total: number; byStatus: Record<string, number> }>(`/runs/counts?${query}`);
    const recount = Object.fromEntries(Object.keys(counts.byStatus).map((status) => [status, page.items.filter((row) => row.status === status).length]));
    expect(counts).toMatchObject({ total: expected.length, byStatus: recount });
  };

  describe('filters of runs', () => {
    it('one status', () => matching('status=failed', ({ status }) => status === 'failed'));
    it('several statuses', () => matching('status=failed&status=parked', ({ status }) => status !== 'completed'));
    it('a batch by name', () => matching('batch=quick', ({ batchName }) => batchName === 'quick'));
    it('a batch by id', () => matching(`batch=${batchId.toUpperCase()}`, ({ batchName }) => batchName === 'quick'));
    it('a batch and a status', () => matching('batch=gated&status=parked', ({ batchName }) => batchName === 'gated'));
    it('a label of the run', () => matching('label=day:mon', ({ labels }) => labels.day === 'mon'));
    it('a label of the batch', () => matching('label=team:finance', ({ labels }) => labels.team === 'finance'));
    it('two labels, which must both be there', () => matching('label=team:finance&label=day:mon', ({ labels }) => labels.team === 'finance' && labels.day === 'mon'));
    it('a label without a value', () => matching('label=empty:', ({ labels }) => labels.empty === ''));
    it('who started it', () => matching('startedBy=ada', ({ startedBy }) => startedBy === 'ada'));
    it('text in the reason, where % and _ are themselves', async () => {
      await matching('q=100%25', ({ reason }) => reason === '100% sure');
      await matching('q=under_s', ({ reason }) => reason === 'under_score');
    });
    it('text in any case, of names too', () => matching('q=QUIC', ({ batchName }) => batchName === 'quick'));
    it('all of several', () => matching('status=completed&q=sure&startedBy=ben', ({ startedBy }) => startedBy === 'ben'));
    it('the times at which they began and ended', async () => {
      const [newest, , , middle] = all;
      await matching(`startedBefore=${newest?.startedAt ?? ''}`, ({ startedAt }) => startedAt < (newest?.startedAt ?? ''));
      await matching(`startedAfter=${middle?.startedAt ?? ''}`, ({ startedAt }) => startedAt >= (middle?.startedAt ?? ''));
      const ends = all.flatMap(({ endedAt }) => endedAt ?? []).sort();
      await matching(`endedAfter=${ends.at(-1)}`, ({ endedAt }) => endedAt !== null && endedAt >= (ends.at(-1) ?? ''));
    });
    it('a time with another zone is the same time', async () => {
      const at = all[3]?.startedAt ?? '';
      const elsewhere = `${new Date(Date.parse(at) + 7_200_000).toISOString().slice(0, -1)}+02:00`;
      await matching(`startedAfter=${encodeURIComponent(elsewhere)}`, ({ startedAt }) => startedAt >= at);
    });
    it('the trigger', async () => {
      expect(await h.read('/runs?trigger=api&trigger=code')).toMatchObject({ total: 7 });
      expect(await h.read('/runs?trigger=schedule')).toMatchObject({ total: 0, items: [], nextCursor: null });
    });
    it('nothing that is not there', async () => {
      expect(await h.read('/runs?batch=nowhere')).toMatchObject({ total: 0, items: [] });
      expect(await h.read(`/runs/counts?batch=${randomUUID()}`)).toMatchObject({ total: 0, byStatus: { completed: 0, parked: 0 } });
    });
  });

  it('without a filter the counts are those of all', async () => {
    const { total, byStatus } = await h.read<{ total: number; byStatus: Record<string, number> }>('/runs/counts');
    expect(total).toBe(7);
    expect(byStatus).toEqual({ running: 0, parked: 2, failing: 0, compensating: 0, cancelling: 0, completed: 3, failed: 2, cancelled: 0 });
  });

  describe('order', () => {
    it.each([1, 2, 3, 6, 7, 8])('pages of %d hold every run once, newest first', async (limit) => {
      const rows = await walk<Row>(h, `/runs?limit=${limit}`);
      expect(idsOf(rows)).toEqual(idsOf(all));
      expect(rows.map(({ startedAt }) => startedAt)).toEqual(all.map(({ startedAt }) => startedAt).sort().reverse());
    });

    it.each(['-startedAt', '+startedAt', '%2BstartedAt', '-durationMs', '+durationMs'])('sort=%s, over pages too', async (sort) => {
      const [whole, paged] = [(await h.read<Listed<Row>>(`/runs?sort=${sort}&limit=500`)).items, await walk<Row>(h, `/runs?sort=${sort}&limit=2`)];
      expect(idsOf(paged)).toEqual(idsOf(whole));
      expect(new Set(idsOf(whole))).toEqual(new Set(idsOf(all)));
      const values = whole.map((row) => (sort.includes('duration') ? (row.durationMs ?? -1) : Date.parse(row.startedAt)));
      expect(values).toEqual([...values].sort((one, other) => (sort.startsWith('-') ? other - one : one - other)));
    });

    it('a cursor belongs to its own order and its own list', async () => {
      const { nextCursor } = await h.read<Listed<Row>>('/runs?limit=2');
      for (const path of [`/runs?sort=-durationMs&cursor=${nextCursor}`, `/runs?sort=%2BstartedAt&cursor=${nextCursor}`, `/executions?cursor=${nextCursor}`, `/approvals?cursor=${nextCursor}`, `/batches?cursor=${nextCursor}`, `/jobs?cursor=${nextCursor}`]) {
        expect(expectProblem(await h.get(path), 'validation-failed').errors).toMatchObject([{ path: '/cursor' }]);
      }
      for (const cursor of ['e30', 'bnVsbA', `${nextCursor}x`, '"']) expectProblem(await h.get(`/runs?cursor=${encodeURIComponent(cursor)}`), 'validation-failed');
    });

    it.each(['/executions', '/approvals', '/batches'])('pages of %s hold every row once', async (path) => {
      const whole = (await h.read<Listed<Row>>(`${path}?limit=500`)).items;
      expect(whole.length).toBeGreaterThan(1);
      for (const limit of [1, 2, 3]) expect(idsOf(await walk(h, `${path}?limit=${limit}`))).toEqual(idsOf(whole));
    });
  });

  describe('filters of executions', () => {
    const some = async (query: string): Promise<readonly Json[]> => {
      const page = await h.read<Listed<Json>>(`/executions?limit=500&${query}`);
      expect(page.total).toBe(page.items.length);
      return page.items;
    };
    it('by status, run, batch, job, worker, time and text', async () => {
      const rows = (await h.read<Listed<Json & { readonly queuedAt: string }>>('/executions?limit=500')).items;
      expect(rows).toHaveLength(5);
      expect(await some('status=failed')).toEqual(rows.filter(({ status }) => status === 'failed'));
      expect(await some('status=failed&status=succeeded')).toHaveLength(5);
      expect(await some(`run=${String(rows[0]?.runId)}`)).toEqual([rows[0]]);
      expect(await some('batch=quick')).toEqual(rows.filter(({ batchName }) => batchName === 'quick'));
      expect(await some(`worker=${String(rows[0]?.worker)}`)).toHaveLength(5);
      expect(await some('job=obey')).toHaveLength(5);
      expect(await some('job=other')).toEqual([]);
      const at = rows[2]?.queuedAt ?? '';
      expect(await some(`from=${at}`)).toEqual(rows.filter(({ queuedAt }) => queuedAt >= at));
      expect(await some(`to=${at}`)).toEqual(rows.filter(({ queuedAt }) => queuedAt < at));
      expect(await some('q=told%20to%20fail')).toEqual(rows.filter(({ status }) => status === 'failed'));
      expect(await some('q=%25')).toEqual([]);
    });
  });

  describe('filters of approvals and batches', () => {
    it('approvals by state and run', async () => {
      const { items } = await h.read<Listed<Json>>('/approvals');
      expect(items).toHaveLength(2);
      expect(await h.read(`/approvals?run=${String(items[1]?.runId)}`)).toMatchObject({ total: 1, items: [items[1]] });
      expect(await h.read('/approvals?state=pending')).toMatchObject({ total: 2 });
      expect(await h.read('/approvals?state=decided')).toMatchObject({ total: 0, items: [] });
    });

    it('batches by text, label and source', async () => {
      const names = async (query: string): Promise<unknown[]> => (await h.read<Listed<Json>>(`/batches?${query}`)).items.map(({ name }) => name).sort();
      expect(await names('q=gat')).toEqual(['gated']);
      expect(await names('q=_books_')).toEqual(['bad']);
      expect(await names('q=100%25')).toEqual(['bad']);
      expect(await names('q=_')).toEqual(['bad']);
      expect(await names('label=team:finance')).toEqual(['bad', 'gated']);
      expect(await names('label=team:finance&label=region:eu')).toEqual(['gated']);
      expect(await names('source=api')).toEqual(['bad', 'gated', 'quick']);
      expect(await names('source=code')).toEqual(['coded']);
    });
  });

  describe('one reads one\'s own writes', () => {
    it('with atLeast the row of a start is there at once', async () => {
      const { body } = await h.post<{ runId: string; position: string }>('/batches/gated/runs');
      const detail = await h.get<RunDetail>(`/runs/${body.runId}?atLeast=${body.position}`);
      expect(detail.status).toBe(200);
      expect(detail.body.position >= body.position).toBe(true);
      const list = await h.read<Listed<Row>>(`/runs?limit=1&atLeast=${body.position}`);
      expect(list.items[0]?.id).toBe(body.runId);
      expect(list.asOf.position >= body.position).toBe(true);
      await h.post(`/runs/${body.runId}/cancel`);
      await h.runIn(body.runId, 'cancelled');
    });

    it.each(['/me', '/jobs', '/jobs/obey', '/batches', '/batches/quick', '/batches/quick/versions', '/batches/quick/versions/1', '/runs', '/runs/counts', '/executions', '/approvals'])(
      'GET %s waits for a position that is not reached, then says when to ask again',
      async (path) => {
        const answer = await h.get(`${path}?atLeast=9999999999999999`);
        expect(expectProblem(answer, 'not-caught-up').detail).toContain('9999999999999999');
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      },
    );

    it('so do the doors of one thing', async () => {
      const [run] = all;
      for (const path of [`/runs/${run?.id}`, `/runs/${run?.id}/events`, `/executions/${randomUUID()}`, `/approvals/${randomUUID()}`]) expectProblem(await h.get(`${path}?atLeast=9999999999999999`), 'not-caught-up');
    });

    it('a position of the past is reached', async () => {
      expect((await h.get('/runs?atLeast=0000000000000001')).status).toBe(200);
    });
  });

  // The last: it leaves more runs than the others count on.
  it('while runs start, a walk repeats none and leaves none out that was there', async () => {
    const before = idsOf((await h.read<Listed<Row>>('/runs?limit=500')).items);
    for (const limit of [1, 3]) {
      const seen = idsOf(await walk<Row>(h, `/runs?limit=${limit}`, () => h.start('quick')));
      expect(seen.length).toBe(new Set(seen).size);
      expect(seen.filter((id) => before.includes(id))).toEqual(before);
    }
  });
}, { readWaitMs: 150, batches: [{ name: 'coded', steps: [{ id: 'a', type: 'job', job: 'obey' }] }] });
