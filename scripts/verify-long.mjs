/**
 * What takes too long for every change: thousands of simulated histories of the runtime and of schedules on several nodes, each
 * of another seed, every crash of the large matrices, a server with a queue of 100,000 runs, and hundreds of real kills of the built server. Every
 * part prints its counts.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { atLeastOne, positive, wholeNumber } from './numeric-options.mjs';

const options = new Command('verify:long')
  .description('What takes hours: thousands of simulated histories, every crash of the large matrices, overload, hundreds of real kills.')
  .option('--seeds <count>', 'simulated histories', atLeastOne, 10_000)
  .option('--seed <number>', 'the first of their seeds', wholeNumber, 1)
  .option('--minutes <minutes>', 'simulated time of each', positive, 0.5)
  .option('--kills <count>', 'real kills of the server', atLeastOne, 500)
  .parse()
  .opts();
const values = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
const SERVER = join(process.cwd(), 'dist/src/main.js');

function run(what, args, env = {}) {
  process.stdout.write(`\nverify:long: ${what}\n`);
  return spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
}

const results = {
  build: run('build', ['scripts/build.mjs']),
  simulation: run(`${values.seeds} seeds from ${values.seed} on`, ['--import', './test/typescript-loader.mjs', 'test/simulation/main.ts', '--seed', values.seed, '--seeds', values.seeds, '--minutes', values.minutes]),
  crashes: run('all crashes of the large matrices', ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'test/crash/any-definition', 'test/crash/eventstoredb'], { SLUICE_TEST_ALL_POINTS: '1' }),
  schedules: run(`${values.seeds} histories of schedules on two and three nodes, from seed ${values.seed} on`, ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'test/scenarios/schedule-races'], { SLUICE_TEST_SEEDS: values.seeds, SLUICE_TEST_SEED: values.seed }),
  year: run('a year of a five-minute schedule', ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'test/scenarios/schedule-year'], { SLUICE_TEST_DAYS: '365' }),
  many: run('10,000 schedules on one node', ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'test/scenarios/many-schedules'], { SLUICE_TEST_SCHEDULES: '10000' }),
  overload: run('2,000 connections, a queue of 100,000 runs', ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'test/rest/overload'], { SLUICE_TEST_LOAD: '40', SLUICE_TEST_QUEUE: '100000' }),
  kills: run(`${values.kills} kills`, ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', 'test/crash/killed-server'], { SLUICE_TEST_KILLS: values.kills, SLUICE_TEST_SERVER: SERVER }),
};
const failed = Object.keys(results).filter((part) => !results[part]);
process.stdout.write(failed.length === 0 ? '\nverify:long: ok\n' : `\nverify:long: FAILED: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
