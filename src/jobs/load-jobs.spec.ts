import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runTypeScript, type Child } from '../../test/child-process.js';

interface Loaded {
  readonly specifier: string;
  readonly url: string;
  readonly jobs: readonly string[];
  readonly batches: readonly string[];
}
interface Answer {
  readonly loaded?: readonly Loaded[];
  readonly error?: { readonly name: string; readonly message: string };
}

/** A real Node process: the test runner brings a module loader of its own, and it is Node's that is asked here. */
let loader: Child;
let directory: string;
let asked = 0;

beforeAll(() => {
  loader = runTypeScript(fileURLToPath(new URL('../../test/jobs/loading.child.ts', import.meta.url)));
});
afterAll(async () => {
  loader.kill();
  await loader.exited;
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-load-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function file(path: string, text: string): Promise<string> {
  const whole = join(directory, path);
  await mkdir(dirname(whole), { recursive: true });
  await writeFile(whole, text);
  return whole;
}

async function ask(list: string): Promise<Answer> {
  const id = ++asked;
  loader.say(JSON.stringify({ id, list, directory }));
  const answer: Answer = JSON.parse(await loader.line(new RegExp(`^\\{"id":${id},`)));
  return answer;
}

async function loadedBy(list: string): Promise<readonly Loaded[]> {
  const { loaded, error } = await ask(list);
  if (loaded === undefined) throw new Error(error?.message);
  return loaded;
}

const job = (name: string): string => `{ name: '${name}', run: async () => '${name}' }`;
const batch = (name: string): string => `{ name: '${name}', steps: [{ id: 'only', type: 'job', job: 'a' }] }`;

describe('loadJobModules', () => {
  it('takes jobs and batches from named exports, relative to the directory', async () => {
    await file('jobs.mjs', `export const jobs = [${job('a')}, ${job('b')}]; export const batches = [${batch('nightly')}];`);
    const [loaded] = await loadedBy('./jobs.mjs');
    expect(loaded?.jobs).toEqual(['a', 'b']);
    expect(loaded?.batches).toEqual(['nightly']);
    expect(loaded?.url).toBe(pathToFileURL(join(directory, 'jobs.mjs')).href);
  });

  it('takes them from a default export, and from CommonJS', async () => {
    await file('default.mjs', `export default { jobs: [${job('d')}] };`);
    await file('old.cjs', `module.exports = { batches: [${batch('old')}] };`);
    const loaded = await loadedBy('default.mjs, old.cjs');
    expect(loaded.map(({ jobs, batches }) => [...jobs, ...batches])).toEqual([['d'], ['old']]);
  });

  it('takes absolute paths, file URLs, and leaves out empty parts', async () => {
    const path = await file('abs.mjs', `export const jobs = [${job('abs')}];`);
    const loaded = await loadedBy(` ${path},, ${pathToFileURL(path).href} ,`);
    expect(loaded.map(({ jobs }) => jobs[0])).toEqual(['abs', 'abs']);
    expect(await loadedBy('')).toEqual([]);
  });

  it.each([
    ['main alone', { main: 'entry.cjs' }, 'entry.cjs', 'module.exports.jobs = ', '@acme/jobs'],
    ['import alone', { type: 'module', exports: { import: './entry.js' } }, 'entry.js', 'export const jobs = ', '@acme/jobs'],
    ['conditions under a path', { type: 'module', exports: { './nightly': { types: './x.d.ts', default: './entry.js' } } }, 'entry.js', 'export const jobs = ', '@acme/jobs/nightly'],
    ['a text', { type: 'module', exports: './entry.js' }, 'entry.js', 'export const jobs = ', '@acme/jobs'],
  ])('finds a package that exports by %s', async (_how, manifest, entry, before, specifier) => {
    await file('node_modules/@acme/jobs/package.json', JSON.stringify({ name: '@acme/jobs', ...manifest }));
    await file(`node_modules/@acme/jobs/${entry}`, `${before}[${job('packaged')}];`);
    const [loaded] = await loadedBy(specifier);
    expect(loaded?.jobs[0]).toBe('packaged');
  });

  it.each([
    ['./nowhere.mjs', undefined, /"\.\/nowhere\.mjs" is not there: no file .*nowhere\.mjs/],
    ['no-such-package', undefined, /"no-such-package" is neither a file in .* nor a package/],
    ['broken.mjs', 'throw new Error("no licence")', /"broken\.mjs" can't be loaded: no licence/],
    ['syntax.mjs', 'export const jobs = [', /"syntax\.mjs" can't be loaded: /],
    ['empty.mjs', 'export const other = 1;', /exports neither "jobs" nor "batches"/],
    ['single.mjs', `export const jobs = ${job('a')};`, /exports "jobs" as an object\. Export an array/],
    ['nameless.mjs', 'export const jobs = [{ run() {} }];', /has an object at jobs\[0\] that is not a job/],
    ['runless.mjs', `export const jobs = [${job('a')}, { name: 'b' }];`, /has an object at jobs\[1\] that is not a job/],
    ['text.mjs', 'export const batches = ["nightly"];', /has a string at batches\[0\] that is not a batch/],
    ['stepless.mjs', 'export const batches = [{ name: "x" }];', /has an object at batches\[0\] that is not a batch/],
  ])('refuses %s and says why', async (specifier, text, message) => {
    if (text !== undefined) await file(specifier, text);
    const { error } = await ask(specifier);
    expect(error?.name).toBe('JobModuleError');
    expect(error?.message).toMatch(message);
  });

  it('says that decorated classes belong into an application', async () => {
    const decorator = pathToFileURL(join(process.cwd(), 'src/jobs/job.ts')).href;
    await file('class.mjs', `import { Job } from ${JSON.stringify(decorator)}; class A { async run() {} } Job({ name: 'a' })(A); export const jobs = [A];`);
    expect((await ask('class.mjs')).error?.message).toMatch(/has a class decorated with @Job at jobs\[0\]/);
  });
});
