/**
 * A schedule of five minutes through days, with its log, its hosts and its timekeeper, on a simulated clock: each
 * occurrence is a fact of its own, and each has a run that begins and ends. SLUICE_TEST_DAYS says how many days; the time
 * goes into checking, sealing and storing four facts for each. That a year of occurrences alone is judged in seconds is
 * shown in `schedule.decide.spec.ts`.
 */
import { describe, expect, it } from '@jest/globals';
import { LedgerHouse } from '../schedules/ledger-house.js';

const DAY = 86_400_000;
const DAYS = Number(process.env['SLUICE_TEST_DAYS'] ?? 7);

describe(`A schedule of five minutes, for ${DAYS} days`, () => {
  it('has fired each occurrence once, and each has one run', async () => {
    const house = new LedgerHouse();
    await house.define({ cron: '*/5 * * * *', timeZone: 'Europe/Stockholm' });
    const keeper = await house.timekeeper(undefined, 'real');
    const since = process.cpuUsage();
    await house.advance(DAYS * DAY, [keeper]);
    const { user, system } = process.cpuUsage(since);
    await keeper.stop();
    const last = (await house.log.readStream(house.streams.schedule(house.tick), { backwards: true, limit: 1 }))[0]!;
    const runs = { RunStarted: new Set<string>(), RunCompleted: new Set<string>() };
    for await (const page of house.log.readAll({ filter: { prefixes: [house.streams.prefix('run')] } })) {
      for (const { type, stream } of page) if (type === 'RunStarted' || type === 'RunCompleted') runs[type].add(stream);
    }
    process.stdout.write(`${DAYS} days of five minutes: ${Math.round((user + system) / 1_000)} ms of processor time, ${last.revision} facts of the schedule, ${runs.RunStarted.size} runs\n`);
    expect(last.data['ledger']).toMatchObject({ sums: { fired: DAYS * 288, skipped: 0, missed: 0 } });
    expect([runs.RunStarted.size, runs.RunCompleted.size, house.started.size]).toEqual(Array(3).fill(DAYS * 288));
    expect([...house.started.values()].every((times) => times === 1)).toBe(true);
    expect(house.faults).toEqual([]);
    await house.close();
  }, 120_000 + DAYS * 2_000);
});
