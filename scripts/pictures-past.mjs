/**
 * Five weeks of a server's life for the pictures, lived by the engine itself on a clock that hurries: nightly and hourly
 * schedules, a pause, a night without a server, runs that fail. Needs a build.
 */
import { SimulatedClock, turns } from '../dist/src/testing/simulated-clock.js';

const DAY_MS = 86_400_000;
const DAYS = 35;
const TURNS = 12;
const job = (id, title, params = {}, more = {}) => ({ id, type: 'job', job: 'obey', title, params, ...more });

const NIGHTLY = {
  name: 'nightly-report', title: 'Nightly report', description: 'Figures of the day before, for the morning', labels: { team: 'finance' },
  parameters: [{ name: 'day', kind: 'string', required: true }, { name: 'breaks', kind: 'boolean', default: false }],
  steps: [job('collect', 'Collect the figures', { ms: 40_000 }), job('check', 'Check them', { ms: 5_000, do: '{{ params.breaks ? "fail-terminal" : "succeed" }}' }), job('send', 'Send the report', { ms: 2_000 })],
  schedule: { cron: '30 2 * * *', timeZone: 'Europe/Stockholm', catchUp: 'latest', catchUpWindow: '4h', overlap: 'skip', parameters: { day: '{{ occurrence.date }}', breaks: '{{ occurrence.date.endsWith("7") }}' } },
};
const HOURLY = {
  name: 'sync-stock', title: 'Synchronise the stock', labels: { team: 'logistics' },
  steps: [job('pull', 'Pull from the warehouses', { ms: 90_000 }), job('apply', 'Apply', { ms: 30_000 })],
  schedule: { cron: '0 */2 * * *', timeZone: 'UTC', catchUp: 'skip', overlap: 'skip' },
};
const ORDERS = {
  name: 'take-orders', title: 'Take orders', labels: { team: 'sales' },
  steps: [job('take', 'Take them from the shop', { ms: 20_000, do: '{{ params.breaks ? "fail-terminal" : "succeed" }}' }), job('book', 'Book them', { ms: 8_000 })],
  parameters: [{ name: 'breaks', kind: 'boolean', default: false }],
  schedule: { cron: '*/10 * * * *', timeZone: 'Europe/Stockholm', parameters: { breaks: '{{ ["T03:20", "T09:40", "T13:10"].exists(at, occurrence.due.contains(at)) }}' } },
};
const WEEKLY = { name: 'archive', title: 'Archive of the week', steps: [job('pack', 'Pack', { ms: 600_000 })], schedule: { cron: '0 6 * * 1', timeZone: 'America/New_York', catchUp: 'all' } };

/** @param directory of the data, without a server in it */
export async function liveThePast(directory) {
  const [{ openSluice }, { JobRegistry }, { obedientJob }, { DefineBatch }, { fingerprint }, { ids }, { PauseSchedule, ResumeSchedule }] = await Promise.all(
    ['sluice', 'jobs/job-registry', 'jobs/obedient.job', 'batches/batch.commands', 'batches/batch.actor', 'ids', 'schedules/schedule.commands'].map((room) => import(`../dist/src/${room}.js`)),
  );
  const now = Date.now();
  const ago = (days) => now - days * DAY_MS;
  const by = (actor) => ({ actor, roles: ['author', 'operator'], via: 'rest', commandId: ids.freshCommand() });
  /** A server from one moment to another; what it does meanwhile is told when it has come to each. */
  async function live(fromMs, ...chapters) {
    const clock = new SimulatedClock(fromMs);
    const jobs = new JobRegistry();
    jobs.register(obedientJob(clock), 'the pictures');
    const engine = openSluice({ directory, clock, jobs, slots: 16 });
    await engine.start();
    for (const [untilMs, act] of chapters) {
      while (clock.now() < untilMs) {
        if (!clock.wakeNext(untilMs)) clock.moveTo(untilMs);
        // What woke works until it waits again.
        await turns(TURNS);
      }
      await act?.(engine);
    }
    clock.end();
    await engine.close(0, 0);
  }
  const define = (...definitions) => async (engine) => {
    for (const definition of definitions) {
      await engine.batches.execute(new DefineBatch(ids.batch(definition.name), { definition, ...fingerprint(definition), source: 'api', expected: 'any' }, by('ann')));
    }
  };
  const stock = ids.batch(HOURLY.name);
  await live(
    ago(DAYS), [ago(DAYS), define(NIGHTLY, HOURLY, WEEKLY)],
    [ago(16), (engine) => engine.schedules.execute(new PauseSchedule(stock, 'The warehouses count', by('tom')))],
    [ago(14.6), (engine) => engine.schedules.execute(new ResumeSchedule(stock, 'Counted', by('tom')))],
    [ago(9.4)],
  );
  await live(ago(8.8), [ago(0.95), define(ORDERS)], [now - 60_000]);
}
