/**
 * The codec of a run's facts: stored JSON in, typed facts out, and the other way round.
 * The casts say what the schemas have checked (reading) or what the types have (writing).
 */
import type { JsonObject } from './json.js';
import { runFactSchemas } from './run.events.js';
import type { RunFact, RunFactData, RunFactType } from './run.events.js';

/** A fact as a machine is fed with it: with the place and the actor that its envelope gives it. */
export type Placed<F> = F & { readonly revision: number; readonly actor: string };

export function isRunFactType(type: string): type is RunFactType {
  return Object.hasOwn(runFactSchemas, type);
}

/** @throws Error if no run knows the type, ZodError if the data is not what the type says */
export function decodeRunFact(type: string, data: unknown, revision: number, actor: string): Placed<RunFact> {
  if (!isRunFactType(type)) throw new Error(`Fact ${revision} is a ${type}, which no run knows.`);
  return { type, data: runFactSchemas[type].parse(data), revision, actor } as Placed<RunFact>;
}

export function placeRunFact<T extends RunFactType>(type: T, data: RunFactData<T>, revision: number, actor: string): Placed<RunFact> {
  return { type, data, revision, actor } as unknown as Placed<RunFact>;
}

/** The data of a typed fact as the log takes it. */
export function encodeRunFact<T extends RunFactType>(data: RunFactData<T>): JsonObject {
  return data as JsonObject;
}
