import type { BatchDefinition, ParameterDeclaration, ParameterKind } from '../events/definition.js';
import type { JsonObject } from '../events/json.js';

/** What a parameter of each kind is in TypeScript. A secret is only ever named. */
interface ValueOfKind {
  string: string;
  integer: number;
  number: number;
  boolean: boolean;
  /** ISO 8601. */
  datetime: string;
  object: JsonObject;
  secret: { readonly $secret: string };
}

/** A parameter declaration as written down in a constant: its name and kind are known to the compiler. */
type Declared = { readonly name: string; readonly kind: ParameterKind } & DeepReadonly<Omit<ParameterDeclaration, 'name' | 'kind'>>;
type Needed<D> = D extends { readonly required: true } ? (D extends { readonly default: unknown } ? never : D) : never;
type NameOf<D> = D extends Declared ? D['name'] : never;
type ValueOf<D, N> = D extends { readonly name: N; readonly kind: infer K extends ParameterKind } ? ValueOfKind[K] : never;

/** The parameters that a run takes, from the batch's declarations: required ones without a default must be given. */
export type ParametersOf<Ds extends readonly Declared[]> = {
  readonly [N in NameOf<Needed<Ds[number]>>]: ValueOf<Ds[number], N>;
} & {
  readonly [N in NameOf<Exclude<Ds[number], Needed<Ds[number]>>>]?: ValueOf<Ds[number], N>;
};

type DeepReadonly<T> = T extends readonly (infer I)[]
  ? readonly DeepReadonly<I>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

declare const parametersType: unique symbol;

/**
 * A batch definition that knows the type of its parameters. The type is all there is to it: at run time it is the
 * plain definition, ready to be saved as JSON.
 */
export type TypedBatch<P = JsonObject> = BatchDefinition & { readonly [parametersType]?: P };

/** The parameters that a typed batch takes. */
export type BatchParameters<B> = B extends { readonly [parametersType]?: infer P } ? NonNullable<P> : JsonObject;

/**
 * Defines a batch in code, and infers the type of its parameters, so that starting it is checked by the compiler.
 * The definition itself is checked when it is registered.
 *
 * @example
 * const close = defineBatch({
 *   name: 'nightly-close',
 *   parameters: [{ name: 'day', kind: 'string', required: true }, { name: 'limit', kind: 'number', default: 1000 }],
 *   steps: [{ id: 'extract', type: 'job', job: 'extract-ledger' }],
 * });
 * // BatchParameters<typeof close> is { day: string; limit?: number }
 */
export function defineBatch<const Ds extends readonly Declared[] = readonly []>(
  definition: Omit<BatchDefinition, 'parameters'> & { readonly parameters?: Ds & ParameterDeclaration[] },
): TypedBatch<ParametersOf<Ds>> {
  return definition;
}
