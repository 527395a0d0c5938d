/** Every kind of step, four deep, to each of its ends, and definitions by chance: with crashes wherever there is an append. */
import { describe, expect, it } from '@jest/globals';
import { crashAt, POINTS } from '../simulation/crash-at.js';
import { FOUR_DEEP_ENDS } from '../simulation/four-deep.js';
import { inTurn, matrix, named, told, trial } from '../simulation/matrix.js';
import { Chance, randomScenario } from '../simulation/random-batch.js';
import { seeded } from './careful-client.js';

const LIMIT_MS = 1_200_000;
const FIXED = 10;
const FRESH = 50;
const FROM = Number(process.env['SLUICE_TEST_SEED'] ?? Math.trunc(Math.random() * 1e9));
const CRASHES = 3;

describe('A definition of every kind of step, four deep', () => {
  it('comes to each of its ends, wherever a node dies', async () => {
    const extent = inTurn(FROM);
    const { appends, cases, crashes, failures } = await matrix(FOUR_DEEP_ENDS, {}, extent);
    const recorded = [...appends.values()].reduce((sum, one) => sum + one, 0);
    process.stdout.write(`four deep: ${appends.size} ends x ${recorded} appends x ${extent.pointsOfEach} points, turned by ${FROM % POINTS.length} = ${cases} cases, ${crashes} crashes\n`);
    expect(failures).toEqual([]);
    expect(appends.size).toBe(FOUR_DEEP_ENDS.length);
    expect(cases).toBe(recorded * extent.pointsOfEach);
    expect(crashes).toBeGreaterThanOrEqual(cases);
  }, LIMIT_MS);
});

describe('Definitions by chance, and crashes by chance', () => {
  it.each([[FIXED, 1], [FRESH, FROM]])('%i of them, from seed %i on, break no rule', async (many, from) => {
    const failures: string[] = [];
    const ends: Record<string, number> = {};
    let crashes = 0;
    for (let seed = from; seed < from + many && failures.length === 0; seed += 1) {
      const scenario = randomScenario(seed);
      const chance = new Chance(seeded(seed + 1));
      const clean = await trial(scenario, () => ({}));
      if (clean.broken.length > 0) failures.push(told(scenario.name, clean.broken, clean.story));
      for (const { status } of clean.endings as { status: string }[]) ends[status] = (ends[status] ?? 0) + 1;
      for (let one = 0; one < CRASHES; one += 1) {
        const [at, point] = [chance.upTo(clean.appends), chance.one(...POINTS)];
        const crashed = await trial(scenario, (world) => crashAt(world, at, point));
        crashes += crashed.deaths;
        if (crashed.broken.length > 0) failures.push(told(named(scenario, at, point), crashed.broken, crashed.story));
      }
    }
    process.stdout.write(`definitions by chance: seeds ${from} to ${from + many - 1}, ${crashes} crashes, undisturbed ${JSON.stringify(ends)}\n`);
    expect(failures).toEqual([]);
    expect(crashes).toBeGreaterThanOrEqual(many);
  }, LIMIT_MS);
});
