import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SystemClock } from '../clock.js';
import type { Ledger } from '../events/schedule.events.js';
import { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import type { SqliteEventLog } from '../log/sqlite.event-log.js';
import { SimulatedClock } from '../testing/simulated-clock.js';
import { Timekeeper } from './timekeeper.js';

const MINUTE_MS = 60_000;
const BEGUN = '2026-01-01T00:00:00.000Z';
const JUDGED: Ledger = {
  batchName: 'nightly', definedRevision: 0, judgedUntil: BEGUN, inForce: [{ from: BEGUN, version: 1, rule: null, paused: false }], paused: null, ended: null,
  queue: [], open: [], backfills: [], sums: { fired: 0, skipped: 0, missed: 0 }, last: null, nextDue: null, wakeAt: null,
};

let log: SqliteEventLog;
beforeEach(() => {
  log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
});
afterEach(() => log.close());

it('looks at a schedule again that could not be judged, also when nothing else happens', async () => {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 1));
  const ledgerDue = (): Ledger => ({ ...JUDGED, wakeAt: new Date(clock.now() + MINUTE_MS).toISOString() });
  const toldAt: number[] = [];
  const reports: string[] = [];
  const timekeeper = new Timekeeper({
    streams: new Streams(), clock, say: () => Promise.resolve(undefined), slotsOf: () => Promise.resolve({ slots: [], final: true }), reader: log,
    left: () => Promise.resolve({ position: '', fired: [], schedules: [{ batchId: ids.batch('nightly'), ledger: ledgerDue(), isBehind: false }] }),
    tell: () => (toldAt.push(clock.now()) === 1 ? Promise.reject(new Error('for once')) : Promise.resolve(ledgerDue())),
    report: (what) => void reports.push(what),
  });
  await timekeeper.start();
  for (let minute = 0; minute < 5; minute += 1) await clock.advance(MINUTE_MS);
  await timekeeper.stop();
  expect(reports).toHaveLength(1);
  expect(toldAt.length).toBeGreaterThanOrEqual(4);
});
