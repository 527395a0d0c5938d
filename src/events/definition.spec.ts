import { describe, expect, it } from '@jest/globals';
import { durationMs, durationSchema, isJsonValue, labelsSchema, retryPolicySchema, stepDefinitionSchema } from './definition.js';

describe('a duration', () => {
  it.each<[string | number, number]>([
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5 h', 5_400_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['90', 90],
    [0, 0],
    [1_500, 1_500],
  ])('%j is %d ms', (value, expected) => {
    expect(durationSchema.parse(value)).toBe(value);
    expect(durationMs(value)).toBe(expected);
  });

  it.each<unknown>(['', 'soon', '-1s', '1y 2d', 'Infinity', '101y', -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e15, null, '1'.repeat(200)])('%j is none', (value) => {
    expect(durationSchema.safeParse(value).success).toBe(false);
  });

  it('that was never accepted is a programmer error', () => {
    expect(() => durationMs('soon')).toThrow(RangeError);
    expect(() => durationMs(-1)).toThrow(RangeError);
  });
});

describe('a JSON value', () => {
  it.each<unknown>([undefined, Number.NaN, 1n, () => 1, Symbol('x'), new Date(0), new Map(), { a: undefined }, [undefined], { a: { b: Number.POSITIVE_INFINITY } }])('is not %p', (value) => {
    expect(isJsonValue(value)).toBe(false);
  });

  it('has at most so many levels, and a cycle has more', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(isJsonValue(cycle)).toBe(false);
    expect(isJsonValue([[[]]], 3)).toBe(true);
    expect(isJsonValue([[[]]], 2)).toBe(false);
  });
});

describe('a shape', () => {
  it('is kept as it was given: nothing is filled in', () => {
    const given = { id: 'a', type: 'job', job: 'obey', retry: {} };
    expect(stepDefinitionSchema.parse(given)).toEqual(given);
    expect(retryPolicySchema.parse({ maxLosses: 2, lostCounts: true })).toEqual({ maxLosses: 2, lostCounts: true });
  });

  it('keeps labels few', () => {
    const labels = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, index) => [`l${index}`, '']));
    expect(labelsSchema.safeParse(labels(64)).success).toBe(true);
    expect(labelsSchema.safeParse(labels(65)).success).toBe(false);
  });

  it('says how a label is named', () => {
    expect(labelsSchema.safeParse({ 'a b': 'c' }).error?.issues).toMatchObject([{ path: ['a b'], message: expect.stringContaining('1 to 63 letters') }]);
  });
});
