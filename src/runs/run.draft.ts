/**
 * Draft: the facts of one decision while they are being made. Each is folded as it is said, so that the next one is
 * decided on what the run will be, and a fact that the machine or a reader would not accept never reaches the log.
 */
import type { SnapshotFrom } from 'xstate';
import type { Fold } from '../actors/fold.js';
import { MOST_BYTES, MOST_FACTS } from '../actors/actor.js';
import type { Decided, Drawn, Rejected } from '../actors/actor.js';
import { canonicalJson } from '../events/canonical.js';
import { checkedRunFact, encodeRunFact } from '../events/run.codec.js';
import type { RunFactData, RunFactType, JobDefaults } from '../events/run.events.js';
import type { JsonFault, JsonObject, JsonValue } from '../events/json.js';
import type { runMachine } from './run.machine.js';
import { stepAt } from './run.context.js';
import type { Plan, PlanNode } from './plan.js';
import type { RunContext, RunEvent, StepState } from './run.context.js';

export type RunSnapshot = SnapshotFrom<typeof runMachine>;
export type RunFold = Fold<RunSnapshot, RunEvent>;

/** What `decide` may know besides the run's own facts. */
export interface RunCtx extends Drawn {
  readonly fold: RunFold;
  readonly actor: string;
  /** Another command comes in the same append, and what follows by itself is left until then. */
  readonly followed?: boolean;
  newExecution(stepId: string, attempt: number): string;
  newApproval(stepId: string, attempt: number): string;
  digest(value: JsonValue): string;
  /** A free slot of this node for this job and parameters, taken until the append is done; undefined: somebody else may claim it. */
  readonly claim: (job: string, executionId: string, params: JsonValue) => string | undefined;
  /** Only for `StartRun`: the batch as it stands now, or why there is none. */
  readonly batch?: StartableBatch | Rejected | undefined;
  /** Only for a run that tries another one again, while something of that is still to be kept. */
  readonly original?: Original | Rejected | undefined;
}

export interface StartableBatch {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  /** Who made this version. */
  readonly editedBy: string;
  readonly plan: Plan;
  readonly jobDefaults: Readonly<Record<string, JobDefaults>>;
  /** The parameters with defaults filled in, or every fault at once. */
  readonly check: (given: JsonValue) => { readonly parameters: JsonObject; readonly errors: readonly JsonFault[] };
  /** It starts no more runs; one that was promised begins and fails with this. */
  readonly refused?: Rejected;
  readonly unknownJobs: readonly { readonly path: string; readonly message: string }[];
}

/** What a run can hand on to the one that tries it again. */
export type KeptStep =
  | { readonly as: 'step'; readonly stepId: string; readonly from: { readonly runId: string; readonly id: string }; readonly outputs?: JsonValue | undefined }
  | { readonly as: 'decision'; readonly stepId: string; readonly branch: number | null }
  | { readonly as: 'skip'; readonly stepId: string };

/** A run that has ended, for the one that tries it again. */
export interface Original {
  readonly state: RunSnapshot;
  /** As it was before its last fact settled what was still pending. */
  readonly before: RunSnapshot;
  /** All that it could hand on, in the order in which it happened. */
  readonly kept: readonly KeptStep[];
}

export class RunDraft {
  private readonly said: Decided[] = [];
  private bytes = 0;

  constructor(private snapshot: RunSnapshot, private revision: number, readonly ctx: RunCtx) {}

  get facts(): readonly Decided[] {
    return this.said;
  }

  get state(): RunSnapshot {
    return this.snapshot;
  }

  get lifecycle(): RunSnapshot['value'] {
    return this.snapshot.value;
  }

  get ended(): boolean {
    return this.snapshot.status === 'done';
  }

  get run(): RunContext {
    return this.snapshot.context;
  }

  /** No more than one append holds. */
  get full(): boolean {
    return this.said.length >= MOST_FACTS - 8 || this.bytes >= MOST_BYTES / 2;
  }

  step(node: PlanNode): StepState {
    return stepAt(this.run, node.ordinal);
  }

  say<T extends RunFactType>(type: T, data: RunFactData<T>): void {
    this.revision += 1;
    const event = checkedRunFact(type, data, this.revision, this.ctx.actor);
    this.snapshot = this.ctx.fold.next(this.snapshot, event);
    const encoded = encodeRunFact(data);
    const dataText = canonicalJson(encoded);
    this.said.push({ type, data: encoded, dataText });
    this.bytes += Buffer.byteLength(dataText);
  }
}
