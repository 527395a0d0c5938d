/** The connection goes and comes: nothing is missed, and the page says what it shows. */
import { expect, it } from '@jest/globals';
import { inBrowser } from './browser.js';

inBrowser('A page whose connection goes and comes', (site) => {
  it('outlives kill -9 of the server: the run goes on and so does the page, which was not loaded anew', async () => {
    const page = await site().page();
    const runId = await site().start('slow');
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
    for (const id of ids) await page.getByRole('row').filter({ hasText: id.slice(0, 8) }).getByText('Failed').waitFor();
    const rows = await page.getByRole('row').count();
    const total = Number(/(\d+) runs?/.exec(await page.getByTestId('run-total').innerText())![1]);
    expect(rows - 1).toBe(total);
    const figures = await Promise.all(['running', 'parked', 'failing', 'compensating', 'cancelling', 'completed', 'failed', 'cancelled'].map(async (status) => Number(await page.getByTestId(`filter-${status}`).innerText())));
    expect(figures.reduce((sum, figure) => sum + figure, 0)).toBe(total);
  });
});
