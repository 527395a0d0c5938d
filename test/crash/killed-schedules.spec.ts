/**
 * Schedules of every policy, due every second, on a real server that is killed three times in half a minute while rules
 * are edited, paused, resumed, deleted and created: every occurrence comes to one end, and every one that was fired has
 * one run.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/clock.js';
import { verifyChain } from '../../src/events/envelope.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { runTypeScript } from '../child-process.js';
import type { Child } from '../child-process.js';
import { CarefulClient, groupedBy } from './careful-client.js';

const SERVER = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const JOBS = fileURLToPath(new URL('./killed-server.jobs.ts', import.meta.url));
const KILLS = 3;
const LIVES_MS = 10_000;
const SETTLE_MS = 60_000;

const SCHEDULES: Readonly<Record<string, { readonly schedule: object; readonly params?: object }>> = {
  plain: { schedule: { cron: '* * * * * *' } },
  latest: { schedule: { cron: '* * * * * *', catchUp: 'latest', timeZone: 'Asia/Kathmandu' } },
  all: { schedule: { cron: '* * * * * *', catchUp: 'all', catchUpLimit: 5 } },
  alone: { schedule: { cron: '* * * * * *', overlap: 'skip', catchUp: 'all' }, params: { ms: 1_500 } },
  queued: { schedule: { cron: '* * * * * *', overlap: 'queue', queueLimit: 2, catchUp: 'latest' }, params: { ms: 1_500 } },
  newest: { schedule: { cron: '*/2 * * * * *', overlap: 'cancelPrevious', catchUp: 'latest' }, params: { do: 'hang' } },
  edited: { schedule: { cron: '* * * * * *', catchUp: 'latest' } },
  gone: { schedule: { cron: '* * * * * *', catchUp: 'all', catchUpWindow: '10s' } },
  wavering: { schedule: { cron: '* * * * * *', jitter: '900ms', catchUp: 'all' } },
};
const NAMES = Object.keys(SCHEDULES);
/** Over which the rule of `edited` goes, again and again. */
const EDITS: readonly object[] = [{ cron: '*/2 * * * * *' }, { cron: '*/3 * * * * *', catchUp: 'all' }, { cron: '* * * * * *', overlap: 'queue', jitter: '400ms' }, { cron: '* * * * * *', timeZone: 'Asia/Kathmandu', overlap: 'skip' }];
/** Those whose occurrences do not follow each other evenly. */
const UNEVEN = ['edited', 'gone'];
const AUTHOR = 'viewer,operator,author';

interface Occurrence {
  readonly due: string;
  readonly outcome: string;
  readonly runId: string | null;
}

const client = new CarefulClient();
let directory = '';
let server: Child | undefined;
let facts: readonly StoredFact[] = [];
const told = new Map<string, { readonly items: readonly Occurrence[]; readonly sums: Readonly<Record<string, number>> }>();
let ended = '';

function serve(): Child {
  return (server = runTypeScript(SERVER, { env: { SLUICE_DATA: directory, SLUICE_PORT: '0', SLUICE_JOBS: JOBS, SLUICE_SLOTS: '12', SLUICE_LOG_LEVEL: 'warn', SLUICE_DRAIN: '1s' } }));
}

async function open(child: Child): Promise<void> {
  client.url = /http:\S+/.exec(await child.line(/listening on/))![0];
}

async function kill(child: Child): Promise<void> {
  child.kill('SIGKILL');
  await child.exited;
  client.url = undefined;
}

const definition = (name: string, more: object = {}): object => ({
  name: `every-${name}`, steps: [{ id: 'a', type: 'job', job: 'obey', params: SCHEDULES[name]?.params ?? {}, retry: { maxLosses: 1_000 }, cancelGrace: '200ms' }], schedule: { ...SCHEDULES[name]?.schedule, ...more },
});

async function askAll(name: string, from: string, to: string): Promise<{ items: Occurrence[]; sums: Record<string, number> }> {
  const items: Occurrence[] = [];
  for (let cursor = ''; ; ) {
    const { status, json } = await client.ask('GET', `/batches/every-${name}/schedule/occurrences?from=${from}&to=${to}&limit=500${cursor}`);
    expect(status).toBe(200);
    items.push(...(json['items'] as Occurrence[]));
    const { expected = 0, fired = 0, skipped = 0, missed = 0, pending = 0, unexplained = 0 } = json as Record<string, number>;
    if (json['nextCursor'] === null) return { items, sums: { expected, fired, skipped, missed, pending, unexplained } };
    cursor = `&cursor=${json['nextCursor'] as string}`;
  }
}

let over = false;
let edits = 0;

/** Edits one batch, and deletes and creates another, until it is over; whatever dies meanwhile. */
async function people(): Promise<void> {
  for (let at = 0; !over; at += 1) {
    const { json } = await client.ask('GET', '/batches/every-edited');
    const edited = await client.ask('PUT', '/batches/every-edited', { roles: AUTHOR, key: `edit-${at}`, ifMatch: `"${String(json['version'])}"`, body: definition('edited', EDITS[at % EDITS.length]) });
    const deleted = await client.ask('DELETE', '/batches/every-gone', { roles: AUTHOR, key: `gone-${at}` });
    await sleep(600);
    const created = await client.ask('POST', '/batches', { roles: AUTHOR, key: `there-${at}`, body: definition('gone') });
    if (edited.status !== 200 || deleted.status !== 204 || created.status !== 201) throw new Error(`It was answered ${edited.status}, ${deleted.status} and ${created.status}.`);
    edits += 1;
    await sleep(1_200);
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-killed-schedules-'));
  let child = serve();
  await open(child);
  const began = new Date(Math.floor(Date.now() / 1_000) * 1_000 - 1_000).toISOString();
  for (const name of NAMES) expect((await client.ask('POST', '/batches', { roles: AUTHOR, body: definition(name) })).status).toBe(201);
  const editing = people();
  for (let at = 0; at < KILLS; at += 1) {
    await sleep(LIVES_MS * (0.5 + at / 4));
    await client.ask('POST', `/batches/every-plain/schedule/${at % 2 === 0 ? 'pause' : 'resume'}`, { body: {} });
    await kill(child);
    await sleep(at * 1_500);
    child = serve();
    await open(child);
  }
  await sleep(4_000);
  over = true;
  await editing;
  await client.ask('POST', '/batches/every-plain/schedule/resume', { body: {} });
  for (const name of NAMES) await client.ask('POST', `/batches/every-${name}/schedule/pause`, { body: {} });
  ended = new Date(Math.floor(Date.now() / 1_000) * 1_000).toISOString();
  // What was fired ends, but for what waits while the schedule is paused.
  for (const until = Date.now() + SETTLE_MS; ; await sleep(200)) {
    const { json } = await client.ask('GET', '/runs?status=running&limit=500');
    const running = (json['items'] as { batchName: string }[]).filter(({ batchName }) => batchName !== 'every-newest');
    if (running.length === 0) break;
    if (Date.now() > until) throw new Error(`${running.length} runs hang.`);
  }
  for (const name of NAMES) told.set(name, await askAll(name, began, ended));
  await kill(child);
  const log = openSqliteLog({ directory, clock: new SystemClock() });
  const all: StoredFact[] = [];
  for await (const page of log.readAll()) all.push(...page);
  facts = all;
  await log.close();
  const lines = NAMES.map((name) => `${name} ${JSON.stringify(told.get(name)?.sums)}`);
  process.stdout.write(`killed schedules: ${KILLS} kills, ${edits} edits, deletions and creations, ${facts.length} facts\n  ${lines.join('\n  ')}\n`);
}, 480_000);

afterAll(async () => {
  client.closed = true;
  server?.kill();
  await server?.exited;
  await rm(directory, { recursive: true, force: true });
});

describe('Schedules on a server that was killed three times', () => {
  it.each(NAMES)('%s: every occurrence has one entry, and none is unexplained', (name) => {
    const { items, sums } = told.get(name)!;
    expect(sums['expected']).toBe(items.length);
    expect(sums['expected']).toBeGreaterThan(10);
    expect(sums['unexplained']).toBe(0);
    expect(new Set(items.map(({ due }) => due)).size).toBe(items.length);
    const step = name === 'newest' ? 2_000 : 1_000;
    const dues = items.map(({ due }) => Date.parse(due));
    if (!UNEVEN.includes(name)) expect(dues.every((due, at) => at === 0 || dues[at - 1]! - due === step)).toBe(true);
    expect((sums['fired'] ?? 0) + (sums['skipped'] ?? 0) + (sums['missed'] ?? 0) + (sums['pending'] ?? 0)).toBe(items.length);
    expect(sums['fired']).toBeGreaterThan(0);
    expect(edits).toBeGreaterThan(KILLS);
  });

  it.each(NAMES)('%s: every one that was fired has exactly one run, and there is no other', (name) => {
    const fired = told.get(name)!.items.filter(({ outcome }) => outcome === 'fired');
    const begun = facts.filter(({ type, data }) => type === 'RunStarted' && data['batchName'] === `every-${name}`).map(({ data }) => [(data['trigger'] as { due: string }).due, data['runId']]);
    const inRange = begun.filter(([due]) => (due as string) < ended);
    expect(inRange.sort()).toEqual(fired.map(({ due, runId }) => [due, runId]).sort());
  });

  it('has whole hash chains', () => {
    for (const said of groupedBy(facts, ({ stream }) => stream).values()) expect(verifyChain(said)).toMatchObject({ ok: true });
  });
});
