/**
 * The codec of a run's facts: stored JSON in, typed facts out, and the other way round.
 * The casts say what the schemas have checked (reading) or what the types have (writing).
 */
import type { JsonObject } from './json.js';
import { runFactSchemas, runUpcasting } from './run.events.js';
import type { RunFact, RunFactData, RunFactType } from './run.events.js';

/** A fact as a machine is fed with it: with the place and the actor that its envelope gives it. */
export type Placed<F> = F & { readonly revision: number; readonly actor: string };

export function isRunFactType(type: string): type is RunFactType {
  return Object.hasOwn(runFactSchemas, type);
}

/** As much of a stored fact as it takes to know what it says. */
export interface DecodableFact {
  readonly type: string;
  readonly data: unknown;
  readonly revision: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * A stored fact of any version that was ever shipped, as one of today.
 *
 * @throws NewerFact if a newer Sluice wrote it, Error if no run knows the type, ZodError if the data is not what the type says
 */
export function storedRunFact({ type, data, revision, metadata }: DecodableFact): Placed<RunFact> {
  const known = isObject(data) ? decoded.get(data) : undefined;
  if (known?.type === type && known.revision === revision) return known;
  if (!isRunFactType(type)) throw unknownFact(type, revision);
  const fact = decodeRunFact(type, runUpcasting.lift(type, metadata['schemaVersion'], data), revision, metadata['actor'] ?? '');
  if (isObject(data)) decoded.set(data, fact);
  return fact;
}

/** So many facts may come between one that was written and the last of those who read it. */
const RECENT = 8_192;

/**
 * By the very data of a fact that was checked here: what this process wrote or read a moment ago is not decoded again.
 * In two maps, of which the older one is let go when the newer one is full: the table of a WeakMap never shrinks.
 */
class Decoded {
  private newer = new WeakMap<object, Placed<RunFact>>();
  private older = this.newer;
  private count = 0;

  get(data: object): Placed<RunFact> | undefined {
    return this.newer.get(data) ?? this.older.get(data);
  }

  set(data: object, fact: Placed<RunFact>): void {
    if (this.count === RECENT) {
      this.older = this.newer;
      this.newer = new WeakMap();
      this.count = 0;
    }
    this.count += 1;
    this.newer.set(data, fact);
  }
}

const decoded = new Decoded();

function isObject(data: unknown): data is object {
  return typeof data === 'object' && data !== null;
}

/** A fact of today's version. @throws Error if no run knows the type, ZodError if the data is not what the type says */
export function decodeRunFact(type: string, data: unknown, revision: number, actor: string): Placed<RunFact> {
  if (!isRunFactType(type)) throw unknownFact(type, revision);
  return { type, data: runFactSchemas[type].parse(data), revision, actor } as Placed<RunFact>;
}

function unknownFact(type: string, revision: number): Error {
  return new Error(`Fact ${revision} is a ${type}, which no run knows.`);
}

export function placeRunFact<T extends RunFactType>(type: T, data: RunFactData<T>, revision: number, actor: string): Placed<RunFact> {
  return { type, data, revision, actor } as unknown as Placed<RunFact>;
}

/** A fact that is about to be written, if it can be read again. @throws UnreadableFact with every fault */
export function checkedRunFact<T extends RunFactType>(type: T, data: RunFactData<T>, revision: number, actor: string): Placed<RunFact> {
  const { error } = runFactSchemas[type].safeParse(data);
  if (error !== undefined) throw new UnreadableFact(type, error.issues.map(({ path, message }) => `/${path.join('/')}: ${message}`));
  const fact = placeRunFact(type, data, revision, actor);
  decoded.set(data, fact);
  return fact;
}

/** Nobody could read it again, so it is not written. */
export class UnreadableFact extends Error {
  override readonly name = 'UnreadableFact';
  constructor(readonly factType: string, faults: readonly string[]) {
    super(`A ${factType} like this could not be read again, so it is not written: ${faults.join('; ')}`);
  }
}

/** The data of a typed fact as the log takes it. */
export function encodeRunFact<T extends RunFactType>(data: RunFactData<T>): JsonObject {
  return data as JsonObject;
}
