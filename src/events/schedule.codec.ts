/** The codec of a schedule's facts. The casts say what the schemas have checked (reading) or what the types have (writing). */
import type { JsonObject } from './json.js';
import { UnreadableFact } from './run.codec.js';
import type { DecodableFact } from './run.codec.js';
import { scheduleFactSchemas, scheduleUpcasting } from './schedule.events.js';
import type { Ledger, ScheduleFact, ScheduleFactType } from './schedule.events.js';

function isScheduleFactType(type: string): type is ScheduleFactType {
  return Object.hasOwn(scheduleFactSchemas, type);
}

/** By the very data of a fact that was checked here: whoever else hears of it does not check it again. */
const checked = new WeakMap<object, ScheduleFact>();

/**
 * A stored fact of any version that was ever shipped, as one of today.
 *
 * @throws NewerFact if a newer Sluice wrote it, Error if no schedule knows the type, ZodError if the data is not what the type says
 */
export function storedScheduleFact({ type, data, revision, metadata }: DecodableFact): ScheduleFact {
  const isObject = typeof data === 'object' && data !== null;
  const known = isObject ? checked.get(data) : undefined;
  if (known?.type === type) return known;
  if (!isScheduleFactType(type)) throw new Error(`Fact ${revision} is a ${type}, which no schedule knows.`);
  const fact = { type, data: scheduleFactSchemas[type].parse(scheduleUpcasting.lift(type, metadata['schemaVersion'], data)) } as ScheduleFact;
  if (isObject) checked.set(data, fact);
  return fact;
}

/** The data of a fact as the log takes it, with the ledger that it leads to. @throws UnreadableFact with every fault */
export function checkedScheduleFact(type: ScheduleFactType, data: object & { readonly ledger: Ledger }): JsonObject {
  const { error } = scheduleFactSchemas[type].safeParse(data);
  if (error !== undefined) throw new UnreadableFact(type, error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`));
  checked.set(data, { type, data } as ScheduleFact);
  return data;
}
