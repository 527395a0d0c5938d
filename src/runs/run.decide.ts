/**
 * What a run answers to a command: facts, or why not. Pure. Deciding the same command again on what it led to gives
 * nothing, or refuses.
 */
import type { Accepted, Decision, Rejected } from '../actors/actor.js';
import { isRejected } from '../actors/actor.js';
import { isoTime } from '../events/json.js';
import { EXECUTION_CANCELLED } from '../events/run.events.js';
import type { RunError } from '../events/run.events.js';
import { sharingTime } from '../expressions/expression.js';
import { advance, beginJob, failRun, haltReason, policyFor, startAttempt } from './run.advance.js';
import type { AnyRunCommand, CancelExecution, CancelRun, ClaimStep, DecideGate, FireTimer, Outcome, PauseRun, ReportOutcome, ResumeRun, StartRun } from './run.commands.js';
import { RunDraft } from './run.draft.js';
import { decideRetry } from './run.retry.decide.js';
import { walk } from './run.walk.js';
import type { RunCtx, RunSnapshot } from './run.draft.js';
import { notStarted, refusal } from './run.refusal.js';
import { isContainer, type GateNode, type JobNode } from './plan.js';

/** `state` is undefined before the first fact. */
export function decideRun(state: RunSnapshot | undefined, revision: number, command: AnyRunCommand, ctx: RunCtx): Decision<RunSnapshot> {
  return sharingTime(() => decide(state, revision, command, ctx));
}

function decide(state: RunSnapshot | undefined, revision: number, command: AnyRunCommand, ctx: RunCtx): Decision<RunSnapshot> {
  if (command.type === 'StartRun') return start(state, command, ctx);
  if (command.type === 'RetryRun') return decideRetry(state, command, ctx);
  if (state === undefined) return { rejected: 'not-found', detail: `There is no run ${command.runId}.` };
  const draft = new RunDraft(state, revision, ctx);
  switch (command.type) {
    case 'CancelRun':
      return cancel(draft, command);
    case 'CancelExecution':
      return cancelExecution(draft, command);
    case 'PauseRun':
    case 'ResumeRun':
      return pause(draft, command);
    case 'AdvanceRun':
      return settled(draft);
    case 'ClaimStep':
      return claim(draft, command);
    case 'ReportOutcome':
      return report(draft, command);
    case 'FireTimer':
      return fire(draft, command);
    case 'DecideGate':
      return decideGate(draft, command);
  }
}

function settled(draft: RunDraft): Accepted<RunSnapshot> {
  if (draft.ctx.followed) return { facts: draft.facts, state: draft.state, more: true };
  const more = advance(draft);
  return { facts: draft.facts, state: draft.state, more };
}

function start(state: RunSnapshot | undefined, command: StartRun, ctx: RunCtx): Decision<RunSnapshot> {
  if (state !== undefined) return { facts: [], state };
  const { batch } = ctx;
  if (batch === undefined) throw new Error('StartRun needs its batch.');
  if (isRejected(batch)) return batch;
  const fault = command.start.scheduled?.fault;
  const { parameters, errors } = fault === undefined ? batch.check(command.start.parameters) : { parameters: {}, errors: [] };
  const refused = fault === undefined ? refusal(batch, errors) : { rejected: 'validation-failed' as const, detail: fault };
  if (refused !== undefined && command.start.scheduled?.begins !== true) return refused;
  const draft = new RunDraft(ctx.fold.initial(batch.plan), -1, ctx);
  draft.say('RunStarted', {
    runId: command.runId, batchId: batch.id, batchName: batch.name, batchVersion: batch.version, definitionHash: batch.plan.hash,
    trigger: command.start.trigger, parameters, labels: { ...batch.plan.definition.labels, ...command.start.labels }, reason: command.start.reason,
    stepCount: batch.plan.total, total: batch.plan.total, jobDefaults: batch.jobDefaults,
    ...(command.start.trigger.type === 'schedule' && { starters: [batch.editedBy] }),
    ...(batch.plan.timeoutMs !== null && { timeoutAt: isoTime(ctx.nowMs + batch.plan.timeoutMs) }),
  });
  if (refused === undefined) return settled(draft);
  draft.say('RunFailed', { error: notStarted(refused, batch.unknownJobs.length > 0), stepId: null, orphaned: [] });
  return { facts: draft.facts, state: draft.state };
}

function cancel(draft: RunDraft, command: CancelRun): Decision<RunSnapshot> {
  const status = draft.lifecycle;
  if (status === 'cancelled' || status === 'cancelling') return { facts: [], state: draft.state };
  if (draft.ended) return { rejected: 'run-already-ended', detail: `The run has ${status}: there is nothing left to cancel.` };
  draft.say('CancelRequested', { by: command.origin.actor, reason: command.reason });
  return settled(draft);
}

function cancelExecution(draft: RunDraft, { stepId, executionId }: CancelExecution): Decision<RunSnapshot> {
  const node = jobNode(draft, stepId);
  const step = node && draft.step(node);
  if (node === undefined || step?.executionId !== executionId || (step.status !== 'running' && step.status !== 'dispatched')) {
    return { rejected: 'run-already-ended', detail: `Execution ${executionId} has ended: there is nothing left to cancel.` };
  }
  if (step.stopping !== null) return { facts: [], state: draft.state };
  const of = { stepId, executionId, attempt: step.attempt };
  if (step.status === 'dispatched') attemptFailed(draft, node, { ...of, was: 'dispatched', error: cancelledAlone(step.attempt), timedOut: false, orphaned: false });
  else draft.say('StepStopRequested', { ...of, reason: 'operator', graceEndsAt: isoTime(draft.ctx.nowMs + policyFor(draft, node).cancelGraceMs) });
  return settled(draft);
}

function cancelledAlone(attempt: number): RunError {
  return { kind: 'terminal', code: EXECUTION_CANCELLED, message: `An operator cancelled attempt ${attempt}.`, retryable: false };
}

function pause(draft: RunDraft, command: PauseRun | ResumeRun): Decision<RunSnapshot> {
  const status = draft.lifecycle;
  if (status !== 'running' && status !== 'parked') {
    return { rejected: 'run-already-ended', detail: `The run is ${status}: there is nothing left to ${command.type === 'PauseRun' ? 'pause' : 'resume'}.` };
  }
  const pausing = command.type === 'PauseRun';
  if (draft.run.paused === pausing) return { facts: [], state: draft.state };
  draft.say(pausing ? 'RunPaused' : 'RunResumed', { by: command.origin.actor, reason: command.reason });
  if (!pausing) retryWhatIsDue(draft);
  return settled(draft);
}

/** Attempts whose time came while the run was paused. */
function retryWhatIsDue(draft: RunDraft): void {
  for (const node of draft.run.plan.nodes) {
    if (node.kind !== 'job' || draft.full) continue;
    const { status, retryAt } = draft.step(node);
    if (status === 'retrying' && retryAt !== null && Date.parse(retryAt) <= draft.ctx.nowMs) retryNow(draft, node);
  }
}

function claim(draft: RunDraft, command: ClaimStep): Decision<RunSnapshot> {
  const node = jobNode(draft, command.stepId);
  const step = node && draft.step(node);
  if (node === undefined || step?.executionId !== command.executionId) return lostClaim(command.executionId);
  if (step.status === 'running' && step.worker === command.worker) return { facts: [], state: draft.state };
  // While the run winds down in several appends, what is still to be let go is not begun any more.
  if (step.status !== 'dispatched' || haltReason(draft, node) !== null) return lostClaim(command.executionId);
  if (draft.run.paused) return { rejected: 'run-paused', detail: `Execution ${command.executionId} waits for its run to be resumed.` };
  startAttempt(draft, node, command.worker);
  return { facts: draft.facts, state: draft.state };
}

function lostClaim(executionId: string): Rejected {
  return { rejected: 'lost-claim', detail: `Execution ${executionId} is not to be had any more.` };
}

function report(draft: RunDraft, command: ReportOutcome): Decision<RunSnapshot> {
  const node = jobNode(draft, command.stepId);
  const step = node && draft.step(node);
  const current = node !== undefined && step?.executionId === command.executionId && (step.status === 'running' || (step.status === 'dispatched' && command.outcome.kind === 'failed'));
  if (!current) return { rejected: 'fenced', detail: `Execution ${command.executionId} had ended for the run before it reported: what it says changes nothing.` };
  record(draft, node, command.outcome);
  return settled(draft);
}

function record(draft: RunDraft, node: JobNode, outcome: Outcome): void {
  const { executionId, attempt, stopping, status } = draft.step(node);
  const of = { stepId: node.id, executionId: executionId ?? '', attempt };
  const was = status === 'dispatched' ? 'dispatched' : 'running';
  const said = outcome.kind === 'lost' ? {} : { ...(outcome.report.progress && { progress: { ...outcome.report.progress } }), ...(outcome.report.log && { log: [...outcome.report.log] }) };
  if (stopping === 'timeout') return attemptFailed(draft, node, { ...of, was, error: timedOut(node, attempt), timedOut: true, orphaned: false, ...said });
  if (outcome.kind === 'succeeded') return draft.say('StepSucceeded', { stepId: node.id, executionId: of.executionId, attempt, outputs: outcome.outputs, ...said });
  if (stopping === 'operator') return attemptFailed(draft, node, { ...of, was, error: cancelledAlone(attempt), timedOut: false, orphaned: false, ...said });
  const halting = stopping ?? haltReason(draft, node);
  if (halting !== null) return draft.say('StepCancelled', { ...of, was, reason: halting, orphaned: false, ...said });
  if (outcome.kind === 'failed') return attemptFailed(draft, node, { ...of, was, error: outcome.error, timedOut: false, orphaned: false, ...said }, outcome.retryAfterMs);
  attemptLost(draft, node, outcome.reason);
}

function timedOut(node: JobNode, attempt: number): RunError {
  return { kind: 'timeout', code: 'timed-out', message: `Attempt ${attempt} of step ${node.id} ran longer than its time-out.`, retryable: true };
}

type Failed = { stepId: string; executionId: string; attempt: number; was: 'dispatched' | 'running'; error: RunError; timedOut: boolean; orphaned: boolean };

function attemptFailed(draft: RunDraft, node: JobNode, failed: Failed, retryAfterMs = 0): void {
  const policy = policyFor(draft, node);
  const { failures, losses } = draft.step(node);
  const counted = failures + 1 + (policy.lostCounts ? losses : 0);
  const final = !failed.error.retryable || counted >= policy.maxAttempts || haltReason(draft, node) !== null;
  draft.say('StepFailed', { ...failed, final });
  if (final) return;
  scheduleRetry(draft, node, Math.max(retryAfterMs, backoffMs(policy, failures + 1, draft.ctx.random)));
}

function attemptLost(draft: RunDraft, node: JobNode, reason: 'crash' | 'shutdown' | 'lease'): void {
  const policy = policyFor(draft, node);
  const { executionId, attempt, losses, failures } = draft.step(node);
  const tooMany = losses + 1 >= policy.maxLosses || (policy.lostCounts && failures + losses + 1 >= policy.maxAttempts);
  const error: RunError = { kind: 'lost', code: `lost-${reason}`, message: `Attempt ${attempt} of step ${node.id} was lost with its node.`, retryable: !tooMany };
  draft.say('StepLost', { stepId: node.id, executionId: executionId ?? '', attempt, reason, error, final: tooMany });
  if (tooMany) return;
  scheduleRetry(draft, node, 0);
}

function scheduleRetry(draft: RunDraft, node: JobNode, delayMs: number): void {
  const { executionId, attempt } = draft.step(node);
  draft.say('StepRetryScheduled', { stepId: node.id, executionId: executionId ?? '', attempt, nextAttempt: attempt + 1, retryAt: isoTime(draft.ctx.nowMs + delayMs) });
  if (delayMs === 0 && !draft.run.paused && !hasLost(draft, node)) retryNow(draft, node);
}

/** Whether nobody waits for it any more: its branch is dropped by `advance`. */
function hasLost(draft: RunDraft, { ordinal }: JobNode): boolean {
  return walk(draft).lost.some(({ node, branch }) => {
    const range = node.branches[branch];
    return range !== undefined && ordinal >= range.from && ordinal < range.to;
  });
}

function retryNow(draft: RunDraft, node: JobNode): void {
  const error = beginJob(draft, node);
  if (error !== undefined) throw new Error(`Step ${node.id} had parameters for its first attempt and has none now: ${error.message}`);
}

function backoffMs(policy: ReturnType<typeof policyFor>, failures: number, random: () => number): number {
  if (policy.backoff === 'none') return 0;
  const grown = policy.backoff === 'fixed' ? policy.initialDelayMs : policy.initialDelayMs * 2 ** Math.min(failures - 1, 30);
  const capped = Math.min(grown, policy.maxDelayMs);
  return Math.round(policy.jitter ? capped * (0.5 + random() / 2) : capped);
}

function fire(draft: RunDraft, command: FireTimer): Decision<RunSnapshot> {
  if (command.timer === 'run') return runTimedOut(draft);
  const ordinal = draft.run.plan.ordinals.get(command.stepId);
  const node = ordinal === undefined ? undefined : draft.run.plan.nodes[ordinal];
  const stale: Accepted<RunSnapshot> = { facts: [], state: draft.state };
  if (node === undefined || isContainer(node)) return stale;
  const step = draft.step(node);
  if (step.generation !== command.generation) return stale;
  if (node.kind === 'gate') return command.timer === 'gate' && step.status === 'waiting' && haltReason(draft) === null ? expire(draft, node) : stale;
  const of = { stepId: node.id, executionId: step.executionId ?? '', attempt: step.attempt };
  if (command.timer === 'retry' && step.status === 'retrying') {
    // The attempt waits for the run to be resumed.
    if (draft.run.paused || haltReason(draft, node) !== null) return stale;
    retryNow(draft, node);
  } else if (command.timer === 'timeout' && step.status === 'running' && step.stopping === null) {
    draft.say('StepStopRequested', { ...of, reason: 'timeout', graceEndsAt: isoTime(draft.ctx.nowMs + policyFor(draft, node).cancelGraceMs) });
  } else if (command.timer === 'grace' && step.status === 'running' && step.stopping !== null) endGrace(draft, node);
  else return stale;
  return settled(draft);
}

function runTimedOut(draft: RunDraft): Decision<RunSnapshot> {
  if (draft.lifecycle !== 'running' && draft.lifecycle !== 'parked') return { facts: [], state: draft.state };
  failRun(draft, 'timeout', { stepId: null, error: { kind: 'timeout', code: 'run-timed-out', message: 'The run as a whole ran out of time.', retryable: false } });
  return settled(draft);
}

/** It did not stop in time: from here on the run goes on without it, and what it reports is fenced. */
function endGrace(draft: RunDraft, node: JobNode): void {
  const { executionId, attempt, stopping } = draft.step(node);
  const of = { stepId: node.id, executionId: executionId ?? '', attempt, was: 'running' as const, orphaned: true };
  if (stopping === 'timeout') attemptFailed(draft, node, { ...of, error: timedOut(node, attempt), timedOut: true });
  else if (stopping === 'operator') attemptFailed(draft, node, { ...of, error: cancelledAlone(attempt), timedOut: false });
  else draft.say('StepCancelled', { ...of, reason: stopping ?? 'cancel' });
}

function expire(draft: RunDraft, node: GateNode): Decision<RunSnapshot> {
  const { executionId, gate } = draft.step(node);
  const of = { stepId: node.id, approvalId: executionId ?? '' };
  if (gate === null) return { facts: [], state: draft.state };
  if (gate.onTimeout === 'hold') {
    if (!gate.overdue) draft.say('GateOverdue', of);
  } else if (gate.onTimeout === 'approve') {
    draft.say('GateApproved', { ...of, outcome: 'autoApproved', by: null, note: null, digest: gate.digest, given: gate.given.length, quorum: gate.quorum });
  } else {
    draft.say('GateTimedOut', of);
    failRun(draft, 'gate', { stepId: node.id, error: { kind: 'timeout', code: 'gate-timed-out', message: `Nobody decided gate ${node.id} in time.`, retryable: false } });
  }
  return settled(draft);
}

function decideGate(draft: RunDraft, { decision, origin }: DecideGate): Decision<RunSnapshot> {
  const ordinal = draft.run.plan.ordinals.get(decision.stepId);
  const node = ordinal === undefined ? undefined : draft.run.plan.nodes[ordinal];
  if (node?.kind !== 'gate' || draft.step(node).executionId !== decision.approvalId) return { rejected: 'not-found', detail: `There is no approval ${decision.approvalId}.` };
  const { status, gate } = draft.step(node);
  if (gate === null) return { rejected: 'not-found', detail: `There is no approval ${decision.approvalId}.` };
  const { actor, roles } = origin;
  if (!gate.allowedRoles.includes('*') && !roles.some((role) => gate.allowedRoles.includes(role))) {
    return { rejected: 'forbidden', detail: `Deciding this gate needs one of the roles ${gate.allowedRoles.join(', ')}.` };
  }
  if (gate.notTheStarter && draft.run.starters.includes(actor)) return { rejected: 'forbidden', detail: `${actor} started this run, or one that it tries again, and this gate must be decided by somebody else.` };
  if (status !== 'waiting') return { rejected: 'gate-already-decided', detail: `The gate was ${gate.outcome ?? 'decided'} before.` };
  if (haltReason(draft) !== null) return { rejected: 'gate-already-decided', detail: `The run is ${draft.lifecycle}: the gate is being released.` };
  if (decision.digest !== null && decision.digest !== gate.digest) {
    return { rejected: 'approval-stale', detail: 'What you were shown is not what is to be decided. Read the approval again and decide on that.' };
  }
  const of = { stepId: node.id, approvalId: decision.approvalId, by: actor, digest: gate.digest, quorum: gate.quorum };
  if (!decision.verdict.approve) {
    draft.say('GateRejected', { ...of, reason: decision.verdict.reason, given: gate.given.length });
    failRun(draft, 'gate', { stepId: node.id, error: { kind: 'rejected', code: 'gate-rejected', message: `${actor} rejected gate ${node.id}: ${decision.verdict.reason}`, retryable: false } });
    return settled(draft);
  }
  if (gate.given.includes(actor)) return { facts: [], state: draft.state };
  const given = gate.given.length + 1;
  if (given < gate.quorum) draft.say('GateApprovalGiven', { ...of, note: decision.verdict.note, given });
  else draft.say('GateApproved', { ...of, outcome: 'approved', note: decision.verdict.note, given });
  return settled(draft);
}

function jobNode(draft: RunDraft, stepId: string): JobNode | undefined {
  const ordinal = draft.run.plan.ordinals.get(stepId);
  const node = ordinal === undefined ? undefined : draft.run.plan.nodes[ordinal];
  return node?.kind === 'job' ? node : undefined;
}
