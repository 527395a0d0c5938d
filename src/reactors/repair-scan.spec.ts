import { describe, expect, it } from '@jest/globals';
import { SteppedClock } from '../../test/stepped-clock.js';
import { ids } from '../ids.js';
import type { RunId } from '../ids.js';
import { RepairScan } from './repair-scan.js';

const PERIOD_MS = 15_000;

function scanned(...hanging: [RunId, number][]) {
  const clock = new SteppedClock();
  const repaired: number[] = [];
  const now = new Map(hanging);
  const scan = new RepairScan(clock, () => now, (_, revision) => repaired.push(revision));
  scan.start();
  return { clock, repaired, now, scan };
}

describe('the repair scan', () => {
  const runId = ids.runOf(ids.freshCommand());

  it('leaves in peace what had a fact since it last looked', async () => {
    const { clock, repaired, now } = scanned([runId, 1]);
    for (const revision of [2, 3, 4]) {
      now.set(runId, revision);
      await clock.advance(PERIOD_MS);
    }
    expect(repaired).toEqual([]);
    await clock.advance(PERIOD_MS);
    expect(repaired).toEqual([4]);
  });

  it('repairs once at each revision', async () => {
    const { clock, repaired, now, scan } = scanned([runId, 1]);
    await clock.advance(5 * PERIOD_MS);
    expect(repaired).toEqual([1]);
    now.set(runId, 7);
    await clock.advance(5 * PERIOD_MS);
    expect(repaired).toEqual([1, 7]);
    expect(scan.repairs).toBe(2);
  });

  it('looks no more when it was stopped', async () => {
    const { clock, repaired, scan } = scanned([runId, 1]);
    scan.stop();
    await clock.advance(2 * PERIOD_MS);
    expect(repaired).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
