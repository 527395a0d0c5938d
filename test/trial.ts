/** A run in memory for tests: commands in, facts out. No log, no host. */
import { expect } from '@jest/globals';
import { countsAfter, statusAfter } from '../projections/run-counts.js';
import { isRejected } from '../src/actors/actor.js';
import type { Decided, Origin, Rejected } from '../src/actors/actor.js';
import type { BatchDefinition } from '../src/events/definition.js';
import { decodeRunFact } from '../src/events/run.codec.js';
import type { JobDefaults, RunStatus, StepCounts } from '../src/events/run.events.js';
import { ids } from '../src/ids.js';
import type { RunId } from '../src/ids.js';
import { compilePlan } from '../src/runs/plan.js';
import { runFold } from '../src/runs/run.replay.js';
import { AdvanceRun, CancelRun, ClaimStep, DecideGate, FireTimer, ReportOutcome, RetryRun, StartRun } from '../src/runs/run.commands.js';
import type { AnyRunCommand, Outcome, TimerKind } from '../src/runs/run.commands.js';
import type { Plan } from '../src/runs/plan.js';
import { stepOf } from '../src/runs/run.context.js';
import type { RunEvent } from '../src/runs/run.context.js';
import { decideRun } from '../src/runs/run.decide.js';
import type { Original, RunCtx, RunSnapshot } from '../src/runs/run.draft.js';
import { keptOf } from '../src/runs/run.kept.js';

const DEFAULTS: JobDefaults = {
  maxAttempts: 1, backoff: 'fixed', initialDelayMs: 1_000, maxDelayMs: 60_000, jitter: false, lostCounts: false, maxLosses: 5, timeoutMs: null, cancelGraceMs: 5_000, declares: ['day'],
};
export const RUN: RunId = ids.runOf(ids.keyedCommand('ann', 'POST', '/batches/b/runs', 'k'));

/** The run that a trial tries again, and on which version. */
export interface Again {
  readonly of: Trial;
  readonly version: 'original' | 'newest';
}

export class Trial {
  state: RunSnapshot | undefined;
  readonly facts: Decided[] = [];
  private compiled: Plan | undefined;
  private readonly actors: string[] = [];
  /** Why the last command was not taken. */
  refusal: Rejected | undefined;
  private counts: StepCounts | undefined;
  private rowStatus: RunStatus = 'running';
  nowMs = Date.UTC(2026, 0, 31, 12);

  constructor(readonly definition: Omit<BatchDefinition, 'name'>, private readonly claims = true, private readonly defaults: Partial<JobDefaults> = {}, readonly again?: Again) {}

  get runId(): RunId {
    return this.again === undefined ? RUN : ids.retryOf(this.again.of.runId);
  }

  private ctxFor(actor: string, followed = false): RunCtx {
    const { plan } = this;
    return {
      fold: runFold, actor, followed, nowMs: this.nowMs, random: () => 0.5,
      newExecution: (stepId, attempt) => ids.execution(this.runId, stepId, attempt), newApproval: (stepId, attempt) => ids.approval(this.runId, stepId, attempt),
      digest: (value) => JSON.stringify(value), claim: () => (this.claims ? 'node-1' : undefined),
      batch: {
        id: ids.batch('trial'), name: 'trial', version: this.again?.version === 'newest' ? 2 : 1, editedBy: 'eddy', plan, unknownJobs: [], check: () => ({ parameters: { day: '2026-01-31' }, errors: [] }),
        jobDefaults: Object.fromEntries([...plan.jobs].map((job) => [job, { ...DEFAULTS, ...this.defaults }])),
      },
      ...(this.again && { original: this.again.of.asOriginal() }),
    };
  }

  get plan(): Plan {
    return (this.compiled ??= compilePlan({ name: 'trial', ...this.definition }, 'f'.repeat(64)));
  }

  /** The events of its stream: every fact with its place and whoever brought it about. */
  get events(): RunEvent[] {
    return this.facts.map(({ type, data }, revision) => decodeRunFact(type, data, revision, this.actors[revision] ?? ''));
  }

  /** As it is seen by a run that tries it again. */
  asOriginal(): Original {
    if (this.state === undefined) throw new Error('There is nothing to try again.');
    const { events, plan } = this;
    const before = events.slice(0, -1).reduce((so, event) => runFold.next(so, event), runFold.initial(plan));
    return { state: this.state, before, kept: keptOf(this.runId, plan, events) };
  }

  /** A run that tries this one again, begun; on another definition if one is given. Or why not. */
  retry({ fromStep = null, newest, who = 'rita' }: { fromStep?: string | null; newest?: Omit<BatchDefinition, 'name'>; who?: string } = {}): { trial: Trial; said: readonly string[] | string } {
    const version = newest === undefined ? 'original' : 'newest';
    const trial = new Trial(newest ?? this.definition, this.claims, this.defaults, { of: this, version });
    return { trial, said: trial.say(new RetryRun(trial.runId, { of: this.runId, fromStep, version, reason: null }, from(who))) };
  }

  /** Forgets all but its facts, and folds them again. */
  forget(): void {
    if (this.state !== undefined) this.state = this.events.reduce((so, event) => runFold.next(so, event), runFold.initial(this.plan));
  }

  /** Whether it would take this, and something would come of it. */
  would(command: AnyRunCommand): boolean {
    const decision = decideRun(this.state, this.facts.length - 1, command, this.ctxFor(command.origin.actor));
    return !isRejected(decision) && decision.facts.length > 0;
  }

  /**
   * The types of the facts that the command led to, or why it was refused.
   *
   * @param followed another one shares its append, and what follows by itself is left to that
   */
  say(command: AnyRunCommand, followed = false): readonly string[] | string {
    const decision = decideRun(this.state, this.facts.length - 1, command, this.ctxFor(command.origin.actor, followed));
    if (isRejected(decision)) {
      this.refusal = decision;
      return decision.rejected;
    }
    this.facts.push(...decision.facts);
    this.actors.push(...decision.facts.map(() => command.origin.actor));
    this.refusal = undefined;
    this.state = decision.state;
    const { total, ...byStatus } = this.state.context.counts;
    expect(Object.values(byStatus).reduce((sum, count) => sum + count, 0)).toBe(total);
    this.project(decision.facts);
    return decision.facts.map((fact) => fact.type);
  }

  /** What a reader of the facts alone counts must be what the machine counts. */
  private project(facts: readonly Decided[]): void {
    for (const { type, data } of facts) {
      const fact = decodeRunFact(type, data, 0, 'ann');
      const total = fact.type === 'RunStarted' ? fact.data.total : 0;
      this.counts = countsAfter(this.counts ?? { total, pending: total, dispatched: 0, running: 0, retrying: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 }, fact);
      this.rowStatus = statusAfter(this.rowStatus, this.counts, fact);
    }
    expect({ counts: this.counts, status: this.rowStatus }).toEqual({ counts: this.state?.context.counts, status: this.state?.value });
  }

  start = () => this.say(new StartRun(this.runId, { batch: 'trial', parameters: {}, labels: {}, reason: null, trigger: { type: 'api' } }, from('ann')));
  cancel = () => this.say(new CancelRun(this.runId, 'enough', from('olga')));
  report = (stepId: string, outcome: Outcome, attempt = this.step(stepId).attempt, followed = false) => this.say(new ReportOutcome(this.runId, ids.execution(this.runId, stepId, attempt), stepId, outcome, from('node-1')), followed);
  succeed = (stepId: string, outputs = {}) => this.report(stepId, { kind: 'succeeded', outputs, report: {} });
  /** All of them in one append. Gives what follows by itself then. */
  succeedTogether = (...stepIds: readonly string[]) => {
    for (const stepId of stepIds) this.report(stepId, { kind: 'succeeded', outputs: {}, report: {} }, this.step(stepId).attempt, true);
    return this.say(new AdvanceRun(this.runId, from('sluice')));
  };
  fail = (stepId: string, retryable = true) => this.report(stepId, { kind: 'failed', error: { kind: 'error', code: 'E', message: 'no', retryable }, report: {} });
  lose = (stepId: string) => this.report(stepId, { kind: 'lost', reason: 'crash' });
  claim = (stepId: string, worker = 'node-1') => this.say(new ClaimStep(this.runId, ids.execution(this.runId, stepId, Math.max(1, this.step(stepId).attempt)), stepId, worker, from(worker)));
  fire = (timer: TimerKind, stepId: string, generation = this.step(stepId).generation) => this.say(new FireTimer(this.runId, timer, stepId, generation, from('timer')));
  decide = (approve: boolean, roles: readonly string[], digest: string | null = null, stepId = 'ok', who = 'kim') =>
    this.say(new DecideGate(this.runId, { approvalId: ids.approval(this.runId, stepId, 1), stepId, verdict: approve ? { approve, note: null } : { approve, reason: 'wrong' }, digest }, from(who, roles)));

  step(stepId: string) {
    const step = this.state && stepOf(this.state.context, stepId);
    if (step === undefined) throw new Error(`no step ${stepId}`);
    return step;
  }

  get status() {
    return this.state?.value;
  }

  last(type: string): Decided['data'] {
    const found = this.facts.findLast((fact) => fact.type === type);
    if (found === undefined) throw new Error(`no ${type}`);
    return found.data;
  }
}

export function from(actor: string, roles: readonly string[] = []): Origin {
  return { actor, roles, via: 'rest', commandId: ids.freshCommand() };
}

export const job = (id: string, more = {}) => ({ id, type: 'job' as const, job: 'work', ...more });
export const gate = (more = {}) => ({ id: 'ok', type: 'gate' as const, allowedRoles: ['boss'], ...more });

