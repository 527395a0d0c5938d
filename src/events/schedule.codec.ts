/** The codec of a schedule's facts. The casts say what the schemas have checked (reading) or what the types have (writing). */
import type { JsonObject } from './json.js';
import type { DecodableFact } from './run.codec.js';
import { scheduleFactSchemas, scheduleUpcasting } from './schedule.events.js';
import type { Ledger, ScheduleFact, ScheduleFactType } from './schedule.events.js';

function isScheduleFactType(type: string): type is ScheduleFactType {
  return Object.hasOwn(scheduleFactSchemas, type);
}

/**
 * A stored fact of any version that was ever shipped, as one of today.
 *
 * @throws NewerFact if a newer Sluice wrote it, Error if no schedule knows the type, ZodError if the data is not what the type says
 */
export function storedScheduleFact({ type, data, revision, metadata }: DecodableFact): ScheduleFact {
  if (!isScheduleFactType(type)) throw new Error(`Fact ${revision} is a ${type}, which no schedule knows.`);
  return { type, data: scheduleFactSchemas[type].parse(scheduleUpcasting.lift(type, metadata['schemaVersion'], data)) } as ScheduleFact;
}

/** The data of a fact as the log takes it: with the ledger that it leads to. */
export function encodeScheduleFact(data: object & { readonly ledger: Ledger }): JsonObject {
  return data;
}
