/**
 * What becomes of the occurrences that are due. Pure.
 *
 * 1. Each is judged by the rule that was in force when it was due, in the order of their due times.
 * 2. One that nobody was there to notice is late: the rule's `catchUp` says what becomes of it.
 * 3. All others, and those that are caught up with, meet the runs under way: `overlap` says what becomes of them.
 */
import { isoTime, timeOf } from '../events/json.js';
import type { MissedReason, SkippedReason, StretchOfRule } from '../events/schedule.events.js';
import { afterOf, occurrencesOf } from './ledger.draft.js';
import type { LedgerDraft, Range } from './ledger.draft.js';
import type { Occurrences } from './occurrences.js';

/** Less is not late, whoever was there. */
const GRACE_MS = 1_000;

type Judged = 'all' | 'waits' | 'full';

/** True if there is more than one append holds. */
export function judge(draft: LedgerDraft, watchedSinceMs: number): boolean {
  if (drainQueue(draft) === 'full') return true;
  const { inForce } = draft.ledger;
  for (const [index, stretch] of inForce.entries()) {
    const end = inForce[index + 1]?.from;
    const untilMs = end === undefined ? draft.ctx.nowMs : Math.min(draft.ctx.nowMs, timeOf(end));
    const judged = new Judgement(draft, stretch, watchedSinceMs).upTo(untilMs, end !== undefined);
    if (judged !== 'all') return judged === 'full';
  }
  return false;
}

/** Those that waited begin when nothing of the schedule runs any more. */
function drainQueue(draft: LedgerDraft): Judged {
  for (let [first, ...rest] = draft.ledger.queue; first !== undefined; [first, ...rest] = draft.ledger.queue) {
    if (draft.ledger.paused !== null || (draft.isBusy && draft.inForce.rule?.overlap !== 'allow')) return 'waits';
    if (draft.full) return 'full';
    draft.fire(first, 'queue', { queue: rest });
  }
  return 'all';
}

class Judgement {
  private readonly occurrences: Occurrences | undefined;
  /** Skipped for the same reason one after the other: one fact. */
  private skipping: (Range & { readonly reason: SkippedReason }) | undefined;

  constructor(
    private readonly draft: LedgerDraft,
    private readonly stretch: StretchOfRule,
    private readonly watchedSinceMs: number,
  ) {
    this.occurrences = stretch.rule === null ? undefined : occurrencesOf(stretch.rule);
  }

  upTo(untilMs: number, closed: boolean): Judged {
    const { draft, stretch, occurrences } = this;
    if (occurrences === undefined) return 'all';
    const afterMs = afterOf(draft.ledger, stretch);
    const instead = stretch.paused ? 'paused' : draft.inForce.rule === null ? 'ended' : undefined;
    if (instead !== undefined) {
      // While it lasts nobody can say that more will not be skipped with these.
      if (!closed) return 'waits';
      this.skipRange(afterMs, untilMs, instead);
      return 'all';
    }
    const lateUntilMs = this.lateUntil(afterMs, untilMs);
    const judged = this.catchUp(afterMs, lateUntilMs) === 'full' ? 'full' : this.offerEach(occurrences.between(Math.max(afterMs, lateUntilMs), untilMs), 'time');
    this.flush();
    return judged;
  }

  /** All after `afterMs` and up to this moment should have fired while nobody was there. */
  private lateUntil(afterMs: number, untilMs: number): number {
    const { draft: { ctx }, stretch: { rule }, occurrences } = this;
    const jitterMs = rule?.jitterMs ?? 0;
    const noticedFromMs = Math.min(this.watchedSinceMs, ctx.nowMs - GRACE_MS);
    let late = Math.max(afterMs, Math.min(untilMs, noticedFromMs - jitterMs - 1));
    for (let due = occurrences?.next(late); due !== undefined && due <= untilMs && this.fireTime(due) < noticedFromMs; due = occurrences?.next(due)) late = due;
    return late;
  }

  private catchUp(afterMs: number, lateUntilMs: number): Judged {
    const { occurrences, stretch: { rule }, draft: { ctx } } = this;
    if (occurrences === undefined || rule === null || occurrences.count(afterMs, lateUntilMs) === 0) return 'all';
    if (rule.catchUp === 'skip') {
      this.missRange(afterMs, lateUntilMs, 'down');
      return 'all';
    }
    const windowMs = rule.catchUpWindowMs === null ? afterMs : Math.min(lateUntilMs, Math.max(afterMs, ctx.nowMs - rule.catchUpWindowMs - 1));
    this.missRange(afterMs, windowMs, 'window');
    const limit = rule.catchUp === 'latest' ? 1 : rule.catchUpLimit;
    let oldestMs = lateUntilMs + 1;
    let kept = 0;
    for (const due of occurrences.backwards(windowMs, lateUntilMs)) {
      if ((kept += 1) > limit) break;
      oldestMs = due;
    }
    if (kept === 0) return 'all';
    if (rule.catchUp === 'latest') this.skipRange(windowMs, oldestMs - 1, 'catchUp');
    else this.missRange(windowMs, oldestMs - 1, 'limit');
    return this.offerEach(occurrences.between(oldestMs - 1, lateUntilMs), 'catchUp');
  }

  private offerEach(dues: Iterable<number>, by: 'time' | 'catchUp'): Judged {
    for (const due of dues) {
      if (by === 'time' && this.fireTime(due) > this.draft.ctx.nowMs) return 'waits';
      if (this.draft.full) return 'full';
      const skipped = this.offer(due, by);
      if (skipped !== undefined) this.note(isoTime(due), skipped);
    }
    return 'all';
  }

  /** Why it is skipped; undefined if it fires or waits. */
  private offer(dueMs: number, by: 'time' | 'catchUp'): SkippedReason | undefined {
    const { draft, stretch: { rule, version }, occurrences } = this;
    if (rule === null || occurrences === undefined) return undefined;
    const { queue } = draft.ledger;
    const isFree = rule.overlap === 'allow' || (!draft.isBusy && queue.length === 0);
    if (!isFree && rule.overlap === 'skip') return 'overlap';
    if (!isFree && rule.overlap === 'queue' && queue.length >= rule.queueLimit) return 'queueFull';
    this.flush();
    const slot = { occurrence: occurrences.valuesOf(dueMs), version };
    const { due } = slot.occurrence;
    if (isFree) draft.fire(slot, by, { judgedUntil: due });
    else if (rule.overlap === 'queue') draft.say('OccurrenceQueued', { due, cancels: [] }, { judgedUntil: due, queue: [...queue, slot] });
    else {
      // Whoever waited for the same run to end is overtaken.
      draft.skipQueue('superseded');
      const cancels = draft.ledger.open.filter((one) => !draft.ctx.ended.has(one)).map((one) => draft.ctx.runOf(one));
      draft.say('OccurrenceQueued', { due, cancels }, { judgedUntil: due, queue: [slot] });
    }
    return undefined;
  }

  private fireTime(dueMs: number): number {
    const jitterMs = this.stretch.rule?.jitterMs ?? 0;
    return jitterMs === 0 ? dueMs : dueMs + this.draft.ctx.jitterOf(isoTime(dueMs), jitterMs);
  }

  private note(due: string, reason: SkippedReason): void {
    if (this.skipping?.reason !== reason) this.flush();
    this.skipping = this.skipping === undefined ? { ...alone(due), reason } : { ...this.skipping, to: due, count: this.skipping.count + 1 };
  }

  private flush(): void {
    if (this.skipping === undefined) return;
    const { reason, ...range } = this.skipping;
    this.skipping = undefined;
    this.draft.skip(range, reason);
  }

  private skipRange(afterMs: number, untilMs: number, reason: SkippedReason): void {
    const range = this.rangeOf(afterMs, untilMs);
    if (range !== undefined) this.draft.skip(range, reason);
  }

  private missRange(afterMs: number, untilMs: number, reason: MissedReason): void {
    const range = this.rangeOf(afterMs, untilMs);
    if (range !== undefined) this.draft.miss(range, reason);
  }

  private rangeOf(afterMs: number, untilMs: number): Range | undefined {
    const count = this.occurrences?.count(afterMs, untilMs) ?? 0;
    const [first, last] = count === 0 ? [] : [this.occurrences?.next(afterMs), this.occurrences?.previous(untilMs + 1)];
    return first === undefined || last === undefined ? undefined : { from: isoTime(first), to: isoTime(last), count };
  }
}

function alone(due: string): Range {
  return { from: due, to: due, count: 1 };
}
