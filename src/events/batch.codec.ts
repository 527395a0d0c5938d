/** The codec of a batch's facts. The casts say what the schemas have checked (reading) or what the types have (writing). */
import { batchFactSchemas, batchUpcasting } from './batch.events.js';
import type { BatchFact, BatchFactType } from './batch.events.js';
import type { JsonObject } from './json.js';
import type { DecodableFact } from './run.codec.js';

export type Placed<F> = F & { readonly revision: number };

function isBatchFactType(type: string): type is BatchFactType {
  return Object.hasOwn(batchFactSchemas, type);
}

/**
 * A stored fact of any version that was ever shipped, as one of today. A payload that stands outside it must be in place.
 *
 * @throws NewerFact if a newer Sluice wrote it, Error if no batch knows the type, ZodError if the data is not what the type says
 */
export function storedBatchFact({ type, data, revision, metadata }: DecodableFact): Placed<BatchFact> {
  if (!isBatchFactType(type)) throw new Error(`Fact ${revision} is a ${type}, which no batch knows.`);
  const lifted = batchUpcasting.lift(type, metadata['schemaVersion'], data);
  return { type, data: batchFactSchemas[type].parse(lifted), revision } as Placed<BatchFact>;
}

export function encodeBatchFact({ data }: BatchFact): JsonObject {
  return data as unknown as JsonObject;
}
