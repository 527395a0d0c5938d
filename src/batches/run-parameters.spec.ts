import { describe, expect, it } from '@jest/globals';
import type { ParameterDeclaration, ParameterKind } from '../events/definition.js';
import { checkParameters } from './run-parameters.js';

const declared: readonly ParameterDeclaration[] = [
  { name: 'day', kind: 'string', required: true },
  { name: 'limit', kind: 'number', default: 1000 },
  { name: 'note', kind: 'string' },
];

describe('the parameters of a run', () => {
  it('are taken as given, with the defaults filled in', () => {
    expect(checkParameters(declared, { day: '2026-01-31' })).toEqual({ parameters: { day: '2026-01-31', limit: 1000 }, errors: [] });
    expect(checkParameters(declared, { day: 'd', limit: 0, note: '' }).parameters).toEqual({ day: 'd', limit: 0, note: '' });
  });

  it('may be none where none are required', () => {
    expect(checkParameters(undefined, undefined)).toEqual({ parameters: {}, errors: [] });
  });

  it('are refused with every fault at once', () => {
    const { parameters, errors } = checkParameters(declared, { limit: '5', 'a/b': 1, note: '\u0000' });
    expect(parameters).toEqual({});
    expect(errors.map(({ path }) => path).sort()).toEqual(['/parameters/a~1b', '/parameters/day', '/parameters/limit', '/parameters/note']);
  });

  it.each([[[]], ['text'], [3], [{ day: () => 1 }]])('are refused as %j', (given) => {
    expect(checkParameters(declared, given).errors).toHaveLength(1);
  });

  it('may not be null where they are required, and null elsewhere is no value', () => {
    expect(checkParameters(declared, { day: null }).errors).toEqual([{ path: '/parameters/day', message: 'The parameter "day" is required.' }]);
    expect(checkParameters(declared, { day: 'd', note: null }).parameters).toEqual({ day: 'd', limit: 1000 });
  });

  it('never reach a prototype', () => {
    const given: unknown = JSON.parse('{"day": "d", "__proto__": {"limit": 5}, "constructor": 1}');
    expect(checkParameters(declared, given).errors.map(({ path }) => path)).toEqual(['/parameters/__proto__', '/parameters/constructor']);
    expect(checkParameters([{ name: 'constructor', kind: 'string', required: true }], {}).errors).toHaveLength(1);
  });

  it('have at most 256 KiB', () => {
    expect(checkParameters(declared, { day: 'x'.repeat(256 * 1024 - 30) }).errors).toEqual([]);
    expect(checkParameters(declared, { day: 'x'.repeat(256 * 1024) }).errors).toHaveLength(1);
  });

  it.each<[ParameterKind, unknown, boolean]>([
    ['string', 'a', true],
    ['string', 1, false],
    ['integer', 3, true],
    ['integer', 3.5, false],
    ['integer', 2 ** 53, false],
    ['number', 3.5, true],
    ['number', '3', false],
    ['boolean', false, true],
    ['boolean', 0, false],
    ['datetime', '2026-01-31T00:00:00Z', true],
    ['datetime', '2026-01-31T00:00:00+01:00', true],
    ['datetime', '2026-01-31T00:00:00', false],
    ['datetime', '2026-02-30T00:00:00Z', false],
    ['object', { a: [1] }, true],
    ['object', [1], false],
    ['secret', { $secret: 'erp-password' }, true],
    ['secret', 'hunter2', false],
    ['secret', { $secret: 'erp', value: 'hunter2' }, false],
    ['secret', { $secret: '' }, false],
  ])('of kind %s: %j fits: %s', (kind, value, fits) => {
    expect(checkParameters([{ name: 'p', kind }], { p: value }).errors.length === 0).toBe(fits);
  });
});
