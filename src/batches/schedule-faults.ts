/** Judges the schedule of a definition: the cron rule field by field, its zone, its window, and what it gives a run. */
import { Cron } from 'croner';
import { cronFault, cronFields, DUE_TIMES, isDueTime, isTimeZone } from '../events/cron-rule.js';
import type { BatchDefinition, ScheduleRule } from '../events/definition.js';
import { templatesIn } from '../expressions/expression.js';
import { pointer } from '../events/json.js';
import type { JsonFault } from '../events/json.js';
import { misfit } from './run-parameters.js';

/** Rules of 5 or 6 fields name no year, so when one looks from makes no difference to whether it is ever due. */
const LONG_AGO = new Date(0);

export function scheduleFaults({ schedule, parameters }: BatchDefinition): JsonFault[] {
  if (schedule === undefined || schedule === null) return [];
  const problems: JsonFault[] = [];
  const cron = cronFault(schedule.cron);
  if (cron !== undefined) problems.push({ path: '/schedule/cron', message: cron });
  if (schedule.timeZone !== undefined && !isTimeZone(schedule.timeZone)) {
    problems.push({ path: '/schedule/timeZone', message: `"${schedule.timeZone}" is not an IANA time zone, like "Europe/Stockholm" or "UTC".` });
  }
  const { startAt, endAt } = schedule;
  for (const [field, time] of Object.entries({ startAt, endAt })) {
    if (typeof time === 'string' && !isDueTime(Date.parse(time))) problems.push({ path: `/schedule/${field}`, message: `Give a time ${DUE_TIMES}.` });
  }
  if (typeof startAt === 'string' && typeof endAt === 'string' && Date.parse(endAt) <= Date.parse(startAt)) {
    problems.push({ path: '/schedule/endAt', message: 'The schedule ends before it starts.' });
  }
  return [...problems, ...givenFaults(schedule, parameters ?? [])];
}

/** A sound rule that names no moment, or none between its first and its last, is likely a slip. */
export function scheduleWarnings({ schedule }: BatchDefinition): JsonFault[] {
  if (schedule === undefined || schedule === null) return [];
  const { startAt, endAt, timeZone } = schedule;
  const due = new Cron(cronFields(schedule.cron).join(' '), { paused: true, timezone: timeZone ?? 'UTC' }).nextRun(typeof startAt === 'string' ? new Date(startAt) : LONG_AGO);
  if (due === null) return [{ path: '/schedule/cron', message: 'This rule is never due: no date fits it.' }];
  if (typeof startAt === 'string' && typeof endAt === 'string' && due.getTime() > Date.parse(endAt)) {
    return [{ path: '/schedule/endAt', message: 'The schedule ends before it is due for the first time.' }];
  }
  return [];
}

function givenFaults(schedule: ScheduleRule, declared: NonNullable<BatchDefinition['parameters']>): JsonFault[] {
  const given = schedule.parameters ?? {};
  const problems: JsonFault[] = [];
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
