import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, list, StandIn } from '../../test/cli/stand-in.js';

const RUN = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
const GATE = '7d4df3de-0fb5-5f3c-8a6f-3c1f5a1e9b02';
const COUNTS = { total: 4, pending: 1, dispatched: 0, running: 0, retrying: 0, waiting: 1, succeeded: 2, failed: 0, cancelled: 0, skipped: 0 };
const row = {
  id: RUN, batchId: 'b', batchName: 'quarter-end-review', batchVersion: 2, status: 'parked', paused: false, trigger: { type: 'api' },
  parameters: { quarter: '2009-Q4' }, labels: { team: 'finance' }, startedAt: '2026-11-24T11:57:00.000Z', endedAt: null, durationMs: null,
  startedBy: 'ann', reason: 'the books close', stepCount: 4, counts: COUNTS, error: null, retryOf: null, retriedBy: null, position: '42',
};
const step = (id: string, status: string, more: object = {}): object => ({ id, type: 'job', status, attempts: 1, startedAt: null, endedAt: null, ...more });
const detail = {
  ...row,
  steps: [
    {
      ...step('figures', 'succeeded', { type: 'parallel', attempts: 0 }),
      branches: [
        { label: 'Portfolio', steps: [step('valuation', 'succeeded', { startedAt: '2026-11-24T11:57:00.000Z', endedAt: '2026-11-24T11:57:02.000Z' })] },
        { label: 'Market', steps: [step('market', 'succeeded', { attempts: 3 })] },
      ],
    },
    step('release', 'waiting', { type: 'gate', attempts: 0, approvalId: GATE }),
    step('publish', 'pending', { attempts: 0 }),
  ],
  approvals: [{ id: GATE, runId: RUN, stepId: 'release', state: 'pending', title: 'Release 2009-Q4', description: 'The market moved.', data: { 'total (USD)': 1, holdings: [{ IBM: 5 }], who: 'ann' } }],
  waitingFor: [{ what: 'approval', stepId: 'release', since: '2026-11-24T11:58:00.000Z', who: ['controller', 'operator'], endsAt: '2026-12-24T11:58:00.000Z', text: 'Somebody with the role controller or operator has to decide.' }],
  allowedActions: [{ action: 'cancel', href: `/runs/${RUN}/cancel`, method: 'POST' }, { action: 'approve', href: `/approvals/${GATE}/approve`, method: 'POST', stepId: 'release' }],
};
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

describe('sluice run', () => {
  const started = { status: 202, headers: { 'sluice-position': '7' }, body: { runId: RUN, position: '7' } };

  it('sends parameters of a batch that tells nothing as JSON where they parse, labels and a reason', async () => {
    server.on('POST /batches/nightly/runs', started);
    const args = ['-p', 'day=2026-11-24', '-p', 'limit=5', '-p', 'dryRun=true', '-p', 'note="7"', '-p', 'eq=a=b', '-p', '__proto__={}', '--label', 'team=42', '-m', 'late'];
    const { code, out } = await ask(server.url, ['run', 'nightly', ...args]);
    expect([code, out]).toEqual([0, `Run ${RUN} has started.\n  sluice show ${RUN}\n`]);
    expect(JSON.stringify(server.at('POST /batches/nightly/runs')[0]?.body)).toBe(
      '{"parameters":{"day":"2026-11-24","limit":5,"dryRun":true,"note":"7","eq":"a=b","__proto__":{}},"labels":{"team":"42"},"reason":"late"}',
    );
  });

  it('sends each parameter as the kind that the batch declares', async () => {
    const parameters = [['s', 'string'], ['big', 'string'], ['at', 'datetime'], ['n', 'integer'], ['yes', 'boolean'], ['o', 'object']].map(([name, kind]) => ({ name, kind, required: true }));
    server.on('GET /batches/nightly', { body: { name: 'nightly', definition: { parameters } } }).on('POST /batches/nightly/runs', started);
    const args = ['s=8', 'big=12345678901234567890', 'at=2026', 'n=8', 'yes=true', 'o={"a":[1]}', 'other=8'].flatMap((text) => ['-p', text]);
    expect((await ask(server.url, ['run', 'nightly', ...args])).code).toBe(0);
    expect(server.at('POST /batches/nightly/runs')[0]?.body).toEqual({ parameters: { s: '8', big: '12345678901234567890', at: '2026', n: 8, yes: true, o: { a: [1] }, other: 8 } });
  });

  it('sends no number that would become another one', async () => {
    expect(await ask(server.url, ['run', 'nightly', '-p', 'id=12345678901234567890'])).toMatchObject({ code: 2, err: expect.stringMatching(/-p id: .*exactly/) });
    expect(server.at('POST /batches/nightly/runs')).toEqual([]);
  });

  it('takes parameters from a file, and those of -p before them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
    try {
      writeFileSync(join(folder, 'p.json'), '\ufeff{"day":"monday","deep":{"a":[1]}}');
      server.on('POST /batches/nightly/runs', started);
      await ask(server.url, ['run', 'nightly', '--params', join(folder, 'p.json'), '-p', 'day=friday']);
      expect(server.at('POST /batches/nightly/runs')[0]?.body).toEqual({ parameters: { day: 'friday', deep: { a: [1] } } });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gives programs the answer', async () => {
    server.on('POST /batches/nightly/runs', started);
    expect(JSON.parse((await ask(server.url, ['run', 'nightly', '--json'])).out)).toEqual(started.body);
  });
});

describe('sluice runs', () => {
  it('asks for what is wanted', async () => {
    server.on('GET /runs', list([row]));
    await ask(server.url, ['runs', '--status', 'failed', '--status', 'parked', '--batch', 'a b', '--label', 'team=x', '--limit', '3']);
    expect(server.asked[0]?.query.toString()).toBe('status=failed&status=parked&batch=a+b&label=team%3Ax&limit=3');
  });

  it('shows whole ids and, where nobody looks at lines, cuts nothing off', async () => {
    server.on('GET /runs', list([row], { nextCursor: 'more', total: 10_000, totalIs: 'atLeast' }));
    const { out } = await ask(server.url, ['runs']);
    expect(out.split('\n')).toEqual([
      'RUN                                   BATCH               STATUS  STEPS  STARTED  TOOK  BY   ERROR',
      `${RUN}  quarter-end-review  parked  2/4    3m ago         ann`,
      '',
      'The newest 1 of at least 10,000 runs.',
      '',
    ]);
  });

  it.each([60, 80, 100, 200])('fits a terminal of %i columns and leaves out what matters less', async (width) => {
    const error = { kind: 'error', code: 'no-price', message: 'stocks.csv has no price of IBM on the last day of the quarter' };
    server.on('GET /runs', list([row, { ...row, status: 'failed', durationMs: 61_000, error }]));
    const { out } = await ask(server.url, ['runs'], { width });
    const lines = out.trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(width, 79));
    expect(lines).toHaveLength(3);
    for (const line of lines.slice(1)) expect(line).toContain(RUN);
    expect(out.includes('ERROR')).toBe(width >= 100);
  });

  it('colours statuses where there are colours', async () => {
    server.on('GET /runs', list([row]));
    expect((await ask(server.url, ['runs'], { colour: true, width: 120 })).out).toContain('\u001b[33mparked\u001b[39m');
    expect((await ask(server.url, ['runs'], { width: 120 })).out).not.toContain('\u001b');
  });

  it('gives programs the page as it was sent', async () => {
    server.on('GET /runs', list([{ ...row, labels: { evil: 'a\u001b[2Jb\u009b\u202e' } }]));
    const { out } = await ask(server.url, ['runs', '--json']);
    expect(JSON.parse(out)).toMatchObject({ items: [{ id: RUN, labels: { evil: 'a\u001b[2Jb\u009b\u202e' } }], total: 1 });
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it('lets no control character of the server through to the terminal', async () => {
    const evil = 'x\u001b]0;title\u0007\u009b2J\r\nRun completed\u202e\u2066';
    server.on('GET /runs', list([{ ...row, batchName: evil, startedBy: evil, status: evil, error: { message: evil } }]));
    server.on(`GET /runs/${RUN}`, { body: { ...detail, reason: evil, labels: { [evil]: evil }, parameters: { [evil]: evil }, waitingFor: [{ what: evil, who: [evil], text: evil }] } });
    server.on('GET /jobs', { status: 403, body: { type: 'urn:sluice:forbidden', title: evil, detail: evil } });
    for (const args of [['runs'], ['show', RUN], ['jobs']]) {
      const { out, err } = await ask(server.url, args);
      expect(`${out}${err}`).toContain('Run completed');
      expect(`${out}${err}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      expect(`${out}${err}`).not.toMatch(/^Run completed/m);
    }
  });
});

describe('sluice show', () => {
  it('shows the run, its tree, who is waited for and what may be done', async () => {
    server.on(`GET /runs/${RUN}`, { body: detail });
    const { code, out } = await ask(server.url, ['show', RUN]);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      `Run ${RUN}  parked`,
      '  batch       quarter-end-review, version 2',
      '  started     2026-11-24 11:57:00Z (3m ago) by ann',
      '  trigger     api',
      '  reason      the books close',
      '  labels      team=finance',
      '  parameters  {"quarter":"2009-Q4"}',
      '  steps       2 of 4 succeeded, 1 pending, 1 waiting',
      '',
      'STEP             TYPE      STATUS     TRIES  TOOK  NOTE',
      'figures          parallel  succeeded',
      '├─ Portfolio',
      '│  └─ valuation  job       succeeded  1      2s',
      '└─ Market',
      '   └─ market     job       succeeded  3',
      `release          gate      waiting                 ${GATE}`,
      'publish          job       pending',
      '',
      'Waits for',
      '  approval release, until 2026-12-24 11:58:00Z: Somebody with the role controller or operator has to decide.',
      `    sluice approve ${GATE}`,
      `    sluice reject ${GATE} -m "why not"`,
      '    The market moved.',
      '    total (USD)  1',
      '    holdings     [{"IBM":5}]',
      '    who          ann',
      '',
      'Allowed now  cancel, approve release',
      '',
    ]);
  });

  it('says who decided a gate, and why', async () => {
    const decided = (id: string, more: object): object => ({ id, runId: RUN, stepId: id, state: 'decided', decidedBy: 'ann', ...more });
    const gate = (id: string, status: string, more: object = {}): object => step(id, status, { type: 'gate', attempts: 0, approvalId: id, ...more });
    const steps = [gate('one', 'succeeded'), gate('two', 'failed', { error: { code: 'rejected', message: 'too early' } }), gate('three', 'failed', { error: { code: 'timed-out', message: 'nobody came' } })];
    const approvals = [decided('one', { outcome: 'approved', note: 'looks right' }), decided('two', { outcome: 'rejected', note: 'too early' }), decided('three', { outcome: 'timed-out', decidedBy: null })];
    server.on(`GET /runs/${RUN}`, { body: { ...detail, waitingFor: [], steps, approvals } });
    const { out } = await ask(server.url, ['show', RUN]);
    expect(out).toMatch(/^one .* approved by ann: looks right\ntwo .* rejected by ann: too early\nthree .* timed-out: nobody came$/m);
  });

  it('gives programs the detail as it was sent', async () => {
    server.on(`GET /runs/${RUN}`, { body: detail });
    expect(JSON.parse((await ask(server.url, ['show', RUN, '--json'])).out)).toEqual(detail);
  });
});

describe('sluice cancel', () => {
  it('says where the run stands', async () => {
    server.on(`POST /runs/${RUN}/cancel`, [{ status: 202, body: { status: 'cancelling', position: '9' } }, { body: { status: 'cancelled', position: '9' } }]);
    expect(await ask(server.url, ['cancel', RUN, '-m', 'wrong day'])).toMatchObject({ code: 0, out: expect.stringContaining(`Run ${RUN} is cancelling.`) });
    expect(server.asked[0]?.body).toEqual({ reason: 'wrong day' });
    expect(await ask(server.url, ['cancel', RUN, '-m', 'wrong day'])).toEqual({ code: 0, out: `Run ${RUN} is cancelled.\n`, err: '' });
  });
});

describe('sluice counts', () => {
  it('counts every status', async () => {
    server.on('GET /runs/counts', { body: { total: 1_003, byStatus: { running: 1_000, failed: 3 }, asOf: {} } });
    expect((await ask(server.url, ['counts'])).out).toBe('STATUS   RUNS\nrunning  1,000\nfailed   3\n\n1,003 runs in all.\n');
  });
});

describe('sluice jobs', () => {
  it('shows what each takes', async () => {
    const parameters = { type: 'object', properties: { day: {}, limit: {} }, required: ['day'] };
    server.on('GET /jobs', list([{ name: 'close', description: 'Closes', tags: ['books'], parameters }, { name: 'free', parameters: null }]));
    expect((await ask(server.url, ['jobs'])).out).toMatch(/^close +day\*, limit +books +Closes$/m);
  });
});
