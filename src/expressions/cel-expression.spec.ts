import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject, JsonValue } from '../events/json.js';
import { compileExpression, compileParams, compileTemplate, ExpressionError, isFault, sharingTime, type Compiled, type Fault, type Scope } from './expression.js';
import { templatesIn } from './expression.js';

const outputs: Record<string, JsonValue> = {
  a: { total: 5, list: [{ n: 1 }, { n: 2 }], words: ['x', 1, null], tricky: JSON.parse('{"constructor":{"z":1},"__proto__":{"z":2}}'), nothing: null },
  'fraud-review': { hits: 3 },
};
const scope = (params: JsonObject = {}): Scope => ({
  params: { limit: 1000, text: 'abc', flag: true, ...params },
  outputs: (stepId) => (Object.hasOwn(outputs, stepId) ? outputs[stepId] : undefined),
  run: { id: 'r-1', startedBy: 'ann', labels: { team: 'finance' } },
});

function sound<C extends Compiled>(compiled: C | Fault): C {
  if (isFault(compiled)) throw new Error(compiled.fault);
  return compiled;
}
const valueOf = (source: string, params?: JsonObject): JsonValue => sound(compileExpression(source)).evaluate(scope(params));
const failure = (work: () => JsonValue): string => {
  try {
    return `none, it gives ${JSON.stringify(work())}`;
  } catch (error) {
    return String(error);
  }
};
const faultOf = (source: string): Fault => {
  const compiled = compileExpression(source);
  if (!isFault(compiled)) throw new Error(`${source} compiles`);
  return compiled;
};

describe('numbers', () => {
  it.each<[string, JsonValue]>([
    ['params.limit + 1', 1001],
    ['1 + params.limit', 1001],
    ['params.limit - 1.5', 998.5],
    ['outputs.a.total > 3', true],
    ['3 <= outputs.a.total', true],
    ['outputs.a.total / 2', 2.5],
    ['2 / outputs.a.total', 0.4],
    ['5 / 2', 2],
    ['5.0 / 2', 2.5],
    ['1 == 1.0', true],
    ['1 != 1.0', false],
    ['1.0 == 1', true],
    ['params.limit == 1000', true],
    ['params.limit != 1000', false],
    ['params.limit in [1, 1000]', true],
    ['1000 in [params.limit]', true],
    ['size(outputs.a.list) == 2', true],
    ['outputs.a.total == size("12345")', true],
    ['outputs.a.total % 2', 1],
    ['-outputs.a.total', -5],
    ['0 * -1.0', 0],
    ['1u', 1],
    ['[params.limit, 1].map(x, x + 1)', [1001, 2]],
    ['9007199254740991', 9007199254740991],
  ])('%s gives %j', (source, expected) => {
    expect(valueOf(source)).toStrictEqual(expected);
  });

  it.each([
    ['9007199254740992', /beyond 2\^53/],
    ['9223372036854775807 + 1', /overflow/],
    ['1 / 0', /division by zero/],
    ['params.limit / 0', /number that JSON can say/],
  ])('%s fails in words', (source, words) => {
    expect(() => valueOf(source)).toThrow(ExpressionError);
    expect(() => valueOf(source)).toThrow(words);
  });
});

describe('values', () => {
  it.each<[string, JsonValue]>([
    ['null', null],
    ['params.never', null],
    ['params.never == null', true],
    ['{"a": [1, 2.5, "x", null], "b": params.flag}', { a: [1, 2.5, 'x', null], b: true }],
    ['{1: 2}', { 1: 2 }],
    ['outputs.a.list.filter(i, i.n > 1)', [{ n: 2 }]],
    ['outputs.a.words + ["y"]', ['x', 1, null, 'y']],
    ['outputs.a.words == ["x", 1, null]', true],
    ['timestamp("2024-01-01T00:00:00Z")', '2024-01-01T00:00:00.000Z'],
    ['timestamp("2024-01-02T00:00:00Z") - timestamp("2024-01-01T00:00:00Z")', '86400s'],
    ['duration("1500ms")', '1.5s'],
    ['has(outputs.a.total) && !has(outputs.a.absent)', true],
    ['"fraud-review" in outputs', true],
    ['"later" in outputs', false],
    ['cel.bind(total, outputs.a.total, total * 2)', 10],
    ['params.flag ? outputs.a : null', outputs['a'] ?? null],
    ['run.labels.team', 'finance'],
  ])('%s gives %j', (source, expected) => {
    expect(valueOf(source)).toEqual(expected);
  });

  it.each(['type(1)', 'int', 'b"x"', 'google.protobuf', 'cel', '"\\ud83d"'])('%s is no JSON and is not let out', (source) => {
    const compiled = compileExpression(source);
    if (!isFault(compiled)) expect(() => compiled.evaluate(scope())).toThrow(ExpressionError);
  });

  it('of a step that has none say so', () => {
    expect(() => valueOf('outputs.later.total > 1')).toThrow('The expression "outputs.later.total > 1" failed: step "later" has no outputs here, because it was skipped or did not succeed.');
  });

  it('that do not fit an operator say where', () => {
    expect(() => valueOf('params.text + params.limit')).toThrow(/no such overload: .*at character 1\.$/);
  });
});

describe('keys are data', () => {
  it.each<[string, JsonValue]>([
    ['outputs.a.tricky.constructor.z', 1],
    ['outputs.a.tricky["__proto__"].z', 2],
    ['has(outputs.a.tricky.constructor)', true],
    ['has(outputs.a.list.constructor)', false],
    ['"toString" in outputs.a', false],
    ['size(outputs.a.tricky)', 2],
  ])('%s gives %j', (source, expected) => {
    expect(valueOf(source)).toEqual(expected);
  });

  it.each(['outputs.constructor', 'outputs.__proto__', 'outputs.a.constructor', 'outputs.a.__proto__', 'outputs.a.toString', 'outputs.a.list.length', 'params.text.length', 'run.labels.constructor'])(
    '%s never reaches a prototype',
    (source) => {
      expect(() => valueOf(source)).toThrow(ExpressionError);
    },
  );

  it('params.constructor is a parameter without a value', () => {
    expect(valueOf('params.constructor')).toBeNull();
  });

  it('comes out as an own key and changes no prototype', () => {
    const value = valueOf('outputs.a.tricky');
    expect(Object.keys(value ?? {})).toEqual(['constructor', '__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    const given: JsonObject = JSON.parse('{"__proto__":{"polluted":"{{ 1 }}"}}');
    const made = sound(compileParams(given)).evaluate(scope());
    expect(JSON.stringify(made)).toBe('{"__proto__":{"polluted":1}}');
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
  });
});

describe('faults', () => {
  it.each([
    ['outputs.fraud-review.hits', 14, 'Unknown variable: review (at character 15). If "fraud-review" is one name, write outputs["fraud-review"].'],
    ['params.1st', 7, undefined],
    ['outputs', 0, 'Say what of outputs you mean: outputs.name or outputs["the-name"].'],
    ['outputs[params.step]', 0, 'Say what of outputs you mean: outputs.name or outputs["the-name"].'],
    ['run.status', 0, 'run has no "status", only id, startedBy, labels.'],
    ['occurrence.day', 0, 'occurrence has no "day", only due, date, time, timeZone, previous.'],
    ['[1].map(params, params)', 8, 'params has a meaning of its own: give the variable of map() another name.'],
    ['{"a": {"constructor": 1}}', 7, '"constructor" can\'t be a key of a map.'],
    ['!(params.text.matches("(a+)+$"))', undefined, 'matches() is not available, because its patterns can take for ever. Use contains(), startsWith() or endsWith().'],
    ['[1].all(x, "a".matches("a"))', undefined, 'matches() is not available, because its patterns can take for ever. Use contains(), startsWith() or endsWith().'],
    ['params.flag ? "x" : 1', 0, undefined],
    ['now()', 0, undefined],
    ['params.limit >', 14, undefined],
    ['   ', 0, 'The expression is empty.'],
    ['!'.repeat(3_000) + 'true', undefined, undefined],
    ['('.repeat(3_000), undefined, undefined],
    ['1 +'.repeat(3_000), 4_000, 'An expression has at most 4000 characters.'],
  ])('%j is refused', (source, at, words) => {
    const { fault, at: place } = faultOf(source);
    if (at !== undefined) expect(place).toBe(at);
    if (words !== undefined) expect(fault).toBe(words);
    expect(fault).toMatch(/^.{6,}\.$/);
  });

  it('of a template point into the whole text', () => {
    expect(compileTemplate('Hi {{ params.a }} and {{ nobody }}')).toMatchObject({ at: 25 });
    expect(compileTemplate('{{ "}}" }} {{ "open')).toEqual({ fault: '"{{" is not closed by "}}".', at: 11 });
    expect(compileTemplate('{{}}')).toEqual({ fault: 'The expression is empty.', at: 2 });
  });
});

describe('templates', () => {
  it.each<[string, JsonValue]>([
    ['{{ params.limit }}', 1000],
    [' {{ params.limit }}', ' 1000'],
    ['{{ params.limit }}{{ params.flag }}', '1000true'],
    ['{{ {"a": {"b": 1}} }}', { a: { b: 1 } }],
    ['{{ {"a": {"b": 1}}}}', { a: { b: 1 } }],
    ['{{ "}}" }}', '}}'],
    ["{{ '{{' }} stays", '{{ stays'],
    ['{{ r"\\"}}" }} and }}', '\\"}} and }}'],
    ['{{ """a"}}"b""" }}', 'a"}}"b'],
    ['{{ outputs.a.list }} {{ null }} {{ params.text }} {{ 2.50 }}', '[{"n":1},{"n":2}] null abc 2.5'],
    ['no template, { one brace }', 'no template, { one brace }'],
    ['', ''],
  ])('%j gives %j', (text, expected) => {
    expect(sound(compileTemplate(text)).evaluate(scope())).toEqual(expected);
  });

  it('are found at their places', () => {
    expect([...templatesIn({ a: ['x', '{{ 1 }}'], 'b/c~': { d: 'to {{ 2 }}' } }, '/params')]).toEqual([
      { path: '/params/a/1', text: '{{ 1 }}' },
      { path: '/params/b~1c~0/d', text: 'to {{ 2 }}' },
    ]);
  });

  it('place what they use in the whole text', () => {
    expect(sound(compileTemplate('Of {{ params.a }}, {{ outputs["b-c"].d }}')).uses).toEqual([
      { root: 'params', name: 'a', at: 6 },
      { root: 'outputs', name: 'b-c', at: 22 },
    ]);
  });
});

describe('time', () => {
  const numbers = Array.from({ length: 20_000 }, (_, index) => index);

  it('ends, whatever loops inside what', () => {
    const source = 'params.big.all(a, params.big.all(b, params.big.exists(c, c == -1.0) || true))';
    expect(() => valueOf(source, { big: numbers })).toThrow('it takes longer than 200 ms');
  });

  it('is shared by all that belong together, and by nobody after them', () => {
    const source = 'params.big.all(a, params.big.all(b, params.big.exists(c, c == -1.0) || true))';
    const tried = sharingTime(() => Array.from({ length: 20 }, () => failure(() => valueOf(source, { big: numbers }))));
    expect(tried.at(-1)).toContain('with the expressions before it, it takes longer than 1000 ms');
    expect(tried.filter((why) => why.includes('longer than 200 ms')).length).toBeLessThan(5);
    expect(sharingTime(() => valueOf('params.big.exists(a, a == 1.0)', { big: numbers }))).toBe(true);
  });

  it('ends where every step of a loop is long', () => {
    expect(() => valueOf('params.big.all(a, !((a + 0.5) in params.big))', { big: numbers })).toThrow(ExpressionError);
  });

  it('ends where a list is doubled again and again', () => {
    const source = `${'[params.big]'}${'.map(a, a + a)'.repeat(25)}.map(a, size(a))`;
    const compiled = compileExpression(source);
    if (isFault(compiled)) return expect(compiled.fault).toMatch(/Exceeded/);
    expect(() => compiled.evaluate(scope({ big: numbers }))).toThrow(ExpressionError);
  });

  it('is enough for a list of twenty thousand', () => {
    expect(valueOf('size(params.big.filter(a, a > 10))', { big: numbers })).toBe(19_989);
  });

  it('leaves the evaluator sound for whoever comes next', () => {
    expect(valueOf('[1, 2, 3].map(a, a * 2)')).toEqual([2, 4, 6]);
  });
});

describe('laws', () => {
  it('a result beyond 1 MiB is refused', () => {
    expect(() => valueOf(`${'params.long + '.repeat(20)}"x"`, { long: 'x'.repeat(100_000) })).toThrow('the result is larger than 1 MiB');
  });

  it('any JSON passes through an expression unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (given) => {
        const value: JsonValue = JSON.parse(JSON.stringify(given));
        expect(valueOf('params.any', { any: value })).toEqual(value);
      }),
    );
  });

  it('whatever is written, compiling gives a fault and evaluating an ExpressionError at worst', () => {
    const word = fc.constantFrom(
      ...['params', 'outputs', 'run', '.', 'a', 'total', 'list', '[', ']', '(', ')', '{', '}', '"x"', '1', '2.5', '0', '+', '-', '*', '/', '%', '==', '<', '&&', '||', '!', '?', ':', ',', 'in', 'x'],
      ...['.map(x, ', '.all(x, ', '.filter(x, ', 'size(', 'has(', 'string(', 'int(', 'timestamp(', 'cel.bind(x, ', 'null', 'true', 'type(', 'dyn(', '.split("")', '.constructor', '["__proto__"]', '😀', '\ud800'],
    );
    const operand = fc.constantFrom('params.limit', 'params.any', 'outputs.a.total', 'outputs.a.list', 'outputs.a.words', 'outputs.a.tricky', '1', '2.5', '"x"', 'null', 'true', '[1, "a"]', '{"k": 1.5}', 'run.labels', '1u', 'b"x"', 'timestamp(0)');
    const grown = fc.letrec((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        operand,
        fc.tuple(tie('expression'), fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', 'in', '&&', '||'), tie('expression')).map((parts) => `(${parts.join(' ')})`),
        fc.tuple(tie('expression'), fc.constantFrom('map', 'all', 'exists', 'filter', 'exists_one'), tie('expression')).map(([over, macro, body]) => `${String(over)}.${macro}(x, ${String(body)} == x)`),
        fc.tuple(fc.constantFrom('size', 'string', 'int', 'double', 'dyn', '!', '-'), tie('expression')).map(([call, of]) => `${call}(${String(of)})`),
        fc.tuple(tie('expression'), tie('expression')).map(([of, index]) => `${String(of)}[${String(index)}]`),
      ),
    })).expression;
    const source = fc.oneof(fc.array(word, { maxLength: 14 }).map((words) => words.join('')), fc.string(), grown.map(String));
    let evaluated = 0;
    fc.assert(
      fc.property(source, fc.jsonValue({ maxDepth: 3 }), (text, any) => {
        const compiled = compileExpression(text);
        if (isFault(compiled)) {
          expect(compiled.fault.length).toBeGreaterThan(5);
          expect(compiled.at).toBeGreaterThanOrEqual(0);
          expect(compiled.at).toBeLessThanOrEqual(text.length);
          return;
        }
        const params: JsonObject = { any: JSON.parse(JSON.stringify(any)) };
        try {
          const value = compiled.evaluate(scope(params));
          evaluated++;
          expect(JSON.parse(JSON.stringify(value))).toEqual(value);
        } catch (error) {
          if (!(error instanceof ExpressionError)) throw error;
          expect(error.message).toMatch(/^The expression .* failed: .+\.$/s);
        }
      }),
      { numRuns: 3_000 },
    );
    // A generator that made nothing but nonsense would prove nothing.
    expect(evaluated).toBeGreaterThan(100);
  });

  it('texts of any kind compile as templates or say why not', () => {
    const piece = fc.constantFrom('{{', '}}', '{', '}', '"', "'", '\\', ' ', 'params.limit', 'r"', '"""', 'text', '1');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const compiled = compileTemplate(text);
        if (isFault(compiled)) expect(compiled.at).toBeLessThanOrEqual(text.length);
        else expect(typeof compiled.constant).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });
});
