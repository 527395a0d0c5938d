/** `npm run test:simulate -- --seed N --minutes M [--seeds K]`: M minutes of simulated time for each of K seeds, from N on. */
import { Command } from 'commander';
import { atLeastOne, positive, wholeNumber } from '../../scripts/numeric-options.mjs';
import { simulate } from './simulate.js';

const { seed: from, minutes, seeds } = new Command('test:simulate')
  .description('Runs the whole runtime under one seeded scheduler and clock: random batches, random people, nodes that die, a disk that fails.')
  .option('--seed <number>', 'the first seed; the same seed is the same history', wholeNumber, Math.trunc(Math.random() * 1e9))
  .option('--seeds <count>', 'how many, one after the other', atLeastOne, 1)
  .option('--minutes <minutes>', 'simulated time of each', positive, 60)
  .addHelpText('after', `
What it counts: runs and facts in the logs; deaths of nodes; faults of the disk, and how often it was full; deliveries that
came twice, or were held back. A seed that breaks a promise is told with the end of its story, and ends the command with 1.`)
  .parse()
  .opts<{ readonly seed: number; readonly seeds: number; readonly minutes: number }>();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const sums = { runs: 0, facts: 0, deaths: 0, faults: 0, full: 0, twice: 0, heldBack: 0 };
const began = performance.now();
for (let seed = from; seed < from + seeds; seed += 1) {
  const told = await simulate(seed, minutes * 60_000);
  for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += told[key];
  if (told.broken.length === 0) continue;
  say(`seed ${seed} is broken: npm run test:simulate -- --seed ${seed} --minutes ${minutes}\n${told.story}\n${told.broken.join('\n')}`);
  process.exitCode = 1;
  break;
}
say(`simulation: ${seeds} seeds from ${from} on, ${minutes} simulated minutes each, in ${((performance.now() - began) / 1_000).toFixed(1)} s: ${Object.entries(sums).map(([what, count]) => `${count} ${what}`).join(', ')}`);
