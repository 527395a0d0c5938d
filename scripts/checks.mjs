/**
 * Everything that can be said about the code without running it: types, lint, boundaries. All are run, two at a time,
 * so that one visit shows every fault.
 */
import { spawn } from 'node:child_process';

const CHECKS = {
  typecheck: ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json'],
  lint: ['node_modules/eslint/bin/eslint.js', '.'],
  boundaries: [
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    ...['--config', '.dependency-cruiser.cjs', 'src', 'projections', 'examples'],
  ],
  'boundaries of the dashboard': [
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    ...['--config', '.dependency-cruiser.cjs', 'dashboard/src'],
  ],
  'typecheck of the dashboard': ['dashboard/node_modules/typescript/bin/tsc', '--noEmit', '-p', 'dashboard/tsconfig.json'],
  'lint of the dashboard': ['dashboard/node_modules/oxlint/bin/oxlint', '-c', 'dashboard/.oxlintrc.json', '--deny-warnings', 'dashboard/src'],
};
const AT_ONCE = 2;

function check(name, args) {
  const began = performance.now();
  return new Promise((resolve) => {
    const output = [];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk));
    child.on('close', (code) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
      if (code !== 0) process.stdout.write(`${Buffer.concat(output)}\n`);
      resolve(code === 0);
    });
  });
}

const waiting = Object.entries(CHECKS);
const results = [];
async function worker() {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await check(...next));
}
await Promise.all(Array.from({ length: AT_ONCE }, worker));
process.exitCode = results.every(Boolean) ? 0 : 1;
