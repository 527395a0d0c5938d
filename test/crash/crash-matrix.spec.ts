/** A crash at every append of every scenario, at each of five points; and the proof that the matrix sees what is broken. */
import { describe, expect, it } from '@jest/globals';
import { POINTS } from '../simulation/crash-at.js';
import { matrix } from '../simulation/matrix.js';
import { SABOTAGES } from '../simulation/sabotage.js';
import { SCENARIOS } from '../simulation/scenarios.js';

const LIMIT_MS = 600_000;

describe('The crash matrix', () => {
  it('comes to the same wherever a node dies, and every crash of it took place', async () => {
    const { appends, cases, crashes, failures } = await matrix(SCENARIOS);
    const recorded = [...appends.values()].reduce((sum, one) => sum + one, 0);
    process.stdout.write(`crash matrix: ${appends.size} scenarios x ${recorded} appends x ${POINTS.length} points = ${cases} cases, ${crashes} crashes\n`);
    expect(failures).toEqual([]);
    expect(appends.size).toBe(SCENARIOS.length);
    expect(cases).toBe(recorded * POINTS.length);
    expect(crashes).toBeGreaterThanOrEqual(cases);
  }, LIMIT_MS);

  it.each(Object.entries(SABOTAGES))('is red when %s', async (_, { changes, seenAs }) => {
    const { failures } = await matrix(SCENARIOS.filter(({ name }) => name === 'tried again'), changes, { most: 20 });
    expect(failures.join('\n')).toMatch(seenAs);
  }, LIMIT_MS);
});
