/** What people do in the dashboard's rooms, in a real browser before a real server. */
import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { BOSS, inBrowser, OPERATOR } from './browser.js';

const status = (page: Page) => page.getByTestId('run-status');
const badge = (page: Page) => page.locator('.side').first().getByTestId('badge');
/** Version 8: the time of the command in front. */
const BEGINS_WITH_TIME = /^[\da-f]{8}-[\da-f]{4}-8/;

inBrowser('The rooms of the dashboard', (site) => {
  it('lists runs and executions by a toggle, with a run that failed at its gate as Failed in all of them', async () => {
    const runId = await site().start('gated');
    const { approvals: [gate] } = await site().runIn(runId, 'parked');
    await site().ask('POST', `/approvals/${gate!.id}/reject`, { reason: 'the sums are wrong' });
    await site().runIn(runId, 'failed');
    const page = await site().page();
    await page.goto('dashboard/runs');
    const row = page.getByRole('row').filter({ hasText: runId.slice(-8) });
    await row.getByText('Failed').waitFor();
    await page.getByText('Executions', { exact: true }).click();
    await page.waitForURL(/view=executions/);
    // The attempt before the gate succeeded; no attempt failed.
    await page.getByRole('row').filter({ hasText: 'before' }).first().getByText('Succeeded').waitFor();
    await page.goBack();
    await row.getByText('Failed').waitFor();
    await row.getByRole('link').click();
    await status(page).getByText('Failed').waitFor();
    await page.getByText(/the sums are wrong/).first().waitFor();
    await page.goto('dashboard');
    await page.getByRole('region', { name: 'Runs that failed' }).or(page.locator('section[aria-labelledby="failures"]')).first().getByText(runId.slice(-8)).waitFor();
  });

  it('keeps filters in the address, so that the back button and a link lead to the same list', async () => {
    const failed = await site().start('failing');
    await site().runIn(failed, 'failed');
    const page = await site().page();
    await page.goto('dashboard/runs');
    await page.getByRole('button', { name: /^Completed/ }).click();
    await page.waitForURL(/status=/);
    await page.getByRole('button', { name: /^Completed/, pressed: true }).waitFor();
    // The rows of before stay until those of the filter are there.
    await page.getByRole('row').filter({ hasText: failed.slice(-8) }).waitFor({ state: 'detached' });
    const link = page.url();
    await page.goBack();
    await page.getByRole('row').filter({ hasText: failed.slice(-8) }).waitFor();
    await page.goto(link);
    await page.getByRole('button', { name: /^Completed/, pressed: true }).waitFor();
  });

  it('starts a run by a form, with the faults of the server at their fields', async () => {
    const page = await site().page(OPERATOR);
    // As where a page came over plain HTTP from another machine.
    await page.addInitScript("Object.defineProperty(Crypto.prototype, 'randomUUID', { value: undefined })");
    await page.goto('dashboard/batches/asked');
    await page.getByRole('button', { name: 'Start run' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('limit').fill('1.5');
    await dialog.getByRole('button', { name: 'Start run' }).click();
    const faulty = (label: string) => dialog.getByLabel(label).and(page.locator('[aria-invalid="true"]'));
    await faulty('day').waitFor();
    await faulty('limit').waitFor();
    await dialog.getByLabel('day').fill('2026-01-31');
    await dialog.getByLabel('limit').fill('7');
    await dialog.getByLabel('more').fill('{"a": [1]}');
    await dialog.getByRole('button', { name: 'Start run' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    await status(page).getByText('Completed').waitFor();
    const run = await site().ask<{ id: string; parameters: object; startedBy: string }>('GET', `/runs/${/runs\/([0-9a-f-]{36})/.exec(page.url())![1]}`);
    expect(run.id).toMatch(BEGINS_WITH_TIME);
    expect(run).toMatchObject({ startedBy: 'olga', parameters: { day: '2026-01-31', limit: 7, more: { a: [1] } } });
  });

  it('cancels a run at a gate without the role of the gate, and shows what that did', async () => {
    const runId = await site().start('gated');
    await site().runIn(runId, 'parked');
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}`);
    await page.getByTestId('why').getByText(/Somebody with the role boss has to decide/).waitFor();
    await expect(page.getByRole('button', { name: 'Approve' }).count()).resolves.toBe(0);
    await page.getByRole('button', { name: 'Cancel run' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog.getByRole('button', { name: 'Cancel run' }).isDisabled()).resolves.toBe(true);
    await dialog.getByLabel(/^Why/).fill('started by mistake');
    await dialog.getByRole('button', { name: 'Cancel run' }).click();
    const story = dialog.getByTestId('cancel-story');
    await story.getByText('olga cancelled the run').waitFor();
    await story.getByText('1 gate released').waitFor();
    await story.getByText('The run is cancelled').waitFor();
    await page.keyboard.press('Escape');
    await status(page).getByText('Cancelled').waitFor();
    await page.getByText('“started by mistake”').waitFor();
    await expect(page.getByRole('button', { name: 'Cancel run' }).count()).resolves.toBe(0);
  });

  it('tells a job that did not stop in time as an orphan', async () => {
    const runId = await site().start('stubborn');
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}`);
    await page.getByRole('button', { name: 'Cancel run' }).waitFor();
    await page.keyboard.press('c');
    await page.getByRole('dialog').getByLabel(/^Why/).fill('it hangs');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click();
    await page.getByRole('dialog').getByText('1 job did not stop in time').waitFor();
    await status(page).getByText('Cancelled').waitFor();
  });

  it('lets one of two people who decide at once win, and shows the other who it was; badge and list agree in both', async () => {
    const runId = await site().start('gated');
    const { approvals: [gate] } = await site().runIn(runId, 'parked');
    const [one, other] = [await site().page(BOSS), await site().page({ user: 'ben', roles: ['viewer', 'boss'] })];
    for (const page of [one, other]) {
      await page.goto(`dashboard/approvals?id=${gate!.id}`);
      await page.getByTestId('gate').getByText('1,234').waitFor();
      expect(await badge(page).innerText()).toMatch(/^1\b/);
      await expect(page.locator('.markdown b').count()).resolves.toBe(0);
    }
    await Promise.all([one, other].map((page) => page.getByTestId('gate').getByRole('button', { name: /^Approve/ }).click()));
    for (const page of [one, other]) {
      await page.getByTestId('gate').getByText('Approved', { exact: true }).waitFor();
      await page.getByTestId('gate').getByText(/by (bea|ben),/).waitFor();
      await badge(page).filter({ hasText: /^0/ }).waitFor();
      await page.getByText('Nothing waits for you').waitFor();
    }
    const facts = await site().ask<{ items: { type: string }[] }>('GET', `/runs/${runId}/events`);
    expect(facts.items.filter(({ type }) => type === 'GateApproved')).toHaveLength(1);
  });

  it('asks for a reason to reject, by keyboard alone, and counts a quorum', async () => {
    const runId = await site().start('two-people');
    const { approvals: [gate] } = await site().runIn(runId, 'parked');
    const page = await site().page(BOSS);
    await page.goto(`dashboard/approvals?id=${gate!.id}`);
    await page.getByTestId('gate').getByText('0 of 2 people').waitFor();
    await page.keyboard.press('a');
    await page.getByText('Your approval counts: 1 of 2').waitFor();
    await page.getByTestId('gate').getByText('1 of 2 people').waitFor();
    await page.keyboard.press('x');
    await page.getByLabel(/^Why you reject it/).fill('not like this');
    await page.getByRole('button', { name: /^Reject/ }).click();
    await page.getByTestId('gate').getByText('Rejected', { exact: true }).waitFor();
    await page.getByTestId('gate').getByText('not like this').waitFor();
  });

  it('draws what was taken and what was not, what was undone, and adds up', async () => {
    const runId = await site().start('tree');
    await site().runIn(runId, 'failed');
    const page = await site().page();
    await page.goto(`dashboard/runs/${runId}`);
    await page.getByRole('button', { name: /^little.*Skipped/ }).waitFor();
    await expect(page.getByRole('button', { name: /^little.*Skipped/ }).getAttribute('class')).resolves.toContain('off');
    await page.getByRole('button', { name: /^large.*Succeeded/ }).waitFor();
    await page.getByRole('button', { name: /first:compensate.*Succeeded/ }).waitFor();
    const { counts } = await site().ask<{ counts: Record<string, number> }>('GET', `/runs/${runId}`);
    const summary = await page.getByLabel('Steps by status').innerText();
    const told = [...summary.matchAll(/(\d+) (pending|queued|running|retrying|waiting|succeeded|failed|cancelled|skipped)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    expect(told).toBe(counts['total']);
    await page.getByRole('tab', { name: 'Facts' }).click();
    await page.getByText('Compensation started').waitFor();
    await page.getByRole('tab', { name: 'Timeline' }).click();
    await page.getByRole('listitem').filter({ hasText: 'breaks' }).waitFor();
  });

  it('saves a definition, tells faults in their places, and never over the change of somebody else', async () => {
    const page = await site().page();
    await page.goto('dashboard/batches/new');
    const write = async (definition: object | string): Promise<void> => {
      await page.locator('.cm-content').click();
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(typeof definition === 'string' ? definition : JSON.stringify(definition));
    };
    const step = (job: string) => ({ name: 'written-here', steps: [{ id: 'a', type: 'job', job }] });
    await write({ name: 'written-here', steps: [{ id: 'a', type: 'gate', allowedRoles: [] }] });
    await page.getByTestId('faults').getByText('/steps/0/allowedRoles').waitFor();
    await expect(page.getByRole('button', { name: 'Create batch' }).isDisabled()).resolves.toBe(true);
    await write(step('obey'));
    await page.getByText('The definition is sound.').waitFor();
    await page.getByRole('button', { name: 'Create batch' }).click();
    await page.waitForURL(/batches\/written-here$/);
    await page.getByRole('link', { name: 'Edit' }).click();
    await page.locator('.cm-content').getByText('obey').waitFor();
    const { version } = await site().ask<{ version: number }>('GET', '/batches/written-here');
    const response = await fetch(`${site().url}/batches/written-here`, { method: 'PUT', headers: { 'content-type': 'application/json', 'if-match': `"${version}"` }, body: JSON.stringify({ ...step('obey'), title: 'theirs' }) });
    expect(response.status).toBe(200);
    await write({ ...step('obey'), title: 'mine' });
    await page.getByText('The definition is sound.').waitFor();
    await page.getByRole('button', { name: 'Save as a new version' }).click();
    await page.getByText('Somebody else has saved it meanwhile').waitFor();
    await page.getByRole('button', { name: 'Look at both sides' }).click();
    await page.getByTestId('both-sides').getByText('theirs').waitFor();
    await page.getByTestId('both-sides').getByText('mine').waitFor();
    await page.getByRole('button', { name: 'Save mine after theirs' }).click();
    await page.waitForURL(/batches\/written-here$/);
    await page.getByRole('heading', { name: 'mine' }).waitFor();
    expect(await site().ask('GET', '/batches/written-here')).toMatchObject({ version: version + 2, title: 'mine' });
  });

  it('offers what may stand at a place of a definition, from its schema', async () => {
    const page = await site().page();
    await page.goto('dashboard/batches/new');
    await page.getByText('Sound, with a remark').waitFor();
    await page.locator('.cm-content').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText('{ "name": "a", "steps": [ { "id": "a", "type": "gate", "allowedRoles": ["boss"] } ] }');
    await page.getByText('Sound, with a remark').waitFor();
    for (let back = 0; back < ' } ] }'.length; back += 1) await page.keyboard.press('ArrowLeft');
    await page.keyboard.insertText(', ');
    const offered = page.getByRole('listbox');
    await page.keyboard.press('Control+Space');
    await offered.getByRole('option', { name: /"quorum"/ }).waitFor();
    await offered.getByRole('option', { name: /"job"/ }).waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.keyboard.insertText('"onTimeout": ');
    await page.keyboard.press('Control+Space');
    for (const word of ['fail', 'approve', 'hold']) await offered.getByRole('option', { name: `"${word}"` }).waitFor();
    await page.getByText('It can not be read').waitFor();
  });

  it('goes everywhere by keyboard', async () => {
    const page = await site().page();
    await page.goto('dashboard');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'Jobs' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.keyboard.type('asked');
    await page.getByRole('option', { name: /Asked for a day/, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/batches\/asked/);
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Go to Approvals').waitFor();
  });

  it('shows a refusal with its reason and what is possible instead', async () => {
    const runId = await site().start('gated');
    const { approvals: [gate] } = await site().runIn(runId, 'parked');
    const page = await site().page(OPERATOR);
    await page.goto(`dashboard/runs/${runId}`);
    await page.getByRole('button', { name: 'Cancel run' }).click();
    await page.getByRole('dialog').getByLabel(/^Why/).fill('too late');
    // The answer of a decision that was faster, whatever the page has heard of it by then.
    await page.route('**/cancel', async (route) => {
      await site().ask('POST', `/approvals/${gate!.id}/approve`);
      await site().runIn(runId, 'completed');
      await route.continue();
    });
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel run' }).click();
    await page.getByRole('alert').getByText('Nothing can be done with it now.').waitFor();
    await status(page).getByText('Completed').waitFor();
  });
});
