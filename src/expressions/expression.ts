/**
 * Expressions: CEL sources, texts with `{{ expression }}` in them, and JSON values that hold such texts, compiled once
 * and evaluated over a run's values.
 *
 * Owns: what an expression may say, the time it may take, how its faults read.
 * Does not own: whether a name in it is known at its place (check-definition does), nor any value.
 * Talks to: cel-js, and nobody else.
 *
 * Invariants: 1. evaluating throws ExpressionError and nothing else, within bounded time;
 * 2. the result is JSON that every store keeps; 3. no key of the data reaches a prototype;
 * 4. the same source over the same values gives the same result: there is no now() and no randomness.
 */
import { pointer } from '../events/json.js';
import type { JsonValue } from '../events/json.js';
import { compileExpression } from './cel-expression.js';
import type { CompiledExpression } from './cel-expression.js';
import { isFault } from './scope.js';
import type { Compiled, Fault, Scope, Use } from './scope.js';
import { SizeBound } from './size-bound.js';

export { compileExpression } from './cel-expression.js';
export type { CompiledExpression } from './cel-expression.js';
export { ExpressionError, isFault } from './scope.js';
export { sharingTime } from './time-bound.js';
export type { Compiled, Fault, Root, Scope, Use } from './scope.js';

type Part = string | { readonly expression: CompiledExpression; readonly at: number };

/**
 * Compiles a text with `{{ expression }}` in it. A text that is one expression as a whole keeps the type of its
 * result; anything else gives a string: strings as they are, other values as JSON.
 *
 * @example compileTemplate('{{ params.limit }}')          // gives 1000
 * @example compileTemplate('Review of {{ params.day }}')  // gives 'Review of 2026-01-31'
 */
export function compileTemplate(text: string): Compiled | Fault {
  if (!text.includes('{{')) return constantOf(text);
  const parts = partsOf(text);
  if (isFault(parts)) return parts;
  const uses = parts.flatMap(usesOf);
  const [only] = parts;
  const evaluate =
    parts.length === 1 && only !== undefined && typeof only !== 'string'
      ? (scope: Scope) => only.expression.evaluate(scope)
      : (scope: Scope) => {
          const bound = new SizeBound();
          return parts.map((part) => bound.through(typeof part === 'string' ? part : textOf(part.expression.evaluate(scope)))).join('');
        };
  return { constant: parts.every((part) => typeof part === 'string' || part.expression.constant), uses, evaluate };
}

/**
 * Compiles the templates in every string of a JSON value; keys are data. What holds no template passes as it is.
 * A fault says nothing of its place in the value: {@link templatesIn} walks it place by place.
 */
export function compileParams(value: JsonValue): Compiled | Fault {
  return templatesIn(value, '').next().done === true ? constantOf(value) : compileItem(value);
}

function compileItem(value: JsonValue): Compiled | Fault {
  if (typeof value === 'string') return compileTemplate(value);
  if (value === null || typeof value !== 'object') return constantOf(value);
  const entries: [string, Compiled][] = [];
  for (const [key, item] of Object.entries(value)) {
    const compiled = compileItem(item);
    if (isFault(compiled)) return compiled;
    entries.push([key, compiled]);
  }
  const uses = entries.flatMap(([, item]) => item.uses);
  const evaluate = (scope: Scope): JsonValue => {
    const bound = new SizeBound();
    const made = entries.map(([key, item]) => [key, bound.through(item.evaluate(scope))] as const);
    return isArray(value) ? made.map(([, item]) => item) : Object.fromEntries(made);
  };
  return { constant: entries.every(([, item]) => item.constant), uses, evaluate };
}

/** The strings of a JSON value that hold a template, by JSON Pointer. */
export function* templatesIn(value: JsonValue, path: string): Generator<{ readonly path: string; readonly text: string }> {
  if (typeof value === 'string') {
    if (value.includes('{{')) yield { path, text: value };
  } else if (value !== null && typeof value === 'object') {
    for (const [key, item] of Object.entries(value)) yield* templatesIn(item, pointer(path, key));
  }
}

function constantOf(value: JsonValue): Compiled {
  return { constant: true, uses: [], evaluate: () => value };
}

function usesOf(part: Part): readonly Use[] {
  return typeof part === 'string' ? [] : part.expression.uses.map((use) => ({ ...use, at: use.at + part.at }));
}

function partsOf(text: string): readonly Part[] | Fault {
  const parts: Part[] = [];
  let at = 0;
  for (let open = text.indexOf('{{'); open !== -1; open = text.indexOf('{{', at)) {
    const close = endOfExpression(text, open + 2);
    if (close === undefined) return { fault: '"{{" is not closed by "}}".', at: open };
    const expression = compileExpression(text.slice(open + 2, close));
    if (isFault(expression)) return { fault: expression.fault, at: open + 2 + expression.at };
    if (open > at) parts.push(text.slice(at, open));
    parts.push({ expression, at: open + 2 });
    at = close + 2;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

/** Where the expression's `}}` stands: not inside its strings, and not the end of its maps. */
function endOfExpression(text: string, from: number): number | undefined {
  let open = 0;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"' || character === "'") {
      const end = endOfString(text, at, character);
      if (end === undefined) return text.indexOf('}}', at) === -1 ? undefined : text.indexOf('}}', at);
      at = end;
    } else if (character === '{') open++;
    else if (character === '}' && open > 0) open--;
    else if (character === '}' && text[at + 1] === '}') return at;
  }
  return undefined;
}

/** The place of the last character of a CEL string that begins at `from`; a backslash takes the next one along, raw or not. */
function endOfString(text: string, from: number, quote: string): number | undefined {
  const closing = text.startsWith(quote.repeat(3), from) ? quote.repeat(3) : quote;
  for (let at = from + closing.length; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text.startsWith(closing, at)) return at + closing.length - 1;
  }
  return undefined;
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
