import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineJob, isJobDefinition, Job, jobOptionsOf, type JobContext, type JobHandler } from './job.js';

const parameters = z.object({ day: z.string(), limit: z.coerce.number().default(10) });
const outputs = z.object({ rows: z.number() });

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(value: T): T => value;

describe('defineJob', () => {
  it('gives back the object as it is', () => {
    const options = { name: 'count', parameters, outputs, retry: { maxAttempts: 3 }, run: async () => ({ rows: 1 }) };
    expect(defineJob(options)).toBe(options);
  });

  it('types the parameters by what their schema gives back, and the outputs by what theirs takes', async () => {
    const job = defineJob({
      name: 'count',
      parameters,
      outputs,
      run: async ({ params }) => {
        holds<Same<typeof params, { day: string; limit: number }>>(true);
        return { rows: params.limit };
      },
    });
    expect(holds<Same<Awaited<ReturnType<typeof job.run>>, { rows: number }>>(true)).toBe(true);
    expect(isJobDefinition(job)).toBe(true);
  });

  it('takes the type of the outputs from what the job returns where there is no schema for them', () => {
    const job = defineJob({ name: 'greet', parameters: z.object({ who: z.string() }), run: async ({ params }) => ({ text: params.who }) });
    expect(holds<Same<Awaited<ReturnType<typeof job.run>>, { text: string }>>(true)).toBe(true);
    expect(job.name).toBe('greet');
  });

  it('leaves parameters unknown without a schema', () => {
    const job = defineJob({ name: 'any', run: async ({ params: { x } }) => holds<Same<typeof x, unknown>>(true) ? x : x });
    expect(job.parameters).toBeUndefined();
  });

  it('lets the compiler refuse outputs that do not fit the schema', () => {
    // @ts-expect-error rows is a number
    const job = defineJob({ name: 'count', outputs, run: async () => ({ rows: 'many' }) });
    expect(job.name).toBe('count');
  });
});

describe('@Job', () => {
  @Job({ name: 'extract', parameters, outputs, tags: ['ledger'] })
  class Extract implements JobHandler<z.infer<typeof parameters>, z.infer<typeof outputs>> {
    async run({ params }: JobContext<z.infer<typeof parameters>>): Promise<{ rows: number }> {
      return { rows: params.limit };
    }
  }

  it('leaves its options on the class', () => {
    expect(jobOptionsOf(Extract)).toEqual({ name: 'extract', parameters, outputs, tags: ['ledger'] });
  });

  it('does not count for a class that only inherits from a decorated one', () => {
    class Special extends Extract {}
    expect(jobOptionsOf(Special)).toBeUndefined();
  });

  it.each([['a plain class', class Plain {}], ['an instance', new Extract()], ['nothing', undefined], ['a text', 'extract']])(
    'is not found on %s',
    (_what, target) => {
      expect(jobOptionsOf(target)).toBeUndefined();
    },
  );

  it('lets the compiler refuse a class that does not fit the schemas', () => {
    // @ts-expect-error the schema gives `day`, not `month`
    @Job({ name: 'wrong', parameters })
    class Wrong {
      async run({ params }: JobContext<{ month: number }>): Promise<number> {
        return params.month;
      }
    }
    expect(jobOptionsOf(Wrong)?.name).toBe('wrong');
  });
});

describe('isJobDefinition', () => {
  it.each([
    ['no name', { run: async () => 1 }, false],
    ['no run', { name: 'a' }, false],
    ['both', { name: 'a', run: async () => 1 }, true],
    ['nothing at all', null, false],
  ])('judges an object with %s', (_what, value, expected) => {
    expect(isJobDefinition(value)).toBe(expected);
  });
});
