/**
 * A node with thousands of schedules: how soon it is there after a start, and how soon those that are due together fire.
 * SLUICE_TEST_SCHEDULES says how many there are. The promises for ten thousand are three seconds for the start and half a
 * second for 99 of the 100 that are due in the same second; a test has four times the slack.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprint } from '../../src/batches/batch.actor.js';
import { DefineBatch } from '../../src/batches/batch.commands.js';
import { SystemClock } from '../../src/clock.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { ids } from '../../src/ids.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';
import { ResumeSchedule } from '../../src/schedules/schedule.commands.js';
import { openSluice } from '../../src/sluice.js';
import type { SluiceEngine } from '../../src/sluice.js';

const MANY = Number(process.env['SLUICE_TEST_SCHEDULES'] ?? 2_000);
const BUSY = 100;
const TIMES = 2;
const START_MS = 4 * 3_000;
const DELAY_MS = 4 * 500;
const LIMIT_MS = 60_000 + MANY * 30;
const clock = new SystemClock();

/** The first ones are due every five seconds; the others once a year. */
function scheduled(at: number): BatchDefinition {
  const cron = at < BUSY ? '*/5 * * * * *' : `${at % 60} ${at % 24} ${1 + (at % 28)} ${1 + (at % 12)} *`;
  return { name: `many-${at}`, steps: [{ id: 'a', type: 'job', job: 'obey' }], schedule: { cron, timeZone: 'Europe/Stockholm', overlap: 'skip', paused: at < BUSY } };
}

describe(`A node with ${MANY} schedules`, () => {
  let directory = '';
  let engine: SluiceEngine | undefined;
  const open = (): SluiceEngine => {
    const jobs = new JobRegistry();
    jobs.register(obedientJob(clock));
    return (engine = openSluice({ directory, clock, slots: 16, jobs }));
  };
  const by = () => ({ actor: 'ann', roles: [], via: 'code' as const, commandId: ids.freshCommand() });
  const define = (on: SluiceEngine, definition: BatchDefinition) => on.batches.execute(new DefineBatch(ids.batch(definition.name), { definition, ...fingerprint(definition), source: 'api', expected: 'any' }, by()));

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-many-'));
    const first = open();
    await first.start();
    await Promise.all(Array.from({ length: MANY }, (_, at) => define(first, scheduled(at))));
    await first.read.host.waitFor(await first.log.head(), LIMIT_MS);
    await first.close(0, 0);
  }, LIMIT_MS);
  afterAll(async () => {
    await engine?.close(0, 0);
    await rm(directory, { recursive: true, force: true });
  });

  it('is there soon, and fires those that are due together soon', async () => {
    const began = performance.now();
    const cpu = process.cpuUsage();
    const node = open();
    await node.start();
    const startMs = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    for (let at = 0; at < BUSY; at += 1) await node.schedules.execute(new ResumeSchedule(ids.batch(`many-${at}`), null, by()));
    const delays: number[] = [];
    const ending = new AbortController();
    for await (const delivery of node.log.subscribe({ filter: { prefixes: [node.streams.prefix('run')] }, signal: ending.signal })) {
      if (delivery.kind !== 'facts') continue;
      for (const { type, data, metadata } of delivery.facts) if (type === 'RunStarted') delays.push(Date.parse(String(metadata['at'])) - Date.parse((data['trigger'] as { due: string }).due));
      if (delays.length >= BUSY * (TIMES + 1)) ending.abort();
    }
    // Some had their first turn before all were resumed.
    const sorted = delays.slice(BUSY).sort((one, other) => one - other);
    const p99 = sorted[Math.floor(sorted.length * 0.99)]!;
    process.stdout.write(`${MANY} schedules: started in ${Math.round(startMs)} ms (${Math.round((user + system) / 1_000)} ms of processor time), ${BUSY} at once begin after ${sorted[sorted.length >> 1]} ms (p99 ${p99} ms), ${Math.round(process.memoryUsage.rss() / 1e6)} MB\n`);
    expect(startMs).toBeLessThan(START_MS);
    expect(p99).toBeLessThan(DELAY_MS);
  }, LIMIT_MS);
});
