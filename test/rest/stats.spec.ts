/** Runs over time. */
import { beforeAll, expect, it } from '@jest/globals';
import { expectProblem, gate, onBoth, work } from './house.js';

interface Stats {
  readonly items: readonly { readonly bucket: string; readonly started: number; readonly byStatus: Readonly<Record<string, number>> }[];
  readonly asOf: { readonly position: string };
}

const HOUR_MS = 3_600_000;

onBoth('Runs over time', (house) => {
  let startedAt: number[] = [];
  beforeAll(async () => {
    const h = house();
    await h.define({ name: 'quick', steps: [work('a')] });
    await h.define({ name: 'gated', steps: [gate('ok')] });
    const runs = [await h.runOf('quick'), await h.runOf('quick'), await h.runOf('gated')];
    startedAt = runs.map((run) => Date.parse(run.startedAt));
  });

  const total = ({ items }: Stats): number => items.reduce((sum, { started }) => sum + started, 0);
  const statuses = ({ items }: Stats, status: string): number => items.reduce((sum, { byStatus }) => sum + (byStatus[status] ?? 0), 0);

  it('by the hour of the last day unless told otherwise, the empty ones too', async () => {
    const stats = await house().read<Stats>('/runs/stats');
    expect(stats.items).toHaveLength(24);
    expect(stats.items.every(({ bucket }, at) => at === 0 || Date.parse(bucket) - Date.parse(stats.items[at - 1]!.bucket) === HOUR_MS)).toBe(true);
    expect([total(stats), statuses(stats, 'completed'), statuses(stats, 'parked'), stats.items[0]?.started]).toEqual([3, 2, 1, 0]);
    expect(Object.keys(stats.items[0]!.byStatus).sort()).toEqual(['cancelled', 'cancelling', 'compensating', 'completed', 'failed', 'failing', 'parked', 'running']);
  });

  it('counted run by run agrees with the counters', async () => {
    const from = new Date(startedAt[0]! - 5_000).toISOString();
    const to = new Date(startedAt[2]! + 1).toISOString();
    const fine = await house().read<Stats>(`/runs/stats?from=${from}&to=${to}&bucket=1s`);
    expect([total(fine), statuses(fine, 'completed'), statuses(fine, 'parked')]).toEqual([3, 2, 1]);
    for (const at of startedAt) expect(fine.items.find(({ bucket }) => Date.parse(bucket) === Math.floor(at / 1_000) * 1_000)?.started).toBeGreaterThan(0);
    const whole = await house().read<Stats>(`/runs/stats?from=${from}&bucket=1d`);
    expect(total(whole)).toBe(3);
  });

  it('holds only what began between from and to', async () => {
    const before = new Date(startedAt[0]! - HOUR_MS).toISOString();
    const early = await house().read<Stats>(`/runs/stats?from=${new Date(startedAt[0]! - 2 * HOUR_MS).toISOString()}&to=${before}&bucket=10m`);
    expect(total(early)).toBe(0);
    const upTo = new Date(startedAt[2]!).toISOString();
    expect(total(await house().read<Stats>(`/runs/stats?from=${before}&to=${upTo}&bucket=30s`))).toBeLessThan(3);
  });

  it('refuses no time at all, too many stretches, and what is no duration', async () => {
    const h = house();
    const [noon, one] = ['2026-01-31T12:00:00.000Z', '2026-01-31T13:00:00.000Z'];
    expect(expectProblem(await h.get(`/runs/stats?from=${one}&to=${noon}`), 'validation-failed').errors?.[0]?.path).toBe('/to');
    expect(expectProblem(await h.get(`/runs/stats?from=${noon}&to=${one}&bucket=1s`), 'validation-failed').errors?.[0]?.path).toBe('/bucket');
    for (const bucket of ['soon', '0s', '1ms']) expectProblem(await h.get(`/runs/stats?bucket=${bucket}`), 'validation-failed');
    expectProblem(await h.get('/runs/stats', { as: 'out', roles: 'boss' }), 'forbidden');
  });
});
