/** Schedules in the whole runtime, on a clock that stands still until it is moved. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { QueryBus, CommandBus } from '@nestjs/cqrs';
import { ids } from '../../src/ids.js';
import type { BatchDefinition, ScheduleRule } from '../../src/events/definition.js';
import { fingerprint } from '../../src/batches/batch.actor.js';
import { DefineBatch, DeleteBatch } from '../../src/batches/batch.commands.js';
import { GetOccurrences } from '../../src/schedules/occurrence.queries.js';
import { PauseSchedule, ResumeSchedule, StartBackfill } from '../../src/schedules/schedule.commands.js';
import { SluiceTestingModule } from '../../src/testing/index.js';
import type { SluiceTrial } from '../../src/testing/index.js';

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const work = { id: 'a', type: 'job' as const, job: 'obey' };
const origin = () => ({ actor: 'ann', roles: ['author', 'operator'], via: 'code' as const, commandId: ids.freshCommand() });

let trial: SluiceTrial;
afterEach(() => trial.close());

const open = async (...batches: BatchDefinition[]) => (trial = await SluiceTestingModule.start({ batches, startAtMs: START }));
const every = (cron: string, more: Partial<ScheduleRule> = {}, params: Record<string, string | number> = {}): BatchDefinition => ({ name: 'tick', steps: [{ ...work, params }], schedule: { cron, ...more } });
const define = async (definition: BatchDefinition): Promise<void> => {
  await trial.app.get(CommandBus).execute(new DefineBatch(ids.batch(definition.name), { definition, ...fingerprint(definition), source: 'api', expected: 'any' }, origin()));
  await trial.idle();
};
const TICK = ids.batch('tick');
const ledger = async (name = 'tick', fromMs = START, toMs = trial.clock.now() + 1) => {
  await trial.idle();
  const found = await trial.app.get(QueryBus).execute(new GetOccurrences(ids.batch(name), { fromMs, toMs }, { limit: 500, cursor: undefined }));
  if (found === undefined) throw new Error('no schedule');
  const { items, expected, fired, skipped, missed, pending, unexplained } = found;
  return { items: items.map(({ due, outcome, reason }) => `${due.slice(11, 19)} ${outcome}${reason === null ? '' : ` ${reason}`}`), sums: { expected, fired, skipped, missed, pending, unexplained } };
};
const runs = async (batch = 'tick') => (await trial.sluice.list({ batch: ids.batch(batch) }, { limit: 500 })).items;

describe('A schedule', () => {
  it('fires each occurrence once, and says so', async () => {
    await open(every('*/10 * * * *'));
    await trial.advance('1h');
    expect((await runs()).map(({ trigger, status, startedBy }) => [trigger.type, trigger.due, status, startedBy])).toEqual(
      ['01:00', '00:50', '00:40', '00:30', '00:20', '00:10'].map((time) => ['schedule', `2026-01-01T${time}:00.000Z`, 'completed', 'schedule']),
    );
    expect(await ledger()).toEqual({
      items: ['01:00:00 fired', '00:50:00 fired', '00:40:00 fired', '00:30:00 fired', '00:20:00 fired', '00:10:00 fired'],
      sums: { expected: 6, fired: 6, skipped: 0, missed: 0, pending: 0, unexplained: 0 },
    });
  });

  it('is picked up when it is created, edited and deleted, and its past keeps its rules', async () => {
    await open();
    await define(every('0 * * * *'));
    await trial.advance('2h');
    await define(every('*/30 * * * *'));
    await trial.advance('1h');
    await define({ name: 'tick', steps: [work] });
    await trial.advance('1h');
    await define(every('0 * * * *'));
    await trial.advance('1h');
    await trial.app.get(CommandBus).execute(new DeleteBatch(TICK, origin()));
    await trial.advance('1h');
    expect(await ledger()).toEqual({
      items: ['05:00:00 fired', '03:00:00 fired', '02:30:00 fired', '02:00:00 fired', '01:00:00 fired'],
      sums: { expected: 5, fired: 5, skipped: 0, missed: 0, pending: 0, unexplained: 0 },
    });
    expect(await runs()).toHaveLength(5);
  });

  it('fires nothing while it is paused, and goes on with the next occurrence', async () => {
    await open();
    await define(every('*/10 * * * *'));
    await trial.advance('10m');
    await trial.app.get(CommandBus).execute(new PauseSchedule(TICK, 'enough', origin()));
    await trial.advance('30m');
    expect((await ledger()).sums).toEqual({ expected: 4, fired: 1, skipped: 3, missed: 0, pending: 0, unexplained: 0 });
    await define(every('*/5 * * * *', { paused: false }));
    await trial.advance('10m');
    await trial.app.get(CommandBus).execute(new ResumeSchedule(TICK, null, origin()));
    await trial.advance('5m');
    expect(await ledger()).toEqual({
      items: ['00:55:00 fired', '00:50:00 skipped paused', '00:45:00 skipped paused', '00:40:00 skipped paused', '00:30:00 skipped paused', '00:20:00 skipped paused', '00:10:00 fired'],
      sums: { expected: 7, fired: 2, skipped: 5, missed: 0, pending: 0, unexplained: 0 },
    });
  });

  it('that is defined as paused begins when somebody resumes it', async () => {
    await open();
    await define(every('*/10 * * * *', { paused: true }));
    await trial.advance('20m');
    expect(await runs()).toEqual([]);
    await trial.app.get(CommandBus).execute(new ResumeSchedule(TICK, null, origin()));
    await trial.advance('10m');
    expect(await runs()).toHaveLength(1);
  });

  it('skips what would overlap', async () => {
    await open(every('*/10 * * * *', { overlap: 'skip' }, { ms: 25 * 60_000 }));
    await trial.advance('1h');
    expect((await ledger()).items).toEqual(['01:00:00 skipped overlap', '00:50:00 skipped overlap', '00:40:00 fired', '00:30:00 skipped overlap', '00:20:00 skipped overlap', '00:10:00 fired']);
  });

  it('queues what would overlap, up to its limit, and begins it when the run before ends', async () => {
    await open(every('*/10 * * * *', { overlap: 'queue', queueLimit: 1 }, { ms: 25 * 60_000 }));
    await trial.advance('40m');
    expect((await ledger()).items).toEqual(['00:40:00 pending queued', '00:30:00 skipped queueFull', '00:20:00 fired', '00:10:00 fired']);
    expect((await runs()).map(({ startedAt, trigger }) => [startedAt.slice(11, 16), trigger.due?.slice(11, 16)])).toEqual([['00:35', '00:20'], ['00:10', '00:10']]);
  });

  it('cancels the run before, and overtakes what waited for that', async () => {
    await open({ name: 'tick', steps: [{ ...work, params: { do: 'stubborn', ms: 25 * 60_000 }, cancelGrace: '15m' }], schedule: { cron: '*/10 * * * *', overlap: 'cancelPrevious' } });
    await trial.advance('40m');
    expect((await ledger()).items).toEqual(['00:40:00 pending queued', '00:30:00 fired', '00:20:00 skipped superseded', '00:10:00 fired']);
    expect((await runs()).map(({ status, trigger }) => [status, trigger.due?.slice(11, 16)])).toEqual([['cancelling', '00:30'], ['cancelled', '00:10']]);
  });

  it('gives its runs what it knows of the occurrence', async () => {
    await open({ ...every('30 2 * * *', { timeZone: 'Europe/Stockholm', parameters: { day: '{{ occurrence.date }}', since: '{{ occurrence.previous }}' } }), parameters: [{ name: 'day', kind: 'string' }, { name: 'since', kind: 'datetime' }] });
    await trial.advance('1d');
    expect((await runs())[0]?.parameters).toEqual({ day: '2026-01-01', since: '2025-12-31T01:30:00.000Z' });
  });

  it('that can not start its run makes one that fails at once, and tries the next', async () => {
    await open();
    await define({ name: 'tick', steps: [{ id: 'a', type: 'job', job: 'nobody' }], schedule: { cron: '*/10 * * * *' } });
    await define({ name: 'tock', parameters: [{ name: 'n', kind: 'integer', required: true }], steps: [work], schedule: { cron: '*/10 * * * *', parameters: { n: '{{ occurrence.date }}' } } });
    await trial.advance('20m');
    expect((await runs()).map(({ status, error }) => [status, error?.code])).toEqual([['failed', 'unknown-job'], ['failed', 'unknown-job']]);
    expect((await runs('tock')).map(({ status, error }) => [status, error?.message])).toEqual(Array(2).fill(['failed', expect.stringContaining('/schedule/parameters/n')]));
    expect((await ledger('tock')).sums).toMatchObject({ expected: 2, fired: 2, unexplained: 0 });
  });

  it('fires a little later with jitter, each in its order', async () => {
    await open(every('*/10 * * * *', { jitter: '5m' }));
    await trial.advance('10m');
    expect((await ledger()).sums).toMatchObject({ expected: 1, pending: 1, fired: 0 });
    await trial.advance('55m');
    const delays = (await runs()).map(({ startedAt, trigger }) => Date.parse(startedAt) - Date.parse(trigger.due ?? ''));
    expect(delays).toHaveLength(6);
    expect(Math.max(...delays)).toBeLessThan(5 * 60_000);
    expect(new Set(delays).size).toBe(6);
  });

  it('begins runs of the past by the rules that were in force then', async () => {
    await open();
    await define(every('0 * * * *'));
    await trial.advance('2h');
    await trial.app.get(CommandBus).execute(new PauseSchedule(TICK, null, origin()));
    await define(every('*/30 * * * *'));
    await trial.advance('1h');
    await trial.app.get(CommandBus).execute(new ResumeSchedule(TICK, null, origin()));
    await trial.idle();
    const before = await ledger();
    const backfill = { from: new Date(START).toISOString(), to: new Date(START + DAY).toISOString(), again: false, total: 2, id: ids.backfillOf(ids.freshCommand()) };
    await trial.app.get(CommandBus).execute(new StartBackfill(TICK, backfill, origin()));
    await trial.idle();
    expect((await runs()).filter(({ trigger }) => trigger.type === 'backfill').map(({ trigger, labels }) => [trigger.due?.slice(11, 16), labels['backfill']])).toEqual(expect.arrayContaining([['02:30', backfill.id], ['03:00', backfill.id]]));
    expect(await runs()).toHaveLength(4);
    expect(await ledger()).toEqual(before);
  });
});
