/** The connection goes and comes: nothing is missed, and the page says what it shows. */
import { afterAll, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser } from './browser.js';
import { Network } from './network.js';

/** Seconds are promised; a test on a busy machine has four times the slack. */
const HEARD_MS = 4 * 10_000;
const network = new Network();
afterAll(() => network.close());

inBrowser('A page whose connection goes and comes', (site) => {
  const lost = (page: Page) => page.getByRole('alert').getByText(/connection to the server was lost/);
  const isLive = (page: Page) => page.getByTestId('connection').first().getByText('Live').waitFor();

  it.each([
    ['the browser that is offline', (page: Page) => page.context().setOffline(true), (page: Page) => page.context().setOffline(false)],
    ['a network that says nothing', async () => network.fallSilent(), async () => network.speakAgain()],
    ['a way that is cut', async () => network.cut(), async () => network.mend()],
  ])('says that it is lost, of %s, and goes on without anything missed when it is back', async (_what, cut, mend) => {
    const page = await site().page(undefined, await network.to(site().url));
    await page.goto('dashboard/runs');
    await isLive(page);
    const runId = await site().start('slower');
    await page.getByRole('row').filter({ hasText: runId.slice(-8) }).getByRole('link').first().click();
    await page.getByTestId('run-status').getByText('Running').waitFor();
    await page.evaluate('window.sameAsBefore = true');
    const began = Date.now();
    await cut(page);
    await lost(page).waitFor();
    expect(Date.now() - began).toBeLessThan(HEARD_MS);
    await site().runIn(runId, 'completed');
    const later = await site().start('failing');
    await site().runIn(later, 'failed');
    expect(await page.getByTestId('run-status').innerText()).not.toContain('Completed');
    await mend(page);
    await page.getByText('Connected again').waitFor();
    await page.getByTestId('run-status').getByText('Completed').waitFor();
    await isLive(page);
    await page.getByRole('link', { name: 'Runs', exact: true }).first().click();
    await page.getByRole('row').filter({ hasText: later.slice(-8) }).getByText('Failed').waitFor();
    expect(await page.evaluate('window.sameAsBefore')).toBe(true);
  });

  it('waits for a part of itself that was on its way when the connection was cut', async () => {
    const page = await site().page(undefined, await network.to(site().url));
    const runId = await site().start('failing');
    await page.goto('dashboard/runs');
    await isLive(page);
    await page.route('**/assets/diagram-*.js', async (route) => {
      network.cut();
      await route.abort();
    }, { times: 1 });
    // From a page that is live already, so that there is a connection to lose.
    await page.getByRole('row').filter({ hasText: runId.slice(-8) }).getByRole('link').first().click();
    await lost(page).waitFor();
    network.mend();
    await page.getByText('Connected again').waitFor();
    await page.getByRole('button', { name: /^bad.*Failed/ }).waitFor();
  });

  it('outlives kill -9 of the server: the run goes on and so does the page, which was not loaded anew', async () => {
    const page = await site().page();
    const runId = await site().start('slower');
    await page.goto(`dashboard/runs/${runId}`);
    await page.getByTestId('connection').first().getByText('Live').waitFor();
    await page.evaluate('window.sameAsBefore = true');
    await site().kill();
    await page.getByRole('alert').getByText(/connection to the server was lost/).waitFor();
    await site().serve();
    await page.getByText('Connected again').waitFor();
    await page.getByTestId('run-status').getByText('Completed').waitFor();
    expect(await page.evaluate('window.sameAsBefore')).toBe(true);
    await page.getByRole('tab', { name: 'Facts' }).click();
    await page.getByText('Step lost').first().waitFor();
  });

  it('shows what others start, at once and once', async () => {
    const page = await site().page();
    await page.goto('dashboard/runs');
    await page.getByTestId('connection').first().getByText('Live').waitFor();
    const ids = await Promise.all(Array.from({ length: 5 }, () => site().start('failing')));
    for (const id of ids) await page.getByRole('row').filter({ hasText: id.slice(-8) }).getByText('Failed').waitFor();
    const rows = await page.getByRole('row').count();
    const total = Number(/(\d+) runs?/.exec(await page.getByTestId('run-total').innerText())![1]);
    expect(rows - 1).toBe(total);
    const figures = await Promise.all(['running', 'parked', 'failing', 'compensating', 'cancelling', 'completed', 'failed', 'cancelled'].map(async (status) => Number(await page.getByTestId(`filter-${status}`).innerText())));
    expect(figures.reduce((sum, figure) => sum + figure, 0)).toBe(total);
  });
});
