import { describe, expect, it } from '@jest/globals';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { jobDefaultsSchema } from '../events/run.events.js';
import { defineJob } from './job.js';
import { DuplicateJobError, InvalidJobError, JobRegistry, UnknownJobError } from './job-registry.js';

const parameters = z.object({
  day: z.iso.date(),
  source: z.object({ 'a/b': z.number() }).optional(),
  limit: z.int().max(100).default(10),
});

function registryWith(...jobs: readonly ReturnType<typeof defineJob>[]): JobRegistry {
  const registry = new JobRegistry();
  for (const job of jobs) registry.register(job);
  return registry;
}

const run = async (): Promise<null> => null;

/** A schema of no known library: all that it has is the interface. */
function foreignSchema(validate: StandardSchemaV1.Props['validate']): StandardSchemaV1 {
  return { '~standard': { version: 1, vendor: 'nobody', validate } };
}

describe('JobRegistry', () => {
  it('knows its jobs by name', async () => {
    const job = defineJob({ name: 'b', parameters, run });
    const registry = registryWith(job, defineJob({ name: 'a', run }));
    expect(registry.names()).toEqual(['a', 'b']);
    expect([registry.has('b'), registry.has('c')]).toEqual([true, false]);
    expect(registry.get('c')).toBeUndefined();
    expect(registry.get('b')).toMatchObject({ name: 'b', parameters, outputs: undefined, origin: 'defineJob' });
    expect(await registry.get('b')?.resolveHandler()).toBe(job);
  });

  it('asks the resolver for every attempt', async () => {
    const registry = new JobRegistry();
    const seen: unknown[] = [];
    registry.registerResolved({ name: 'scoped' }, async (attempt) => (seen.push(attempt), { run }), 'Scoped');
    const attempt = { runId: 'r', stepId: 's', executionId: 'e', attempt: 2 };
    const first = await registry.get('scoped')?.resolveHandler(attempt);
    const second = await registry.get('scoped')?.resolveHandler();
    expect(seen).toEqual([attempt, undefined]);
    expect(first).not.toBe(second);
  });

  it('refuses a name that is taken, and says by whom', () => {
    const registry = registryWith(defineJob({ name: 'extract', run }));
    const again = (): unknown => registry.register(defineJob({ name: 'extract', run }), './jobs.js');
    expect(again).toThrow(DuplicateJobError);
    expect(again).toThrow('The job "extract" is registered twice: by defineJob and by ./jobs.js. Rename one of them.');
  });

  it.each([
    [{ name: '' }, 'name: A job is named by'],
    [{ name: 'a job' }, 'name: A job is named by'],
    [{ name: 'a', timeout: 'soon' }, 'timeout: Give a duration'],
    [{ name: 'a', cancelGrace: -1 }, 'cancelGrace: Give a duration'],
    [{ name: 'a', retry: { maxAttempts: 0 } }, 'retry.maxAttempts: maxAttempts counts the first attempt'],
  ])('refuses %j', (options, fault) => {
    const registry = new JobRegistry();
    expect(() => registry.register({ ...options, run })).toThrow(InvalidJobError);
    expect(() => registry.register({ ...options, run })).toThrow(fault);
    expect(registry.names()).toEqual([]);
  });

  it('refuses schemas that are none', () => {
    const fromJavaScript = Object.assign(defineJob({ name: 'a', run }), { parameters: { type: 'object' } });
    const registry = new JobRegistry();
    expect(() => Reflect.apply(registry.register.bind(registry), registry, [fromJavaScript])).toThrow('parameters: Give a Standard Schema');
  });

  it('says clearly that a job is unknown', () => {
    const registry = new JobRegistry();
    for (const ask of [() => registry.describe('x'), () => registry.declaredKeys('x'), () => registry.validateParameters('x', {}), () => registry.defaultsOf('x')]) {
      expect(ask).toThrow(UnknownJobError);
    }
  });
});

describe('JobRegistry.validateParameters', () => {
  const registry = registryWith(
    defineJob({ name: 'checked', parameters, outputs: z.object({ rows: z.number() }), run: async () => ({ rows: 1 }) }),
    defineJob({ name: 'free', run }),
  );

  it('gives back what the schema made of the parameters', async () => {
    expect(await registry.validateParameters('checked', { day: '2026-11-23', other: 1 })).toEqual({ ok: true, value: { day: '2026-11-23', limit: 10 } });
  });

  it('lists every fault with its place', async () => {
    const result = await registry.validateParameters('checked', { day: 'today', source: { 'a/b': 'x' }, limit: 1000 });
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.issues.map(({ path }) => path)).toEqual(['/day', '/source/a~1b', '/limit']);
    expect(!result.ok && result.issues.every(({ message }) => message.length > 0)).toBe(true);
  });

  it('points at the whole value when it is of the wrong kind', async () => {
    expect(await registry.validateParameters('checked', 'text')).toMatchObject({ ok: false, issues: [{ path: '' }] });
  });

  it('takes anything for a job without a schema', () => {
    expect(registry.validateParameters('free', { any: 'thing' })).toEqual({ ok: true, value: { any: 'thing' } });
  });

  it('checks outputs as well', async () => {
    expect(await registry.validateOutputs('checked', { rows: 'many' })).toMatchObject({ ok: false, issues: [{ path: '/rows' }] });
    expect(registry.validateOutputs('free', 17)).toEqual({ ok: true, value: 17 });
  });

  it('waits for a schema that checks asynchronously, and reads paths of both shapes', async () => {
    const schema = foreignSchema(async () => ({ issues: [{ message: 'no', path: ['rows', { key: 3 }, { key: 'x~y' }] }] }));
    const other = registryWith(defineJob({ name: 'slow', parameters: schema, run }));
    expect(await other.validateParameters('slow', {})).toEqual({ ok: false, issues: [{ path: '/rows/3/x~0y', message: 'no' }] });
  });
});

describe('JobRegistry.describe', () => {
  it('shows a job as the API does', () => {
    const registry = registryWith(
      defineJob({
        name: 'full', description: 'Does all', tags: ['x'], parameters, outputs: z.object({ rows: z.number() }),
        retry: { maxAttempts: 3, initialDelay: '2s' }, timeout: '10m', cancelGrace: '5s', run: async () => ({ rows: 1 }),
      }),
    );
    expect(registry.describe('full')).toEqual({
      name: 'full',
      description: 'Does all',
      tags: ['x'],
      parameters: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: {
          day: expect.objectContaining({ type: 'string', format: 'date' }),
          source: { type: 'object', properties: { 'a/b': { type: 'number' } }, required: ['a/b'] },
          limit: expect.objectContaining({ type: 'integer', maximum: 100, default: 10 }),
        },
        required: ['day'],
      },
      outputs: expect.objectContaining({ type: 'object', required: ['rows'] }),
      retry: { maxAttempts: 3, initialDelay: '2s' },
      timeoutMs: 600_000,
      cancelGraceMs: 5_000,
    });
  });

  it('says little of a job that says little', () => {
    expect(registryWith(defineJob({ name: 'bare', run })).describe('bare')).toEqual({
      name: 'bare', description: null, tags: [], parameters: {}, retry: { maxAttempts: 1 }, timeoutMs: null, cancelGraceMs: 10_000,
    });
  });

  it('says "anything" for what JSON Schema has no word for, and for schemas that can not say', () => {
    const registry = registryWith(
      defineJob({ name: 'dates', parameters: z.object({ at: z.date(), n: z.number() }), run }),
      defineJob({ name: 'foreign', parameters: foreignSchema((value) => ({ value })), run }),
    );
    expect(registry.describe('dates').parameters).toMatchObject({ properties: { at: {}, n: { type: 'number' } } });
    expect(registry.describe('foreign').parameters).toEqual({});
  });
});

describe('JobRegistry.declaredKeys', () => {
  const keysOf = (schema: StandardSchemaV1): readonly string[] | undefined => registryWith(defineJob({ name: 'j', parameters: schema, run })).declaredKeys('j');

  it.each([
    ['an object', z.object({ b: z.string(), a: z.number() }), ['a', 'b']],
    ['an object of nothing', z.object({}), []],
    ['an object open to more', z.looseObject({ a: z.string() }), ['a']],
    ['a union', z.discriminatedUnion('do', [z.object({ do: z.literal('x'), x: z.string() }), z.object({ do: z.literal('y'), y: z.string() })]), ['do', 'x', 'y']],
    ['an intersection', z.intersection(z.object({ a: z.string() }), z.object({ b: z.string() })), ['a', 'b']],
    ['a transformed object', z.object({ raw: z.string() }).transform(({ raw }) => ({ cooked: raw })), ['raw']],
    ['a named object', z.object({ a: z.string() }).meta({ id: 'Named' }), ['a']],
    ['something open', z.any(), undefined],
    ['a union that is open on one side', z.union([z.object({ a: z.string() }), z.any()]), undefined],
    ['a schema that can not say', foreignSchema((value) => ({ value })), undefined],
  ])('knows those of %s', (_what, schema, expected) => {
    expect(keysOf(schema)).toEqual(expected);
  });

  it('finds none in a job without a schema', () => {
    expect(registryWith(defineJob({ name: 'j', run })).declaredKeys('j')).toEqual([]);
  });

  it('follows a schema that holds itself without losing its way', () => {
    interface Tree { readonly name: string; readonly children: readonly Tree[] }
    const tree: z.ZodType<Tree> = z.object({ name: z.string(), get children() { return z.array(tree); } });
    expect(keysOf(tree)).toEqual(['children', 'name']);
  });
});

describe('JobRegistry.defaultsOf', () => {
  it('fills in what the job leaves open', () => {
    const defaults = registryWith(defineJob({ name: 'bare', run })).defaultsOf('bare');
    expect(jobDefaultsSchema.parse(defaults)).toEqual({
      maxAttempts: 1, backoff: 'exponential', initialDelayMs: 1_000, maxDelayMs: 60_000, jitter: true,
      lostCounts: false, maxLosses: 5, timeoutMs: null, cancelGraceMs: 10_000, declares: [],
    });
  });

  it('keeps what the job says, in milliseconds', () => {
    const job = defineJob({
      name: 'full', parameters, timeout: '10m', cancelGrace: 250,
      retry: { maxAttempts: 4, backoff: 'fixed', initialDelay: '2s', maxDelay: '1h', jitter: false, lostCounts: true, maxLosses: 2 }, run,
    });
    expect(jobDefaultsSchema.parse(registryWith(job).defaultsOf('full'))).toEqual({
      maxAttempts: 4, backoff: 'fixed', initialDelayMs: 2_000, maxDelayMs: 3_600_000, jitter: false,
      lostCounts: true, maxLosses: 2, timeoutMs: 600_000, cancelGraceMs: 250, declares: ['day', 'limit', 'source'],
    });
  });

  it('says null for keys that can not be known', () => {
    expect(registryWith(defineJob({ name: 'open', parameters: z.any(), run })).defaultsOf('open').declares).toBeNull();
  });
});
