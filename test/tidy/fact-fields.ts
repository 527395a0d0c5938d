/** The fields of a fact in words, from the JSON Schema of its data. */
import type { z } from 'zod';

type JsonSchema = z.core.JSONSchema.JSONSchema;

export interface Field {
  readonly name: string;
  readonly optional: boolean;
  readonly holds: string;
}

export function fieldsOf({ properties = {}, required = [] }: JsonSchema): readonly Field[] {
  return Object.entries(properties).map(([name, schema]) => ({ name, optional: !required.includes(name), holds: held(schema) }));
}

function held(schema: z.core.JSONSchema._JSONSchema): string {
  if (typeof schema === 'boolean') return 'any JSON';
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' | ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(held).join(' or ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => held({ ...schema, type })).join(' or ');
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
      return `whole number${schema.minimum !== undefined && schema.minimum >= 0 ? `, at least ${schema.minimum}` : ''}`;
    case 'array':
      return `list of ${schema.items === undefined || Array.isArray(schema.items) ? 'any JSON' : held(schema.items)}`;
    case 'object':
      return object(schema);
    case undefined:
      return 'any JSON';
    default:
      return schema.type;
  }
}

function text({ format, pattern }: JsonSchema): string {
  if (format === 'date-time') return 'time (ISO 8601, UTC, milliseconds)';
  const uuid = pattern !== undefined && new RegExp(pattern).test('00000000-0000-0000-0000-000000000000') && !new RegExp(pattern).test('a');
  return uuid ? 'UUID' : 'text';
}

function object(schema: JsonSchema): string {
  const names = fieldsOf(schema).map(({ name, optional }) => `\`${name}\`${optional ? '?' : ''}`);
  if (names.length > 0) return `object: ${names.join(', ')}`;
  return schema.additionalProperties === undefined ? 'object' : `object of ${held(schema.additionalProperties)} by name`;
}
