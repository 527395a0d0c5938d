/**
 * Which fact moves a step from which status to which. Found by trying: a run with one step in every status is given
 * every fact, and what it accepts is a move.
 */
import type { BatchDefinition } from '../../src/events/definition.js';
import { storedRunFact } from '../../src/events/run.codec.js';
import { runUpcasting } from '../../src/events/run.events.js';
import type { StepStatus } from '../../src/events/run.events.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { compilePlan } from '../../src/runs/plan.js';
import { emptyContext, stepAt } from '../../src/runs/run.context.js';
import type { GateState, RunContext, RunEvent } from '../../src/runs/run.context.js';
import { accepts, applyFact } from '../../src/runs/run.state.js';
import { GOLDEN_FACTS, read } from '../histories/history.js';

export interface StepMove {
  readonly on: string;
  readonly from: StepStatus;
  readonly to: StepStatus;
  /** What in the fact decides; empty where its type says all. */
  readonly when: string;
}

const STEP = '3f0e3c1a-5f0b-5d55-8f5e-0c4b6a1d2e3f';
const STATUSES: readonly StepStatus[] = ['pending', 'dispatched', 'running', 'retrying', 'waiting', 'succeeded', 'failed', 'cancelled', 'skipped'];
const STEPS: Readonly<Record<'job' | 'gate', BatchDefinition['steps'][number]>> = {
  job: { id: 'step', type: 'job', job: 'work' },
  gate: { id: 'step', type: 'gate', allowedRoles: ['boss'] },
};
const OF_KIND = { job: ['dispatched', 'running', 'retrying'], gate: ['waiting'] } as const;

export function stepMoves(kind: 'job' | 'gate'): readonly StepMove[] {
  const others: readonly StepStatus[] = OF_KIND[kind === 'job' ? 'gate' : 'job'];
  const moves = runUpcasting.types.flatMap((type) =>
    STATUSES.filter((status) => !others.includes(status)).flatMap((from) => variantsOf(type).flatMap(({ overrides, when }) => moved(kind, from, eventOf(type, overrides), when))),
  );
  const ofThisKind = moves.filter(({ to, on }) => !others.includes(to) && !on.startsWith(kind === 'job' ? 'Gate' : 'StepDispatched'));
  return ofThisKind.filter((move, index) => ofThisKind.findIndex(({ on, from, to }) => on === move.on && from === move.from && to === move.to) === index);
}

function moved(kind: 'job' | 'gate', from: StepStatus, event: RunEvent | undefined, when: string): StepMove[] {
  const context = standing(kind, from);
  if (event === undefined || event.type === 'RunStarted' || !accepts(context, event)) return [];
  const to = stepAt(applyFact(context, event), 0).status;
  return from === to && !/^(Step|Gate)/.test(event.type) ? [] : [{ on: event.type, from, to, when }];
}

/** A run whose only step stands there. */
function standing(kind: 'job' | 'gate', status: StepStatus): RunContext {
  const context = emptyContext(compilePlan({ name: 'one-step', steps: [STEPS[kind]] }, 'hash'));
  const gate: GateState | null = kind === 'gate' && status !== 'pending' ? { allowedRoles: ['boss'], digest: '', quorum: 2, notTheStarter: false, onTimeout: 'hold', given: [], overdue: false, outcome: null } : null;
  const step = { ...stepAt(context, 0), status, attempt: 1, executionId: STEP, gate };
  return { ...context, chunks: [[step]], counts: { ...context.counts, pending: 0, [status]: 1 } };
}

interface Variant {
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly when: string;
}

/** Every answer to the questions that a fact of this type may decide by. */
function variantsOf(type: string): readonly Variant[] {
  const { data } = goldenOf(type);
  const finals: readonly Variant[] = 'final' in data ? [{ overrides: { final: false }, when: 'tried again' }, { overrides: { final: true }, when: 'final' }] : [{ overrides: {}, when: '' }];
  if (!('was' in data)) return finals;
  return ['dispatched', 'running', 'retrying'].flatMap((was) => finals.map(({ overrides, when }) => ({ overrides: { ...overrides, was }, when })));
}

/** The golden fact, said of our step; undefined for a combination that can't be said. */
function eventOf(type: string, overrides: Readonly<Record<string, unknown>>): RunEvent | undefined {
  const golden = goldenOf(type);
  const attempt = type === 'StepDispatched' ? 2 : 1;
  const ours: Readonly<Record<string, unknown>> = { stepId: 'step', executionId: STEP, approvalId: STEP, attempt, nextAttempt: 2, ...overrides };
  const data = Object.fromEntries(Object.entries(golden.data).map(([key, value]) => [key, ours[key] ?? value]));
  try {
    return storedRunFact({ ...golden, data });
  } catch {
    return undefined;
  }
}

function goldenOf(type: string): StoredFact {
  return read<StoredFact>(GOLDEN_FACTS, `${type}.v${runUpcasting.versionOf(type)}`);
}
