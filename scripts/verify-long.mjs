/**
 * What takes too long for every change: thousands of simulated histories of the runtime and of schedules on several nodes, each
 * of another seed, every crash of the large matrices, a server with a queue of 100,000 runs, and hundreds of real kills of the built server. Every
 * part prints its counts. `--seeds N --minutes M --kills K --seed FROM` set them.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const options = { seeds: { type: 'string', default: '10000' }, minutes: { type: 'string', default: '0.5' }, kills: { type: 'string', default: '500' }, seed: { type: 'string', default: '1' } };
const { values } = parseArgs({ options });
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
