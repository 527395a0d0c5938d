/**
 * given(facts).when(commands).then(facts): what a batch decides, by its own machine and `decide`, without a log, a host or
 * time. Imports no test runner: what does not hold throws an AssertionError.
 */
import assert from 'node:assert/strict';
import { isRejected } from '../actors/actor.js';
import type { Decision, Origin } from '../actors/actor.js';
import { sha256Of } from '../actors/payloads.js';
import { fingerprint } from '../batches/batch.actor.js';
import { checkDefinition } from '../batches/check-definition.js';
import { unknownJobs } from '../batches/placed-steps.js';
import { checkParameters } from '../batches/run-parameters.js';
import { canonicalJson } from '../events/canonical.js';
import type { BatchDefinition } from '../events/definition.js';
import { isJsonObject } from '../events/json.js';
import type { JsonObject, JsonValue } from '../events/json.js';
import { decodeRunFact } from '../events/run.codec.js';
import { ids } from '../ids.js';
import type { RunId } from '../ids.js';
import type { JobDefinition } from '../jobs/job.js';
import { JobRegistry } from '../jobs/job-registry.js';
import { obedientJob } from '../jobs/obedient.job.js';
import { compilePlan } from '../runs/plan.js';
import { runFold } from '../runs/run.replay.js';
import { stepOf } from '../runs/run.context.js';
import { CancelRun, DecideGate, FireTimer, ReportOutcome, StartRun } from '../runs/run.commands.js';
import type { AnyRunCommand, GateDecision, Outcome } from '../runs/run.commands.js';
import { decideRun } from '../runs/run.decide.js';
import type { RunCtx, RunSnapshot, StartableBatch } from '../runs/run.draft.js';

import { SimulatedClock } from './simulated-clock.js';

/** A fact of a run, and who brought it about. */
export interface RunFactGiven {
  readonly type: string;
  readonly data: JsonObject;
  readonly actor?: string;
}

/** A fact that is expected: its type, or as much of it as matters. */
export type RunFactExpected = string | { readonly type: string; readonly data?: JsonObject };

/** Who decides a gate, and under which roles. */
export interface Decider {
  readonly actor: string;
  readonly roles: readonly string[];
}

/** Something that is said to the run; made by {@link start}, {@link succeed}, {@link approve} and the like. */
export type RunSaying = (run: RunSnapshot | undefined) => AnyRunCommand;

const RUN: RunId = ids.runOf(ids.keyedCommand('test', 'CODE', 'given', 'run'));
const NODE = 'node-of-the-test';

/** Starts the run. */
export const start = (parameters: JsonObject = {}, actor = 'ann'): RunSaying => () => {
  return new StartRun(RUN, { batch: 'given', parameters, labels: {}, reason: null, trigger: { type: 'code' } }, from(actor));
};
/** The step's job gave these outputs. */
export const succeed = (stepId: string, outputs: JsonObject = {}): RunSaying => report(stepId, { kind: 'succeeded', outputs, report: {} });
/** The step's job failed. */
export const fail = (stepId: string, { message = 'failed', retryable = true } = {}): RunSaying =>
  report(stepId, { kind: 'failed', error: { kind: 'error', code: 'failed', message, retryable }, report: {} });
/** The node that ran the step's job is gone. */
export const lose = (stepId: string): RunSaying => report(stepId, { kind: 'lost', reason: 'crash' });
/** Somebody approves the gate. */
export const approve = (stepId: string, by: Decider): RunSaying => decided(stepId, by, { approve: true, note: null });
/** Somebody rejects the gate. */
export const reject = (stepId: string, by: Decider & { readonly reason: string }): RunSaying => decided(stepId, by, { approve: false, reason: by.reason });
/** Somebody cancels the run. */
export const cancel = (actor = 'ann'): RunSaying => () => new CancelRun(RUN, null, from(actor));
/** A timer is due: of the gate, of the attempt, of its grace or of the next attempt. */
export const expire = (stepId: string, what: 'gate' | 'timeout' | 'grace' | 'retry' = 'gate'): RunSaying => (run) =>
  new FireTimer(RUN, what, stepId, stepIn(run, stepId).generation, from('timekeeper'));

/**
 * A run of this batch, to be told what happened and asked what it decides.
 *
 * @example
 * const run = decisionsOf(nightlyClose, [extractLedger]);
 * const parked = run.given().when(start({ day: '2026-01-31' }), succeed('extract')).facts;
 * run.given(parked).when(reject('release', { actor: 'kim', roles: ['cfo'], reason: 'wrong' })).then(['GateRejected', 'RunFailing', 'RunFailed']);
 * @throws Error with every fault of the definition
 */
export function decisionsOf(batch: BatchDefinition, jobs: readonly JobDefinition[] = []): { given(facts?: readonly RunFactGiven[]): GivenRun } {
  const registry = new JobRegistry();
  for (const job of [obedientJob(new SimulatedClock()), ...jobs]) registry.register(job);
  const { definition, errors } = checkDefinition(batch, { jobs: (name) => registry.has(name) });
  if (definition === undefined) throw new Error(`Batch ${batch.name} can't be defined: ${errors.map(({ path, message }) => `${path}: ${message}`).join(' ')}`);
  const plan = compilePlan(definition, fingerprint(definition).definitionHash);
  const known = [...plan.jobs].filter((job) => registry.has(job));
  const startable: StartableBatch = {
    id: ids.batch(batch.name), name: batch.name, version: 1, editedBy: 'ann', plan,
    jobDefaults: Object.fromEntries(known.map((job) => [job, registry.defaultsOf(job)])),
    unknownJobs: unknownJobs(definition, registry),
    check: (given) => checkParameters(definition.parameters, given),
  };
  return { given: (facts = []) => new GivenRun(startable, facts) };
}

/** A run to which something has happened. */
export class GivenRun {
  constructor(private readonly batch: StartableBatch, private readonly facts: readonly RunFactGiven[]) {}

  /** Says these to the run, one after the other. What is expected then is what the last of them leads to. */
  when(...sayings: readonly [RunSaying, ...RunSaying[]]): DecidedRun {
    const facts = [...this.facts];
    let state = facts.length === 0 ? undefined : facts.reduce((so, { type, data, actor = '' }, at) => runFold.next(so, decodeRunFact(type, data, at, actor)), runFold.initial(this.batch.plan));
    let decision: Decision<RunSnapshot> | undefined;
    for (const saying of sayings) {
      if (decision !== undefined && isRejected(decision)) assert.fail(`Refused before the last was said: ${decision.rejected}: ${decision.detail}`);
      const command = saying(state);
      const { actor } = command.origin;
      decision = decideRun(state, facts.length - 1, command, contextOf(actor, this.batch));
      if (isRejected(decision)) continue;
      state = decision.state;
      facts.push(...decision.facts.map(({ type, data }) => ({ type, data, actor })));
    }
    assert(decision !== undefined, 'Say something to the run.');
    return new DecidedRun(facts, decision);
  }
}

/** What the run decided. */
export class DecidedRun {
  /** @param facts everything that has happened to the run, for the next `given` */
  constructor(readonly facts: readonly RunFactGiven[], private readonly decision: Decision<RunSnapshot>) {}

  /** These facts and no others, in this order; of their data as much as is named. @throws AssertionError */
  then(expected: readonly RunFactExpected[]): void {
    if (isRejected(this.decision)) assert.fail(`Refused: ${this.decision.rejected}: ${this.decision.detail}`);
    const { facts } = this.decision;
    const wanted = expected.map((fact) => (typeof fact === 'string' ? { type: fact } : fact));
    const types = (some: readonly { readonly type: string }[]): string[] => some.map(({ type }) => type);
    assert.deepEqual(types(facts), types(wanted));
    wanted.forEach(({ data }, at) => {
      if (data !== undefined) assert.deepEqual(asFarAs(facts[at]!.data, data), data);
    });
  }

  /** The run does not take it, for this reason, like `gate-already-decided`. @throws AssertionError */
  thenRejected(code: string): void {
    assert.equal(isRejected(this.decision) ? this.decision.rejected : 'accepted', code);
  }

  /** It is taken, and nothing comes of it. @throws AssertionError */
  thenNothing(): void {
    this.then([]);
  }
}

function contextOf(actor: string, batch: StartableBatch): RunCtx {
  return {
    batch, actor, fold: runFold, nowMs: new SimulatedClock().now(), random: () => 0.5, claim: () => NODE,
    newExecution: (stepId, attempt) => ids.execution(RUN, stepId, attempt),
    newApproval: (stepId, attempt) => ids.approval(RUN, stepId, attempt),
    digest: (value) => sha256Of(canonicalJson(value)),
  };
}

function from(actor: string, roles: readonly string[] = []): Origin {
  return { actor, roles, via: 'code', commandId: ids.freshCommand() };
}

function report(stepId: string, outcome: Outcome): RunSaying {
  return (run) => new ReportOutcome(RUN, ids.execution(RUN, stepId, stepIn(run, stepId).attempt), stepId, outcome, from(`node:${NODE}`));
}

function decided(stepId: string, { actor, roles }: Decider, verdict: GateDecision['verdict']): RunSaying {
  return () => new DecideGate(RUN, { approvalId: ids.approval(RUN, stepId, 1), stepId, verdict, digest: null }, from(actor, roles));
}

function stepIn(run: RunSnapshot | undefined, stepId: string) {
  const step = run && stepOf(run.context, stepId);
  if (step === undefined) throw new Error(run === undefined ? 'The run has not begun: say start() first.' : `There is no step ${stepId}.`);
  return step;
}

/** Of a value as much as another one names. */
function asFarAs(value: JsonValue | undefined, named: JsonValue): JsonValue | undefined {
  if (value === undefined || !isJsonObject(value) || !isJsonObject(named)) return value;
  return Object.fromEntries(Object.entries(named).map(([key, inner]) => [key, asFarAs(value[key], inner ?? null) ?? null]));
}
