/** The rules of a schedule as they followed one another, and what they name in a range. Pure. */
import type { RuleInForce } from '../events/schedule.events.js';
import { occurrencesOf } from './ledger.draft.js';
import type { Occurrences } from './occurrences.js';

/** One rule, in force from `fromMs` (exclusive) until `untilMs`. */
interface Segment {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly version: number;
  readonly paused: boolean;
  readonly occurrences: Occurrences;
}

export interface StretchInTime {
  readonly from: string;
  readonly version: number;
  readonly rule: RuleInForce | null;
  readonly paused: boolean;
}

export interface NamedOccurrence {
  readonly dueMs: number;
  readonly version: number;
  readonly paused: boolean;
  readonly occurrences: Occurrences;
}

export class Timeline {
  private readonly segments: readonly Segment[];

  /** @param stretches in the order in which they came into force */
  constructor(stretches: readonly StretchInTime[]) {
    this.segments = stretches.flatMap(({ from, version, rule, paused }, index) => {
      const next = stretches[index + 1];
      const untilMs = next === undefined ? Infinity : Date.parse(next.from);
      return rule === null ? [] : [{ fromMs: Date.parse(from), untilMs, version, paused, occurrences: occurrencesOf(rule) }];
    });
  }

  /** How many are due after `afterMs` and up to `untilMs`. */
  count(afterMs: number, untilMs: number): number {
    return this.segments.reduce((sum, { fromMs, untilMs: endMs, occurrences }) => {
      const [first, last] = [Math.max(afterMs, fromMs), Math.min(untilMs, endMs)];
      return last > first ? sum + occurrences.count(first, last) : sum;
    }, 0);
  }

  /** The same one by one, newest first. */
  *backwards(afterMs: number, untilMs: number): Generator<NamedOccurrence> {
    for (const { fromMs, untilMs: endMs, ...of } of [...this.segments].reverse()) {
      const [first, last] = [Math.max(afterMs, fromMs), Math.min(untilMs, endMs)];
      if (last > first) for (const dueMs of of.occurrences.backwards(first, last)) yield { dueMs, ...of };
    }
  }

  /** Oldest first. */
  *forwards(afterMs: number, untilMs: number): Generator<NamedOccurrence> {
    for (const { fromMs, untilMs: endMs, ...of } of this.segments) {
      const [first, last] = [Math.max(afterMs, fromMs), Math.min(untilMs, endMs)];
      if (last > first) for (const dueMs of of.occurrences.between(first, last)) yield { dueMs, ...of };
    }
  }
}
