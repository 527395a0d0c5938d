/** What a schedule makes of a clock that is set, and of a machine that slept: nothing fires twice, and the ledger says why what did not fire did not. */
import { describe, expect, it } from '@jest/globals';
import type { ScheduleRule } from '../../src/events/definition.js';
import { ids } from '../../src/ids.js';
import { LedgerHouse, TICK } from '../schedules/ledger-house.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LEAPS: Readonly<Record<string, (house: LedgerHouse) => void>> = {
  'a clock was set ahead, or a machine slept and its steady clock with it': (house) => house.wall.set(8 * HOUR),
  'a machine slept while its steady clock went on': (house) => house.clock.moveTo(house.clock.now() + 8 * HOUR),
};

async function through(rule: Partial<ScheduleRule>, leap: (house: LedgerHouse) => void) {
  const house = new LedgerHouse();
  await house.define({ cron: '*/5 * * * *', ...rule });
  const keeper = await house.timekeeper();
  await house.advance(HOUR + MINUTE, [keeper]);
  leap(house);
  await house.advance(HOUR, [keeper]);
  await keeper.stop();
  const { said, expected, ledger } = await house.judged();
  const fired = [...said].filter(([, what]) => what[0] === 'fired').map(([due]) => ids.scheduledRun(TICK, new Date(due).toISOString()));
  const once = expected.every((due) => said.get(due)?.length === 1) && said.size === expected.length;
  const started = [...house.started].map(([runId, times]) => (times === 1 ? runId : `${runId} ${times} times`));
  await house.close();
  return { once, sums: ledger.sums, reasons: new Set([...said.values()].flat()), runs: fired.sort(), started: started.sort(), faults: house.faults };
}

describe.each(Object.entries(LEAPS))('After %s a schedule', (_, leap) => {
  it.each<[ScheduleRule['catchUp'], object, string[]]>([
    ['skip', { fired: 24, skipped: 0, missed: 96 }, ['fired', 'down']],
    ['latest', { fired: 25, skipped: 95, missed: 0 }, ['fired', 'catchUp']],
    ['all', { fired: 120, skipped: 0, missed: 0 }, ['fired']],
  ])('catches up by its rule: %s', async (catchUp, sums, reasons) => {
    const { once, runs, started, ...told } = await through({ catchUp }, leap);
    expect(told).toEqual({ sums, reasons: new Set(reasons), faults: [] });
    expect(once).toBe(true);
    expect(started).toEqual(runs);
  });
});

describe('A schedule that allowed runs to overlap', () => {
  it('knows a run that lasts since before many others, once it does not any more', async () => {
    const house = new LedgerHouse();
    let first: string | undefined;
    const end = house.end.bind(house);
    house.end = async (runId) => ((first ??= runId) === runId ? undefined : end(runId));
    await house.define({ cron: '*/5 * * * *' });
    const keeper = await house.timekeeper();
    await house.advance(4 * HOUR, [keeper]);
    await house.define({ cron: '*/5 * * * *', overlap: 'skip' });
    await house.advance(20 * MINUTE, [keeper]);
    await keeper.stop();
    const { ledger } = await house.judged();
    expect(ledger.sums).toEqual({ fired: 48, skipped: 4, missed: 0 });
    expect(ledger.open.map((due) => ids.scheduledRun(TICK, due))).toContain(first);
    await house.close();
    expect(house.faults).toEqual([]);
  });
});

describe('After a clock was set back a schedule', () => {
  it('fires nothing twice, waits until the clock has come up, and goes on', async () => {
    const { once, sums, started, runs, faults } = await through({}, (house) => house.wall.set(-30 * MINUTE));
    expect({ once, sums, faults }).toEqual({ once: true, sums: { fired: 18, skipped: 0, missed: 0 }, faults: [] });
    expect(started).toEqual(runs);
  });
});
