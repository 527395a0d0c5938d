/**
 * Upcasting: facts of every version that was ever written, lifted to the shape of today.
 *
 * Owns: which version each type of one vocabulary is at, and the chain that leads there. Does not own: the shapes of
 * today (the vocabulary's schemas), the envelope. Talks to: nobody.
 *
 * 1. Versions count per type, from 1. A stored fact is never rewritten; it is lifted each time it is read.
 * 2. From every older version one chain leads to today's. A hole, a cycle or a stray step stops the load of the module.
 * 3. A fact of a newer version is a NewerFact: this node does not know what it says and must yield, never skip it.
 */
import type { z } from 'zod';

/** Written by a newer Sluice than this one. Nothing is wrong with the fact: stop and let a newer node have it. */
export class NewerFact extends Error {
  override readonly name = 'NewerFact';
  constructor(readonly factType: string, readonly version: number, readonly known: number) {
    super(`A ${factType} of version ${version} was written by a newer Sluice (this one knows version ${known}): use the newer version.`);
  }
}

/** One step of a chain. Pure: the same data gives the same answer on every node and at every replay. */
export interface Upcaster {
  readonly type: string;
  readonly from: number;
  readonly to: number;
  /** @throws ZodError if the data is not what version `from` says */
  readonly lift: (data: unknown) => unknown;
}

/**
 * An upcaster that checks what it is given by the schema of the version it lifts from.
 *
 * @example upcaster({ type: 'RunFailed', from: 1, to: 2, schema: z.strictObject({ why: z.string() }), lift: ({ why }) => ({ error: why }) })
 */
export function upcaster<T>({ type, from, to, schema, lift }: Omit<Upcaster, 'lift'> & { readonly schema: z.ZodType<T>; readonly lift: (data: T) => unknown }): Upcaster {
  return { type, from, to, lift: (data) => lift(schema.parse(data)) };
}

/** The types of one vocabulary, the versions they are at, and the steps that lead there. */
export interface VersionsOf<T extends string> {
  readonly types: readonly T[];
  /** Types that were changed since they were first shipped; every other one is at version 1. */
  readonly changed: Partial<Readonly<Record<T, number>>>;
  readonly upcasters: readonly Upcaster[];
}

export class Upcasting<T extends string> {
  readonly types: readonly T[];
  private readonly current: ReadonlyMap<string, number>;
  private readonly steps = new Map<string, Upcaster>();

  /** @throws Error that names every hole, cycle and stray step */
  constructor({ types, changed, upcasters }: VersionsOf<T>) {
    this.types = types;
    this.current = new Map(types.map((type) => [type, changed[type] ?? 1]));
    const faults = upcasters.flatMap((step) => this.take(step));
    faults.push(...types.flatMap((type) => this.faultsOf(type)));
    if (faults.length > 0) throw new Error(`The upcasters do not lead to the versions of today. ${faults.join(' ')}`);
  }

  /** What a fact of this type that is written now says in its `schemaVersion`. @throws Error for a type of another vocabulary */
  versionOf(type: string): number {
    const version = this.current.get(type);
    if (version === undefined) throw new Error(`${type} is not a fact of this vocabulary.`);
    return version;
  }

  /**
   * The data as it would be written today, not yet checked by today's schema.
   *
   * @param schemaVersion what the fact's envelope says
   * @throws NewerFact if this vocabulary does not know the version yet, Error if it is no version at all
   */
  lift(type: T, schemaVersion: string | undefined, data: unknown): unknown {
    const known = this.versionOf(type);
    if (schemaVersion === undefined || !/^[1-9]\d{0,8}$/.test(schemaVersion)) throw new Error(`A ${type} says that its version is "${schemaVersion}".`);
    let version = Number(schemaVersion);
    if (version > known) throw new NewerFact(type, version, known);
    let lifted = data;
    while (version < known) {
      const step = this.steps.get(placeOf(type, version))!;
      lifted = step.lift(lifted);
      version = step.to;
    }
    return lifted;
  }

  private take(step: Upcaster): string[] {
    const { type, from, to } = step;
    const known = this.current.get(type) ?? 0;
    const beyond = [from, to].some((version) => !Number.isInteger(version) || version < 1 || version > known);
    if (beyond || from === known) return [`${type} is at version ${known} and has no step from ${from} to ${to}.`];
    if (this.steps.has(placeOf(type, from))) return [`${type} has two steps from version ${from}.`];
    this.steps.set(placeOf(type, from), step);
    return [];
  }

  private faultsOf(type: T): string[] {
    const known = this.versionOf(type);
    return Array.from({ length: known - 1 }, (_, index) => index + 1).flatMap((first) => {
      const seen = new Set<number>();
      for (let version = first; version !== known; ) {
        if (seen.has(version)) return [`${type} goes round in a cycle from version ${first}.`];
        seen.add(version);
        const step = this.steps.get(placeOf(type, version));
        if (step === undefined) return [`${type} has a hole: nothing leads on from version ${version}.`];
        version = step.to;
      }
      return [];
    });
  }
}

function placeOf(type: string, version: number): string {
  return `${type}@${version}`;
}
