/**
 * Stamps say what something was made from, so that set-up can tell in milliseconds whether it must be made again.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE_FOLDERS = ['src', 'projections', 'examples'];
const SOURCE_FILES = ['tsconfig.json', 'tsconfig.build.json'];
const DASHBOARD_FOLDERS = ['dashboard/src', 'dashboard/public'];
const DASHBOARD_FILES = ['index.html', 'package-lock.json', 'tsconfig.json', 'vite.config.ts'].map((name) => `dashboard/${name}`);

/** Hash over the names and contents of everything that `npm run build` compiles. */
export function sourcesHash(root) {
  return hashOf(root, [...SOURCE_FILES, ...SOURCE_FOLDERS.flatMap((folder) => filesUnder(root, folder))]);
}

/** The same of the dashboard. */
export function dashboardHash(root) {
  return hashOf(root, [...DASHBOARD_FILES, ...DASHBOARD_FOLDERS.flatMap((folder) => filesUnder(root, folder))]);
}

function hashOf(root, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file}\0`).update(readFileSync(join(root, file))).update('\0');
  }
  return hash.digest('hex');
}

export function fileHash(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** The JSON in a file, or undefined when there is none that can be read. */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Sorted paths below `folder`, with forward slashes; specs are not compiled and don't count. */
function filesUnder(root, folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesUnder(root, path);
      return entry.isFile() && !entry.name.endsWith('.spec.ts') ? [path] : [];
    });
}
