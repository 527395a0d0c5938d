/** axe looks at every page, light and dark, wide and narrow: nothing serious. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { beforeAll, expect, it } from '@jest/globals';
import { inBrowser, TEST_MS } from './browser.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
interface Found {
  readonly violations: readonly { readonly id: string; readonly impact: string; readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[] }[];
}

inBrowser('Every page, as axe sees it,', (site) => {
  const ids = { parked: '', failed: '', cancelled: '', gate: '' };
  beforeAll(async () => {
    ids.parked = await site().start('gated');
    ids.gate = (await site().runIn(ids.parked, 'parked')).approvals[0]!.id;
    ids.failed = await site().start('tree');
    ids.cancelled = await site().start('stubborn');
    await site().ask('POST', `/runs/${ids.cancelled}/cancel`, { reason: 'to be seen' });
    await Promise.all([site().runIn(ids.failed, 'failed'), site().runIn(ids.cancelled, 'cancelled')]);
  }, TEST_MS);

  const pages: readonly (readonly [name: string, path: () => string, ready: string])[] = [
    ['overview', () => '', 'Recent runs'], ['runs', () => '/runs', 'Batch'], ['executions', () => '/runs?view=executions', 'Attempt'],
    ['a parked run', () => `/runs/${ids.parked}?step=ok`, 'It does not move until somebody acts'], ['a failed run', () => `/runs/${ids.failed}?step=breaks`, 'It failed'],
    ['a cancelled run', () => `/runs/${ids.cancelled}`, 'cancelled the run'], ['a timeline', () => `/runs/${ids.failed}?tab=timeline`, 'Took'], ['facts', () => `/runs/${ids.failed}?tab=facts`, 'Run started'],
    ['data', () => `/runs/${ids.failed}?tab=data`, 'Parameters'], ['approvals', () => `/approvals?tab=all&id=${ids.gate}`, 'May decide'], ['decided approvals', () => '/approvals?tab=decided', 'Decided'],
    ['batches', () => '/batches', 'Everything nested'], ['a batch', () => '/batches/tree', 'What it takes and does'], ['a form', () => '/batches/asked?start=true', 'For whoever looks at the run later'],
    ['the editor', () => '/batches/new', 'Sound, with a remark'], ['schedules', () => '/schedules?batch=yearly', '0 unexplained'], ['jobs', () => '/jobs', 'obey'], ['settings', () => '/settings', 'Act as somebody'], ['nowhere', () => '/nowhere', 'There is no such page'],
  ];

  it.each([[false, 1440], [true, 1440], [false, 390], [true, 390], [false, 2560]])('has nothing serious (dark: %s, %s px)', async (dark, width) => {
    const page = await site().page({ user: 'ann', roles: ['admin', 'boss'], dark, width });
    const found: string[] = [];
    for (const [name, path, ready] of pages) {
      await page.goto(`dashboard${path()}`);
      await page.getByText(ready).filter({ visible: true }).first().waitFor();
      await page.evaluate(AXE);
      const { violations } = await page.evaluate<Found>('axe.run(document, { resultTypes: ["violations"] })');
      for (const { id, impact, nodes } of violations) {
        if (impact === 'serious' || impact === 'critical') found.push(...nodes.map(({ html, failureSummary }) => `${name}: ${id} (${impact}): ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`));
      }
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (overflow > 0) found.push(`${name}: is ${overflow} px wider than the window`);
    }
    expect(found).toEqual([]);
  });
});
