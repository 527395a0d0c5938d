/**
 * Loads the modules named by `SLUICE_JOBS`.
 *
 * Owns: finding a module, reading its `jobs` and `batches`, and saying what is wrong with it.
 * Does not own: registering (the caller does) and checking definitions (the batches room does).
 * Talks to: Node's module loader.
 *
 * 1. A module that can't be used stops the start; nothing of it is taken by halves.
 */
import { readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BatchDefinition } from '../events/definition.js';
import { isJobDefinition, jobOptionsOf, type JobDefinition } from './job.js';

/** What one module brought. */
export interface LoadedModule {
  /** As it was written in the configuration. */
  readonly specifier: string;
  readonly url: string;
  readonly jobs: readonly JobDefinition[];
  /** As exported: not checked yet beyond being objects with a name. */
  readonly batches: readonly BatchDefinition[];
}

export class JobModuleError extends Error {
  constructor(specifier: string, fault: string, cause?: unknown) {
    super(`SLUICE_JOBS: ${JSON.stringify(specifier)} ${fault}`, cause === undefined ? undefined : { cause });
    this.name = 'JobModuleError';
  }
}

/**
 * Imports each module of a comma-separated list: file paths, relative to `directory`, or package names as they resolve
 * from there. A module exports `jobs` and/or `batches` (arrays), by name or on its default export.
 *
 * @param directory where relative paths and packages are looked up; the working directory unless given
 * @throws JobModuleError with what to do about it
 * @example await loadJobModules('./dist/jobs.js,@acme/ledger-jobs')
 */
export async function loadJobModules(list: string, directory: string = process.cwd()): Promise<readonly LoadedModule[]> {
  const loaded: LoadedModule[] = [];
  for (const specifier of list.split(',').map((part) => part.trim()).filter((part) => part !== '')) {
    loaded.push(await loadJobModule(specifier, directory));
  }
  return loaded;
}

async function loadJobModule(specifier: string, directory: string): Promise<LoadedModule> {
  const url = await urlOf(specifier, directory);
  const exported = await importFrom(specifier, url);
  const jobs = listOf(specifier, exported, 'jobs');
  const batches = listOf(specifier, exported, 'batches');
  if (jobs === undefined && batches === undefined) {
    throw new JobModuleError(specifier, 'exports neither "jobs" nor "batches". Export an array under one of these names.');
  }
  return {
    specifier,
    url,
    jobs: (jobs ?? []).map((job, index) => jobAt(specifier, index, job)),
    batches: (batches ?? []).map((batch, index) => batchAt(specifier, index, batch)),
  };
}

async function urlOf(specifier: string, directory: string): Promise<string> {
  if (specifier.startsWith('file:')) return specifier;
  const file = resolve(directory, specifier);
  const isPath = isAbsolute(specifier) || /^\.{1,2}\//.test(specifier);
  if (isPath || (await isFile(file))) {
    if (await isFile(file)) return pathToFileURL(file).href;
    throw new JobModuleError(specifier, `is not there: no file ${file}.`);
  }
  try {
    const require = createRequire(resolve(directory) + sep);
    const found = (await importEntryOf(specifier, require.resolve.paths(specifier) ?? [])) ?? require.resolve(specifier);
    return pathToFileURL(found).href;
  } catch (error) {
    throw new JobModuleError(specifier, `is neither a file in ${resolve(directory)} nor a package that can be found from there.`, error);
  }
}

/**
 * The file that a package offers to `import`. Node resolves so only from the importing file's own place,
 * and `require.resolve` does not see packages that are ES modules alone.
 */
async function importEntryOf(specifier: string, folders: readonly string[]): Promise<string | undefined> {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  for (const folder of folders) {
    const manifest = join(folder, name, 'package.json');
    if (!(await isFile(manifest))) continue;
    const exported = member(JSON.parse(await readFile(manifest, 'utf8')), 'exports');
    const entry = importTarget(exported, `.${specifier.slice(name.length)}`);
    return entry === undefined ? undefined : join(folder, name, entry);
  }
  return undefined;
}

function importTarget(exported: unknown, subpath: string): string | undefined {
  const keys = typeof exported === 'object' && exported !== null ? Object.keys(exported) : [];
  const byPath = keys.some((key) => key.startsWith('.'));
  let target = byPath ? member(exported, subpath) : subpath === '.' ? exported : undefined;
  while (typeof target === 'object' && target !== null) {
    target = Object.entries(target).find(([condition]) => ['import', 'node', 'default'].includes(condition))?.[1];
  }
  return typeof target === 'string' ? target : undefined;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function importFrom(specifier: string, url: string): Promise<object> {
  try {
    const exported: unknown = await import(url);
    return typeof exported === 'object' && exported !== null ? exported : {};
  } catch (error) {
    throw new JobModuleError(specifier, `can't be loaded: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** By name, else on the default export. */
function listOf(specifier: string, exported: object, name: 'jobs' | 'batches'): readonly unknown[] | undefined {
  const named = member(exported, name) ?? member(member(exported, 'default'), name);
  if (named === undefined || Array.isArray(named)) return named;
  throw new JobModuleError(specifier, `exports "${name}" as ${kindOf(named)}. Export an array.`);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function jobAt(specifier: string, index: number, value: unknown): JobDefinition {
  if (isJobDefinition(value)) return value;
  if (jobOptionsOf(value) !== undefined) {
    throw new JobModuleError(specifier, `has a class decorated with @Job at jobs[${index}]. Such classes are providers of a NestJS application; export what defineJob gives.`);
  }
  throw new JobModuleError(specifier, `has ${kindOf(value)} at jobs[${index}] that is not a job. Export what defineJob gives: an object with "name" and "run".`);
}

function batchAt(specifier: string, index: number, value: unknown): BatchDefinition {
  if (isBatchLike(value)) return value;
  throw new JobModuleError(specifier, `has ${kindOf(value)} at batches[${index}] that is not a batch. Export what defineBatch gives: an object with "name" and "steps".`);
}

/** Whether the definition is right is judged, with all its faults, where it is saved. */
function isBatchLike(value: unknown): value is BatchDefinition {
  return typeof member(value, 'name') === 'string' && Array.isArray(member(value, 'steps'));
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
