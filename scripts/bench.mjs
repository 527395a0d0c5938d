/** `npm run bench`: sets up what is missing, the peers' package too, and measures. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function step(command, args, cwd = root) {
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0) process.exit(status ?? 1);
}

step(process.execPath, ['scripts/setup.mjs']);
step('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], `${root}bench`);
step(process.execPath, ['--import', './test/typescript-loader.mjs', 'bench/run.ts', ...process.argv.slice(2)]);
