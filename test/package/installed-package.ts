/**
 * The package as somebody installs it: packed from the build, unpacked into an application of its own.
 *
 * What the package declares, and no more, is linked from the tree: no network is needed, and nothing is compiled twice.
 * An import that package.json does not declare finds nothing there.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const TREE = fileURLToPath(new URL('../../', import.meta.url));
const manifest = z.object({ dependencies: z.record(z.string(), z.string()), peerDependencies: z.record(z.string(), z.string()) });
const packed = z.array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }));

export interface InstalledPackage {
  /** The files that were packed. */
  readonly files: readonly string[];
  /** Writes a file of the application. */
  write(name: string, text: string): void;
  /** Runs a script of the application or of its node_modules. */
  node(...args: readonly string[]): { readonly status: number | null; readonly output: string };
  remove(): void;
}

/** @param guests what the application has beside the package */
export function installPackage(...guests: readonly string[]): InstalledPackage {
  const home = mkdtempSync(join(tmpdir(), 'sluice-package-'));
  // Builds only if the build is stale.
  execFileSync(process.execPath, ['scripts/setup.mjs'], { cwd: TREE, stdio: 'pipe' });
  const [pack] = packed.parse(JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', home], { cwd: TREE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })));
  execFileSync('tar', ['-xzf', join(home, pack!.filename), '-C', home]);
  const modules = join(home, 'node_modules');
  mkdirSync(modules);
  renameSync(join(home, 'package'), join(modules, 'sluice'));
  const { dependencies, peerDependencies } = manifest.parse(JSON.parse(readFileSync(join(modules, 'sluice', 'package.json'), 'utf8')));
  for (const name of new Set([...Object.keys(dependencies), ...Object.keys(peerDependencies), ...guests])) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(TREE, 'node_modules', name), join(modules, name), 'dir');
  }
  const write = (name: string, text: string): void => writeFileSync(join(home, name), text);
  write('package.json', '{ "name": "somebody", "type": "module", "private": true }');
  return {
    files: pack!.files.map(({ path }) => path),
    write,
    node: (...args) => {
      const { NODE_OPTIONS: _, ...env } = process.env;
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: home, encoding: 'utf8', env: { ...env, NO_COLOR: '1' }, timeout: 120_000 });
      return { status, output: `${stdout}${stderr}` };
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
