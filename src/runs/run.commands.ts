/** What can be said to a run. Fields only: what each means for the run is in `run.decide.ts`. */
import { Command } from '@nestjs/cqrs';
import type { Origin, Rejected } from '../actors/actor.js';
import type { JsonValue } from '../events/json.js';
import type { RunError, RunStatus, Trigger } from '../events/run.events.js';
import type { OccurrenceData } from '../events/schedule.events.js';
import type { RunId } from '../ids.js';

/** What every accepted command answers with. */
export interface RunAnswer {
  readonly runId: RunId;
  readonly status: RunStatus;
  readonly position: string;
  /** False if there was nothing to say: what was asked for stood already. */
  readonly said: boolean;
  /** This command was accepted before: this is the first answer. */
  readonly replayed: boolean;
  /** Of the gate that a `DecideGate` spoke of. */
  readonly gate?: { readonly outcome: GateOutcome | null; readonly given: number; readonly quorum: number };
}

export type GateOutcome = 'approved' | 'autoApproved' | 'rejected' | 'timedOut' | 'cancelled';

export abstract class RunCommand extends Command<RunAnswer | Rejected> {
  constructor(readonly runId: RunId, readonly origin: Origin) {
    super();
  }
}

export interface StartFields {
  readonly batch: string;
  readonly parameters: JsonValue;
  readonly labels: Readonly<Record<string, string>>;
  readonly reason: string | null;
  readonly trigger: Trigger;
  /** Its parameters are those of the batch's schedule. */
  readonly scheduled?: ScheduledStart;
}

export interface ScheduledStart {
  /** Of the definition whose schedule it was. */
  readonly version: number;
  readonly occurrence: OccurrenceData;
  /** The run begins whatever stands against it, and then fails with that. */
  readonly begins: boolean;
  /** What it begins and fails with, because it could not be begun as it was meant. */
  readonly fault?: string;
}

export class StartRun extends RunCommand {
  readonly type = 'StartRun';
  constructor(runId: RunId, readonly start: StartFields, origin: Origin) {
    super(runId, origin);
  }
}

export interface RetryFields {
  /** The run that is tried again. */
  readonly of: string;
  /** The step from which on it is done again; null: where it came to a halt. */
  readonly fromStep: string | null;
  readonly version: 'original' | 'newest';
  readonly reason: string | null;
}

/** Begins the run that tries another one again: `runId` is the new one's. */
export class RetryRun extends RunCommand {
  readonly type = 'RetryRun';
  constructor(runId: RunId, readonly retry: RetryFields, origin: Origin) {
    super(runId, origin);
  }
}

export class CancelRun extends RunCommand {
  readonly type = 'CancelRun';
  constructor(runId: RunId, readonly reason: string | null, origin: Origin) {
    super(runId, origin);
  }
}

/** Stops one attempt: its step fails with it and is not tried again. */
export class CancelExecution extends RunCommand {
  readonly type = 'CancelExecution';
  constructor(runId: RunId, readonly executionId: string, readonly stepId: string, origin: Origin) {
    super(runId, origin);
  }
}

/** Nothing new is begun until the run is resumed. */
export class PauseRun extends RunCommand {
  readonly type = 'PauseRun';
  constructor(runId: RunId, readonly reason: string | null, origin: Origin) {
    super(runId, origin);
  }
}

export class ResumeRun extends RunCommand {
  readonly type = 'ResumeRun';
  constructor(runId: RunId, readonly reason: string | null, origin: Origin) {
    super(runId, origin);
  }
}

/** Takes up whatever can go on. Says nothing new, so it may be said at any time. */
export class AdvanceRun extends RunCommand {
  readonly type = 'AdvanceRun';
}

/** A node wants to run a dispatched attempt. */
export class ClaimStep extends RunCommand {
  readonly type = 'ClaimStep';
  constructor(runId: RunId, readonly executionId: string, readonly stepId: string, readonly worker: string, origin: Origin) {
    super(runId, origin);
  }
}

export interface Report {
  readonly progress?: { readonly done: number; readonly total: number | null };
  readonly log?: readonly string[];
}

export type Outcome =
  | { readonly kind: 'succeeded'; readonly outputs: JsonValue; readonly report: Report }
  | { readonly kind: 'failed'; readonly error: RunError; readonly retryAfterMs?: number; readonly report: Report }
  | { readonly kind: 'lost'; readonly reason: 'crash' | 'shutdown' | 'lease' };

/** An attempt has ended, or is known to be lost. */
export class ReportOutcome extends RunCommand {
  readonly type = 'ReportOutcome';
  constructor(runId: RunId, readonly executionId: string, readonly stepId: string, readonly outcome: Outcome, origin: Origin) {
    super(runId, origin);
  }
}

/** `run`: of the run as a whole, with no step. */
export type TimerKind = 'run' | 'retry' | 'timeout' | 'grace' | 'gate';

/** A timer is due. A stale generation says nothing. */
export class FireTimer extends RunCommand {
  readonly type = 'FireTimer';
  constructor(runId: RunId, readonly timer: TimerKind, readonly stepId: string, readonly generation: number, origin: Origin) {
    super(runId, origin);
  }
}

export interface GateDecision {
  readonly approvalId: string;
  readonly stepId: string;
  readonly verdict: { readonly approve: true; readonly note: string | null } | { readonly approve: false; readonly reason: string };
  /** Of what the decider was shown; null if not said. */
  readonly digest: string | null;
}

export class DecideGate extends RunCommand {
  readonly type = 'DecideGate';
  constructor(runId: RunId, readonly decision: GateDecision, origin: Origin) {
    super(runId, origin);
  }
}

export type AnyRunCommand = StartRun | RetryRun | CancelRun | CancelExecution | PauseRun | ResumeRun | AdvanceRun | ClaimStep | ReportOutcome | FireTimer | DecideGate;
