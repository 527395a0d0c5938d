/**
 * Worklist: what the facts of all runs leave to be done: attempts that wait for a node or run on one, and timers.
 * Folded from facts alone and never written by hand, so it can be made again at any time.
 */
import type { JsonValue } from '../events/json.js';
import type { Placed } from '../events/run.codec.js';
import type { RunFact } from '../events/run.events.js';
import { ids } from '../ids.js';
import type { ExecutionId, RunId } from '../ids.js';
import type { TimerKind } from '../runs/run.commands.js';

/** A payload as JSON text, or the revision of the fact that holds or names it: large ones are read when they are needed. */
export type Held = { readonly text: string } | { readonly revision: number };

const HELD_CHARACTERS = 1024;

export function held(payload: JsonValue, revision: number): Held {
  const text = JSON.stringify(payload);
  return text.length > HELD_CHARACTERS || text.startsWith('{"$blob":') ? { revision } : { text };
}

export interface Attempt {
  readonly runId: RunId;
  readonly stepId: string;
  readonly executionId: ExecutionId;
  readonly attempt: number;
  readonly job: string;
  readonly params: Held;
  /** The incarnation that runs it; null while it waits for one. */
  readonly worker: string | null;
  readonly stopRequested: boolean;
}

export interface Timer {
  readonly runId: RunId;
  readonly stepId: string;
  readonly kind: TimerKind;
  /** Revision of the fact that armed it: a later one makes it stale. */
  readonly generation: number;
  readonly dueAtMs: number;
}

interface OpenRun {
  readonly attempts: Map<string, Attempt>;
  readonly timers: Map<string, Timer>;
}

export class Worklist {
  private readonly runs = new Map<RunId, OpenRun>();

  apply(runId: RunId, fact: Placed<RunFact>): void {
    if (fact.type === 'RunCompleted' || fact.type === 'RunFailed' || fact.type === 'RunCancelled') {
      this.runs.delete(runId);
      return;
    }
    const run = this.open(runId);
    applyAttempt(run, runId, fact);
    applyTimer(run, runId, fact);
  }

  drop(runId: RunId): void {
    this.runs.delete(runId);
  }

  /** Attempts that nobody has claimed, oldest run first. */
  *waiting(): Generator<Attempt> {
    for (const attempt of this.attempts()) if (attempt.worker === null) yield attempt;
  }

  *attempts(): Generator<Attempt> {
    for (const { attempts } of this.runs.values()) yield* attempts.values();
  }

  find(runId: RunId, executionId: string): Attempt | undefined {
    return this.runs.get(runId)?.attempts.get(executionId);
  }

  /** Timers in due order. */
  timers(): readonly Timer[] {
    return [...this.runs.values()].flatMap((run) => [...run.timers.values()]).sort((one, other) => one.dueAtMs - other.dueAtMs);
  }

  private open(runId: RunId): OpenRun {
    let run = this.runs.get(runId);
    if (run === undefined) this.runs.set(runId, (run = { attempts: new Map(), timers: new Map() }));
    return run;
  }
}

function applyAttempt({ attempts }: OpenRun, runId: RunId, { type, data, revision }: Placed<RunFact>): void {
  switch (type) {
    case 'StepDispatched': {
      const { stepId, attempt, job, params } = data;
      const executionId = ids.execution(runId, stepId, attempt);
      attempts.set(executionId, { runId, stepId, executionId, attempt, job, params: held(params, revision), worker: null, stopRequested: false });
      return;
    }
    case 'StepStarted':
      return change(attempts, data.executionId, { worker: data.worker });
    case 'StepStopRequested':
      return change(attempts, data.executionId, { stopRequested: true });
    case 'StepSucceeded':
    case 'StepFailed':
    case 'StepLost':
    case 'StepCancelled':
      attempts.delete(data.executionId);
      return;
    default:
  }
}

function change(attempts: Map<string, Attempt>, executionId: string, to: Partial<Attempt>): void {
  const attempt = attempts.get(executionId);
  if (attempt !== undefined) attempts.set(executionId, { ...attempt, ...to });
}

function applyTimer({ timers }: OpenRun, runId: RunId, { type, data, revision }: Placed<RunFact>): void {
  const arm = (stepId: string, kind: TimerKind, due: string | null): void => {
    if (due !== null) timers.set(`${kind}:${stepId}`, { runId, stepId, kind, generation: revision, dueAtMs: Date.parse(due) });
  };
  const disarm = (stepId: string, ...kinds: readonly TimerKind[]): void => kinds.forEach((kind) => timers.delete(`${kind}:${stepId}`));
  switch (type) {
    case 'StepDispatched':
      return disarm(data.stepId, 'retry');
    case 'StepStarted':
      return arm(data.stepId, 'timeout', data.timeoutAt);
    case 'StepStopRequested':
      disarm(data.stepId, 'timeout');
      return arm(data.stepId, 'grace', data.graceEndsAt);
    case 'StepSucceeded':
    case 'StepFailed':
    case 'StepLost':
    case 'StepCancelled':
      return disarm(data.stepId, 'timeout', 'grace', 'retry');
    case 'StepRetryScheduled':
      return arm(data.stepId, 'retry', data.retryAt);
    case 'GateParked':
      return arm(data.stepId, 'gate', data.deadline);
    case 'GateApproved':
    case 'GateRejected':
    case 'GateTimedOut':
    case 'GateOverdue':
    case 'GateReleased':
      return disarm(data.stepId, 'gate');
    default:
  }
}
