/** What a batch says of its schedule, made whole: as it stands in force. */
import { durationMs } from '../events/definition.js';
import type { ScheduleRule } from '../events/definition.js';
import { isoTime } from '../events/json.js';
import type { RuleInForce } from '../events/schedule.events.js';

const CATCH_UP_LIMIT = 100;

/** As much of a fact of the batch as its schedule takes over. */
export interface BatchFactOfSchedule {
  readonly revision: number;
  readonly atMs: number;
  readonly by: string;
  readonly name: string;
  readonly said: { readonly kind: 'defined'; readonly version: number; readonly schedule: ScheduleRule | null } | { readonly kind: 'deleted' | 'orphaned' };
}

/** The rule with what its author left out: UTC, nothing caught up with, runs may overlap. */
export function ruleInForce(rule: ScheduleRule): RuleInForce {
  const { cron, timeZone = 'UTC', catchUp = 'skip', catchUpWindow, catchUpLimit = CATCH_UP_LIMIT, overlap = 'allow', queueLimit = 1, jitter = 0, startAt, endAt } = rule;
  return {
    catchUp, catchUpLimit, catchUpWindowMs: catchUpWindow === undefined ? null : durationMs(catchUpWindow), cron, endAt: moment(endAt), jitterMs: durationMs(jitter), overlap, queueLimit,
    startAt: moment(startAt), timeZone,
  };
}

/** Written with any offset, kept in UTC. */
function moment(text: string | null | undefined): string | null {
  return typeof text === 'string' ? isoTime(Date.parse(text)) : null;
}
