/** The codec of the audit facts. The casts say what the schemas have checked (reading) or what the types have (writing). */
import { auditFactSchemas, auditUpcasting } from './audit.events.js';
import type { AuditFact, AuditFactType } from './audit.events.js';
import type { JsonObject } from './json.js';
import type { DecodableFact } from './run.codec.js';

export function isAuditFactType(type: string): type is AuditFactType {
  return Object.hasOwn(auditFactSchemas, type);
}

/**
 * A stored fact of any version that was ever shipped, as one of today.
 *
 * @throws NewerFact if a newer Sluice wrote it, Error if no audit stream knows the type, ZodError if the data is not what the type says
 */
export function storedAuditFact({ type, data, revision, metadata }: DecodableFact): AuditFact {
  if (!isAuditFactType(type)) throw new Error(`Fact ${revision} is a ${type}, which no audit stream knows.`);
  return { type, data: auditFactSchemas[type].parse(auditUpcasting.lift(type, metadata['schemaVersion'], data)) } as AuditFact;
}

/** @throws ZodError if the data is not what the type says */
export function encodeAuditFact({ type, data }: AuditFact): JsonObject {
  return auditFactSchemas[type].parse(data) as unknown as JsonObject;
}
