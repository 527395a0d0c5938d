/**
 * What the doors answer, for the document: shapes as zod schemas, named so that a client made from it has types to name.
 * The whole suite of the doors checks every answer against the document that these make.
 */
import { applyDecorators } from '@nestjs/common';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';
import type { JsonValue } from '../events/json.js';

/** What a door is for, in a few words, for the document. */
export function Does(summary: string): MethodDecorator {
  return ApiOperation({ summary });
}

/** What the door answers with when it does what was asked. */
export function Answers(status: number, schema: z.ZodType, description = ''): MethodDecorator {
  return applyDecorators(ApiResponse({ status, standardSchema: schema, description }));
}

const written = new WeakMap<z.ZodType, z.ZodType>();

/** Lets everything through, and is shown as this shape: what comes is judged as a whole by who takes it. */
export function judgedElsewhere(shape: z.ZodType): z.ZodType<unknown> {
  const anything = z.unknown();
  written.set(anything, shape);
  return anything;
}

/** The shape that the document shows for a schema. */
export function shapeOf(schema: z.ZodType): z.ZodType {
  return written.get(schema) ?? schema;
}

export const jsonAnswer = z.custom<JsonValue>().meta({ id: 'Json', description: 'Any JSON value. One over 64 KiB may be named in its place, as {"$blob": sha256, "bytes": n}: in lists, and where an answer would be over 4 MiB. GET /executions/{id} and /approvals/{id} always hold it' });
export const timeAnswer = z.string().meta({ format: 'date-time' });
export const uuidAnswer = z.string().meta({ format: 'uuid' });

export const asOfAnswer = z
  .strictObject({ position: z.string(), lagMs: z.number() })
  .meta({ id: 'AsOf', description: 'How fresh the answer is: the position that the rows have got to, and how old they are' });

export const faultAnswer = z.strictObject({ path: z.string(), message: z.string() }).meta({ id: 'Fault', description: 'One fault of the input: where, as a JSON Pointer, and what' });

export const problemAnswer = z
  .strictObject({
    type: z.string(), title: z.string(), status: z.int(), detail: z.string(),
    errors: z.array(faultAnswer).optional(),
    allowedActions: z.array(z.unknown()).optional(),
    retriedBy: uuidAnswer.optional().describe('Of `not-retryable`: the run that retries this one already'),
  })
  .meta({ id: 'Problem', description: 'Every refusal (RFC 9457): `type` is urn:sluice:<slug>, `detail` a sentence that a person can act on' });

/** A list of these. */
export function pageOf<T extends z.ZodType>(item: T, id: string) {
  return z
    .strictObject({ items: z.array(item), nextCursor: z.string().nullable(), total: z.int(), totalIs: z.enum(['exact', 'atLeast']), asOf: asOfAnswer })
    .meta({ id });
}
