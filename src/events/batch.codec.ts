/** The codec of a batch's facts. The casts say what the schemas have checked (reading) or what the types have (writing). */
import { batchFactSchemas } from './batch.events.js';
import type { BatchFact, BatchFactType } from './batch.events.js';
import type { JsonObject } from './json.js';

export type Placed<F> = F & { readonly revision: number };

function isBatchFactType(type: string): type is BatchFactType {
  return Object.hasOwn(batchFactSchemas, type);
}

/** @throws Error if no batch knows the type, ZodError if the data is not what the type says */
export function decodeBatchFact(type: string, data: unknown, revision: number): Placed<BatchFact> {
  if (!isBatchFactType(type)) throw new Error(`Fact ${revision} is a ${type}, which no batch knows.`);
  return { type, data: batchFactSchemas[type].parse(data), revision } as Placed<BatchFact>;
}

export function encodeBatchFact({ data }: BatchFact): JsonObject {
  return data as unknown as JsonObject;
}
