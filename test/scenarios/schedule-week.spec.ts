/** A schedule of five minutes through a week, with its log, its host and its timekeeper, on a simulated clock. A year is judged in `schedule.decide.spec.ts`. */
import { describe, expect, it } from '@jest/globals';
import { LedgerHouse } from '../schedules/ledger-house.js';

const DAY = 86_400_000;
const DAYS = 7;

describe('A schedule of five minutes', () => {
  it('has fired each occurrence of a week once', async () => {
    const house = new LedgerHouse();
    await house.define({ cron: '*/5 * * * *', timeZone: 'Europe/Stockholm' });
    const keeper = await house.timekeeper(undefined, true);
    const since = process.cpuUsage();
    await house.advance(DAYS * DAY, [keeper]);
    const { user, system } = process.cpuUsage(since);
    const tookMs = (user + system) / 1_000;
    await keeper.stop();
    const last = (await house.log.readStream(house.streams.schedule(house.tick), { backwards: true, limit: 1 }))[0]!;
    process.stdout.write(`a week of five minutes: ${Math.round(tookMs)} ms of processor time, ${last.revision} facts\n`);
    expect(last.data['ledger']).toMatchObject({ sums: { fired: DAYS * 288, skipped: 0, missed: 0 } });
    expect(house.started.size).toBe(DAYS * 288);
    expect([...house.started.values()].every((times) => times === 1)).toBe(true);
    await house.close();
  }, 120_000);
});
