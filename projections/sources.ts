/** Which facts a projection looks at, decoded. */
import { storedBatchFact } from '../src/events/batch.codec.js';
import type { BatchFact } from '../src/events/batch.events.js';
import { storedRunFact } from '../src/events/run.codec.js';
import type { Placed } from '../src/events/run.codec.js';
import type { RunFact } from '../src/events/run.events.js';
import { storedScheduleFact } from '../src/events/schedule.codec.js';
import type { ScheduleFact } from '../src/events/schedule.events.js';
import type { Streams } from '../src/events/streams.js';
import type { StoredFact } from '../src/reading/projection.js';

export interface FactOf<F> {
  readonly id: string;
  readonly fact: F;
  /** When it was decided, ISO 8601. */
  readonly at: string;
  readonly position: string;
}

/** The fact, if it is one of a run. @throws if no run knows it */
export function runFactOf(streams: Streams, stored: StoredFact): FactOf<Placed<RunFact>> | undefined {
  const stream = streams.parse(stored.stream);
  if (stream?.category !== 'run') return undefined;
  return { id: stream.id, fact: storedRunFact(stored), at: atOf(stored), position: stored.position };
}

/** The fact, if it is one of a batch definition. @throws if no batch knows it */
export function batchFactOf(streams: Streams, stored: StoredFact): FactOf<BatchFact> & { readonly actor: string } | undefined {
  const stream = streams.parse(stored.stream);
  if (stream?.category !== 'batch') return undefined;
  return { id: stream.id, fact: storedBatchFact(stored), at: atOf(stored), position: stored.position, actor: stored.metadata.actor ?? '' };
}

/** The fact, if it is one of a schedule. @throws if no schedule knows it */
export function scheduleFactOf(streams: Streams, stored: StoredFact): FactOf<ScheduleFact> | undefined {
  const stream = streams.parse(stored.stream);
  if (stream?.category !== 'schedule') return undefined;
  return { id: stream.id, fact: storedScheduleFact(stored), at: atOf(stored), position: stored.position };
}

function atOf({ metadata, recordedAt }: StoredFact): string {
  return metadata.at ?? recordedAt;
}
