/**
 * Compiles src, projections and examples into dist. The new dist is made beside the old one and put in its place
 * when it is whole, so that nobody ever runs half of one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { sourcesHash } from './stamps.mjs';

export const STAMP = join('dist', '.built-from.json');

export function build(root) {
  const fresh = join(root, `dist.${process.pid}.tmp`);
  const old = `${fresh}.old`;
  // Read before compiling: what is saved meanwhile makes the stamp stale, not wrong.
  const sources = sourcesHash(root);
  try {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh], {
      cwd: root,
      stdio: 'inherit',
    });
    if (status !== 0) return false;
    writeFileSync(join(fresh, '.built-from.json'), `${JSON.stringify({ sources })}\n`);
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(fresh, join(root, 'dist'));
    return true;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  process.exitCode = build(root) ? 0 : 1;
}
