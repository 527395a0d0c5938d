/** What the doors of batches answer, for the document. */
import { z } from 'zod';
import { batchSourceSchema } from '../events/batch.events.js';
import { jsonObjectSchema, scheduleRuleSchema } from '../events/definition.js';
import { faultAnswer, pageOf, timeAnswer, uuidAnswer } from '../http/answers.js';

const batchShape = {
  id: uuidAnswer, name: z.string(), title: z.string().nullable(), description: z.string().nullable(), labels: z.record(z.string(), z.string()), version: z.int(),
  source: batchSourceSchema, schedule: scheduleRuleSchema.nullable(), stepCount: z.int(), createdAt: timeAnswer, createdBy: z.string(), updatedAt: timeAnswer, updatedBy: z.string(),
};
/** As `PUT` takes it. */
const definition = jsonObjectSchema;
export const batchListAnswer = pageOf(z.strictObject(batchShape).meta({ id: 'BatchRow' }), 'BatchList');
export const batchDetailAnswer = z.strictObject({ ...batchShape, definition, warnings: z.array(faultAnswer).optional() }).meta({ id: 'BatchDetail' });

const versionShape = { version: z.int(), source: batchSourceSchema, definitionHash: z.string(), stepCount: z.int(), definedAt: timeAnswer, definedBy: z.string() };
export const versionListAnswer = pageOf(z.strictObject(versionShape).meta({ id: 'BatchVersionRow' }), 'BatchVersionList');
export const versionAnswer = z.strictObject({ ...versionShape, definition }).meta({ id: 'BatchVersion' });

export const savedAnswer = z.strictObject({ id: uuidAnswer, name: z.string(), version: z.int(), position: z.string(), warnings: z.array(faultAnswer) }).meta({ id: 'SavedBatch' });
export const judgedAnswer = z.strictObject({ errors: z.array(faultAnswer), warnings: z.array(faultAnswer) }).meta({ id: 'Judged' });
export const startedAnswer = z.strictObject({ runId: uuidAnswer, position: z.string() });
