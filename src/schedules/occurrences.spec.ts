import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Cron } from 'croner';
import fc from 'fast-check';
import { cronFields } from '../events/cron-rule.js';
import { Occurrences } from './occurrences.js';

interface Expected {
  readonly zone: string;
  readonly change: string;
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly due: readonly string[];
}
const TABLE = JSON.parse(readFileSync(new URL('../../test/schedules/daylight-saving.json', import.meta.url), 'utf8')) as readonly Expected[];

const occurrencesOf = (cron: string, timeZone = 'UTC', startAt?: string, endAt?: string) =>
  Occurrences.of({ cron, timeZone, startAtMs: startAt === undefined ? null : Date.parse(startAt), endAtMs: endAt === undefined ? null : Date.parse(endAt) });
const at = (time: string): number => Date.parse(time);
const iso = (times: Iterable<number>): string[] => [...times].map((time) => new Date(time).toISOString());

describe('Around changes of the clocks', () => {
  it.each(TABLE)('$rule in $zone is due as zoneinfo says, around $change', ({ rule, zone, from, to, due }) => {
    const occurrences = occurrencesOf(rule, zone);
    expect(iso(occurrences.between(at(from) - 1, at(to)))).toEqual(due);
    expect(iso(occurrences.backwards(at(from) - 1, at(to)))).toEqual([...due].reverse());
    expect(occurrences.count(at(from) - 1, at(to))).toBe(due.length);
  });

  it('covers six zones and both changes of each that has two', () => {
    expect(new Set(TABLE.map(({ zone }) => zone)).size).toBe(6);
    expect(new Set(TABLE.map(({ zone, change }) => zone + change)).size).toBe(12);
  });
});

const ZONES = ['UTC', 'Europe/Stockholm', 'America/New_York', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Africa/Casablanca', 'America/St_Johns', 'Pacific/Apia'];
const part = (least: number, most: number) => {
  const value = fc.integer({ min: least, max: most });
  const range = fc.tuple(value, value).map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`);
  return fc.oneof(value.map(String), range, fc.constant('*'), fc.integer({ min: 2, max: 30 }).filter((step) => step <= most).map((step) => `*/${step}`), fc.tuple(value, value, value).map((list) => list.join(',')));
};
const weekday = fc.constantFrom('*', '*', '1-5', '0', 'MON,WED', '5#2', 'SUNL');
const day = fc.constantFrom('*', '*', '1', '29', '31', '1-7', 'L', '15W', '*/2');
const month = fc.constantFrom('*', '*', '2', '3,10,11', 'JAN-JUN');
const rules = fc.tuple(fc.constantFrom('0', '0', '30', '*/20'), part(0, 59), part(0, 23), day, month, weekday).map((fields) => fields.join(' '));
const moments = fc.integer({ min: at('2009-01-01T00:00:00Z') / 1_000, max: at('2030-01-01T00:00:00Z') / 1_000 }).map((seconds) => seconds * 1_000);

/** Lists in place of ranges with a step, which croner would take for a rule that follows elapsed time. */
const isPlain = (rule: string): boolean => !/^[^ ]*[*/]/.test(rule);

describe('Occurrences', () => {
  it('are what croner says, for any rule, zone and moment', () => {
    fc.assert(
      fc.property(rules, fc.constantFrom(...ZONES), moments, (rule, zone, from) => {
        const [, minute, hour] = cronFields(rule);
        const follows = [minute, hour].some((field) => field.startsWith('*'));
        fc.pre(follows || isPlain(rule));
        // croner does not make up for a day that a zone leaves out, nor for two gaps at once.
        fc.pre(zone !== 'Pacific/Apia' || follows);
        const cron = new Cron(rule, { paused: true, timezone: zone, fixedTimeRule: 'no-wildcard' });
        const horizon = from + 8 * 366 * 86_400_000;
        const theirs = cron.nextRuns(3, new Date(from)).filter((date) => date.getTime() <= horizon);
        const ours: number[] = [];
        for (const due of occurrencesOf(rule, zone).between(from, horizon)) if (ours.push(due) === 3) break;
        expect(iso(ours)).toEqual(theirs.map((date) => date.toISOString()));
      }),
      { numRuns: 250 },
    );
  });

  it('are counted, and walked backwards, as they are walked forwards', () => {
    fc.assert(
      fc.property(rules, fc.constantFrom(...ZONES), moments, fc.integer({ min: 1, max: 40 }), (rule, zone, from, days) => {
        const occurrences = occurrencesOf(rule, zone);
        const until = from + days * 86_400_000;
        const forwards: number[] = [];
        for (const due of occurrences.between(from, until)) if (forwards.push(due) > 3_000) return;
        expect(occurrences.count(from, until)).toBe(forwards.length);
        expect([...occurrences.backwards(from, until)]).toEqual([...forwards].reverse());
      }),
      { numRuns: 100 },
    );
  });

  it('begin and end with their rule', () => {
    const occurrences = occurrencesOf('0 * * * *', 'UTC', '2026-01-01T02:00:00Z', '2026-01-01T04:00:00Z');
    expect(iso(occurrences.between(0, at('2027-01-01T00:00:00Z')))).toEqual(['2026-01-01T02:00:00.000Z', '2026-01-01T03:00:00.000Z', '2026-01-01T04:00:00.000Z']);
    expect(occurrences.count(0, at('2027-01-01T00:00:00Z'))).toBe(3);
    expect(occurrences.next(at('2026-01-01T04:00:00Z'))).toBeUndefined();
    expect(occurrences.previous(at('2026-01-01T02:00:00Z'))).toBeUndefined();
  });

  it('are none for a day that never comes', () => {
    expect(occurrencesOf('0 0 31 2 *').next(at('2026-01-01T00:00:00Z'))).toBeUndefined();
    expect(occurrencesOf('0 0 31 2 *').previous(at('2026-01-01T00:00:00Z'))).toBeUndefined();
    expect(occurrencesOf('0 0 29 2 *').next(at('2096-03-01T00:00:00Z'))).toBe(at('2104-02-29T00:00:00Z'));
  });

  it.each([['* * * * * *', 1_000], ['0 0 * * *', 86_400_000]] as const)('%s ends with the year 8999 and begins with 1970, from wherever it is asked', (rule, stepMs) => {
    const [first, end, late, early] = [0, at('9000-01-01T00:00:00Z'), at('9999-12-31T23:59:00Z'), at('0001-01-01T00:00:00Z')];
    const occurrences = occurrencesOf(rule);
    for (const from of [end - 1, end, at('9998-12-31T12:00:00Z'), late, Infinity]) expect(occurrences.next(from)).toBeUndefined();
    for (const before of [first, first - 1, early, -Infinity]) expect(occurrences.previous(before)).toBeUndefined();
    expect(occurrences.next(early)).toBe(first);
    expect(occurrences.previous(late)).toBe(end - stepMs);
    expect([occurrences.count(end, late), occurrences.count(early, -1)]).toEqual([0, 0]);
    expect(occurrencesOf(rule, 'UTC', '9999-12-31T23:59:00Z').next(at('2026-01-01T00:00:00Z'))).toBeUndefined();
    expect(occurrencesOf(rule).valuesOf(first).previous).toBeNull();
  });

  it('follow the names and macros that people know', () => {
    const next = (rule: string): string => iso([occurrencesOf(rule).next(at('2026-02-10T10:20:00Z'))!])[0]!;
    expect(['@hourly', '@daily', '@weekly', '@monthly', '@yearly', '0 9 * feb MON', '@midnight'].map(next)).toEqual([
      '2026-02-10T11:00:00.000Z', '2026-02-11T00:00:00.000Z', '2026-02-15T00:00:00.000Z', '2026-03-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z', '2026-02-16T09:00:00.000Z', '2026-02-11T00:00:00.000Z',
    ]);
  });

  it('say what an expression may know of them', () => {
    expect(occurrencesOf('30 2 * * 1-5', 'Europe/Stockholm').valuesOf(at('2026-03-30T00:30:00Z'))).toEqual({
      due: '2026-03-30T00:30:00.000Z', date: '2026-03-30', time: '02:30:00', timeZone: 'Europe/Stockholm', previous: '2026-03-27T01:30:00.000Z',
    });
  });

  it('are counted over ten years of every second without being walked', () => {
    expect(occurrencesOf('* * * * * *', 'Europe/Stockholm').count(at('2020-01-01T00:00:00Z'), at('2030-01-01T00:00:00Z'))).toBe((at('2030-01-01T00:00:00Z') - at('2020-01-01T00:00:00Z')) / 1_000);
  });
});
