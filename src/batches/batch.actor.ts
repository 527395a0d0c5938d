/** The batch definition as an actor, and its versions as they stand in the log. */
import type { ActorKind } from '../actors/actor-kind.js';
import { sha256Of } from '../actors/payloads.js';
import { storedBatchFact } from '../events/batch.codec.js';
import { batchUpcasting } from '../events/batch.events.js';
import type { BatchFactData, BatchFactType } from '../events/batch.events.js';
import { canonicalJson } from '../events/canonical.js';
import type { BatchDefinition } from '../events/definition.js';
import { parseJson } from '../events/json.js';
import type { Streams } from '../events/streams.js';
import type { BatchId } from '../ids.js';
import { inlined } from '../log/event-reader.js';
import type { EventReader } from '../log/event-reader.js';
import type { AnyBatchCommand, DefineFields } from './batch.commands.js';
import { decideBatch, evolveBatch } from './batch.decide.js';
import type { BatchState } from './batch.decide.js';
import { countLeaves } from './placed-steps.js';

export type BatchVersion = BatchFactData<'BatchDefined'> & { readonly at: string; readonly by: string };

export interface BatchVersions {
  readonly versions: readonly BatchVersion[];
  /** It starts no more runs. */
  readonly deleted: boolean;
  /** The code that defined it no longer has it. It can still be started by hand. */
  readonly orphaned: boolean;
  /** Of the last fact that was read; -1 if there is none. */
  readonly revision: number;
}

const NO_VERSIONS: BatchVersions = { versions: [], deleted: false, orphaned: false, revision: -1 };

const PAYLOAD: Readonly<Record<string, string>> = { BatchDefined: 'definition' };

export function batchActor(streams: Streams): ActorKind<BatchState, AnyBatchCommand> {
  return {
    machine: 'batch-definition@1',
    schemaVersionOf: (type) => batchUpcasting.versionOf(type),
    streamOf: (command) => streams.batch(command.batchId),
    payloadField: (type) => PAYLOAD[type],
    fold: (facts) => {
      const [first, ...rest] = facts.map(storedBatchFact);
      if (first === undefined) throw new Error('A batch that is folded has at least one fact.');
      return Promise.resolve(rest.reduce(evolveBatch, evolveBatch(undefined, first)));
    },
    decider: (command) => Promise.resolve((state) => decideBatch(state, command)),
    about: (command) => ({ command: command.type, batchId: command.batchId }),
    keep: () => false,
  };
}

/** What `DefineBatch` says of a definition besides the definition itself. */
export function fingerprint(definition: BatchDefinition): Pick<DefineFields, 'definitionHash' | 'stepCount'> {
  return { definitionHash: sha256Of(canonicalJson(parseJson(JSON.stringify(definition)))), stepCount: countLeaves(definition.steps) };
}

/**
 * Every version that a batch ever had, oldest first, and how it stands. Read from the log alone.
 *
 * @param known what was read before: only what came after it is read now
 */
export async function batchVersions(reader: EventReader, streams: Streams, batchId: BatchId, known: BatchVersions = NO_VERSIONS): Promise<BatchVersions> {
  const facts = await reader.readStream(streams.batch(batchId), { after: known.revision });
  if (facts.length === 0) return known;
  const versions: BatchVersion[] = [...known.versions];
  let last: BatchFactType | undefined;
  for (const fact of facts) {
    const whole = await inlined(fact, PAYLOAD[fact.type], reader);
    const { type, data } = storedBatchFact(whole);
    last = type;
    if (type === 'BatchDefined') versions.push({ ...data, at: fact.metadata.at ?? '', by: fact.metadata.actor ?? '' });
  }
  return { versions, deleted: last === 'BatchDeleted', orphaned: last === 'BatchOrphaned', revision: facts.at(-1)!.revision };
}
