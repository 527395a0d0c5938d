/**
 * A node that watches schedules dies at every one of its appends: before it, after it without being told, and after it
 * was told but before it did anything about it. Whoever comes after it brings everything to the same end.
 */
import { describe, expect, it } from '@jest/globals';
import type { ScheduleRule } from '../../src/events/definition.js';
import { ids } from '../../src/ids.js';
import type { EventWriter } from '../../src/log/event-writer.js';
import { Unavailable } from '../../src/log/log-errors.js';
import type { Timekeeper } from '../../src/reactors/timekeeper.js';
import { PauseSchedule, ResumeSchedule } from '../../src/schedules/schedule.commands.js';
import { LedgerHouse, TICK } from '../schedules/ledger-house.js';

const MINUTE = 60_000;
const POINTS = ['before', 'unacknowledged', 'before the effect'] as const;
type Point = (typeof POINTS)[number];

const RULES: Readonly<Record<string, ScheduleRule>> = {
  allow: { cron: '* * * * *' },
  skip: { cron: '* * * * *', overlap: 'skip' },
  queue: { cron: '* * * * *', overlap: 'queue', queueLimit: 2 },
  cancelPrevious: { cron: '* * * * *', overlap: 'cancelPrevious' },
  jitter: { cron: '* * * * *', jitter: '50s' },
};

/** What a run of the scenario came to, and how many appends the node made. */
interface End {
  readonly said: readonly (readonly [number, readonly string[]])[];
  readonly started: readonly string[];
  readonly appends: number;
}

async function scenario(rule: ScheduleRule, dies?: { readonly at: number; readonly point: Point }): Promise<End> {
  const house = new LedgerHouse();
  const people = house.host();
  let appends = 0;
  let dead = false;
  const mortal: EventWriter = {
    append: async (...append) => {
      if (dead) throw new Unavailable('This node is dead.');
      appends += 1;
      dead = dies?.at === appends;
      if (dead && dies?.point === 'before') throw new Unavailable('It died before the append.');
      const result = await house.log.append(...append);
      if (dead && dies?.point === 'unacknowledged') throw new Unavailable('It died before it was told.');
      return result;
    },
  };
  await house.define(rule);
  const keepers: Timekeeper[] = [await house.timekeeper(mortal, true, () => dead)];
  const replace = async (): Promise<void> => {
    if (!dead || keepers.length > 1) return;
    await keepers[0]!.stop();
    keepers.push(await house.timekeeper(undefined, true));
  };
  const endRuns = async (): Promise<void> => {
    for (const due of (await house.facts()).at(-1)?.data.ledger.open ?? []) await house.end(ids.scheduledRun(TICK, due));
  };
  for (let minute = 1; minute <= 12; minute += 1) {
    if (minute === 5) await people.execute(new PauseSchedule(TICK, null, house.origin()));
    if (minute === 7) await people.execute(new ResumeSchedule(TICK, null, house.origin()));
    if (minute === 9) await house.define({ ...rule, cron: '*/2 * * * *' });
    await house.advance(MINUTE, keepers, replace);
    if (minute % 3 === 0) await endRuns();
    await house.advance(0, keepers, replace);
  }
  for (const keeper of keepers) await keeper.stop();
  const { said } = await house.judged();
  const started = [...house.started.keys()].sort();
  await house.close();
  return { said: [...said].sort(([one], [other]) => one - other), started, appends };
}

describe('A node that dies at any of its appends', () => {
  it.each(Object.entries(RULES))('brings nothing out of order: %s', async (_name, rule) => {
    const clean = await scenario(rule);
    expect(clean.appends).toBeGreaterThan(8);
    let tried = 0;
    for (let at = 1; at <= clean.appends; at += 1) {
      for (const point of POINTS) {
        const { said, started } = await scenario(rule, { at, point });
        expect({ at, point, said, started }).toEqual({ at, point, said: clean.said, started: clean.started });
        tried += 1;
      }
    }
    process.stdout.write(`schedules, ${_name}: ${clean.appends} appends x ${POINTS.length} points = ${tried} deaths\n`);
    expect(tried).toBe(clean.appends * POINTS.length);
    const fired = clean.said.filter(([, what]) => what[0] === 'fired').map(([due]) => ids.scheduledRun(TICK, new Date(due).toISOString()));
    expect(clean.started).toEqual([...fired].sort());
  }, 240_000);
});
