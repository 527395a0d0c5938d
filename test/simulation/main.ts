/** `npm run test:simulate -- --seed N --minutes M [--seeds K]`: M minutes of simulated time for each of K seeds, from N on. */
import { parseArgs } from 'node:util';
import { simulate } from './simulate.js';

const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string', default: '60' }, seeds: { type: 'string', default: '1' } } });
const from = Number(values.seed ?? Math.trunc(Math.random() * 1e9));
const minutes = Number(values.minutes);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const sums = { runs: 0, facts: 0, deaths: 0, faults: 0, full: 0, twice: 0, heldBack: 0 };
const began = performance.now();
for (let seed = from; seed < from + Number(values.seeds); seed += 1) {
  const told = await simulate(seed, minutes * 60_000);
  for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += told[key];
  if (told.broken.length === 0) continue;
  say(`seed ${seed} is broken: npm run test:simulate -- --seed ${seed} --minutes ${minutes}\n${told.story}\n${told.broken.join('\n')}`);
  process.exitCode = 1;
  break;
}
say(`simulation: ${values.seeds} seeds from ${from} on, ${minutes} simulated minutes each, in ${((performance.now() - began) / 1_000).toFixed(1)} s: ${Object.entries(sums).map(([what, count]) => `${count} ${what}`).join(', ')}`);
