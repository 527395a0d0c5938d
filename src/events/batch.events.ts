/** The facts of a batch definition: every version for ever. */
import { z } from 'zod';
import { batchDefinitionSchema } from './definition.js';
import { Upcasting } from './upcasting.js';

export const batchSourceSchema = z.enum(['api', 'code']);
export type BatchSource = z.infer<typeof batchSourceSchema>;

export const batchFactSchemas = {
  BatchDefined: z.strictObject({
    batchId: z.string(), name: z.string(), version: z.int().min(1), source: batchSourceSchema,
    definition: batchDefinitionSchema, definitionHash: z.string(), stepCount: z.int().min(1),
  }),
  BatchDeleted: z.strictObject({ batchId: z.string(), name: z.string() }),
  /** It was defined in code and the code no longer has it. */
  BatchOrphaned: z.strictObject({ batchId: z.string(), name: z.string() }),
} as const;

export type BatchFactType = keyof typeof batchFactSchemas;
export type BatchFactData<T extends BatchFactType> = z.infer<(typeof batchFactSchemas)[T]>;
export type BatchFact = { [T in BatchFactType]: { readonly type: T; readonly data: BatchFactData<T> } }[BatchFactType];

/** Object.keys gives plain strings; the filter says what they are. */
const types = Object.keys(batchFactSchemas).filter((type): type is BatchFactType => type in batchFactSchemas);
/** A type that changes its fields is counted up in `changed` and gets an upcaster from the version before. */
export const batchUpcasting = new Upcasting<BatchFactType>({ types, changed: {}, upcasters: [] });
