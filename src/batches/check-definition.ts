/** Judges a definition as its author sent it: its shape, and what its parts say about each other. Nothing is changed. */
import { Cron } from 'croner';
import type { z } from 'zod';
import { refuseUnstorableText } from '../events/canonical.js';
import { DEFINITION_LIMITS, batchDefinitionSchema, isJsonValue } from '../events/definition.js';
import type { BatchDefinition, ScheduleRule, StepDefinition } from '../events/definition.js';
import { expressionFaults } from './definition-expressions.js';
import { countSteps, placedSteps } from './placed-steps.js';
import { pointer } from './problem.js';
import type { Problem } from './problem.js';
import { misfit } from './run-parameters.js';

export { notSupportedYet } from './not-supported-yet.js';
export type { Problem } from './problem.js';

/** Levels of JSON that a definition of the allowed depth can have: 4 for each level of steps, and free JSON below. */
const MAX_JSON_LEVELS = DEFINITION_LIMITS.maxDepth * 4 + DEFINITION_LIMITS.maxJsonDepth + 16;

export interface DefinitionCheck {
  /** Only where there are no errors. */
  readonly definition?: BatchDefinition;
  readonly errors: Problem[];
  readonly warnings: Problem[];
}

/**
 * Checks a definition and lists every fault at once. Where its shape is wrong, only that is judged, because what the
 * parts say about each other is not known then.
 *
 * @param known which jobs there are; others are a warning, because they may be registered later
 */
export function checkDefinition(input: unknown, known: { jobs(name: string): boolean }): DefinitionCheck {
  if (!isJsonValue(input, MAX_JSON_LEVELS)) return refused([{ path: '', message: `Give the definition as JSON of at most ${MAX_JSON_LEVELS} levels.` }]);
  if (Buffer.byteLength(JSON.stringify(input)) > DEFINITION_LIMITS.maxBytes) return refused([{ path: '', message: 'A definition has at most 1 MiB.' }]);
  const errors = refuseUnstorableText(input).map((path) => ({ path, message: 'A text may hold neither NUL nor half a character.' }));
  const parsed = batchDefinitionSchema.safeParse(input);
  if (!parsed.success) return refused([...errors, ...parsed.error.issues.flatMap(problemsOf)]);
  const definition = parsed.data;
  const count = countSteps(definition);
  // Judged first: what comes after takes time by the square of it.
  if (count > DEFINITION_LIMITS.maxSteps) return refused([...errors, { path: '/steps', message: `A definition has at most ${DEFINITION_LIMITS.maxSteps} steps; these are ${count}.` }]);
  errors.push(...treeFaults(definition), ...parameterFaults(definition), ...scheduleFaults(definition), ...expressionFaults(definition));
  if (errors.length > 0) return refused(errors);
  return { definition, errors, warnings: warningsOf(definition, known) };
}

function refused(errors: Problem[]): DefinitionCheck {
  return { errors, warnings: [] };
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  const path = pointer('', ...issue.path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: pointer(path, key), message: `There is no field "${key}" here.` }));
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => ({ path, message }));
  return [{ path, message: issue.message }];
}

function treeFaults(definition: BatchDefinition): Problem[] {
  const problems: Problem[] = [];
  const ids = new Map<string, string>();
  const see = (step: StepDefinition, path: string): void => {
    const first = ids.get(step.id);
    if (first === undefined) ids.set(step.id, path);
    else problems.push({ path: pointer(path, 'id'), message: `The id "${step.id}" is taken by ${first}; ids are unique in the whole definition.` });
  };
  for (const { step, path, level } of placedSteps(definition)) {
    see(step, path);
    problems.push(...stepFaults(step, path));
    if (level > DEFINITION_LIMITS.maxDepth) problems.push({ path, message: `Steps may be nested ${DEFINITION_LIMITS.maxDepth} levels deep at most.` });
  }
  for (const [index, step] of (definition.onFailureSteps ?? []).entries()) see(step, pointer('/onFailureSteps', index));
  return problems;
}

function stepFaults(step: StepDefinition, path: string): Problem[] {
  if (step.type === 'job') return [];
  if (step.type === 'gate') {
    if (step.onTimeout === undefined || step.onTimeout === 'fail' || step.timeout !== undefined) return [];
    return [{ path: pointer(path, 'onTimeout'), message: `"${step.onTimeout}" says what happens at the time-out, so give a timeout too.` }];
  }
  const problems = repeated(step.branches.map(({ id }) => id)).map((index) => ({ path: pointer(path, 'branches', index, 'id'), message: 'Another branch has this id.' }));
  if (step.type === 'decision') {
    const last = step.branches.length - 1;
    for (const [index, branch] of step.branches.entries()) {
      if (branch.when === undefined && index < last) problems.push({ path: pointer(path, 'branches', index), message: 'A branch without "when" is the else, and must be the last.' });
    }
  } else if (step.join === 'majority' && step.branches.length < 3) {
    problems.push({ path: pointer(path, 'join'), message: 'A majority needs at least 3 branches.' });
  }
  return problems;
}

function parameterFaults({ parameters = [] }: BatchDefinition): Problem[] {
  const problems = repeated(parameters.map(({ name }) => name)).map((index) => ({ path: pointer('/parameters', index, 'name'), message: 'Another parameter has this name.' }));
  for (const [index, { kind, default: value }] of parameters.entries()) {
    const message = value === undefined || value === null ? undefined : misfit(kind, value);
    if (message !== undefined) problems.push({ path: pointer('/parameters', index, 'default'), message });
  }
  return problems;
}

/** Where a value stands that stood before. */
function repeated(values: readonly (string | undefined)[]): number[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    if (value === undefined) return [];
    if (seen.has(value)) return [index];
    seen.add(value);
    return [];
  });
}

function scheduleFaults({ schedule, parameters = [] }: BatchDefinition): Problem[] {
  if (schedule === undefined || schedule === null) return [];
  const problems: Problem[] = [];
  if (!isCron(schedule)) problems.push({ path: '/schedule/cron', message: 'Give a cron rule of 5 or 6 fields, like "30 2 * * 1-5".' });
  if (schedule.timeZone !== undefined && !isTimeZone(schedule.timeZone)) {
    problems.push({ path: '/schedule/timeZone', message: 'Give an IANA time zone, like "Europe/Stockholm".' });
  }
  for (const name of Object.keys(schedule.parameters ?? {})) {
    if (!parameters.some((parameter) => parameter.name === name)) {
      problems.push({ path: pointer('/schedule/parameters', name), message: 'The definition declares no parameter of this name.' });
    }
  }
  return problems;
}

function isCron({ cron }: ScheduleRule): boolean {
  const fields = cron.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) return false;
  try {
    new Cron(cron.trim(), { paused: true });
    return true;
  } catch {
    return false;
  }
}

function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return /^[A-Za-z]/.test(timeZone);
  } catch {
    return false;
  }
}

function warningsOf(definition: BatchDefinition, known: { jobs(name: string): boolean }): Problem[] {
  const warnings: Problem[] = [];
  const job = (name: string, path: string): void => {
    if (!known.jobs(name)) warnings.push({ path, message: `No job "${name}" is registered; a run is refused until it is.` });
  };
  const look = (step: StepDefinition, path: string): void => {
    if (step.type === 'job') job(step.job, pointer(path, 'job'));
    if (step.type === 'gate') {
      if (step.timeout === undefined) warnings.push({ path, message: 'The gate has no timeout: it waits for people for as long as it takes.' });
    } else if (step.compensate !== undefined) job(step.compensate.job, pointer(path, 'compensate', 'job'));
  };
  for (const { step, path } of placedSteps(definition)) look(step, path);
  for (const [index, step] of (definition.onFailureSteps ?? []).entries()) look(step, pointer('/onFailureSteps', index));
  return warnings;
}
