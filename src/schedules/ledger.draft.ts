/**
 * Draft: the facts of one decision about a schedule while they are being made, each with the ledger as it is after it.
 *
 * 1. `judgedUntil` only grows: what was judged once is never judged again, whatever the clock says.
 * 2. Of each occurrence exactly one of fired, skipped and missed is said.
 */
import type { Accepted, Drawn } from '../actors/actor.js';
import { isoTime, timeOf } from '../events/json.js';
import { checkedScheduleFact } from '../events/schedule.codec.js';
import type { Ledger, MissedReason, RuleInForce, ScheduleFactData, ScheduleFactType, SkippedReason, Slot, StretchOfRule } from '../events/schedule.events.js';
import { Occurrences } from './occurrences.js';
import type { BatchFactOfSchedule } from './rule-in-force.js';

/** What `decide` may know besides the schedule's own facts. */
export interface ScheduleCtx extends Pick<Drawn, 'nowMs'> {
  readonly actor: string;
  /** Facts of the batch that are not in the ledger yet, oldest first. */
  readonly defined: readonly BatchFactOfSchedule[];
  /** Of the ledger's open runs those that have ended, by their due time. */
  readonly ended: ReadonlySet<string>;
  readonly runOf: (due: string) => string;
  readonly backfillRunOf: (due: string, backfillId: string) => string;
  /** How much later than due it fires: the same on every node. */
  readonly jitterOf: (due: string, atMostMs: number) => number;
}

/** Occurrences that follow one another. */
export interface Range {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

/** A fact without the ledger that it leads to, and that ledger. */
interface Said {
  readonly type: ScheduleFactType;
  readonly data: object;
  readonly ledger: Ledger;
}

/** No more than one append holds, as facts in whose ledger nothing waits. */
const MOST = 120;
/** So many that wait take as much room as another fact, at the least. */
const WAITING_A_FACT = 5;
/** Runs that are remembered as perhaps under way: when they may no longer overlap, these are looked at. Each fact has them. */
const MOST_OPEN = 25;

export class LedgerDraft {
  private readonly said: Said[] = [];
  private weight = 0;

  constructor(private now: Ledger, readonly ctx: ScheduleCtx) {}

  get ledger(): Ledger {
    return this.now;
  }

  get full(): boolean {
    return this.weight >= MOST;
  }

  get inForce(): StretchOfRule {
    return this.now.inForce.at(-1)!;
  }

  /** Whether a run of this schedule is under way. */
  get isBusy(): boolean {
    return this.now.open.some((due) => !this.ctx.ended.has(due));
  }

  say<T extends ScheduleFactType>(type: T, data: Omit<ScheduleFactData<T>, 'ledger'>, change: Partial<Ledger>): void {
    this.put(type, data, change);
  }

  fire(slot: Slot, by: 'time' | 'catchUp' | 'queue', change: Partial<Ledger>): void {
    const { due } = slot.occurrence;
    const runId = this.ctx.runOf(due);
    const { ended } = this.ctx;
    const before = ended.size === 0 ? this.now.open : this.now.open.filter((one) => !ended.has(one));
    const open = [...before.slice(1 - MOST_OPEN), due];
    const { fired, missed, skipped } = this.now.sums;
    // Said field by field: a spread that gets keys which it did not have takes several times as long.
    const { occurrence, version } = slot;
    this.now = { ...this.now, ...change };
    this.say('OccurrenceFired', { occurrence, version, runId, by }, { open, sums: { fired: fired + 1, missed, skipped }, last: { due, outcome: 'fired', reason: null, runId } });
  }

  /** Nothing waits any more. That is so from the first of these facts on: they stand in one append. */
  skipQueue(reason: SkippedReason): void {
    for (const { occurrence: { due } } of this.now.queue) this.skip({ from: due, to: due, count: 1 }, reason, { queue: [] });
  }

  skip(range: Range, reason: SkippedReason, change: Partial<Ledger> = { judgedUntil: range.to }): void {
    const sums = { ...this.now.sums, skipped: this.now.sums.skipped + range.count };
    this.say('OccurrencesSkipped', { ...range, reason }, { ...change, sums, last: { due: range.to, outcome: 'skipped', reason, runId: null } });
  }

  miss(range: Range, reason: MissedReason): void {
    const sums = { ...this.now.sums, missed: this.now.sums.missed + range.count };
    this.say('OccurrencesMissed', { ...range, reason }, { judgedUntil: range.to, sums, last: { due: range.to, outcome: 'missed', reason, runId: null } });
  }

  /** Another rule is in force, or the same one otherwise. A clock that was set back does not open what was judged. */
  change<T extends 'ScheduleAdopted' | 'ScheduleEnded' | 'SchedulePaused' | 'ScheduleResumed'>(type: T, data: Omit<ScheduleFactData<T>, 'ledger' | 'from'>, to: Omit<StretchOfRule, 'from'> & { readonly atMs: number }, change: Partial<Ledger>): void {
    const from = isoTime(Math.max(to.atMs, timeOf(this.now.judgedUntil), timeOf(this.inForce.from)));
    const { version, rule, paused } = to;
    this.put(type, { ...data, from }, { ...change, inForce: [...this.now.inForce, { from, paused, rule, version }] });
  }

  private put(type: ScheduleFactType, data: object, change: Partial<Ledger>): void {
    this.now = { ...this.now, ...change };
    this.said.push({ type, data, ledger: this.now });
    this.weight += 1 + this.now.queue.length / WAITING_A_FACT;
  }

  /** What was decided, with the time at which there is something to judge again. */
  finish(more = false): Accepted<Ledger> {
    if (this.said.length === 0) return { facts: [], state: this.now, more: false };
    const state = planned(this.now, this.ctx);
    const last = this.said.length - 1;
    const facts = this.said.map(({ type, data, ledger }, at) => ({ type, data: checkedScheduleFact(type, { ...data, ledger: at === last ? state : ledger }) }));
    return { facts, state, more };
  }
}

export function occurrencesOf(rule: RuleInForce): Occurrences {
  let known = compiled.get(rule);
  if (known === undefined) compiled.set(rule, (known = compiledOf(rule)));
  return known;
}

/** A rule in force is the same object for as long as its ledger is kept. */
const compiled = new WeakMap<RuleInForce, Occurrences>();

function compiledOf(rule: RuleInForce): Occurrences {
  return Occurrences.of({ cron: rule.cron, timeZone: rule.timeZone, startAtMs: rule.startAt === null ? null : timeOf(rule.startAt), endAtMs: rule.endAt === null ? null : timeOf(rule.endAt) });
}

/** From where on there is something to judge in this stretch. */
export function afterOf({ judgedUntil }: Pick<Ledger, 'judgedUntil'>, { from }: StretchOfRule): number {
  return Math.max(timeOf(judgedUntil), timeOf(from));
}

/** Without the first stretches, as far as everything in them is judged, and with what comes next. */
function planned(ledger: Ledger, ctx: ScheduleCtx): Ledger {
  const current = ledger.inForce.at(-1)!;
  // One that names nothing stays while an older one does not: it says where that one ends.
  const unjudged = ledger.inForce.slice(0, -1).findIndex((stretch, index) => {
    const next = stretch.rule === null ? undefined : occurrencesOf(stretch.rule).next(afterOf(ledger, stretch));
    return next !== undefined && next <= timeOf(ledger.inForce[index + 1]!.from);
  });
  const earlier = unjudged === -1 ? [] : ledger.inForce.slice(unjudged, -1);
  // The same list as long as nothing leaves it: it was checked.
  const inForce = earlier.length + 1 === ledger.inForce.length ? ledger.inForce : [...earlier, current];
  const nextMs = current.rule === null || current.paused ? undefined : occurrencesOf(current.rule).next(afterOf(ledger, current));
  const wakeAtMs = earlier[0] === undefined ? fireTime(current, nextMs, ctx) : earlyWake(earlier[0], ledger, ctx);
  return { ...ledger, inForce, nextDue: nextMs === undefined ? null : isoTime(nextMs), wakeAt: wakeAtMs === undefined ? null : isoTime(wakeAtMs) };
}

/** What is left of an earlier rule is judged at once, but for one that fires a little later than it was due. */
function earlyWake(stretch: StretchOfRule, ledger: Ledger, ctx: ScheduleCtx): number | undefined {
  if (stretch.paused || stretch.rule === null || ledger.inForce.at(-1)!.rule === null) return ctx.nowMs;
  return fireTime(stretch, occurrencesOf(stretch.rule).next(afterOf(ledger, stretch)), ctx);
}

function fireTime({ rule }: StretchOfRule, dueMs: number | undefined, ctx: ScheduleCtx): number | undefined {
  return rule === null || dueMs === undefined ? undefined : dueMs + ctx.jitterOf(isoTime(dueMs), rule.jitterMs);
}
