/** The page of schedules before the real doors: what is due, what became of it, and what an operator may do about it. */
import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser } from './browser.js';

const OUTCOMES = ['fired', 'skipped', 'missed', 'pending'] as const;
type Sums = Readonly<Record<'expected' | 'unexplained' | (typeof OUTCOMES)[number], number>>;

async function sumsOn(page: Page): Promise<Sums> {
  const text = await page.getByRole('group', { name: 'Sums of these weeks' }).innerText();
  return Object.fromEntries([...text.matchAll(/([\d,]+)\s+(\w+)/g)].map(([, figure = '', name = '']) => [name, Number(figure.replaceAll(',', ''))])) as Sums;
}

inBrowser('The schedules', (site) => {
  const dialog = (page: Page) => page.getByRole('dialog');

  it('are listed with what became of every time they were due, and are held, started, changed and made up for', async () => {
    const definition = { name: 'ticking', steps: [{ id: 'only', type: 'job', job: 'obey' }], schedule: { cron: '* * * * * *', timeZone: 'Europe/Stockholm', overlap: 'allow' } };
    await site().ask('POST', '/batches', definition);
    const page = await site().page();
    await page.goto('dashboard/schedules?batch=ticking');
    await page.getByRole('region', { name: 'Occurrences of' }).getByText('Fired').first().waitFor();
    const seen = await sumsOn(page);
    expect(seen.expected).toBeGreaterThan(0);
    expect(seen).toMatchObject({ missed: 0, unexplained: 0, expected: OUTCOMES.reduce((sum, outcome) => sum + seen[outcome], 0) });

    await page.getByRole('button', { name: 'Pause' }).click();
    await dialog(page).getByLabel('Why').fill('the books are closed');
    await dialog(page).getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('region', { name: 'Schedules' }).getByText('Paused').waitFor();
    await page.getByText('Times that come are skipped until it is resumed.').waitFor();
    await page.getByRole('group', { name: 'Next times' }).getByText(/dev paused it .*: “the books are closed”/).waitFor();
    await page.getByRole('region', { name: 'Occurrences of' }).getByText('the schedule was paused').first().waitFor();
    await page.getByRole('button', { name: 'Start now' }).click();
    await dialog(page).getByRole('button', { name: 'Start' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    await page.getByTestId('run-status').getByText('Completed').waitFor();
    await page.goBack();

    await page.getByRole('button', { name: 'Edit rule' }).click();
    await dialog(page).getByLabel('Cron').fill('61 * * * *');
    await dialog(page).getByText('When the rule can be read, its times stand here.').waitFor();
    expect(await dialog(page).getByLabel('Cron').getAttribute('aria-invalid')).toBe('true');
    expect(await dialog(page).getByRole('button', { name: 'Save as a new version' }).isDisabled()).toBe(true);
    await dialog(page).getByLabel('Cron').fill('0 0 1 1 *');
    const times = dialog(page).getByTestId('preview').getByRole('listitem');
    await times.nth(4).waitFor();
    const years = (await times.allInnerTexts()).map((text) => Number(/\b(20\d\d)\b/.exec(text)![1]));
    expect(years.map((year) => year - years[0]!)).toEqual([0, 1, 2, 3, 4]);
    await dialog(page).getByRole('button', { name: 'Save as a new version' }).click();
    await dialog(page).waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Schedules' }).getByRole('row').filter({ hasText: 'ticking' }).getByText('0 0 1 1 *').first().waitFor();
    expect(await site().ask('GET', '/batches/ticking')).toMatchObject({ version: 2, definition: { schedule: { cron: '0 0 1 1 *', timeZone: 'Europe/Stockholm', overlap: 'allow' } } });

    await page.getByRole('button', { name: 'Backfill' }).click();
    const plan = dialog(page).getByTestId('plan');
    const planned = Number(/^(\d+) runs? would begin/.exec(await plan.innerText())![1]);
    expect(planned).toBe((await sumsOn(page)).skipped);
    await dialog(page).getByRole('button', { name: /^Start \d+ runs?$/ }).click();
    await dialog(page).getByTestId('backfilled').getByText(`${planned} of ${planned} begun`).waitFor();
    await dialog(page).getByText(`${planned} completed`).waitFor();
    expect(await site().ask('GET', '/runs/counts?trigger=backfill&batch=ticking')).toMatchObject({ total: planned, byStatus: { completed: planned } });
  });
});
