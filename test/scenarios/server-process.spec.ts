/** The server as a process: what it prints, what it refuses to start on, and how it ends. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/clock.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { runTypeScript } from '../child-process.js';
import { EventStoreDouble } from '../eventstoredb/double.js';
import type { Child } from '../child-process.js';

const SERVER = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url));
/** It looks twice a second; four times that, and the time that an idle server takes to end. */
const GONE_WITHIN_MS = 10_000;
const JOBS = fileURLToPath(new URL('../crash/killed-server.jobs.ts', import.meta.url));
let directory: string;
let children: Child[];

const data = (): string => join(directory, 'data');
function serve(env: Readonly<Record<string, string>> = {}, under: readonly string[] = []): Child {
  const child = runTypeScript(SERVER, { under, env: { SLUICE_DATA: data(), SLUICE_PORT: '0', SLUICE_JOBS: JOBS, SLUICE_LOG_LEVEL: 'warn', ...env } });
  children.push(child);
  return child;
}
const urlOf = async (child: Child): Promise<string> => /http:\S+/.exec(await child.line(/listening on/))![0];

async function factsIn(): Promise<readonly { readonly type: string; readonly data: object }[]> {
  const log = openSqliteLog({ directory: data(), clock: new SystemClock() });
  const facts = [];
  for await (const page of log.readAll({ filter: { prefixes: ['run-'] } })) facts.push(...page);
  await log.close();
  return facts;
}

/** Starts a run that hangs, and waits until its job is under way. */
async function hanging(url: string): Promise<void> {
  await fetch(`${url}/batches/hanging/runs`, { method: 'POST' });
  for (let running = 0; running === 0; await sleep(20)) {
    const { total } = (await (await fetch(`${url}/executions?status=running`)).json()) as { total: number };
    running = total;
  }
}

/** One paragraph for people, exit code 1. */
async function refusal(child: Child): Promise<string> {
  expect(await child.exited).toEqual({ code: 1, signal: null });
  expect(child.lines).toEqual([]);
  expect(child.errors()).not.toMatch(/\n +at |\{"level"/);
  return child.errors();
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-server-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill();
  await Promise.all(children.map((child) => child.exited));
  await rm(directory, { recursive: true, force: true });
});

describe('The server on a signal', () => {
  it('drains: the running job gets its signal after the drain, its attempt is lost to the shutdown, and it ends with 0', async () => {
    const child = serve({ SLUICE_DRAIN: '300ms' });
    await hanging(await urlOf(child));
    const asked = Date.now();
    child.kill('SIGTERM');
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(Date.now() - asked).toBeGreaterThanOrEqual(300);
    expect(await factsIn()).toContainEqual(expect.objectContaining({ type: 'StepLost', data: expect.objectContaining({ reason: 'shutdown' }) }));
  }, 240_000);

  it('ends at once at the second one', async () => {
    const child = serve({ SLUICE_DRAIN: '60s' });
    await hanging(await urlOf(child));
    child.kill('SIGTERM');
    await sleep(200);
    child.kill('SIGTERM');
    expect(await child.exited).toEqual({ code: 1, signal: null });
  }, 240_000);
});

describe('The server that npm started', () => {
  it('ends when npm is gone, however that ended', async () => {
    const npm = runTypeScript(START, { under: ['sh', '-c', '"$0" "$@" & wait'], env: { SLUICE_DATA: data(), SLUICE_PORT: '0', SLUICE_DEMO: 'off', npm_lifecycle_event: 'start' } });
    const url = await urlOf(npm);
    npm.kill('SIGKILL');
    const until = Date.now() + GONE_WITHIN_MS;
    const answers = async (): Promise<boolean> => fetch(`${url}/health/live`).then(() => true, () => false);
    while ((await answers()) && Date.now() < until) await sleep(100);
    expect(await answers()).toBe(false);
  }, 240_000);
});

describe('The server on a full disk', () => {
  it('refuses what it can not keep with 503 and a time to come again, and keeps what it had said yes to', async () => {
    // In blocks of 512 bytes, for each file.
    const child = serve({}, ['sh', '-c', 'ulimit -f 3000; exec "$0" "$@"']);
    const url = await urlOf(child);
    const start = (text: string): Promise<Response> => fetch(`${url}/batches/three/runs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ labels: { text }, reason: 'r'.repeat(2_000) }) });
    let taken = 0;
    let answer = await start('x'.repeat(200));
    for (; answer.status === 202 && taken < 20_000; taken += 1) answer = await start('x'.repeat(200));
    expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('content-type')]).toEqual([503, '1', expect.stringContaining('application/problem+json')]);
    expect(await answer.json()).toMatchObject({ type: 'urn:sluice:log-unavailable' });
    child.kill('SIGKILL');
    await child.exited;
    expect(new Set((await factsIn()).filter(({ type }) => type === 'RunStarted')).size).toBeGreaterThanOrEqual(taken);
  }, 240_000);
});

describe('The server does not start', () => {
  it('on names that nobody knows, and writes nothing', async () => {
    expect(await refusal(serve({ SLUICE_PROT: '1' }))).toContain('did you mean SLUICE_PORT?');
    expect(existsSync(data())).toBe(false);
  }, 240_000);

  it('where others could reach it without signing in', async () => {
    expect(await refusal(serve({ SLUICE_HOST: '0.0.0.0' }))).toContain('SLUICE_AUTH');
    expect(existsSync(data())).toBe(false);
  }, 240_000);

  it('on a data directory that another one uses', async () => {
    await urlOf(serve());
    expect(await refusal(serve())).toContain('is in use by another process');
  }, 240_000);

  it('on a file that is no database', async () => {
    directory = await mkdtemp(join(directory, 'not-a-database-'));
    await writeFile(join(directory, 'log.db'), 'a letter to a friend, and not a short one: '.repeat(50));
    expect(await refusal(serve({ SLUICE_DATA: directory }))).toContain('is not a database');
    expect((await readdir(directory)).filter((name) => name.startsWith('read'))).toEqual([]);
  }, 240_000);

  it('on a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await refusal(serve({ SLUICE_PORT: String(port) }))).toContain('EADDRINUSE');
    await new Promise((resolve) => other.close(resolve));
  }, 240_000);
});

describe('The rows of the server', () => {
  it('are made anew where read.db is gone, and are refused where they are of another log', async () => {
    const first = serve();
    const url = await urlOf(first);
    const { runId } = (await (await fetch(`${url}/batches/three/runs`, { method: 'POST' })).json()) as { runId: string };
    first.kill('SIGTERM');
    await first.exited;
    await rm(join(data(), 'read.db'));
    const second = serve();
    const again = await urlOf(second);
    for (let found = 0; found !== 200; await sleep(20)) found = (await fetch(`${again}/runs/${runId}`)).status;
    second.kill('SIGTERM');
    await second.exited;
    for (const suffix of ['', '-wal', '-shm']) await rm(join(data(), `log.db${suffix}`), { force: true });
    expect(await refusal(serve())).toContain('Move it away');
  }, 180_000);
});

describe('Switching the log by its URL', () => {
  it('needs nothing else, to and fro: each log has its own runs and rows', async () => {
    const double = await new EventStoreDouble().start();
    const runsSeenBy = async (env: Record<string, string>, runs: readonly string[]): Promise<readonly number[]> => {
      const child = serve(env);
      const url = await urlOf(child);
      const statuses = await Promise.all(runs.map(async (run) => (await fetch(`${url}/runs/${run}`)).status));
      child.kill('SIGTERM');
      await child.exited;
      return statuses;
    };
    const runBegunBy = async (env: Record<string, string>): Promise<string> => {
      const child = serve(env);
      const begun = (await (await fetch(`${await urlOf(child)}/batches/three/runs`, { method: 'POST' })).json()) as { runId: string; position: string };
      await fetch(`${await urlOf(child)}/runs/${begun.runId}?atLeast=${begun.position}`);
      child.kill('SIGTERM');
      await child.exited;
      return begun.runId;
    };
    const elsewhere = { SLUICE_EVENTS_URL: double.url };
    const runs = [await runBegunBy({}), await runBegunBy(elsewhere)];
    expect(await runsSeenBy({}, runs)).toEqual([200, 404]);
    expect(await runsSeenBy(elsewhere, runs)).toEqual([404, 200]);
    double.kill();
  }, 240_000);
});

describe('The demo', () => {
  it('seeds an empty log, and says so when there was nothing to seed', async () => {
    const env = { SLUICE_DEMO: 'on', SLUICE_JOBS: '' };
    const seededIn = async (): Promise<readonly string[]> => {
      const child = serve(env);
      await child.line(/Ready after/);
      child.kill('SIGTERM');
      await child.exited;
      return child.lines.filter((line) => /^ +(nightly-flights|quarter-end-review|film-catalogue) |nothing was seeded/.test(line));
    };
    expect(await seededIn()).toHaveLength(3);
    expect(await seededIn()).toEqual([expect.stringContaining('nothing was seeded')]);
  }, 180_000);

  it('that finds no room is cut short, and the server serves', async () => {
    const child = serve({ SLUICE_DEMO: 'on', SLUICE_JOBS: '', SLUICE_SLOTS: '1', SLUICE_QUEUE_LIMIT: '1' });
    await child.line(/cut short, the next start goes on/);
    expect((await fetch(`${await urlOf(child)}/health/live`)).status).toBe(200);
  }, 180_000);
});
