/** The run as an actor: where its stream is, how it is folded, what its decisions need. */
import type { ActorKind } from '../actors/actor-host.js';
import type { Drawn, Rejected } from '../actors/actor.js';
import { Fold } from '../actors/fold.js';
import { sha256Of } from '../actors/payloads.js';
import { canonicalJson } from '../events/canonical.js';
import type { JsonValue } from '../events/json.js';
import { isRunFactType, storedRunFact } from '../events/run.codec.js';
import { RUN_PAYLOADS, runUpcasting } from '../events/run.events.js';
import type { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import type { StoredFact } from '../log/event-reader.js';
import { AdvanceRun } from './run.commands.js';
import type { AnyRunCommand } from './run.commands.js';
import { decideRun } from './run.decide.js';
import type { RunCtx, RunFold, RunSnapshot, StartableBatch } from './run.draft.js';
import { RUN_MACHINE, runMachine } from './run.machine.js';
import type { Plan } from './plan.js';
import type { RunEvent } from './run.context.js';

/** Where a run gets its definition from. */
export interface Plans {
  /** The batch as it stands now, by id or name. */
  startable(batch: string): Promise<StartableBatch | Rejected>;
  /** The very definition that a run began with. */
  pinned(batchId: string, version: number, hash: string): Promise<Plan>;
}

/** Slots of this node. A claim that did not reach the log is let go. */
export interface Slots {
  claim(job: string, executionId: string, params: JsonValue): string | undefined;
  letGo(executionIds: readonly string[]): void;
}

export const runFold: RunFold = new Fold(runMachine);

/** A stored fact as the machine's event. @throws NewerFact if a newer Sluice wrote it, ZodError if its data is not what the type says */
export function runEvent(fact: StoredFact): RunEvent {
  return storedRunFact(fact);
}

/** The state after these facts, by the machine alone. */
export function replayRun(plan: Plan, facts: readonly StoredFact[]): RunSnapshot {
  return facts.reduce((snapshot, fact) => runFold.next(snapshot, runEvent(fact)), runFold.initial(plan));
}

export function runActor(streams: Streams, plans: Plans, slots: Slots): ActorKind<RunSnapshot, AnyRunCommand> {
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
    decider: async (command) => {
      const batch = command.type === 'StartRun' ? await plans.startable(command.start.batch) : undefined;
      const claimed: string[] = [];
      claims.set(command, claimed);
      return (state, revision, drawn) => decideRun(state, revision, command, contextOf(command, drawn, slots, claimed, batch));
    },
    settle: (command, appended) => {
      if (!appended) slots.letGo(claims.get(command) ?? []);
      claims.delete(command);
    },
    about: (command) => ({
      command: command.type, runId: command.runId,
      ...('stepId' in command && { stepId: command.stepId }),
      ...('executionId' in command && { executionId: command.executionId }),
      ...(command.type === 'ReportOutcome' && { outcome: command.outcome.kind }),
      ...(command.type === 'DecideGate' && { stepId: command.decision.stepId, approvalId: command.decision.approvalId }),
    }),
    begins: (command) => command.type === 'StartRun',
    keep: (state) => state.status === 'active' && state.value !== 'parked',
    goOn: (command) =>
      new AdvanceRun(command.runId, { ...command.origin, actor: 'sluice', roles: [], via: 'host', commandId: ids.freshCommand(), causationId: command.origin.commandId }),
  };
}

/** Slots that a command under way has taken. */
const claims = new WeakMap<AnyRunCommand, string[]>();

function contextOf(command: AnyRunCommand, drawn: Drawn, slots: Slots, claimed: string[], batch: StartableBatch | Rejected | undefined): RunCtx {
  return {
    ...drawn,
    fold: runFold,
    actor: command.origin.actor,
    newExecution: (stepId, attempt) => ids.execution(command.runId, stepId, attempt),
    newApproval: (stepId, attempt) => ids.approval(command.runId, stepId, attempt),
    digest: (value) => sha256Of(canonicalJson(value)),
    claim: (job, executionId, params) => {
      const worker = slots.claim(job, executionId, params);
      if (worker !== undefined) claimed.push(executionId);
      return worker;
    },
    ...(batch !== undefined && { batch }),
  };
}
