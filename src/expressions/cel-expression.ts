/** Compiles one CEL source, evaluates it over a scope, and says in words what is wrong with it. */
import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { LRUCache } from 'lru-cache';
import type { JsonValue } from '../events/json.js';
import { CEL, MAX_SOURCE_LENGTH } from './cel.js';
import { toCel, toJson } from './cel-values.js';
import type { CelMap } from './cel-values.js';
import { ExpressionError, isFault } from './scope.js';
import type { Compiled, Fault, Root, Scope, Use } from './scope.js';
import { OutOfTime, withinTime } from './time-bound.js';
import { readExpression } from './uses.js';

export interface CompiledExpression extends Compiled {
  readonly source: string;
  /** False if the type of its result is known and is not boolean. */
  readonly mayBeBoolean: boolean;
}

/** By source: the same words stand in every version of a batch and in every run of it. */
const compiledBySource = new LRUCache<string, CompiledExpression>({ max: 2_000 });

/**
 * Compiles a CEL expression over `params`, `outputs`, `run` and `occurrence`.
 *
 * @returns the compiled expression, or the fault with its place; `isFault` tells them apart
 * @example
 * const total = compileExpression('outputs.balance.total > params.limit');
 * if (!isFault(total)) total.evaluate({ params: { limit: 10 }, outputs: () => ({ total: 12 }), run: {} }); // true
 */
export function compileExpression(source: string): CompiledExpression | Fault {
  const known = compiledBySource.get(source);
  if (known !== undefined) return known;
  const compiled = compile(source);
  if (!isFault(compiled)) compiledBySource.set(source, compiled);
  return compiled;
}

function compile(source: string): CompiledExpression | Fault {
  if (source.trim() === '') return { fault: 'The expression is empty.', at: 0 };
  if (source.length > MAX_SOURCE_LENGTH) return { fault: `An expression has at most ${MAX_SOURCE_LENGTH} characters.`, at: MAX_SOURCE_LENGTH };
  try {
    const program = CEL.parse(source);
    const { uses, loops, faults } = readExpression(program.ast);
    const { valid, type, error } = program.check();
    // A name with a hyphen reads as a difference: what the type check says of it is nearer than what the reading says.
    const hinted = valid ? undefined : faultOf(source, error);
    if (hinted !== undefined && hinted.hasHint) return { fault: hinted.fault, at: hinted.at };
    const [refused] = faults;
    if (refused !== undefined) return refused;
    if (hinted !== undefined) return { fault: hinted.fault, at: hinted.at };
    const run = (values: CelMap): JsonValue => toJson(program(values));
    return {
      source,
      constant: uses.length === 0,
      uses,
      mayBeBoolean: type === undefined || type === 'bool' || type.startsWith('dyn'),
      evaluate: (scope) => evaluate(source, scope, uses, loops ? (values) => withinTime(() => run(values)) : run),
    };
  } catch (error) {
    const { fault, at } = faultOf(source, error);
    return { fault, at };
  }
}

function evaluate(source: string, scope: Scope, uses: readonly Use[], run: (values: CelMap) => JsonValue): JsonValue {
  try {
    return run(valuesFor(scope, uses));
  } catch (error) {
    throw new ExpressionError(`The expression ${quoted(source)} failed: ${reasonOf(error, scope, uses)}.`, { cause: error });
  }
}

/** Only what is named is turned into CEL values: outputs can be large. */
function valuesFor(scope: Scope, uses: readonly Use[]): CelMap {
  const values: Readonly<Record<Root, CelMap>> = { params: new Map(), outputs: new Map(), run: new Map(), occurrence: new Map() };
  for (const { root, name } of uses) {
    if (values[root].has(name)) continue;
    const value = valueOf(scope, root, name);
    if (value !== undefined) values[root].set(name, toCel(value));
  }
  return new Map(Object.entries(values));
}

function valueOf(scope: Scope, root: Root, name: string): JsonValue | undefined {
  if (root === 'outputs') return scope.outputs(name);
  const values = scope[root] ?? {};
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  return root === 'params' ? (value ?? null) : value;
}

function reasonOf(error: unknown, scope: Scope, uses: readonly Use[]): string {
  if (error instanceof ExpressionError || error instanceof OutOfTime) return error.message;
  if (!(error instanceof EvaluationError)) return error instanceof RangeError ? 'its values are too large or too deep' : 'its values do not fit it';
  const missing = uses.find(({ root, name }) => root === 'outputs' && error.summary === `No such key: ${name}` && scope.outputs(name) === undefined);
  if (missing !== undefined) return `step "${missing.name}" has no outputs here, because it was skipped or did not succeed`;
  const place = error.range === undefined ? '' : ` at character ${error.range.start + 1}`;
  return `${decapitalised(error.summary)}${place}`;
}

const HINTS: Readonly<Record<string, string>> = {
  incompatible_ternary_branches: ' Put dyn(…) round one of the two if that is meant.',
};

function faultOf(source: string, error: unknown): Fault & { readonly hasHint: boolean } {
  if (!(error instanceof ParseError || error instanceof CelTypeError || error instanceof EvaluationError)) {
    return { fault: 'The expression is nested too deeply.', at: 0, hasHint: false };
  }
  const at = error.range?.start ?? 0;
  const said = `${error.summary.replace(/\.$/, '')} (at character ${at + 1}).`;
  const hint = `${HINTS[error.code] ?? ''}${quotingHint(source, at)}`;
  return { fault: `${capitalised(said)}${hint}`, at, hasHint: hint !== '' };
}

/** A hyphen is a minus to CEL, a digit can't begin a field, and some words are its own: such names need quotes. */
function quotingHint(source: string, at: number): string {
  for (const match of source.matchAll(/\b(outputs|params)\.([A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)/g)) {
    const [whole, root, name] = match;
    if (at > match.index && at <= match.index + whole.length) return ` If "${name}" is one name, write ${root}["${name}"].`;
  }
  return '';
}

function quoted(source: string): string {
  const short = source.length > 120 ? `${source.slice(0, 117)}…` : source;
  return `"${short.toWellFormed()}"`;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function decapitalised(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
