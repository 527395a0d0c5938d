/**
 * A year of a schedule of five minutes: by its decisions alone, each occurrence in its turn, and by log, host, timekeeper
 * and rows. The promise is five seconds of processor time for the decisions and for the year in which nearly all are refused,
 * and ten for the one in which each is fired and has a fact and two rows of its own; a test has four times the slack. Where time goes by, what is due comes one by one, and each run has four facts
 * more: SLUICE_TEST_DAYS says for how many days.
 */
import { describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { runTypeScript } from '../child-process.js';

const DECIDED = fileURLToPath(new URL('../schedules/decided-year.child.ts', import.meta.url));
const CHILD = fileURLToPath(new URL('../schedules/year.child.ts', import.meta.url));
const PASSING_DAYS = Number(process.env['SLUICE_TEST_DAYS'] ?? 7);
const A_DAY = 24 * 12;
const A_YEAR = 105_120;
const SLACK = 4;
const LIMIT_MS = 300_000;

interface Found {
  readonly tookMs: number;
  readonly sums: Readonly<Record<string, number>>;
  /** Of the schedule. */
  readonly facts: number;
  /** How often a run was asked to begin. */
  readonly asked: number;
  /** Runs that have ended. */
  readonly ended: number;
  /** The last due time that a fact covers. */
  readonly last: string;
  /** Due times that are not five minutes after the one before. */
  readonly wrong: readonly string[];
  /** By local date. */
  readonly firedOn: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

async function through(days: number, how: 'passing' | 'sleeping', runs: 'none' | 'one' | 'all'): Promise<Found> {
  const child = runTypeScript(CHILD, { args: [String(days), how, runs] });
  const found = JSON.parse(await child.line(/^\{/)) as Found;
  await child.exited;
  const { expected = 0, unexplained } = found.sums;
  const each = ((found.tookMs * 1_000) / expected).toFixed(1);
  process.stdout.write(`${days} days of five minutes, ${how}, runs: ${runs}: ${expected} expected, ${unexplained} unexplained, ${found.facts} facts, ${found.tookMs} ms of processor time, ${each} us each\n`);
  expect(found).toMatchObject({ wrong: [], faults: [] });
  return found;
}

function sumsOf(fired: number, skipped = 0): Found['sums'] {
  return { expected: fired + skipped, fired, skipped, missed: 0, pending: 0, unexplained: 0 };
}

describe('A year of five minutes', () => {
  it('is decided one by one, each at its own time', async () => {
    const child = runTypeScript(DECIDED, { args: [] });
    const { tookMs, ...found } = JSON.parse(await child.line(/^\{/)) as { readonly tookMs: number; readonly wrong: readonly string[] };
    await child.exited;
    process.stdout.write(`365 days of five minutes, decisions alone: ${tookMs} ms of processor time, ${((tookMs * 1_000) / A_YEAR).toFixed(1)} us each\n`);
    expect(found).toEqual({ turns: A_YEAR + 1, sums: { fired: A_YEAR, skipped: 0, missed: 0 }, last: '2027-01-01T00:00:00.000Z', wrong: [] });
    expect(tookMs).toBeLessThan(SLACK * 5_000);
  }, LIMIT_MS);

  it('on a node that wakes up once a day is fired one by one, over both changes of the clocks', async () => {
    const { sums, asked, facts, last, firedOn, tookMs } = await through(365, 'sleeping', 'none');
    expect({ sums, asked, facts, last }).toEqual({ sums: sumsOf(A_YEAR), asked: A_YEAR, facts: A_YEAR + 1, last: '2027-01-01T00:00:00.000Z' });
    // In Stockholm these days have 24, 23 and 25 hours.
    expect([firedOn['2026-03-28'], firedOn['2026-03-29'], firedOn['2026-10-25']]).toEqual([288, 276, 300]);
    expect(tookMs).toBeLessThan(SLACK * 10_000);
  }, LIMIT_MS);

  it('is refused while one run lasts: one fact for all that were due while nobody was there', async () => {
    const { sums, asked, facts, last, tookMs } = await through(365, 'sleeping', 'one');
    expect({ sums, asked, facts, last }).toEqual({ sums: sumsOf(1, A_YEAR - 1), asked: 1, facts: 1 + 1 + 365, last: '2027-01-01T00:00:00.000Z' });
    expect(tookMs).toBeLessThan(SLACK * 5_000);
  }, LIMIT_MS);
});

describe(`${PASSING_DAYS} days of five minutes that go by`, () => {
  it('fire each occurrence in its turn, and each has one run', async () => {
    const { sums, asked, ended } = await through(PASSING_DAYS, 'passing', 'all');
    expect({ sums, asked, ended }).toEqual({ sums: sumsOf(PASSING_DAYS * A_DAY), asked: PASSING_DAYS * A_DAY, ended: PASSING_DAYS * A_DAY });
  }, LIMIT_MS + PASSING_DAYS * 5_000);
});
