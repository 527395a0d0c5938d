/**
 * What a schedule answers to a command: facts, or why not. Pure. Whatever is said to it, it first takes over what its
 * batch has said meanwhile, so that every node judges by the same rule.
 */
import { isRejected } from '../actors/actor.js';
import type { Decision, Rejected } from '../actors/actor.js';
import { isoTime } from '../events/json.js';
import type { Backfill, Ledger } from '../events/schedule.events.js';
import { LedgerDraft } from './ledger.draft.js';
import type { ScheduleCtx } from './ledger.draft.js';
import { ruleInForce } from './rule-in-force.js';
import type { BatchFactOfSchedule } from './rule-in-force.js';
import type { AnyScheduleCommand, ContinueBackfill, PauseSchedule, ResumeSchedule, StartBackfill } from './schedule.commands.js';
import { judge } from './schedule.judge.js';

/** Backfills of one schedule that are not through. */
const MOST_BACKFILLS = 10;

/** `state` is undefined before the first fact. */
export function decideSchedule(state: Ledger | undefined, command: AnyScheduleCommand, ctx: ScheduleCtx): Decision<Ledger> {
  const draft = followed(state, command.batchId, ctx);
  if (draft === undefined) return none(command.batchId);
  const refused = answer(draft, command);
  if (refused !== undefined && isRejected(refused)) return refused;
  return draft.finish(refused?.more);
}

function answer(draft: LedgerDraft, command: AnyScheduleCommand): Rejected | { readonly more: boolean } | undefined {
  switch (command.type) {
    case 'FollowBatch':
      return undefined;
    case 'AdvanceSchedule':
      return { more: judge(draft, command.watchedSinceMs) };
    case 'PauseSchedule':
    case 'ResumeSchedule':
      return pause(draft, command);
    case 'StartBackfill':
      return startBackfill(draft, command);
    case 'ContinueBackfill':
      return continueBackfill(draft, command);
  }
}

/** The schedule with all that its batch has said; undefined if there never was one. */
function followed(state: Ledger | undefined, batchId: string, ctx: ScheduleCtx): LedgerDraft | undefined {
  let draft = state && new LedgerDraft(state, ctx);
  for (const fact of ctx.defined) draft = follow(draft, batchId, fact, ctx);
  return draft;
}

function follow(draft: LedgerDraft | undefined, batchId: string, { said, atMs, by, revision, name }: BatchFactOfSchedule, ctx: ScheduleCtx): LedgerDraft | undefined {
  const schedule = said.kind === 'defined' ? said.schedule : null;
  if (said.kind !== 'defined' || schedule === null) {
    // A schedule that was taken out before its batch was deleted is gone with it too: what comes under that name is another one.
    const isGone = draft?.inForce.rule === null && (said.kind !== 'deleted' || draft.ledger.ended === 'deleted');
    if (draft !== undefined && !isGone) end(draft, said.kind === 'defined' ? 'removed' : said.kind, { atMs, revision });
    return draft;
  }
  const at = isoTime(atMs);
  const { version } = said;
  const rule = ruleInForce(schedule);
  const first = draft === undefined;
  const so = draft ?? new LedgerDraft(unborn(at, version, name), ctx);
  // What the definition says is where it begins; from then on it is paused and resumed by people alone.
  const paused = first || so.ledger.ended === 'deleted' ? (schedule.paused === true ? { since: at, by, reason: 'It was defined as paused.' } : null) : so.ledger.paused;
  so.change('ScheduleAdopted', { batchId, version, rule }, { atMs, version, rule, paused: paused !== null }, { batchName: name, definedRevision: revision, paused, ended: null });
  return so;
}

function unborn(at: string, version: number, batchName: string): Ledger {
  return {
    backfills: [], batchName, definedRevision: 0, ended: null, inForce: [{ from: at, paused: false, rule: null, version }], judgedUntil: at, last: null, nextDue: null, open: [], paused: null,
    queue: [], sums: { fired: 0, missed: 0, skipped: 0 }, wakeAt: null,
  };
}

function end(draft: LedgerDraft, reason: 'removed' | 'deleted' | 'orphaned', { atMs, revision }: { readonly atMs: number; readonly revision: number }): void {
  draft.skipQueue('ended');
  const { version, paused } = draft.inForce;
  draft.change('ScheduleEnded', { reason }, { atMs, version, rule: null, paused }, { definedRevision: revision, ended: reason });
}

function pause(draft: LedgerDraft, { type, origin: { actor: by }, reason, batchId }: PauseSchedule | ResumeSchedule): Rejected | undefined {
  const { version, rule } = draft.inForce;
  if (rule === null) return none(batchId);
  const pausing = type === 'PauseSchedule';
  if (pausing === (draft.ledger.paused !== null)) return undefined;
  const paused = pausing ? { since: isoTime(draft.ctx.nowMs), by, reason } : null;
  draft.change(pausing ? 'SchedulePaused' : 'ScheduleResumed', { by, reason }, { atMs: draft.ctx.nowMs, version, rule, paused: pausing }, { paused });
  return undefined;
}

function startBackfill(draft: LedgerDraft, { backfill, batchId, origin: { actor: by } }: StartBackfill): Rejected | undefined {
  const { id, from, to, again, total } = backfill;
  if (draft.ledger.ended === 'deleted') return none(batchId);
  if (draft.ledger.backfills.some((one) => one.id === id)) return undefined;
  if (draft.ledger.backfills.length >= MOST_BACKFILLS) return { rejected: 'validation-failed', detail: `${MOST_BACKFILLS} backfills of this schedule are under way: wait for one to end.` };
  const begun: Backfill = { id, from, to, again, by, total, done: 0, doneUntil: null };
  draft.say('BackfillStarted', { backfillId: id, from, to, again, by, total }, { backfills: [...draft.ledger.backfills, begun] });
  return undefined;
}

function continueBackfill(draft: LedgerDraft, { backfillId, slots, final }: ContinueBackfill): Rejected | undefined {
  const others = draft.ledger.backfills.filter(({ id }) => id !== backfillId);
  let own = draft.ledger.backfills.find(({ id }) => id === backfillId);
  if (own === undefined) return undefined;
  for (const slot of slots) {
    const { due } = slot.occurrence;
    if (own.doneUntil !== null && due <= own.doneUntil) continue;
    // Whoever goes on asks for those that are left.
    if (draft.full) return undefined;
    own = { ...own, done: own.done + 1, doneUntil: due };
    draft.say('OccurrenceBackfilled', { backfillId, ...slot, runId: draft.ctx.backfillRunOf(due, backfillId) }, { backfills: [...others, own] });
  }
  if (final) draft.say('BackfillEnded', { backfillId, done: own.done }, { backfills: others });
  return undefined;
}

function none(batchId: string): Rejected {
  return { rejected: 'not-found', detail: `Batch ${batchId} has no schedule.` };
}
