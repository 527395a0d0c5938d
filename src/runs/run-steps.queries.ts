/** The steps of a run as a tree, and what it waits for: put together from the rows of its attempts and gates. Pure. */
import type { DecisionRow, ExecutionHistoryRow, KeptStepRow, RefusedStepRow, SkippedStepRow } from '../../projections/executions.js';
import type { RunHistoryRow } from '../../projections/run-history.js';
import type { StepDefinition } from '../events/definition.js';
import type { JsonValue } from '../events/json.js';
import type { RunError, StepStatus } from '../events/run.events.js';
import type { ApprovalHistoryRow } from '../gates/approval.queries.js';
import { needsOf } from './plan.js';

export interface StepNode {
  readonly id: string;
  readonly type: StepDefinition['type'];
  readonly status: StepStatus;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly params: JsonValue;
  readonly outputs: JsonValue;
  readonly error: RunError | null;
  readonly executionIds: readonly string[];
  readonly approvalId?: string;
  /** The run before, in which it succeeded: this one tries that again. */
  readonly keptFrom?: string;
  /** Of what is no step of the tree: it undid one, or followed the failure. */
  readonly kind?: 'compensation' | 'onFailure';
  readonly branches?: readonly BranchNode[];
}

export interface BranchNode {
  readonly id: string | null;
  readonly label: string | null;
  /** Of a decision that was taken: whether it was for this branch. */
  readonly taken?: boolean;
  readonly steps: readonly StepNode[];
}

export interface WaitsFor {
  readonly what: 'resume' | 'approval' | 'job' | 'slot' | 'retry' | 'engine' | 'maintainer';
  readonly stepId?: string;
  readonly since: string;
  /** Roles, or the node that runs the job. */
  readonly who: readonly string[];
  readonly endsAt?: string;
  readonly text: string;
}

/** All rows of one run, oldest first. */
export interface RunParts {
  readonly run: RunHistoryRow;
  readonly attempts: readonly ExecutionHistoryRow[];
  readonly gates: readonly ApprovalHistoryRow[];
  readonly refused: readonly RefusedStepRow[];
  readonly skipped: readonly SkippedStepRow[];
  readonly kept: readonly KeptStepRow[];
  readonly decisions: readonly DecisionRow[];
}

export function stepTree(steps: readonly StepDefinition[], parts: RunParts): StepNode[] {
  const untouched = untouchedStatus(parts.run);
  const rows = byStep(parts);
  const nodesOf = (definitions: readonly StepDefinition[], otherwise: StepStatus): StepNode[] => definitions.map((step) => nodeOf(step, otherwise));
  const nodeOf = (step: StepDefinition, otherwise: StepStatus): StepNode => {
    const blank = blankOf(step);
    const refusal = rows.refused.get(step.id);
    const skips = rows.skipped.get(step.id) ?? [];
    const gone = skips.some(({ branches }) => branches === null) || refusal !== undefined;
    const failed = refusal && { status: 'failed', startedAt: refusal.at, endedAt: refusal.at, error: refusal.error } as const;
    if (step.type === 'parallel' || step.type === 'decision') {
      const decision = rows.decisions.get(step.id);
      const branches = step.branches.map(({ id = null, label = null, steps: inside }, at): BranchNode => {
        const lost = gone || skips.some((skip) => skip.branches?.includes(at) === true) || (decision !== undefined && decision.branch !== at);
        return { id, label, ...(decision !== undefined && { taken: decision.branch === at }), steps: nodesOf(inside, lost ? 'skipped' : otherwise) };
      });
      return { ...blank, ...whole(branches.flatMap((branch) => branch.steps), otherwise), ...won(step, branches), ...(decision && { startedAt: decision.at }), ...failed, branches };
    }
    if (failed !== undefined) return { ...blank, ...failed };
    const kept = rows.kept.get(step.id);
    if (kept !== undefined) return keptNode(blank, kept);
    const left = gone ? 'skipped' : otherwise;
    return step.type === 'gate' ? gateNode(blank, rows.gates.get(step.id), left) : jobNode(blank, rows.attempts.get(step.id) ?? [], left);
  };
  return [...nodesOf(steps, untouched), ...aftermath(parts, rows.attempts)];
}

/** What followed a run that went wrong: the jobs that undid something, and those that its definition names for failures. */
function aftermath({ attempts, refused }: RunParts, attemptsOf: ReadonlyMap<string, readonly ExecutionHistoryRow[]>): StepNode[] {
  const begun = new Map(attempts.map(({ stepId, kind }) => [stepId, kind]));
  const nodes = [...begun].flatMap(([id, kind]) => (kind === 'step' ? [] : [{ ...jobNode(blankOf({ id, type: 'job' }), attemptsOf.get(id) ?? [], 'pending'), kind }]));
  const never = refused.flatMap(({ stepId, kind, at, error }) => (kind === 'step' ? [] : [{ ...blankOf({ id: stepId, type: 'job' }), status: 'failed' as const, startedAt: at, endedAt: at, error, kind }]));
  return [...nodes, ...never].sort((one, other) => ((one.startedAt ?? '') < (other.startedAt ?? '') ? -1 : 1));
}

function blankOf({ id, type }: Pick<StepNode, 'id' | 'type'>): Blank {
  return { id, type, attempts: 0, startedAt: null, endedAt: null, params: null, outputs: null, error: null, executionIds: [] };
}

function byStep({ attempts, gates, refused, skipped, kept, decisions }: RunParts) {
  return {
    attempts: listed(attempts),
    gates: new Map(gates.map((gate) => [gate.stepId, gate])),
    refused: new Map(refused.map((step) => [step.stepId, step])),
    skipped: listed(skipped),
    kept: new Map(kept.map((step) => [step.stepId, step])),
    decisions: new Map(decisions.map((decision) => [decision.stepId, decision])),
  };
}

function listed<R extends { readonly stepId: string }>(rows: readonly R[]): ReadonlyMap<string, readonly R[]> {
  const lists = new Map<string, R[]>();
  for (const row of rows) lists.set(row.stepId, [...(lists.get(row.stepId) ?? []), row]);
  return lists;
}

type Blank = Omit<StepNode, 'status'>;

function jobNode(blank: Blank, attempts: readonly ExecutionHistoryRow[], untouched: StepStatus): StepNode {
  const sorted = [...attempts].sort((one, other) => one.attempt - other.attempt);
  const last = sorted.at(-1);
  if (last === undefined) return { ...blank, status: untouched };
  const status = last.stepStatus;
  const open = status === 'dispatched' || status === 'running' || status === 'retrying';
  return {
    ...blank, status, attempts: sorted.length, startedAt: sorted.find(({ startedAt }) => startedAt !== null)?.startedAt ?? null, endedAt: open ? null : last.endedAt,
    params: last.params, outputs: last.outputs, error: last.error, executionIds: sorted.map(({ id }) => id),
  };
}

/** It stands where it stood before; when and how long it ran is told by the run that it ran in. */
function keptNode(blank: Blank, { fromRun, fromId, outputs, at }: KeptStepRow): StepNode {
  const cited = blank.type === 'gate' ? { approvalId: fromId } : { executionIds: [fromId], outputs };
  return { ...blank, status: 'succeeded', startedAt: at, endedAt: at, ...cited, keptFrom: fromRun };
}

const GATE_STATUS = { approved: 'succeeded', autoApproved: 'succeeded', rejected: 'failed', timedOut: 'failed', cancelled: 'cancelled' } as const;

function gateNode(blank: Blank, gate: ApprovalHistoryRow | undefined, untouched: StepStatus): StepNode {
  if (gate === undefined) return { ...blank, status: untouched };
  const { id, outcome, since, decidedAt } = gate;
  return { ...blank, status: outcome === null ? 'waiting' : GATE_STATUS[outcome], startedAt: since, endedAt: decidedAt, approvalId: id };
}

/** A group that does not need all of its branches has succeeded when enough of them have, whatever became of the others. */
function won(step: StepDefinition, branches: readonly BranchNode[]): { readonly status?: 'succeeded' } {
  if (step.type !== 'parallel' || (step.join ?? 'all') === 'all') return {};
  const taking = branches.filter(({ steps }) => steps.some(({ status }) => status !== 'skipped'));
  const through = taking.filter(({ steps }) => steps.every(({ status }) => status === 'succeeded' || status === 'skipped'));
  return taking.length > 0 && through.length >= needsOf(step.join ?? 'all', taking.length) ? { status: 'succeeded' } : {};
}

/** A group stands where its inner steps stand. */
function whole(inner: readonly StepNode[], otherwise: StepStatus): Pick<StepNode, 'status' | 'startedAt' | 'endedAt'> {
  const has = (...statuses: readonly StepStatus[]): boolean => inner.some(({ status }) => statuses.includes(status));
  const begun = inner.filter(({ startedAt }) => startedAt !== null);
  const startedAt = begun.map((step) => step.startedAt ?? '').sort()[0] ?? null;
  const endedAt = inner.map((step) => step.endedAt ?? '').sort().at(-1) || null;
  if (has('dispatched', 'running', 'retrying')) return { status: 'running', startedAt, endedAt: null };
  if (has('waiting')) return { status: 'waiting', startedAt, endedAt: null };
  if (has('pending')) return { status: begun.length === 0 ? 'pending' : 'running', startedAt, endedAt: null };
  if (has('failed')) return { status: 'failed', startedAt, endedAt };
  if (has('cancelled')) return { status: 'cancelled', startedAt, endedAt };
  if (inner.length === 0) return { status: otherwise, startedAt, endedAt };
  return { status: has('succeeded') ? 'succeeded' : 'skipped', startedAt, endedAt };
}

function untouchedStatus({ status }: RunHistoryRow): StepStatus {
  if (status === 'cancelled') return 'cancelled';
  return status === 'completed' || status === 'failed' ? 'skipped' : 'pending';
}

/** Never empty for a run that is not over. */
export function waitingFor({ run, attempts, gates }: RunParts): WaitsFor[] {
  if (run.endedAt !== null) return [];
  const newest = new Map([...attempts].sort((one, other) => one.attempt - other.attempt).map((attempt) => [attempt.stepId, attempt]));
  const paused = run.paused ? [pauseWait(run)] : [];
  const waits = [...paused, ...gates.flatMap(gateWait), ...[...newest.values()].flatMap((attempt) => attemptWait(attempt, run))];
  return (waits.length > 0 ? waits : [engineWait(run)]).map((wait) => withinRun(wait, run));
}

function engineWait({ startedAt }: RunHistoryRow): WaitsFor {
  return { what: 'engine', since: startedAt, who: [], text: 'The next step is being decided.' };
}

/** Whatever is waited for, the run's own time-out ends it too, unless it winds down already. */
function withinRun(wait: WaitsFor, { status, timeoutAt }: RunHistoryRow): WaitsFor {
  if (timeoutAt === null || (status !== 'running' && status !== 'parked')) return wait;
  return wait.endsAt !== undefined && wait.endsAt <= timeoutAt ? wait : { ...wait, endsAt: timeoutAt };
}

function pauseWait({ pausedAt, pausedBy, startedAt }: RunHistoryRow): WaitsFor {
  return { what: 'resume', since: pausedAt ?? startedAt, who: ['operator'], text: `${pausedBy ?? 'Somebody'} has paused the run: nothing new is begun until an operator resumes it.` };
}

function gateWait({ state, stepId, title, since, allowedRoles, quorum, given, deadline, overdue, onTimeout }: ApprovalHistoryRow): WaitsFor[] {
  if (state !== 'pending') return [];
  const who = allowedRoles.includes('*') ? 'anybody who is signed in' : `somebody with the role ${allowedRoles.join(' or ')}`;
  const sofar = quorum > 1 ? ` (${given} of ${quorum} have approved)` : '';
  const text = `${who[0]?.toUpperCase()}${who.slice(1)} has to decide "${title}"${sofar}${overdue ? '; it is overdue' : ''}.`;
  return [{ what: 'approval', stepId, since, who: allowedRoles, ...(deadline !== null && onTimeout !== 'hold' && { endsAt: deadline }), text }];
}

function attemptWait({ stepStatus, stepId, job, attempt, queuedAt, startedAt, endedAt, endsAt, worker, stopping }: ExecutionHistoryRow, { paused }: RunHistoryRow): WaitsFor[] {
  const ends = endsAt === null ? {} : { endsAt };
  if (stepStatus === 'dispatched') return [{ what: 'slot', stepId, since: queuedAt, who: [], text: `Attempt ${attempt} at ${stepId} waits ${paused ? 'for the run to be resumed, and then ' : ''}for a node with a free slot and the job ${job}.` }];
  if (stepStatus === 'running') {
    const doing = stopping === null ? 'runs' : 'was told to stop';
    return [{ what: 'job', stepId, since: startedAt ?? queuedAt, who: worker === null ? [] : [worker], ...ends, text: `Attempt ${attempt} at ${stepId} ${doing} (job ${job}).` }];
  }
  if (stepStatus !== 'retrying') return [];
  return [{ what: 'retry', stepId, since: endedAt ?? queuedAt, who: [], ...(paused ? {} : ends), text: `${stepId} is tried again after attempt ${attempt} failed${paused ? ', once the run is resumed' : ''}.` }];
}
