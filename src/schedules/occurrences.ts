/**
 * Occurrences: when a rule is due. Pure: the same rule names the same moments on every node and for ever.
 *
 * 1. A rule with `*` or a step of it in its minute or hour follows elapsed time: it is due whenever the local clock
 *    shows a time that it names; twice if that comes twice, never if that is left out.
 * 2. Any other rule is due once for every time that it names: at the end of the gap if the clocks leave that time out
 *    (once for all that are left out together), the first time if it comes twice.
 * 3. `startAt` and `endAt` are themselves inside.
 * 4. None is due before 1970 or after 8999, whatever is asked: every search ends.
 */
import { LRUCache } from 'lru-cache';
import { FIRST_DUE_MS, LAST_DUE_MS } from '../events/cron-rule.js';
import { isoTime } from '../events/json.js';
import { LocalTimes } from './local-times.js';
import { timeZone } from './time-zone.js';
import type { Stretch, TimeZone } from './time-zone.js';

/** As much of a rule as says when it is due. */
export interface DueRule {
  readonly cron: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly startAtMs: number | null;
  readonly endAtMs: number | null;
}

/** What a schedule's parameters may know of an occurrence: `date`, `time` are local. */
export interface OccurrenceValues {
  readonly due: string;
  readonly date: string;
  readonly time: string;
  readonly timeZone: string;
  /** The one before it by the same rule, whatever became of it; null if there is none. */
  readonly previous: string | null;
}

const DAY_MS = 86_400_000;
/** How far is looked for the next one. */
const HORIZON_MS = 9 * 366 * DAY_MS;
/** No clock is changed by more. */
const MOST_CHANGE_MS = 2 * DAY_MS;
const MOST_RULES = 2_000;

export class Occurrences {
  private constructor(
    private readonly times: LocalTimes,
    private readonly zone: TimeZone,
    private readonly startAtMs: number,
    private readonly endAtMs: number,
  ) {}

  /** @throws if the rule is not sound: that was checked when it was accepted */
  static of(rule: DueRule): Occurrences {
    const key = `${rule.cron} ${rule.timeZone} ${rule.startAtMs} ${rule.endAtMs}`;
    let known = compiled.get(key);
    if (known === undefined) {
      known = new Occurrences(new LocalTimes(rule.cron), timeZone(rule.timeZone), rule.startAtMs ?? -Infinity, rule.endAtMs ?? Infinity);
      compiled.set(key, known);
    }
    return known;
  }

  /** The first one after this moment. */
  next(afterMs: number): number | undefined {
    const found = this.nextDue(Math.max(afterMs + 1, this.startAtMs));
    return found !== undefined && found <= this.endAtMs ? found : undefined;
  }

  /** The last one before this moment. */
  previous(beforeMs: number): number | undefined {
    const found = this.previousDue(Math.min(beforeMs, this.endAtMs + 1));
    return found !== undefined && found >= this.startAtMs ? found : undefined;
  }

  /** How many after `afterMs` and up to `untilMs`, that one included. */
  count(afterMs: number, untilMs: number): number {
    const [fromMs, toMs] = [Math.max(afterMs + 1, this.startAtMs, FIRST_DUE_MS), Math.min(untilMs + 1, this.endAtMs + 1, LAST_DUE_MS)];
    let count = 0;
    for (let at = fromMs; at < toMs; ) {
      const stretch = this.zone.stretchAt(at);
      const until = Math.min(stretch.endMs, toMs);
      if (at <= stretch.startMs && this.fillsGap(stretch)) count += 1;
      count += this.times.count(this.localFrom(stretch, at), until + stretch.offsetMs);
      at = until;
    }
    return count;
  }

  /** Those after `afterMs` and up to `untilMs`, oldest first. */
  *between(afterMs: number, untilMs: number): Generator<number> {
    for (let due = this.next(afterMs); due !== undefined && due <= untilMs; due = this.next(due)) yield due;
  }

  /** The same, newest first. */
  *backwards(afterMs: number, untilMs: number): Generator<number> {
    for (let due = this.previous(untilMs + 1); due !== undefined && due > afterMs; due = this.previous(due)) yield due;
  }

  valuesOf(dueMs: number): OccurrenceValues {
    const local = new Date(dueMs + this.zone.stretchAt(dueMs).offsetMs).toISOString();
    const previous = this.previousDue(dueMs);
    return {
      date: local.slice(0, 10), due: isoTime(dueMs), previous: previous === undefined ? null : isoTime(previous), time: local.slice(11, 19), timeZone: this.zone.name,
    };
  }

  private nextDue(fromMs: number): number | undefined {
    const firstMs = Math.max(fromMs, FIRST_DUE_MS);
    const horizon = Math.min(firstMs + HORIZON_MS, LAST_DUE_MS);
    for (let at = firstMs; at < horizon; ) {
      const stretch = this.zone.stretchAt(at);
      if (at <= stretch.startMs && this.fillsGap(stretch)) return stretch.startMs;
      const local = this.times.next(this.localFrom(stretch, at));
      if (local === undefined) return undefined;
      if (local - stretch.offsetMs < stretch.endMs) return local - stretch.offsetMs;
      at = Math.max(stretch.endMs, this.zone.stretchAt(local - stretch.offsetMs - MOST_CHANGE_MS).startMs);
    }
    return undefined;
  }

  private previousDue(beforeMs: number): number | undefined {
    const lastMs = Math.min(beforeMs, LAST_DUE_MS);
    const horizon = Math.max(lastMs - HORIZON_MS, FIRST_DUE_MS);
    for (let before = lastMs; before > horizon; ) {
      const stretch = this.zone.stretchAt(before - 1);
      const local = this.times.previous(before + stretch.offsetMs);
      if (local !== undefined && local >= this.localFrom(stretch, stretch.startMs)) return local - stretch.offsetMs;
      if (stretch.startMs < before && this.fillsGap(stretch)) return stretch.startMs;
      if (local === undefined) return undefined;
      before = Math.min(stretch.startMs, this.zone.stretchAt(local - stretch.offsetMs + MOST_CHANGE_MS).endMs);
    }
    return undefined;
  }

  /** Where the local clock stands at `at` in the stretch; what it shows for the second time is passed over. */
  private localFrom({ startMs, offsetMs, offsetBeforeMs }: Stretch, at: number): number {
    const local = Math.max(at, startMs) + offsetMs;
    return this.times.followsElapsedTime ? local : Math.max(local, startMs + offsetBeforeMs);
  }

  /** Whether the change of the clocks left out a time that is made up for at the end of the gap, and not due there anyway. */
  private fillsGap({ startMs, offsetMs, offsetBeforeMs }: Stretch): boolean {
    if (this.times.followsElapsedTime || offsetBeforeMs >= offsetMs) return false;
    const [first, last] = [startMs + offsetBeforeMs, startMs + offsetMs];
    return this.times.count(first, last) > 0 && this.times.next(last) !== last;
  }
}

const compiled = new LRUCache<string, Occurrences>({ max: MOST_RULES });
