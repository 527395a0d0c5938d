/** Odd data and odd addresses: nothing breaks, nothing bursts, nothing runs. And what is meant for a rejection never approves. */
import { beforeAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { BOSS, inBrowser, OPERATOR } from './browser.js';

const MARKUP = '<img src="http://elsewhere.example/x.png" onerror="window.wasRun = true"><script>window.wasRun = true</script>';
const LONG = 'W'.repeat(1_500);
const TURNED = '\u202E000,1';
const ODD = {
  name: 'odd', title: `${MARKUP} ${LONG}`.slice(0, 190), description: MARKUP, labels: { long: 'L'.repeat(200) },
  parameters: [{ name: 'constructor', kind: 'string' }, { name: 'toString', kind: 'number' }, { name: 'when', kind: 'datetime' }],
  steps: [
    { id: 'first', type: 'job', job: 'obey', params: { outputs: { markup: MARKUP, long: LONG, turned: TURNED, [LONG.slice(0, 300)]: 'x' } } },
    {
      id: 'ok', type: 'gate', title: `${MARKUP.slice(0, 60)} ${TURNED}`, allowedRoles: ['boss'], show: { markup: 'outputs.first.markup', long: 'outputs.first.long', turned: 'outputs.first.turned', all: 'outputs.first' },
      description: [MARKUP, LONG, '[js](javascript:window.wasRun=true)', '[data](data:text/html,x)', '![image](http://elsewhere.example/y.png)', '`code`'].join('\n\n'),
    },
  ],
};
const width = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');

inBrowser('Odd data and odd addresses', (site) => {
  beforeAll(() => site().ask('POST', '/batches', ODD));

  it.each([1440, 390])('is shown as text in a layout that holds, %i px wide, and asks nothing of anywhere else', async (wide) => {
    const { runId } = await site().ask<{ runId: string }>('POST', '/batches/odd/runs', { parameters: {}, reason: LONG });
    const { approvals: [gate] } = await site().runIn(runId, 'parked');
    const page = await site().page({ ...BOSS, width: wide });
    const outside: string[] = [];
    page.on('request', (request) => void (new URL(request.url()).hostname !== '127.0.0.1' && request.url().startsWith('http') && outside.push(request.url())));
    for (const [path, ready] of [[`/runs/${runId}`, 'It does not move'], [`/runs/${runId}?step=ok`, 'May decide'], [`/runs/${runId}?step=first`, 'Attempt 1'], [`/runs/${runId}?tab=data`, 'Outputs'], [`/runs/${runId}?tab=facts`, 'Run started'], [`/approvals?id=${gate!.id}`, 'May decide'], ['/batches', 'long: LLL'], ['/batches/odd', 'What it takes and does'], ['/runs', 'odd'], ['', 'Recent runs']] as const) {
      await page.goto(`dashboard${path}`);
      await page.getByText(ready).filter({ visible: true }).first().waitFor();
      expect([path, await width(page)]).toEqual([path, 0]);
    }
    await page.goto(`dashboard/approvals?id=${gate!.id}`);
    await page.getByText('code', { exact: true }).waitFor();
    // What turns the order of characters is told, not done.
    await page.getByTestId('gate').getByText('⟨U+202E⟩000,1').first().waitFor();
    expect(await page.getByTestId('gate').locator('a[href^="javascript"], a[href^="data"], img').count()).toBe(0);
    expect(await page.evaluate('window.wasRun')).toBeUndefined();
    expect(outside).toEqual([]);
    await page.context().close();
  });

  it('leaves out of an address what a room does not understand', async () => {
    const page = await site().page();
    for (const [path, ready, address] of [
      ['/runs?status=%7B%22a%22%3A1%7D', 'One row for each trigger', '/runs'], ['/runs?view=5&sort=5&trigger=zzz&since=yesterday&more=1', 'One row for each trigger', '/runs'], ['/runs?view=executions&job=%7B%7D', 'One row for each attempt', '/runs?view=executions'],
      ['/approvals?tab=zzz', 'You are dev', '/approvals'], ['/batches/gated?version=x&start=5', 'What it takes and does', '/batches/gated'], ['/schedules?back=99999999', 'expected', '/schedules?back=260'], ['/?range=century', 'Recent runs', ''],
      ['/runs?status=failed', 'One row for each trigger', '/runs?status=%5B%22failed%22%5D'],
    ] as const) {
      await page.goto(`dashboard${path}`);
      await page.getByText(ready).filter({ visible: true }).first().waitFor();
      await page.waitForURL((url) => `${url.pathname}${url.search}`.replace(/\/$/, '') === `/dashboard${address}` || (address === '/approvals' && url.pathname.endsWith(address) && !url.search.includes('zzz')));
      expect([path, await page.getByText(/This page broke|The request is not valid/).count(), await page.getByRole('button', { name: 'Clear' }).count()]).toEqual([path, 0, address.includes('status') ? 1 : 0]);
    }
  });

  it('takes parameters that are called like something of every object, and calls a wrong time a wrong time', async () => {
    const page = await site().page(OPERATOR);
    await page.goto('dashboard/batches/odd?start=true');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('constructor').waitFor();
    expect(await dialog.locator('[aria-invalid="true"]').count()).toBe(0);
    await dialog.getByLabel('when').fill('soon');
    await dialog.getByRole('button', { name: 'Start run' }).click();
    await dialog.getByText('This is no time.').waitFor();
    await dialog.getByLabel('when').fill('2026-01-31T00:00:00Z');
    await dialog.getByLabel('toString').fill('4');
    await dialog.getByRole('button', { name: 'Start run' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    expect(await site().ask('GET', `/runs/${/runs\/([0-9a-f-]{36})/.exec(page.url())![1]}`)).toMatchObject({ parameters: { toString: 4, when: '2026-01-31T00:00:00Z' } });
  });

  it('has nothing to approve with while a reason to reject is written, and sends it by the keyboard', async () => {
    const runId = await site().start('gated');
    const { approvals: [gate] } = await site().runIn(runId, 'parked');
    const page = await site().page(BOSS);
    await page.goto(`dashboard/approvals?id=${gate!.id}`);
    await page.getByRole('button', { name: /^Approve/ }).waitFor();
    await page.keyboard.press('x');
    await page.getByLabel(/Why you reject it/).waitFor();
    await page.keyboard.type('the sums are wrong');
    expect(await page.getByRole('button', { name: /^Approve/ }).count()).toBe(0);
    await page.keyboard.press('Control+Enter');
    await page.getByTestId('gate').getByText('Rejected').waitFor();
    expect(await site().ask('GET', `/approvals/${gate!.id}`)).toMatchObject({ outcome: 'rejected', note: 'the sums are wrong' });
  });

  it('shows a batch that somebody else makes, changes and deletes, at once', async () => {
    const page = await site().page();
    await page.goto('dashboard/batches');
    await page.getByTestId('connection').first().getByText('Live').waitFor();
    await page.getByText('Everything nested').waitFor();
    const asked: string[] = [];
    page.on('request', (request) => void asked.push(request.url()));
    const made = { name: 'made-elsewhere', title: 'Made elsewhere', steps: [{ id: 'a', type: 'job', job: 'obey' }] };
    await site().ask('POST', '/batches', made);
    await page.getByText('Made elsewhere').waitFor();
    expect(asked.filter((url) => url.includes('/batches')).length).toBeLessThan(4);
    await site().ask('DELETE', '/batches/made-elsewhere');
    await page.getByText('Made elsewhere').waitFor({ state: 'detached' });
  });

  it('reaches the gate that has waited longest, however many wait', async () => {
    const ids = await Promise.all(Array.from({ length: 101 }, () => site().start('two-people')));
    await Promise.all(ids.map((id) => site().runIn(id, 'parked')));
    const page = await site().page();
    await page.goto('dashboard/approvals?tab=all');
    const entries = page.getByTestId('inbox').locator('button.entry');
    await page.getByRole('button', { name: 'More' }).click();
    await entries.nth(100).waitFor();
  });
});
