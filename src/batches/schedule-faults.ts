/** Judges the schedule of a definition: the cron rule field by field, its zone, its window, and what it gives a run. */
import { Cron } from 'croner';
import type { BatchDefinition, ScheduleRule } from '../events/definition.js';
import { templatesIn } from '../expressions/expression.js';
import { pointer } from './problem.js';
import type { Problem } from './problem.js';
import { misfit } from './run-parameters.js';

const FIELDS = ['second', 'minute', 'hour', 'day of month', 'month', 'day of week'] as const;
/** Rules of 5 or 6 fields name no year, so when one looks from makes no difference to whether it is ever due. */
const LONG_AGO = new Date(0);

export function scheduleFaults({ schedule, parameters }: BatchDefinition): Problem[] {
  if (schedule === undefined || schedule === null) return [];
  const problems: Problem[] = [];
  const cron = cronFault(schedule.cron);
  if (cron !== undefined) problems.push({ path: '/schedule/cron', message: cron });
  if (schedule.timeZone !== undefined && !isTimeZone(schedule.timeZone)) {
    problems.push({ path: '/schedule/timeZone', message: `"${schedule.timeZone}" is not an IANA time zone, like "Europe/Stockholm" or "UTC".` });
  }
  const { startAt, endAt } = schedule;
  if (typeof startAt === 'string' && typeof endAt === 'string' && Date.parse(endAt) <= Date.parse(startAt)) {
    problems.push({ path: '/schedule/endAt', message: 'The schedule ends before it starts.' });
  }
  return [...problems, ...givenFaults(schedule, parameters ?? [])];
}

/** A sound rule that names no moment, or none between its first and its last, is likely a slip. */
export function scheduleWarnings({ schedule }: BatchDefinition): Problem[] {
  if (schedule === undefined || schedule === null) return [];
  const { startAt, endAt, timeZone } = schedule;
  const due = new Cron(schedule.cron.trim(), { paused: true, timezone: timeZone ?? 'UTC' }).nextRun(typeof startAt === 'string' ? new Date(startAt) : LONG_AGO);
  if (due === null) return [{ path: '/schedule/cron', message: 'This rule is never due: no date fits it.' }];
  if (typeof startAt === 'string' && typeof endAt === 'string' && due.getTime() > Date.parse(endAt)) {
    return [{ path: '/schedule/endAt', message: 'The schedule ends before it is due for the first time.' }];
  }
  return [];
}

/** Why a rule is refused, with the field that is wrong; `undefined` if it is sound. */
function cronFault(rule: string): string | undefined {
  const fields = rule.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) return `Give a cron rule of 5 fields, or of 6 with seconds first, like "30 2 * * 1-5"; this one has ${fields.length}.`;
  const fault = refusal(fields);
  if (fault === undefined) return undefined;
  const names = FIELDS.slice(FIELDS.length - fields.length);
  const wrong = fields.findIndex((field, index) => refusal(fields.map((_, other) => (other === index ? field : '*'))) !== undefined);
  if (wrong === -1) return `The cron rule does not parse: ${fault}.`;
  return `Field ${wrong + 1} of the cron rule, the ${names[wrong] ?? ''}, does not parse: "${fields[wrong] ?? ''}".`;
}

function refusal(fields: readonly string[]): string | undefined {
  try {
    new Cron(fields.join(' '), { paused: true });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '').replace(/\.$/, '') : 'unknown reason';
  }
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    // Newer engines take offsets too, which know no summer time and are no IANA names.
    return /^[A-Za-z]/.test(timeZone);
  } catch {
    return false;
  }
}

function givenFaults(schedule: ScheduleRule, declared: NonNullable<BatchDefinition['parameters']>): Problem[] {
  const given = schedule.parameters ?? {};
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(given)) {
    const path = pointer('/schedule/parameters', name);
    const declaration = declared.find((parameter) => parameter.name === name);
    if (declaration === undefined) problems.push({ path, message: `The definition declares no parameter "${name}".` });
    else if (value !== null && templatesIn(value, '').next().done === true) {
      const message = misfit(declaration.kind, value);
      if (message !== undefined) problems.push({ path, message });
    }
  }
  for (const { name, required, default: value } of declared) {
    if (required === true && (value ?? null) === null && (!Object.hasOwn(given, name) || given[name] === null)) {
      problems.push({ path: '/schedule/parameters', message: `The parameter "${name}" is required, so the schedule must give it.` });
    }
  }
  return problems;
}
