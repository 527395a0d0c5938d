/** Judges a definition as its author sent it: its shape, and what its parts say about each other. Nothing is changed. */
import { refuseUnstorableText } from '../events/canonical.js';
import { DEFINITION_LIMITS, batchDefinitionSchema, isJsonValue } from '../events/definition.js';
import type { BatchDefinition, StepDefinition } from '../events/definition.js';
import { sharingTime } from '../expressions/expression.js';
import { endFaults, endWarnings } from './definition-ends.js';
import { expressionFaults } from './definition-expressions.js';
import { countAll, placedJobs, placedSteps } from './placed-steps.js';
import { pointer } from '../events/json.js';
import type { JsonFault } from '../events/json.js';
import { misfit } from './run-parameters.js';
import { scheduleFaults, scheduleWarnings } from './schedule-faults.js';
import { shapeFaults } from './shape-faults.js';
import { soundParts } from './sound-parts.js';

export { notSupportedYet } from './not-supported-yet.js';

/** Levels of JSON that a definition of the allowed depth can have: 4 for each level of steps, and free JSON below. */
const MAX_JSON_LEVELS = DEFINITION_LIMITS.maxDepth * 4 + DEFINITION_LIMITS.maxJsonDepth + 16;

/** Above it the answer is long enough, and repairing what is sound not worth its time. */
const MAX_REPAIRS = 500;

export interface KnownWorld {
  jobs(name: string): boolean;
}

export interface DefinitionCheck {
  /** Only where there are no errors. */
  readonly definition?: BatchDefinition;
  readonly errors: JsonFault[];
  readonly warnings: JsonFault[];
}

/**
 * Checks a definition and lists every fault at once: of its shape, and of what its sound parts say about each other.
 *
 * @param known which jobs there are; others are a warning, because they may be registered later
 * @returns the definition as it was given, if there is no fault
 */
export function checkDefinition(input: unknown, known: KnownWorld): DefinitionCheck {
  return sharingTime(() => check(input, known));
}

function check(input: unknown, known: KnownWorld): DefinitionCheck {
  if (!isJsonValue(input, MAX_JSON_LEVELS)) return refused([{ path: '', message: `Give the definition as JSON of at most ${MAX_JSON_LEVELS} levels.` }]);
  if (Buffer.byteLength(JSON.stringify(input)) > DEFINITION_LIMITS.maxBytes) return refused([{ path: '', message: `A definition has at most ${DEFINITION_LIMITS.maxBytes / 1024} KiB.` }]);
  const errors = refuseUnstorableText(input).map((path) => ({ path, message: 'A text may hold neither NUL nor half a character.' }));
  const { success, error } = batchDefinitionSchema.safeParse(input);
  if (!success) errors.push(...shapeFaults(error.issues, input));
  const sound = success ? input : error.issues.length > MAX_REPAIRS ? undefined : soundParts(input);
  if (sound !== undefined && isDefinition(sound)) errors.push(...meaningFaults(sound, new Set(errors.map(({ path }) => path))));
  if (errors.length > 0 || !isDefinition(input)) return refused(errors);
  return { definition: input, errors, warnings: warningsOf(input, known) };
}

/** What was judged is what is kept: the schema changes nothing, and its copy would have the fields in another order. */
function isDefinition(input: unknown): input is BatchDefinition {
  return batchDefinitionSchema.safeParse(input).success;
}

function meaningFaults(definition: BatchDefinition, misshapen: ReadonlySet<string>): JsonFault[] {
  const count = countAll(definition);
  // Judged first: what comes after takes time by the square of it.
  if (count > DEFINITION_LIMITS.maxSteps) return [{ path: '/steps', message: `A definition has at most ${DEFINITION_LIMITS.maxSteps} steps; these are ${count}.` }];
  const problems = [...lostKey(definition.labels, '/labels'), ...treeFaults(definition), ...parameterFaults(definition), ...scheduleFaults(definition), ...expressionFaults(definition), ...endFaults(definition)];
  // Where the shape is wrong already, a stand-in was judged.
  return problems.filter(({ path }) => !misshapen.has(path));
}

function refused(errors: JsonFault[]): DefinitionCheck {
  return { errors, warnings: [] };
}

function treeFaults(definition: BatchDefinition): JsonFault[] {
  const problems: JsonFault[] = [];
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

function stepFaults(step: StepDefinition, path: string): JsonFault[] {
  if (step.type === 'job') return [];
  if (step.type === 'gate') {
    const problems = lostKey(step.show, pointer(path, 'show'));
    if (step.onTimeout === undefined || step.onTimeout === 'fail' || step.timeout !== undefined) return problems;
    return [...problems, { path: pointer(path, 'onTimeout'), message: `"${step.onTimeout}" says what happens at the time-out, so give a timeout too.` }];
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

/** The schema passes over this one key of a record, and would lose it. */
function lostKey(record: object | undefined, path: string): JsonFault[] {
  return record !== undefined && Object.hasOwn(record, '__proto__') ? [{ path: pointer(path, '__proto__'), message: 'Nothing can be called "__proto__" here.' }] : [];
}

function parameterFaults({ parameters = [] }: BatchDefinition): JsonFault[] {
  const problems = repeated(parameters.map(({ name }) => name)).map((index) => ({ path: pointer('/parameters', index, 'name'), message: 'Another parameter has this name.' }));
  for (const [index, { name, kind, required, default: value }] of parameters.entries()) {
    if (required === true && (value ?? null) !== null) {
      problems.push({ path: pointer('/parameters', index, 'required'), message: `The parameter "${name}" has a default, so nobody has to give it: leave one of the two out.` });
    }
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

function warningsOf(definition: BatchDefinition, known: KnownWorld): JsonFault[] {
  const unknown = placedJobs(definition).filter(({ job }) => !known.jobs(job));
  return [...unknown.map(({ job, path }) => ({ path, message: `No job "${job}" is registered; a run is refused until it is.` })), ...endWarnings(definition), ...scheduleWarnings(definition)];
}
