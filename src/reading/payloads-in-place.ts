/** Facts as projections need them: with those payloads in place that stand in blobs. */
import { inlined } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import type { Projection } from './projection.js';

export class PayloadsInPlace {
  /** By type of fact the payloads that projections need whole. */
  private readonly fields = new Map<string, readonly string[]>();

  constructor(private readonly reader: EventReader, projections: readonly Projection[]) {
    for (const [type, field] of projections.flatMap(({ payloads }) => Object.entries(payloads ?? {}))) this.fields.set(type, [...(this.fields.get(type) ?? []), field]);
  }

  async of(facts: readonly StoredFact[]): Promise<readonly StoredFact[]> {
    if (!facts.some(({ type }) => this.fields.has(type))) return facts;
    const inline = (so: Promise<StoredFact>, field: string): Promise<StoredFact> => so.then((fact) => inlined(fact, field, this.reader));
    return Promise.all(facts.map((fact) => (this.fields.get(fact.type) ?? []).reduce(inline, Promise.resolve(fact))));
  }
}
