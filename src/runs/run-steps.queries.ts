/** The steps of a run as a tree, and what it waits for: put together from the rows of its attempts and gates. Pure. */
import type { ExecutionHistoryRow, RefusedStepRow } from '../../projections/executions.js';
import type { RunHistoryRow } from '../../projections/run-history.js';
import type { StepDefinition } from '../events/definition.js';
import type { JsonValue } from '../events/json.js';
import type { RunError, StepStatus } from '../events/run.events.js';
import type { ApprovalHistoryRow } from '../gates/approval.queries.js';

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
  readonly branches?: readonly { readonly id: string | null; readonly steps: readonly StepNode[] }[];
}

export interface WaitsFor {
  readonly what: 'approval' | 'job' | 'slot' | 'retry' | 'engine';
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
}

export function stepTree(steps: readonly StepDefinition[], { run, attempts, gates, refused }: RunParts): StepNode[] {
  const attemptsOf = new Map<string, ExecutionHistoryRow[]>();
  for (const attempt of attempts) attemptsOf.set(attempt.stepId, [...(attemptsOf.get(attempt.stepId) ?? []), attempt]);
  const gateOf = new Map(gates.map((gate) => [gate.stepId, gate]));
  const refusedOf = new Map(refused.map((step) => [step.stepId, step]));
  const untouched = untouchedStatus(run);

  const node = (step: StepDefinition): StepNode => {
    const nothing = { id: step.id, type: step.type, attempts: 0, startedAt: null, endedAt: null, params: null, outputs: null, error: null, executionIds: [] } as const;
    if (step.type === 'parallel' || step.type === 'decision') {
      const branches = step.branches.map((branch) => ({ id: branch.id ?? null, steps: branch.steps.map(node) }));
      return { ...nothing, ...whole(branches.flatMap((branch) => branch.steps)), branches };
    }
    const refusal = refusedOf.get(step.id);
    if (refusal !== undefined) return { ...nothing, status: 'failed', startedAt: refusal.at, endedAt: refusal.at, error: refusal.error };
    if (step.type === 'gate') return gateNode(nothing, gateOf.get(step.id), untouched);
    return jobNode(nothing, attemptsOf.get(step.id) ?? [], untouched);
  };
  return steps.map(node);
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

const GATE_STATUS = { approved: 'succeeded', autoApproved: 'succeeded', rejected: 'failed', timedOut: 'failed', cancelled: 'cancelled' } as const;

function gateNode(blank: Blank, gate: ApprovalHistoryRow | undefined, untouched: StepStatus): StepNode {
  if (gate === undefined) return { ...blank, status: untouched };
  const { id, outcome, since, decidedAt } = gate;
  return { ...blank, status: outcome === null ? 'waiting' : GATE_STATUS[outcome], startedAt: since, endedAt: decidedAt, approvalId: id };
}

/** A group stands where its inner steps stand. */
function whole(inner: readonly StepNode[]): Pick<StepNode, 'status' | 'startedAt' | 'endedAt'> {
  const has = (...statuses: readonly StepStatus[]): boolean => inner.some(({ status }) => statuses.includes(status));
  const begun = inner.filter(({ startedAt }) => startedAt !== null);
  const startedAt = begun.map((step) => step.startedAt ?? '').sort()[0] ?? null;
  const endedAt = inner.map((step) => step.endedAt ?? '').sort().at(-1) || null;
  if (has('dispatched', 'running', 'retrying')) return { status: 'running', startedAt, endedAt: null };
  if (has('waiting')) return { status: 'waiting', startedAt, endedAt: null };
  if (has('pending')) return { status: begun.length === 0 ? 'pending' : 'running', startedAt, endedAt: null };
  if (has('failed')) return { status: 'failed', startedAt, endedAt };
  if (has('cancelled')) return { status: 'cancelled', startedAt, endedAt };
  return { status: has('succeeded') || inner.length === 0 ? 'succeeded' : 'skipped', startedAt, endedAt };
}

function untouchedStatus({ status }: RunHistoryRow): StepStatus {
  if (status === 'cancelled') return 'cancelled';
  return status === 'completed' || status === 'failed' ? 'skipped' : 'pending';
}

/** Never empty for a run that is not over. */
export function waitingFor({ run, attempts, gates }: RunParts): WaitsFor[] {
  if (run.endedAt !== null) return [];
  const newest = new Map([...attempts].sort((one, other) => one.attempt - other.attempt).map((attempt) => [attempt.stepId, attempt]));
  const waits = [...gates.flatMap(gateWait), ...[...newest.values()].flatMap(attemptWait)];
  return waits.length > 0 ? waits : [{ what: 'engine', since: run.startedAt, who: [], text: 'The next step is being decided.' }];
}

function gateWait({ state, stepId, title, since, allowedRoles, quorum, given, deadline, overdue }: ApprovalHistoryRow): WaitsFor[] {
  if (state !== 'pending') return [];
  const who = allowedRoles.includes('*') ? 'anybody who is signed in' : `somebody with the role ${allowedRoles.join(' or ')}`;
  const sofar = quorum > 1 ? ` (${given} of ${quorum} have approved)` : '';
  const text = `${who[0]?.toUpperCase()}${who.slice(1)} has to decide "${title}"${sofar}${overdue ? '; it is overdue' : ''}.`;
  return [{ what: 'approval', stepId, since, who: allowedRoles, ...(deadline !== null && { endsAt: deadline }), text }];
}

function attemptWait({ stepStatus, stepId, job, attempt, queuedAt, startedAt, endedAt, endsAt, worker, stopping }: ExecutionHistoryRow): WaitsFor[] {
  const ends = endsAt === null ? {} : { endsAt };
  if (stepStatus === 'dispatched') return [{ what: 'slot', stepId, since: queuedAt, who: [], text: `Attempt ${attempt} at ${stepId} waits for a node with a free slot and the job ${job}.` }];
  if (stepStatus === 'running') {
    const doing = stopping === null ? 'runs' : 'was told to stop';
    return [{ what: 'job', stepId, since: startedAt ?? queuedAt, who: worker === null ? [] : [worker], ...ends, text: `Attempt ${attempt} at ${stepId} ${doing} (job ${job}).` }];
  }
  return stepStatus === 'retrying' ? [{ what: 'retry', stepId, since: endedAt ?? queuedAt, who: [], ...ends, text: `${stepId} is tried again after attempt ${attempt} failed.` }] : [];
}
