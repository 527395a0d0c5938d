import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonValue } from '../events/json.js';
import { compileExpression, compileParams, compileTemplate, ExpressionError, isFault } from './expression.js';
import type { Compiled, Fault, Scope } from './expression.js';

const scope: Scope = {
  params: { limit: 5, day: '2026-01-31', ratio: 0.5, none: null },
  outputs: (stepId) => ({ balance: { total: 7.5, items: [1, 2] }, 'fraud-review': { hits: 3 } })[stepId],
  run: { id: 'r1', startedBy: 'ann', labels: { team: 'finance' } },
};

function sound(compiled: Compiled | Fault): Compiled {
  if (isFault(compiled)) throw new Error(compiled.fault);
  return compiled;
}

const value = (source: string): JsonValue => sound(compileExpression(source)).evaluate(scope);

describe('an expression', () => {
  it.each<[string, JsonValue]>([
    ['params.limit + 1', 6],
    ['params.limit == 5', true],
    ['params.limit * 2.5', 12.5],
    ['params.limit % 2', 1],
    ['outputs.balance.total > params.limit', true],
    ['outputs.balance.total / 3', 2.5],
    ['outputs["fraud-review"].hits', 3],
    ['outputs.balance.items.map(item, item * 2)', [2, 4]],
    ['size(outputs.balance.items)', 2],
    ['{"big": outputs.balance.total > 7.0}', { big: true }],
    ['params.absent == null', true],
    ['run.labels.team + " of " + run.startedBy', 'finance of ann'],
    ['7 / 2', 3],
  ])('%s is %j', (source, expected) => {
    expect(value(source)).toEqual(expected);
  });

  it('says what it looks at', () => {
    const { uses, constant } = sound(compileExpression('outputs.balance.total > params.limit && outputs["fraud-review"].hits == 0'));
    expect(uses.map(({ root, name }) => `${root} ${name}`)).toEqual(['outputs balance', 'params limit', 'outputs fraud-review']);
    expect(constant).toBe(false);
    expect(sound(compileExpression('1 + 2')).constant).toBe(true);
  });

  it.each(['1 +', 'unknown.name', 'params', 'outputs[params.day]', '"a".matches("(a+)+$")', ''])('is refused in words: %j', (source) => {
    const compiled = compileExpression(source);
    expect(isFault(compiled) && compiled.fault.length > 5).toBe(true);
  });

  it('says where it does not compile', () => {
    expect(compileExpression('1 + nothing')).toMatchObject({ at: 4 });
  });

  it.each(['outputs.balance.constructor', 'outputs.balance.__proto__', 'outputs.gone.total', '9007199254740993 + 0', 'params.day + 1'])('fails with an ExpressionError: %s', (source) => {
    const compiled = compileExpression(source);
    if (isFault(compiled)) return expect(compiled.fault).toMatch(/overload/);
    expect(() => compiled.evaluate(scope)).toThrow(ExpressionError);
  });
});

describe('a template', () => {
  it('keeps the type when it is nothing but an expression', () => {
    expect(sound(compileTemplate('{{ outputs.balance.items }}')).evaluate(scope)).toEqual([1, 2]);
  });

  it('stands inside text', () => {
    expect(sound(compileTemplate('Review {{ params.day }}: {{ outputs.balance.total }}')).evaluate(scope)).toBe('Review 2026-01-31: 7.5');
  });

  it('says where it is not closed', () => {
    expect(compileTemplate('a {{ params.day')).toEqual({ fault: '"{{" is not closed by "}}".', at: 2 });
  });
});

describe('parameters with templates', () => {
  it('are made deep inside, and the rest stays', () => {
    const compiled = sound(compileParams({ fixed: [1, { a: null }], day: '{{ params.day }}', deep: [{ total: '{{ outputs.balance.total }}' }] }));
    expect(compiled.evaluate(scope)).toEqual({ fixed: [1, { a: null }], day: '2026-01-31', deep: [{ total: 7.5 }] });
    expect(compiled.uses.map(({ name }) => name)).toEqual(['day', 'balance']);
  });

  it('without templates come out as they went in', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (given) => {
        const plain: JsonValue = JSON.parse(JSON.stringify(given).replaceAll('{{', '(('));
        expect(sound(compileParams(plain)).evaluate(scope)).toEqual(plain);
      }),
    );
  });
});
