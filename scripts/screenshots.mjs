/**
 * Pictures of every page of the dashboard, wide and narrow, light and dark, into docs/screenshots. Starts the built server
 * with its demo, five weeks behind it and something of everything in it. Needs chromium (CHROMIUM names it) and `npm run setup`; where pngquant is
 * there, the pictures are made small.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { liveThePast } from './pictures-past.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const place = join(root, 'docs', 'screenshots');
const data = mkdtempSync(join(tmpdir(), 'sluice-pictures-'));
/** All pages, unless some are named. */
const only = process.argv.slice(2);

const work = (id, params = {}) => ({ id, type: 'job', job: 'obey', params });
const CLOSE = {
  name: 'nightly-close', title: 'Nightly close', description: 'Closes the books of the day', labels: { team: 'finance' }, failurePolicy: 'compensate', timeout: '7d',
  parameters: [
    { name: 'day', kind: 'string', required: true, description: 'business day, YYYY-MM-DD' }, { name: 'limit', kind: 'number', default: 1000, description: 'above it the CFO signs' },
    { name: 'dryRun', kind: 'boolean', default: false }, { name: 'failing', kind: 'boolean', default: false },
  ],
  steps: [
    { ...work('extract', { ms: 700, outputs: { rows: 48213, source: 'erp' } }), title: 'Extract the ledger', compensate: { job: 'obey' } },
    { id: 'checks', type: 'parallel', title: 'Checks', branches: [
      { label: 'Balance', steps: [{ ...work('balance', { ms: 400, outputs: { total: 1842, currency: 'EUR' } }), title: 'Check the balance' }] },
      { label: 'Fraud', steps: [
        { ...work('fraud', { ms: 900, outputs: { hits: 3, worst: 'ACC-7731' } }), title: 'Look for fraud' },
        { id: 'fraudReview', type: 'gate', title: 'Fraud review of {{ params.day }}', description: 'Three accounts moved more than usual. Look at **ACC-7731** first: it was *opened last week*.', allowedRoles: ['risk'], show: { hits: 'outputs.fraud.hits', worst: 'outputs.fraud.worst', rows: 'outputs.extract.rows' }, timeout: '2d' },
      ] },
    ] },
    { id: 'size', type: 'decision', title: 'How much is it?', branches: [
      { id: 'big', label: 'over the limit', when: 'outputs.balance.total > params.limit', steps: [{ id: 'cfo', type: 'gate', title: 'CFO signs {{ params.day }}', allowedRoles: ['cfo'], quorum: 2, notTheStarter: true, timeout: '2d', show: { total: 'outputs.balance.total' } }] },
      { id: 'small', label: 'within the limit', steps: [] },
    ] },
    { ...work('breaks', { do: 'fail-terminal', ms: 300 }), title: 'Reconcile', when: 'params.failing' },
    { ...work('post', { ms: 600 }), title: 'Post to the ledger', when: '!params.dryRun' },
  ],
  onFailureSteps: [{ ...work('page', { ms: 200 }), title: 'Tell whoever is on duty' }],
};
const IMPORT = { name: 'import-orders', title: 'Import orders', steps: [{ ...work('fetch', { ms: 500 }), title: 'Fetch' }, { ...work('load', { do: 'stubborn', ms: 3_600_000 }), title: 'Load', cancelGrace: '300ms' }, { ...work('index', { ms: 200 }), title: 'Index' }] };

async function serve() {
  const server = spawn(process.execPath, [join(root, 'dist/src/main.js')], { cwd: data, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SLUICE_DEMO: 'on', SLUICE_PORT: '0', SLUICE_DATA: join(data, 'data'), SLUICE_LOG_LEVEL: 'warn', SLUICE_DRAIN: '0s' } });
  const url = await new Promise((resolve, reject) => {
    let said = '';
    server.stdout.on('data', (chunk) => {
      const found = /listening on (http:\S+)/.exec((said += chunk));
      if (found) resolve(found[1]);
    });
    server.on('exit', () => reject(new Error(`The server ended: ${said}`)));
  });
  return { server, url };
}

const asking = (url) => async (method, path, body, user = 'ann', roles = 'admin,risk,cfo') => {
  const response = await fetch(`${url}${path}`, { method, headers: { 'content-type': 'application/json', 'x-dev-user': user, 'x-dev-roles': roles }, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
};

async function seed(url) {
  const ask = asking(url);
  const until = async (id, ...statuses) => {
    for (;;) {
      const run = await ask('GET', `/runs/${id}`);
      if (statuses.includes(run.status)) return run;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const start = async (batch, parameters, user, reason) => (await ask('POST', `/batches/${batch}/runs`, { parameters, ...(reason && { reason }) }, user)).runId;
  const decide = async (id, how, body, user) => {
    const run = await until(id, 'parked');
    await ask('POST', `/approvals/${run.approvals.find(({ state }) => state === 'pending').id}/${how}`, body, user);
  };
  await ask('POST', '/batches', CLOSE);
  await ask('POST', '/batches', IMPORT);
  const day = (at) => ({ day: `2026-11-${String(at).padStart(2, '0')}` });
  const failed = await start('nightly-close', { ...day(20), limit: 5000, failing: true }, 'olga', 'Second try after the ledger was locked');
  const done = await start('nightly-close', { ...day(21), limit: 5000 }, 'olga');
  const rejected = await start('nightly-close', day(23), 'scheduler');
  const cancelled = await start('import-orders', {}, 'tom');
  const cfo = await start('nightly-close', day(24), 'olga');
  for (const id of [failed, done]) await decide(id, 'approve', { note: 'checked by hand' }, 'kim');
  await decide(rejected, 'reject', { reason: 'ACC-7731 is under investigation' }, 'kim');
  await decide(cfo, 'approve', {}, 'kim');
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await ask('POST', `/runs/${cancelled}/cancel`, { reason: 'The supplier sent the same file twice' }, 'tom');
  await Promise.all([until(failed, 'failed'), until(done, 'completed'), until(rejected, 'failed'), until(cancelled, 'cancelled'), until(cfo, 'parked')]);
  const parked = await start('nightly-close', day(25), 'olga', 'Month end is near');
  const running = await start('import-orders', {}, 'tom');
  await until(parked, 'parked');
  const gate = (await ask('GET', `/runs/${parked}`)).approvals.find(({ state }) => state === 'pending').id;
  return { failed, cancelled, parked, running, gate };
}

const pagesOf = ({ failed, cancelled, parked, gate }) => ({
  overview: ['', 'Recent runs'], runs: ['/runs', 'Batch'], executions: ['/runs?view=executions', 'Attempt'],
  'run-parked': [`/runs/${parked}?step=fraudReview`, 'It does not move until somebody acts'], 'run-failed': [`/runs/${failed}?step=breaks`, 'It failed'], 'run-cancelled': [`/runs/${cancelled}`, 'cancelled the run'],
  'run-timeline': [`/runs/${failed}?tab=timeline`, 'Took'], 'run-facts': [`/runs/${cancelled}?tab=facts`, 'Run started'], 'run-data': [`/runs/${failed}?tab=data`, 'Parameters'],
  approvals: [`/approvals?id=${gate}`, 'May decide'], batches: ['/batches', 'Nightly close'], batch: ['/batches/nightly-close', 'Recent runs'], start: ['/batches/nightly-close?start=true', 'For whoever looks'],
  schedules: ['/schedules?batch=sync-stock', '0 unexplained'],
  editor: ['/batches/nightly-close/edit', 'The definition is sound'], jobs: ['/jobs', 'obey'], settings: ['/settings', 'Act as somebody'],
});

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'] });
mkdirSync(join(data, 'data'));
await liveThePast(join(data, 'data'));
const { server, url } = await serve();
try {
  const ids = await seed(url);
  mkdirSync(place, { recursive: true });
  for (const scheme of ['light', 'dark']) {
    for (const [width, height] of [[1440, 900], [390, 844]]) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce', timezoneId: 'Europe/Stockholm', locale: 'en-GB' });
      await context.addInitScript(`localStorage.setItem('sluice.acting', '{"user":"kim","roles":["operator","author","auditor","risk"]}')`);
      const page = await context.newPage();
      // Where the data of the pictures lay says nothing to whoever looks at them.
      await page.route('**/about*', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: { ...(await response.json()), data: { directory: '/var/lib/sluice' } } });
      });
      for (const [name, [path, ready]] of Object.entries(pagesOf(ids))) {
        if (only.length > 0 && !only.includes(name)) continue;
        await page.goto(`${url}/dashboard${path}`);
        await page.getByText(ready).filter({ visible: true }).first().waitFor();
        if (/^(run-parked|run-failed|run-cancelled|batch|editor)$/.test(name)) await page.locator('.react-flow__node').first().waitFor();
        await page.waitForTimeout(700);
        await page.screenshot({ path: join(place, `${name}-${width}-${scheme}.png`) });
      }
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await context.close();
    }
  }
  const pictures = readdirSync(place).filter((name) => name.endsWith('.png') && (only.length === 0 || only.some((page) => name.startsWith(`${page}-`)))).map((name) => join(place, name));
  spawnSync('pngquant', ['--force', '--ext', '.png', '--skip-if-larger', '128', ...pictures], { stdio: 'ignore' });
} finally {
  await browser.close();
  server.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
}
