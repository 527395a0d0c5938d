/** What a definition may hold at a place, from its JSON Schema: names of fields, and the values of those that have few. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { around } from './json-places';

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** All that may stand there; of several kinds of step those that fit what is already said. */
function at(root: Schema, path: readonly (string | number)[], value: unknown): readonly Schema[] {
  let schemas = alternatives(root, root, value);
  let said = value;
  for (const part of path) {
    said = typeof said === 'object' && said !== null ? (said as Readonly<Record<string | number, unknown>>)[part] : undefined;
    schemas = schemas.flatMap((schema) => {
      const next = typeof part === 'number' ? schema.items : schema.properties?.[part];
      return next === undefined ? [] : alternatives(root, next, said);
    });
  }
  return schemas;
}

function alternatives(root: Schema, schema: Schema, value: unknown): readonly Schema[] {
  if (schema.$ref !== undefined) return alternatives(root, root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? {}, value);
  const several = schema.oneOf ?? schema.anyOf;
  if (several === undefined) return [schema];
  const all = several.flatMap((one) => alternatives(root, one, value));
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  const fitting = all.filter(({ properties }) => type !== undefined && properties?.['type']?.const === type);
  return fitting.length > 0 ? fitting : all;
}

/** What is being written just there: nothing, a field after a comma, the value of a field. */
const BEGUN = [/$/, /,\s*$/, /,?\s*"[\w-]*"\s*:\s*$/];

/** Even while it is being written: what can be read of the text without what is being written. */
function readable(before: string, after: string): unknown {
  for (const begun of BEGUN) {
    try {
      return JSON.parse(before.replace(begun, '') + after);
    } catch {
      // With less of it, perhaps.
    }
  }
  return undefined;
}

export function schemaCompletion(root: unknown): (context: CompletionContext) => CompletionResult | null {
  let last: unknown;
  return (context) => {
    const word = context.matchBefore(/"?[\w-]*/);
    if (word === null || (word.from === word.to && !context.explicit)) return null;
    const after = context.state.sliceDoc(context.pos, context.pos + 1) === '"' ? context.pos + 1 : context.pos;
    last = readable(context.state.sliceDoc(0, word.from), context.state.sliceDoc(after)) ?? last;
    const { path, naming } = around(context.state, context.pos);
    const schemas = at(root as Schema, path, last);
    const options = naming === undefined ? schemas.flatMap(valuesOf) : names(schemas, naming);
    return options.length === 0 ? null : { from: word.from, to: after, options: [...new Map(options.map((one) => [one.label, one])).values()], filter: true, validFor: /^"?[\w-]*$/ };
  };
}

function names(schemas: readonly Schema[], there: readonly string[]): readonly Completion[] {
  return schemas.flatMap(({ properties = {}, required = [] }) =>
    Object.entries(properties)
      .filter(([name]) => !there.includes(name))
      .map(([name, schema]): Completion => ({ label: `"${name}"`, apply: `"${name}": ${opening(schema)}`, type: 'property', detail: `${kindOf(schema)}${required.includes(name) ? ', required' : ''}`, boost: required.includes(name) ? 1 : 0 })),
  );
}

function valuesOf({ enum: several, const: only, type }: Schema): readonly Completion[] {
  const values = several ?? (only === undefined ? (type === 'boolean' ? [true, false] : []) : [only]);
  return values.map((value) => ({ label: JSON.stringify(value), type: 'enum' }));
}

const opening = ({ type, const: only }: Schema): string => (only !== undefined ? JSON.stringify(only) : type === 'string' ? '' : type === 'array' ? '[' : type === 'object' ? '{' : '');
const kindOf = ({ type, enum: several, $ref }: Schema): string => (several !== undefined ? several.map(String).join(' | ') : $ref !== undefined ? 'step' : Array.isArray(type) ? type.join(' | ') : String(type ?? 'any'));
