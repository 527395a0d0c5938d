/**
 * What a job's schema says, through the Standard Schema interface: does a value fit, and what does the schema declare.
 * Any library that speaks Standard Schema will do; nothing here depends on which one made it.
 */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { z } from 'zod';
import { pointer } from '../events/json.js';
import type { JsonFault } from '../events/json.js';

/** Does a value fit, and if so what did the schema make of it. */
export type JobValidation = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: readonly JsonFault[] };

export type JsonSchema = Readonly<Record<string, unknown>>;

/** Checks a value; without a schema anything fits. The answer comes at once unless the schema checks asynchronously. */
export function validateWith(schema: StandardSchemaV1 | undefined, value: unknown): JobValidation | Promise<JobValidation> {
  if (schema === undefined) return { ok: true, value };
  const result = schema['~standard'].validate(value);
  return result instanceof Promise ? result.then(validationOf) : validationOf(result);
}

function validationOf(result: StandardSchemaV1.Result<unknown>): JobValidation {
  if (result.issues === undefined) return { ok: true, value: result.value };
  return { ok: false, issues: result.issues.map(({ path, message }) => ({ path: pointerOf(path ?? []), message })) };
}

function pointerOf(path: NonNullable<StandardSchemaV1.Issue['path']>): string {
  return pointer('', ...path.map((part) => (typeof part === 'object' ? part.key : part)));
}

/** The schema as JSON Schema 2020-12, or `{}` (anything) where its library can't say. */
export function jsonSchemaOf(schema: StandardSchemaV1, side: 'input' | 'output'): JsonSchema {
  try {
    if (offersJsonSchema(schema)) {
      // zod's way to write "anything" for a part that JSON Schema has no word for, instead of giving up on the whole.
      return schema['~standard'].jsonSchema[side]({ target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } });
    }
    return schema instanceof z.core.$ZodType ? z.toJSONSchema(schema, { io: side, unrepresentable: 'any' }) : {};
  } catch {
    return {};
  }
}

function offersJsonSchema(schema: StandardSchemaV1): schema is StandardSchemaV1 & StandardJSONSchemaV1 {
  const standard = schema['~standard'];
  return 'jsonSchema' in standard && typeof standard.jsonSchema === 'object' && standard.jsonSchema !== null;
}

/** The keys that a JSON Schema declares for an object, or undefined if it does not say. */
export function keysOf(schema: JsonSchema): readonly string[] | undefined {
  const keys = new Set<string>();
  return collectKeys(schema, schema, keys, 0) ? [...keys].sort() : undefined;
}

/** Deeper than this only a schema goes that holds itself. */
const MAX_LEVELS = 16;

function collectKeys(schema: unknown, root: JsonSchema, keys: Set<string>, level: number): boolean {
  if (level > MAX_LEVELS || !isRecord(schema)) return false;
  if (typeof schema.$ref === 'string') return collectKeys(definitionAt(schema.$ref, root), root, keys, level + 1);
  const { allOf, anyOf, oneOf, properties } = schema;
  const known = isRecord(properties) || schema.type === 'object';
  if (isRecord(properties)) Object.keys(properties).forEach((key) => keys.add(key));
  const parts = [allOf, anyOf, oneOf].filter((list): list is unknown[] => Array.isArray(list)).flat();
  return parts.length === 0 ? known : parts.every((part) => collectKeys(part, root, keys, level + 1));
}

function definitionAt(ref: string, root: JsonSchema): unknown {
  if (!ref.startsWith('#/')) return undefined;
  let place: unknown = root;
  for (const token of ref.slice(2).split('/')) {
    if (!isRecord(place)) return undefined;
    place = place[decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return place;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
