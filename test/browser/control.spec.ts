/** What an operator does to a run that is not as it should be: holds it, stops one attempt, tries it again. */
import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser, OPERATOR } from './browser.js';

inBrowser('Control of a run', (site) => {
  const status = (page: Page) => page.getByTestId('run-status');
  const dialog = (page: Page) => page.getByRole('dialog');
  const job = (id: string, params: object = {}) => ({ id, type: 'job', job: 'obey', params });
  const change = async (name: string, definition: object): Promise<void> => {
    const { version } = await site().ask<{ version: number }>('GET', `/batches/${name}`);
    const response = await fetch(`${site().url}/batches/${name}`, { method: 'PUT', headers: { 'content-type': 'application/json', 'if-match': `"${version}"` }, body: JSON.stringify(definition) });
    expect(response.status).toBe(200);
  };

  it('holds a run, says why it does not move, and lets it go on', async () => {
    const runId = await site().start('slower');
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await dialog(page).getByLabel('Why').fill('let me look');
    await dialog(page).getByRole('button', { name: 'Pause' }).click();
    await status(page).getByText('Paused').waitFor();
    await page.getByTestId('why').getByText(/does not move until somebody acts/).waitFor();
    await page.getByTestId('why').getByText(/olga/).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await dialog(page).getByRole('button', { name: 'Resume' }).click();
    await status(page).getByText('Completed').waitFor();
  });

  it('stops one attempt, and shows which', async () => {
    await site().ask('POST', '/batches', { name: 'hanging', timeout: '6h', steps: [job('hangs', { do: 'hang', ms: 3_600_000 })] });
    const runId = await site().start('hanging');
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}?step=hangs`);
    await page.getByText('time-out 6h').waitFor();
    const detail = page.getByTestId('step-detail');
    await detail.getByRole('button', { name: 'Stop this attempt' }).click();
    await detail.getByRole('button', { name: 'Stop attempt 1' }).click();
    await detail.getByText('Cancelled', { exact: true }).waitFor();
    await status(page).getByText('Failed').waitFor();
  });

  it('ends a run that takes too long, and says that it did', async () => {
    await site().ask('POST', '/batches', { name: 'endless', timeout: '400ms', steps: [{ ...job('hangs', { do: 'hang', ms: 3_600_000 }), cancelGrace: '200ms' }] });
    const runId = await site().start('endless');
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}`);
    await status(page).getByText('Failed').waitFor();
    await page.getByText('It took too long').waitFor();
  });

  it('tries a run again from a step, on its version or the newest, and shows where these do not agree', async () => {
    const steps = [job('one'), job('two'), job('three', { do: 'fail-terminal' })];
    await site().ask('POST', '/batches', { name: 'tried', steps });
    const runId = await site().start('tried');
    await site().runIn(runId, 'failed');
    await change('tried', { name: 'tried', steps: [job('before'), ...steps] });
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}`);
    await page.getByRole('button', { name: 'Retry run' }).click();
    await dialog(page).getByLabel(/^Version 2, the newest/).click();
    await dialog(page).getByRole('button', { name: 'Retry run' }).click();
    await dialog(page).getByText('/steps/0').waitFor();
    await dialog(page).getByText(/Here stood job "one", which is behind the run; now it is job "before"/).waitFor();
    await change('tried', { name: 'tried', steps: [job('one'), job('two'), job('three')] });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Retry run' }).click();
    await dialog(page).getByLabel(/^Version 3, the newest/).click();
    await dialog(page).getByLabel('From step').click();
    await page.getByRole('option', { name: 'two' }).click();
    await dialog(page).getByRole('button', { name: 'Retry run' }).click();
    await page.getByText(`retry of ${runId.slice(-8)}`).waitFor();
    await status(page).getByText('Completed').waitFor();
    await page.getByText('version 3').waitFor();
    await page.getByRole('button', { name: /^one.*Succeeded/ }).first().click();
    await page.getByTestId('step-detail').getByText('it had succeeded there').waitFor();
    await page.getByRole('link', { name: `retry of ${runId.slice(-8)}` }).click();
    await page.getByText(/retried by [0-9a-f]{8}/).waitFor();
    await status(page).getByText('Failed').waitFor();
  });

  it('draws what is nested four deep, greys what was not taken, and undoes in a lane of its own', async () => {
    const inner = (depth: number): object => (depth === 0 ? { ...job('deepest'), compensate: { job: 'obey' } } : { id: `group-${depth}`, type: 'parallel', branches: [{ label: `in ${depth}`, steps: [inner(depth - 1)] }, { steps: [job(`beside-${depth}`)] }] });
    const choice = { id: 'choice', type: 'decision', branches: [{ id: 'never', when: 'false', steps: [job('not-taken')] }, { id: 'else', steps: [job('taken')] }] };
    await site().ask('POST', '/batches', { name: 'deep', failurePolicy: 'compensate', steps: [inner(4), choice, job('breaks', { do: 'fail-terminal' })], onFailureSteps: [job('tell')] });
    const runId = await site().start('deep');
    await site().runIn(runId, 'failed');
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}`);
    const box = (name: RegExp) => page.locator('.react-flow').getByRole('button', { name });
    await box(/^deepest.*Succeeded/).first().waitFor();
    for (const depth of [1, 2, 3, 4]) await box(new RegExp(`^group-${depth}`)).waitFor();
    await expect(box(/^not-taken.*Skipped/).getAttribute('class')).resolves.toContain('off');
    await expect(box(/^taken.*Succeeded/).getAttribute('class')).resolves.not.toContain('off');
    await page.locator('.react-flow').getByText('Undone, newest first').waitFor();
    await box(/^deepest:compensate.*Succeeded/).waitFor();
    await page.locator('.react-flow').getByText('After the failure').waitFor();
    await box(/^tell.*Succeeded/).waitFor();
  });
});
