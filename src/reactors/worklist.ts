/**
 * Worklist: what the facts of all runs leave to be done: attempts that wait for a node or run on one, and timers.
 * Folded from facts alone and never written by hand, so it can be made again at any time.
 *
 * 1. A question costs what its answer holds, never a walk over all runs.
 * 2. A run that waits for people alone, without a deadline, holds fewer than 100 bytes.
 * 3. A fact that comes again changes nothing, also when its run has ended meanwhile; those of one run come in their order.
 *    One that comes before the log brings it is taken in that order alone, and its run is remembered until the log has.
 */
import type { JsonValue } from '../events/json.js';
import type { Placed } from '../events/run.codec.js';
import { endsRun } from '../events/run.events.js';
import type { RunFact } from '../events/run.events.js';
import { ids, parseId } from '../ids.js';
import type { ExecutionId, RunId } from '../ids.js';
import type { TimerKind } from '../runs/run.commands.js';
import { ParkedRuns } from './parked-runs.js';
import { TimerQueue } from './timer-queue.js';
import type { Timer } from './timer-queue.js';

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

interface OpenRun {
  revision: number;
  /** Gates that wait for people. */
  gates: number;
  paused: boolean;
  /** Made when there is a first one, so that a run without any costs little. */
  attempts: Map<string, Attempt> | undefined;
  timers: Map<string, Timer> | undefined;
}

/** Ended runs whose facts may come again. */
const REMEMBERED = 1_000;
const GATE_ENDS: ReadonlySet<RunFact['type']> = new Set(['GateApproved', 'GateRejected', 'GateTimedOut', 'GateReleased']);

export class Worklist {
  private readonly runs = new Map<RunId, OpenRun>();
  /** Open runs too: those that wait for people alone. */
  private readonly parked = new ParkedRuns();
  /** Open runs of which nothing is left to be done: what happens to them next stands in no list. */
  private readonly idle = new Set<RunId>();
  private readonly unclaimed = new Map<string, Attempt>();
  private readonly queue = new TimerQueue();
  /** The newest runs that have ended, oldest first, and the position up to which their facts may still come by the log. */
  private readonly ended = new Map<RunId, string>();
  private seen = '';

  /** False if the fact was taken before. */
  apply(runId: RunId, fact: Placed<RunFact>): boolean {
    const before = this.lastOf(runId);
    if (before === undefined ? fact.revision > 0 || this.ended.has(runId) : fact.revision <= before) return false;
    this.take(runId, fact, '');
    return true;
  }

  /** A fact that this process has appended, before the log brings it. False if that has to be waited for. */
  applyEarly(runId: RunId, fact: Placed<RunFact>, position: string): boolean {
    const before = this.lastOf(runId) ?? (this.ended.has(runId) ? undefined : -1);
    if (before === undefined || fact.revision !== before + 1) return false;
    this.take(runId, fact, position);
    return true;
  }

  /** The log has brought everything up to there. */
  reached(position: string): void {
    if (position > this.seen) this.seen = position;
  }

  private lastOf(runId: RunId): number | undefined {
    return (this.runs.get(runId) ?? this.parked.get(runId))?.revision;
  }

  private take(runId: RunId, fact: Placed<RunFact>, position: string): void {
    if (endsRun(fact)) {
      this.drop(runId);
      this.ended.set(runId, position);
      this.forget();
      return;
    }
    const run = this.open(runId);
    run.revision = fact.revision;
    this.applyAttempt(runId, fact);
    this.applyTimer(runId, fact);
    if (fact.type === 'RunPaused') this.pause(run, true);
    // What winds down is not held up any more.
    if (fact.type === 'RunResumed' || fact.type === 'RunFailing' || fact.type === 'CancelRequested') this.pause(run, false);
    if (fact.type === 'GateParked') run.gates += 1;
    if (GATE_ENDS.has(fact.type)) run.gates -= 1;
    this.sort(runId, run);
  }

  private forget(): void {
    for (const [oldest, position] of this.ended) {
      if (this.ended.size <= REMEMBERED || position > this.seen) return;
      this.ended.delete(oldest);
    }
  }

  /** Gives the executions that were open. */
  drop(runId: RunId): readonly string[] {
    const run = this.runs.get(runId);
    const left = [...(run?.attempts?.keys() ?? [])];
    for (const executionId of left) this.unclaimed.delete(executionId);
    for (const timer of run?.timers?.values() ?? []) this.queue.disarm(timer);
    if (!this.runs.delete(runId)) this.parked.delete(runId);
    this.idle.delete(runId);
    return left;
  }

  /** It was refused to us: what became of it stands in a fact that is still to be seen. */
  passOver(executionId: string): void {
    this.unclaimed.delete(executionId);
  }

  /** How many attempts nobody has claimed. */
  get waits(): number {
    return this.unclaimed.size;
  }

  /** Attempts that nobody has claimed, in the order in which they were dispatched. */
  waiting(): Iterable<Attempt> {
    return this.unclaimed.values();
  }

  /** Every open attempt: a walk over all runs, for the start alone. */
  *attempts(): Generator<Attempt> {
    for (const { attempts } of this.runs.values()) if (attempts !== undefined) yield* attempts.values();
  }

  /** Open attempts of a run that no node has claimed. */
  unclaimedOf(runId: RunId): readonly string[] {
    return [...(this.runs.get(runId)?.attempts?.values() ?? [])].filter(({ worker }) => worker === null).map(({ executionId }) => executionId);
  }

  find(runId: RunId, executionId: string): Attempt | undefined {
    return this.runs.get(runId)?.attempts?.get(executionId);
  }

  /** Whether it waits for people alone. */
  isParked(runId: RunId): boolean {
    return !this.runs.has(runId) && this.parked.get(runId) !== undefined;
  }

  /** The timer that is due first. */
  nextTimer(): Timer | undefined {
    return this.queue.next();
  }

  /** It has been fired. What comes of it stands in the facts that follow. */
  fired({ runId, kind, stepId }: Timer): void {
    this.disarm(runId, stepId, kind);
    const run = this.runs.get(runId);
    if (run !== undefined) this.sort(runId, run);
  }

  /** Open runs without an attempt, a timer or a gate that waits, which are not paused; and their last revision. */
  *hanging(): Generator<readonly [RunId, number]> {
    for (const runId of this.idle) yield [runId, this.open(runId).revision];
  }

  private open(runId: RunId): OpenRun {
    let run = this.runs.get(runId);
    if (run !== undefined) return run;
    run = { revision: -1, gates: 0, ...this.parked.get(runId), paused: false, attempts: undefined, timers: undefined };
    this.parked.delete(runId);
    this.runs.set(runId, run);
    return run;
  }

  private sort(runId: RunId, run: OpenRun): void {
    const idle = run.attempts === undefined && run.timers === undefined && !run.paused;
    if (idle && run.gates <= 0) this.idle.add(runId);
    else this.idle.delete(runId);
    if (idle && run.gates > 0 && this.parked.put(runId, run)) this.runs.delete(runId);
  }

  /** What nobody has claimed is not to be had while its run is paused. */
  private pause(run: OpenRun, paused: boolean): void {
    run.paused = paused;
    for (const attempt of run.attempts?.values() ?? []) {
      if (paused) this.unclaimed.delete(attempt.executionId);
      else if (attempt.worker === null) this.unclaimed.set(attempt.executionId, attempt);
    }
  }

  private applyAttempt(runId: RunId, { type, data, revision }: Placed<RunFact>): void {
    switch (type) {
      case 'StepDispatched': {
        const { stepId, attempt, job, params } = data;
        const executionId = parseId<ExecutionId>(data.executionId) ?? ids.execution(runId, stepId, attempt);
        return this.put({ runId, stepId, executionId, attempt, job, params: held(params, revision), worker: null, stopRequested: false });
      }
      case 'StepStarted':
        return this.change(runId, data.executionId, { worker: data.worker });
      case 'StepStopRequested':
        return this.change(runId, data.executionId, { stopRequested: true });
      case 'StepSucceeded':
      case 'StepFailed':
      case 'StepLost':
      case 'StepCancelled':
        return this.remove(runId, data.executionId);
      default:
    }
  }

  private put(attempt: Attempt): void {
    const run = this.open(attempt.runId);
    (run.attempts ??= new Map()).set(attempt.executionId, attempt);
    if (attempt.worker === null && !run.paused) this.unclaimed.set(attempt.executionId, attempt);
    else this.unclaimed.delete(attempt.executionId);
  }

  private change(runId: RunId, executionId: string, to: Partial<Attempt>): void {
    const attempt = this.find(runId, executionId);
    if (attempt !== undefined) this.put({ ...attempt, ...to });
  }

  private remove(runId: RunId, executionId: string): void {
    const run = this.runs.get(runId);
    run?.attempts?.delete(executionId);
    if (run?.attempts?.size === 0) run.attempts = undefined;
    this.unclaimed.delete(executionId);
  }

  private applyTimer(runId: RunId, { type, data, revision }: Placed<RunFact>): void {
    const arm = (stepId: string, kind: TimerKind, due: string | null): void => {
      this.disarm(runId, stepId, kind);
      if (due !== null) this.arm({ runId, stepId, kind, generation: revision, dueAtMs: Date.parse(due) });
    };
    switch (type) {
      case 'RunStarted':
        return arm('', 'run', data.timeoutAt ?? null);
      case 'StepDispatched':
        return this.disarm(runId, data.stepId, 'retry');
      case 'StepStarted':
        return arm(data.stepId, 'timeout', data.timeoutAt);
      case 'StepStopRequested':
        this.disarm(runId, data.stepId, 'timeout');
        return arm(data.stepId, 'grace', data.graceEndsAt);
      case 'StepSucceeded':
      case 'StepFailed':
      case 'StepLost':
      case 'StepCancelled':
        return this.disarm(runId, data.stepId, 'timeout', 'grace', 'retry');
      case 'StepRetryScheduled':
        return arm(data.stepId, 'retry', data.retryAt);
      case 'GateParked':
        return arm(data.stepId, 'gate', data.deadline);
      case 'GateApproved':
      case 'GateRejected':
      case 'GateTimedOut':
      case 'GateOverdue':
      case 'GateReleased':
        return this.disarm(runId, data.stepId, 'gate');
      default:
    }
  }

  private arm(timer: Timer): void {
    const run = this.open(timer.runId);
    (run.timers ??= new Map()).set(`${timer.kind}:${timer.stepId}`, timer);
    this.queue.arm(timer);
  }

  private disarm(runId: RunId, stepId: string, ...kinds: readonly TimerKind[]): void {
    const run = this.runs.get(runId);
    if (run?.timers === undefined) return;
    for (const kind of kinds) {
      const timer = run.timers.get(`${kind}:${stepId}`);
      if (timer === undefined) continue;
      run.timers.delete(`${kind}:${stepId}`);
      this.queue.disarm(timer);
    }
    if (run.timers.size === 0) run.timers = undefined;
  }
}
