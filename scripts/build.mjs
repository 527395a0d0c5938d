/**
 * Compiles src, projections and examples into dist, and the dashboard into dist/dashboard. What is new is made beside
 * the old and put in its place when it is whole, so that nobody ever runs half of one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { dashboardHash, sourcesHash } from './stamps.mjs';

export const STAMP = join('dist', '.built-from.json');
export const DASHBOARD_STAMP = join('dist', 'dashboard', '.built-from.json');
/** What grows no smaller by being packed is left as it is. */
const PACKED = ['.js', '.css', '.svg', '.html'];

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
    // The dashboard has a stamp of its own.
    if (existsSync(join(root, 'dist', 'dashboard'))) renameSync(join(root, 'dist', 'dashboard'), join(fresh, 'dashboard'));
    if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
    renameSync(fresh, join(root, 'dist'));
    return true;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

export function buildDashboard(root) {
  const fresh = join(root, `dist.${process.pid}.tmp.dashboard`);
  const place = join(root, 'dist', 'dashboard');
  const sources = dashboardHash(root);
  try {
    const vite = join(root, 'dashboard', 'node_modules', 'vite', 'bin', 'vite.js');
    const { status } = spawnSync(process.execPath, [vite, 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'warn'], {
      cwd: join(root, 'dashboard'),
      stdio: 'inherit',
    });
    if (status !== 0) return false;
    pack(fresh);
    writeFileSync(join(fresh, '.built-from.json'), `${JSON.stringify({ sources })}\n`);
    rmSync(place, { recursive: true, force: true });
    renameSync(fresh, place);
    return true;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Beside each file its packed forms, so that the server only chooses. */
function pack(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !PACKED.includes(extname(entry.name))) continue;
    const path = join(entry.parentPath, entry.name);
    const body = readFileSync(path);
    writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
    writeFileSync(`${path}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  process.exitCode = build(root) && buildDashboard(root) ? 0 : 1;
}
