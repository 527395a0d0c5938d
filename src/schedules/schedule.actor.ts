/**
 * The schedule as an actor: loaded from its last fact, which carries its ledger, and told what its batch and its runs
 * have come to before every decision.
 */
import type { ActorKind } from '../actors/actor-kind.js';
import type { Drawn } from '../actors/actor.js';
import { storedBatchFact } from '../events/batch.codec.js';
import { endsRun } from '../events/run.events.js';
import { storedScheduleFact } from '../events/schedule.codec.js';
import { scheduleUpcasting } from '../events/schedule.events.js';
import type { Ledger } from '../events/schedule.events.js';
import type { Streams } from '../events/streams.js';
import { fractionOf, ids } from '../ids.js';
import type { BatchId } from '../ids.js';
import { inlined } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import type { ScheduleCtx } from './ledger.draft.js';
import type { BatchFactOfSchedule } from './rule-in-force.js';
import { AdvanceSchedule } from './schedule.commands.js';
import type { AnyScheduleCommand } from './schedule.commands.js';
import { decideSchedule } from './schedule.decide.js';

export function scheduleActor(reader: EventReader, streams: Streams): ActorKind<Ledger, AnyScheduleCommand> {
  return {
    machine: 'schedule-ledger@1',
    schemaVersionOf: (type) => scheduleUpcasting.versionOf(type),
    streamOf: ({ batchId }) => streams.schedule(batchId),
    payloadField: () => undefined,
    loads: 'last',
    fold: async (facts) => storedScheduleFact(facts.at(-1)!).data.ledger,
    decider: async (command, state) => {
      const defined = await definedSince(reader, streams, command.batchId, state?.definedRevision ?? -1);
      const ended = command.type === 'AdvanceSchedule' ? await endedRuns(reader, streams, command.batchId, state) : NONE;
      return (ledger, _revision, drawn) => decideSchedule(ledger, command, contextOf(command, drawn, defined, ended));
    },
    about: ({ type, batchId }) => ({ command: type, batchId }),
    keep: () => true,
    goOn: (command) =>
      new AdvanceSchedule(command.batchId, command.type === 'AdvanceSchedule' ? command.watchedSinceMs : 0, {
        ...command.origin, actor: 'timekeeper', roles: [], via: 'host', commandId: ids.freshCommand(), causationId: command.origin.commandId,
      }),
  };
}

const NONE: ReadonlySet<string> = new Set();

function contextOf({ batchId, origin: { actor } }: AnyScheduleCommand, { nowMs }: Drawn, defined: readonly BatchFactOfSchedule[], ended: ReadonlySet<string>): ScheduleCtx {
  return {
    nowMs, actor, defined, ended,
    runOf: (due) => ids.scheduledRun(batchId, due),
    backfillRunOf: (due, backfillId) => ids.backfilledRun(batchId, due, backfillId),
    jitterOf: (due, atMostMs) => (atMostMs === 0 ? 0 : Math.floor(fractionOf('jitter', batchId, due) * atMostMs)),
  };
}

/** What the batch has said since then, as far as a schedule is concerned. */
async function definedSince(reader: EventReader, streams: Streams, batchId: BatchId, after: number): Promise<readonly BatchFactOfSchedule[]> {
  const facts = await reader.readStream(streams.batch(batchId), { after });
  return facts.length === 0 ? [] : Promise.all(facts.map((fact) => ofSchedule(fact, reader)));
}

async function ofSchedule(stored: StoredFact, reader: EventReader): Promise<BatchFactOfSchedule> {
  const { type, data } = storedBatchFact(await inlined(stored, stored.type === 'BatchDefined' ? 'definition' : undefined, reader));
  const of = { revision: stored.revision, atMs: Date.parse(stored.metadata.at ?? stored.recordedAt), by: stored.metadata.actor ?? '', name: data.name };
  if (type === 'BatchDefined') return { ...of, said: { kind: 'defined', version: data.version, schedule: data.definition.schedule ?? null } };
  return { ...of, said: { kind: type === 'BatchDeleted' ? 'deleted' : 'orphaned' } };
}

/** So many are remembered where nobody asks, before those that have ended are let go. */
const UNASKED_OPEN = 10;

/** Of the runs that may be under way those that have ended. Where overlapping is allowed and nothing waits, that is asked now and then. */
async function endedRuns(reader: EventReader, streams: Streams, batchId: BatchId, state: Ledger | undefined): Promise<ReadonlySet<string>> {
  if (state === undefined) return NONE;
  const mayOverlap = state.queue.length === 0 && state.inForce.every(({ rule }) => rule === null || rule.overlap === 'allow');
  if (mayOverlap && state.open.length < UNASKED_OPEN) return NONE;
  const ended = await Promise.all(
    state.open.map(async (due) => {
      const [last] = await reader.readStream(streams.run(ids.scheduledRun(batchId, due)), { backwards: true, limit: 1 });
      return last !== undefined && endsRun(last) ? [due] : [];
    }),
  );
  return new Set(ended.flat());
}
