/** A slice of the simulation: seeds that are always the same, and new ones at every run. SLUICE_TEST_SEED sets the new ones. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { runTypeScript } from '../child-process.js';
import { simulate } from '../simulation/simulate.js';

const MAIN = fileURLToPath(new URL('../simulation/main.ts', import.meta.url));
const MINUTES = 10;
const FIXED = [1, 2];
const FRESH = Number(process.env['SLUICE_TEST_SEED'] ?? Math.trunc(Math.random() * 1e9));
const LIMIT_MS = 600_000;

describe('The simulation', () => {
  it.each([...FIXED, FRESH, FRESH + 1])('of seed %i breaks no rule', async (seed) => {
    const { broken, story, fingerprint: _, ...counts } = await simulate(seed, MINUTES * 60_000);
    process.stdout.write(`simulation: ${JSON.stringify(counts)}\n`);
    expect(broken.length === 0 ? '' : `npm run test:simulate -- --seed ${seed} --minutes ${MINUTES}\n${story}\n${broken.join('\n')}`).toBe('');
    expect(Math.min(counts.runs, counts.deaths, counts.faults, counts.twice, counts.heldBack)).toBeGreaterThan(0);
  }, LIMIT_MS);

  it('is the same history for the same seed', async () => {
    const [one, again, other] = [await simulate(7, 60_000), await simulate(7, 60_000), await simulate(8, 60_000)];
    expect(again.fingerprint).toBe(one.fingerprint);
    expect(other.fingerprint).not.toBe(one.fingerprint);
  }, LIMIT_MS);

  it.each([['--seeds', 'x'], ['--seeds', '0'], ['--seed', 'abc'], ['--minutes', 'ten']])('does not pass for want of work, as with %s %s', async (...args) => {
    const child = runTypeScript(MAIN, { args });
    expect(await child.exited).toMatchObject({ code: 1 });
    expect(child.errors()).toMatch(/is invalid\. It is a (whole )?number/);
  });
});
