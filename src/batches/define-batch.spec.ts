import { describe, expect, it } from '@jest/globals';
import { batchDefinitionSchema } from '../events/definition.js';
import { defineBatch, type BatchParameters } from './define-batch.js';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(value: T): T => value;

const close = defineBatch({
  name: 'nightly-close',
  parameters: [
    { name: 'day', kind: 'string', required: true },
    { name: 'limit', kind: 'number', default: 1000 },
    { name: 'dryRun', kind: 'boolean' },
    { name: 'key', kind: 'secret', required: true },
    { name: 'since', kind: 'datetime', required: true, default: '2026-01-01T00:00:00.000Z' },
  ],
  steps: [{ id: 'extract', type: 'job', job: 'extract-ledger', params: { source: 'erp' } }],
});

describe('defineBatch', () => {
  it('gives back the plain definition, which the schema accepts', () => {
    expect(batchDefinitionSchema.parse(close)).toEqual(close);
    expect(JSON.parse(JSON.stringify(close))).toEqual({
      name: 'nightly-close',
      parameters: [
        { name: 'day', kind: 'string', required: true },
        { name: 'limit', kind: 'number', default: 1000 },
        { name: 'dryRun', kind: 'boolean' },
        { name: 'key', kind: 'secret', required: true },
        { name: 'since', kind: 'datetime', required: true, default: '2026-01-01T00:00:00.000Z' },
      ],
      steps: [{ id: 'extract', type: 'job', job: 'extract-ledger', params: { source: 'erp' } }],
    });
  });

  it('asks for required parameters without a default, and for no other', () => {
    type Expected = { day: string; key: { readonly $secret: string }; limit?: number; dryRun?: boolean; since?: string };
    const given: BatchParameters<typeof close> = { day: '2026-11-23', key: { $secret: 'erp' } };
    // Both ways: what the batch takes is an Expected, and every Expected is taken.
    const there: Expected = given;
    const back: BatchParameters<typeof close> = there;
    expect(holds<Same<BatchParameters<typeof close>['day'], string>>(true)).toBe(true);
    expect(back).toBe(given);
  });

  it('lets the compiler refuse a missing and a mistyped parameter', () => {
    // @ts-expect-error `key` is required
    const missing: BatchParameters<typeof close> = { day: '2026-11-23' };
    // @ts-expect-error `limit` is a number
    const mistyped: BatchParameters<typeof close> = { day: '2026-11-23', key: { $secret: 'erp' }, limit: 'many' };
    expect([missing, mistyped]).toHaveLength(2);
  });

  it('takes no parameters where none are declared', () => {
    const bare = defineBatch({ name: 'bare', steps: [{ id: 'only', type: 'job', job: 'obey' }] });
    const given: BatchParameters<typeof bare> = {};
    expect(given).toEqual({});
    expect(bare).toEqual({ name: 'bare', steps: [{ id: 'only', type: 'job', job: 'obey' }] });
  });
});
