/** While much goes on, the figures of a page are read again and again: they agree with each other, and with the log at that place. */
import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser } from './browser.js';

const STATUSES = ['running', 'parked', 'failing', 'compensating', 'cancelling', 'completed', 'failed', 'cancelled'] as const;
type Counts = Readonly<Record<(typeof STATUSES)[number] | 'total', number>>;
interface Look {
  readonly position: string;
  readonly counts: Counts;
  readonly gates?: number;
  readonly started?: number;
}
interface Fact {
  readonly type: string;
  readonly position: string;
}

const RUNS = 60;
const CLOSED = ['GateApproved', 'GateRejected', 'GateTimedOut', 'GateReleased'];
const figure = 'Number((document.querySelector(selector)?.textContent ?? "NaN").match(/[\\d,]+/)?.[0].replaceAll(",", ""))';
/** All of a page in one turn of its event loop, so that nothing changes while it is read. */
const read = (page: Page, names: Readonly<Record<string, string>>, place: string) =>
  page.evaluate<{ readonly position: string; readonly figures: Readonly<Record<string, number>> }>(
    `(() => { const figure = (selector) => ${figure}; return { position: document.querySelector(${JSON.stringify(place)})?.dataset.position ?? '', figures: Object.fromEntries(Object.entries(${JSON.stringify(names)}).map(([name, selector]) => [name, figure(selector)])) }; })()`,
  );

inBrowser('Figures that are read during a load', (site) => {
  it('agree with each other on a page, and with the log at the position of the page', async () => {
    const overview = await site().page({ user: 'bea', roles: ['viewer', 'boss'] });
    const list = await site().page();
    const detail = await site().page();
    await overview.goto('dashboard?range=hour');
    await list.goto('dashboard/runs');
    const wide = await site().start('slow');
    await detail.goto(`dashboard/runs/${wide}`);
    await overview.getByTestId('started').waitFor();
    await list.getByTestId('run-total').waitFor();
    await detail.getByLabel('Steps by status').waitFor();
    const ids: string[] = [wide];
    const load = (async () => {
      for (let at = 0; at < RUNS; at += 1) ids.push(await site().start(['failing', 'gated', 'tree', 'two-people'][at % 4]!));
    })();
    const looks: Look[] = [];
    const lists: Look[] = [];
    let loading = true;
    void load.finally(() => (loading = false));
    while (loading || looks.length < 10) {
      const one = await read(overview, { total: '[data-testid="total"]', ...Object.fromEntries(STATUSES.map((status) => [status, `[data-testid="count-${status}"]`])), gates: '#needed .num', failures: '#failures .num', badge: '.side [data-testid="badge"]', started: '[data-testid="started"]' }, '.figures');
      const { gates, failures, badge, started, ...counts } = one.figures as unknown as Counts & { gates: number; failures: number; badge: number; started: number };
      expect([one.position, failures, badge, started]).toEqual([one.position, counts.failed, gates, counts.total]);
      looks.push({ position: one.position, counts, gates, started });
      const other = await read(list, { total: '[data-testid="run-total"]', ...Object.fromEntries(STATUSES.map((status) => [status, `[data-testid="filter-${status}"]`])) }, '[data-testid="run-total"]');
      lists.push({ position: other.position, counts: other.figures });
      const steps = await detail.getByLabel('Steps by status').innerText();
      const [, total] = /(\d+) steps?/.exec(steps)!;
      expect([...steps.matchAll(/(\d+) (pending|queued|running|retrying|waiting|succeeded|failed|cancelled|skipped)/g)].reduce((sum, [, n]) => sum + Number(n), 0)).toBe(Number(total));
    }
    await load;
    for (const { counts } of [...looks, ...lists]) expect(STATUSES.reduce((sum, status) => sum + counts[status], 0)).toBe(counts.total);
    const all = (await Promise.all(ids.map((id) => site().ask<{ items: Fact[] }>('GET', `/runs/${id}/events?limit=500`)))).flatMap(({ items }) => items);
    const until = (position: string, ...types: readonly string[]): number => all.filter((fact) => fact.position <= position && types.includes(fact.type)).length;
    for (const { position, counts: { total, completed, failed, cancelled } } of [...looks, ...lists]) {
      expect([position, total, completed, failed, cancelled]).toEqual([position, until(position, 'RunStarted'), until(position, 'RunCompleted'), until(position, 'RunFailed'), until(position, 'RunCancelled')]);
    }
    for (const { position, gates } of looks) expect([position, gates]).toEqual([position, until(position, 'GateParked') - until(position, ...CLOSED)]);
    expect(new Set(looks.map(({ position }) => position)).size).toBeGreaterThan(4);
  });
});
