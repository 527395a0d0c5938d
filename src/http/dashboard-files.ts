/**
 * The files of the dashboard as the build left them: read once, kept in memory, with what they are served as.
 *
 * 1. What is not among them is never read: a path of a request names a key, not a file.
 * 2. Names under `assets/` hold a hash of what is in them, so they may be kept for ever; the rest is asked for again.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2', '.png': 'image/png', '.json': 'application/json; charset=utf-8', '.txt': 'text/plain; charset=utf-8',
};
export const ENCODINGS = ['br', 'gzip'] as const;
export type Encoding = (typeof ENCODINGS)[number];
const ENDINGS = { br: '.br', gzip: '.gz' } as const;

export interface DashboardFile {
  readonly type: string;
  readonly etag: string;
  readonly forEver: boolean;
  readonly body: Buffer;
  readonly packed: Readonly<Partial<Record<Encoding, Buffer>>>;
}

/** Keyed by the path below the dashboard; empty if it was not built. */
export type DashboardFiles = ReadonlyMap<string, DashboardFile>;

/** Beside the compiled sources, or in dist when the sources themselves run. */
export function dashboardFiles(): DashboardFiles {
  const places = ['../../dist/dashboard', '../../dashboard'].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const place = places.find((folder) => existsSync(join(folder, 'assets')) && existsSync(join(folder, 'index.html')));
  return place === undefined ? new Map() : readFiles(place);
}

function readFiles(folder: string): DashboardFiles {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    paths
      .filter((path) => extname(path) in TYPES)
      .map((path) => {
        const name = relative(folder, path).split(sep).join('/');
        const body = readFileSync(path);
        const packed = Object.fromEntries(ENCODINGS.filter((encoding) => paths.includes(path + ENDINGS[encoding])).map((encoding) => [encoding, readFileSync(path + ENDINGS[encoding])]));
        return [name, { type: TYPES[extname(path)] ?? 'application/octet-stream', etag: etagFor(body), forEver: name.startsWith('assets/'), body, packed }];
      }),
  );
}

export function etagFor(body: Buffer | string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
}
