/** What an expression may speak of, what it says about itself once compiled, and how it fails. */
import type { JsonObject, JsonValue } from '../events/json.js';

/** The values that an expression is evaluated over. They are data: no key of theirs ever reaches a prototype. */
export interface Scope {
  /** The run's parameters; a declared one without a value is null. */
  readonly params: JsonObject;
  /** A step's outputs, `undefined` if it has none (yet). */
  readonly outputs: (stepId: string) => JsonValue | undefined;
  /** `id`, `startedBy` and `labels` of the run. */
  readonly run: JsonObject;
  /** `due`, `date`, `time`, `timeZone` and `previous`; only in a schedule's parameters. */
  readonly occurrence?: JsonObject | undefined;
}

export type Root = 'params' | 'outputs' | 'run' | 'occurrence';
export const ROOTS: readonly Root[] = ['params', 'outputs', 'run', 'occurrence'];
/** What `run` and `occurrence` hold is fixed; the names in `params` and `outputs` are the definition's. */
export const FIXED_FIELDS: { readonly [root in Root]?: readonly string[] } = {
  run: ['id', 'startedBy', 'labels'],
  occurrence: ['due', 'date', 'time', 'timeZone', 'previous'],
};

/** One place where an expression names a value. */
export interface Use {
  readonly root: Root;
  readonly name: string;
  /** Characters before it in the source. */
  readonly at: number;
}

/** An expression, a template or parameters with templates in them, ready to be evaluated as often as wanted. */
export interface Compiled {
  /** True if the value is the same over every scope: nothing in it names one. */
  readonly constant: boolean;
  /** Every place where it names a value, in the order of the source. */
  readonly uses: readonly Use[];
  /** @throws ExpressionError and nothing else */
  evaluate(scope: Scope): JsonValue;
}

/** Why a source can't be accepted, and how many characters stand before the place. */
export interface Fault {
  readonly fault: string;
  readonly at: number;
}

export function isFault(compiled: object): compiled is Fault {
  return 'fault' in compiled;
}

/** An expression that was accepted fails on the values of this run. The message is a sentence for its author. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}
