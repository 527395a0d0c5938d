/** The run as an actor: where its stream is, how it is folded, what its decisions need. */
import type { ActorKind } from '../actors/actor-kind.js';
import type { Drawn, Rejected } from '../actors/actor.js';
import { sha256Of } from '../actors/payloads.js';
import { canonicalJson } from '../events/canonical.js';
import type { JsonValue } from '../events/json.js';
import { isRunFactType } from '../events/run.codec.js';
import { RUN_PAYLOADS, runUpcasting } from '../events/run.events.js';
import type { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import type { EventReader } from '../log/event-reader.js';
import { AdvanceRun } from './run.commands.js';
import type { AnyRunCommand } from './run.commands.js';
import { decideRun } from './run.decide.js';
import type { RunCtx, RunSnapshot } from './run.draft.js';
import { RUN_MACHINE } from './run.machine.js';
import { Originals } from './run.originals.js';
import { replayRun, runEvent, runFold } from './run.replay.js';
import type { Plans } from './run.replay.js';

/** Slots of this node. A claim that did not reach the log is let go. */
export interface Slots {
  claim(job: string, executionId: string, params: JsonValue): string | undefined;
  letGo(executionIds: readonly string[]): void;
}

export function runActor(streams: Streams, plans: Plans, slots: Slots, reader: EventReader, queue: Queue = BOUNDLESS): ActorKind<RunSnapshot, AnyRunCommand> {
  const originals = new Originals(reader, streams, plans);
  /** Slots that a command under way has taken, until it is settled. */
  const claims = new Map<AnyRunCommand, string[]>();
  const claimFor = (command: AnyRunCommand): RunCtx['claim'] => (job, executionId, params) => {
    const worker = slots.claim(job, executionId, params);
    if (worker === undefined) return undefined;
    const claimed = claims.get(command);
    if (claimed === undefined) claims.set(command, [executionId]);
    else claimed.push(executionId);
    return worker;
  };
  return {
    machine: RUN_MACHINE,
    schemaVersionOf: (type) => runUpcasting.versionOf(type),
    streamOf: (command) => streams.run(command.runId),
    payloadField: (type) => (isRunFactType(type) ? RUN_PAYLOADS[type] : undefined),
    fold: async (facts) => {
      const first = facts[0] && runEvent(facts[0]);
      if (first?.type !== 'RunStarted') throw new Error(`Stream ${facts[0]?.stream} does not begin with RunStarted.`);
      return replayRun(await plans.pinned(first.data.batchId, first.data.batchVersion, first.data.definitionHash), facts);
    },
    decider: async (command, before, followed = false) => {
      if (before === undefined && isAskedFor(command) && queue.waiting() >= queue.most) return () => full(queue);
      const needed = await originals.neededFor(command, before);
      return (state, revision, drawn) => decideRun(state, revision, command, new Ctx(command, drawn, claimFor(command), followed, needed));
    },
    settle: (command, appended) => {
      const claimed = claims.get(command);
      if (claimed === undefined) return;
      if (!appended) slots.letGo(claimed);
      claims.delete(command);
    },
    about: (command) => ({
      // A retry that is refused is about the run that stays as it is.
      command: command.type, runId: command.type === 'RetryRun' ? command.retry.of : command.runId,
      ...('stepId' in command && { stepId: command.stepId }),
      ...('executionId' in command && { executionId: command.executionId }),
      ...(command.type === 'ReportOutcome' && { outcome: command.outcome.kind }),
      ...(command.type === 'DecideGate' && { stepId: command.decision.stepId, approvalId: command.decision.approvalId }),
    }),
    together: ({ type }) => type === 'ReportOutcome' || type === 'ClaimStep' || type === 'FireTimer' || type === 'AdvanceRun',
    begins: (command) => command.type === 'StartRun',
    keep: (state) => state.status === 'active' && state.value !== 'parked',
    goOn: (command) =>
      new AdvanceRun(command.runId, { ...command.origin, actor: 'sluice', roles: [], via: 'host', commandId: ids.freshCommand(), causationId: command.origin.commandId }),
  };
}

/** Attempts that wait for a slot: past `most` nobody starts another run. */
export interface Queue {
  readonly most: number;
  waiting(): number;
}

const BOUNDLESS: Queue = { most: Infinity, waiting: () => 0 };

/** A start that somebody can ask for again; schedules and what is under way are not turned away. */
function isAskedFor({ type, origin: { via } }: AnyRunCommand): boolean {
  return (type === 'StartRun' || type === 'RetryRun') && (via === 'rest' || via === 'code');
}

function full({ most }: Queue): Rejected {
  return { rejected: 'too-many-requests', detail: `${most.toLocaleString('en')} steps wait for a free slot, and no more are taken until some are done. Try again in a few seconds, with the same Idempotency-Key.` };
}

/** A class, because it is made for every command: an object that is spread and then added to takes a hundred times as long. */
class Ctx implements RunCtx {
  readonly fold = runFold;
  readonly nowMs: number;
  readonly random: () => number;
  readonly actor: string;
  readonly batch: RunCtx['batch'];
  readonly original: RunCtx['original'];

  constructor(private readonly command: AnyRunCommand, { nowMs, random }: Drawn, readonly claim: RunCtx['claim'], readonly followed: boolean, { batch, original }: Pick<RunCtx, 'batch' | 'original'>) {
    this.nowMs = nowMs;
    this.random = random;
    this.actor = command.origin.actor;
    this.batch = batch;
    this.original = original;
  }

  newExecution(stepId: string, attempt: number): string {
    return ids.execution(this.command.runId, stepId, attempt);
  }

  newApproval(stepId: string, attempt: number): string {
    return ids.approval(this.command.runId, stepId, attempt);
  }

  digest(value: JsonValue): string {
    return sha256Of(canonicalJson(value));
  }
}
