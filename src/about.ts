/** What a server says of itself. */
import { createRequire } from 'node:module';
import type { AboutNode } from './http/about.controller.js';
import type { SluiceEngine } from './sluice.js';

/** Of this package. */
export function versionOf(): string {
  const about: unknown = createRequire(import.meta.url)('sluice/package.json');
  return typeof about === 'object' && about !== null && 'version' in about ? String(about.version) : '0';
}

export interface Told {
  readonly auth: string;
  readonly directory: string;
  readonly startedAt: string;
}

export function aboutOf({ node, runner, read }: SluiceEngine, { auth, directory, startedAt }: Told): () => AboutNode {
  const version = versionOf();
  return () => ({
    version, auth, data: { directory },
    node: { id: node, startedAt, slots: runner.slots, taken: runner.taken },
    projections: read.host.status().map(({ name, version: of, state, position, parked }) => ({ name, version: of, state, position, parked })),
  });
}
