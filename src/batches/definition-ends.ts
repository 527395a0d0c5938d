/**
 * How runs of a definition can go: what in it can never run, what fails every run, and what waits without an end.
 * Judged from the definition alone; a model test holds the machine to it.
 */
import { durationMs } from '../events/definition.js';
import type { BatchDefinition, GateStep, StepDefinition } from '../events/definition.js';
import { compileExpression, ExpressionError, isFault } from '../expressions/expression.js';
import { pointer } from '../events/json.js';
import type { JsonFault } from '../events/json.js';

/** What a condition comes to, where that is known before any run: `undefined` where it depends on the run. */
type Known = boolean | undefined;

/** Conditions that fail whenever they are judged. */
export function endFaults(definition: BatchDefinition): JsonFault[] {
  return [...conditionsIn(definition)].flatMap(({ source, path }) => {
    const fault = constantFault(source);
    return fault === undefined ? [] : [{ path, message: `This condition is the same in every run, and fails: ${fault}` }];
  });
}

/** What never runs, and what nobody but people may end. */
export function endWarnings(definition: BatchDefinition): JsonFault[] {
  const { failurePolicy = 'stop', compensateOnCancel = false } = definition;
  const warnings: JsonFault[] = [];
  const undoes = failurePolicy === 'compensate' || compensateOnCancel;
  let undone = 0;
  const sequence = (steps: readonly StepDefinition[], base: string): void => steps.forEach((step, at) => look(step, pointer(base, at)));
  const look = (step: StepDefinition, path: string): void => {
    if (known(step.when) === false) {
      warnings.push({ path: pointer(path, 'when'), message: `The condition is never true: "${step.id}"${'branches' in step ? ' and what is in it never run' : ' never runs'}.` });
      return;
    }
    if ('compensate' in step && step.compensate !== undefined) {
      undone += 1;
      if (!undoes) warnings.push({ path: pointer(path, 'compensate'), message: `This never runs: under the failure policy "${failurePolicy}", and without compensateOnCancel, nothing is undone.` });
    }
    if (step.type === 'gate') warnings.push(...gateWarnings(step, path, definition));
    if (!('branches' in step)) return;
    const never = step.type === 'decision' ? neverTaken(step.branches.map(({ when }) => when)) : new Map<number, string>();
    for (const [at, branch] of step.branches.entries()) {
      const why = never.get(at);
      if (why === undefined) sequence(branch.steps, pointer(path, 'branches', at, 'steps'));
      else warnings.push({ path: pointer(path, 'branches', at), message: `This branch is never taken: ${why}` });
    }
  };
  sequence(definition.steps, '/steps');
  for (const [at, step] of (definition.onFailureSteps ?? []).entries()) look(step, pointer('/onFailureSteps', at));
  if (compensateOnCancel && undone === 0) warnings.push({ path: '/compensateOnCancel', message: 'No step says how it is undone.' });
  return warnings;
}

/** By index of the branch, why no run takes it. */
function neverTaken(conditions: readonly (string | undefined)[]): ReadonlyMap<number, string> {
  const never = new Map<number, string>();
  const certain = conditions.findIndex((condition) => known(condition) === true);
  for (const [at, condition] of conditions.entries()) {
    const same = condition === undefined ? -1 : conditions.indexOf(condition);
    if (certain >= 0 && at > certain) never.set(at, `branch ${certain + 1} before it always fits.`);
    else if (known(condition) === false) never.set(at, 'its condition is never true.');
    else if (same >= 0 && same < at) never.set(at, `branch ${same + 1} before it has the same condition.`);
  }
  return never;
}

function gateWarnings({ timeout, onTimeout = 'fail' }: GateStep, path: string, definition: BatchDefinition): JsonFault[] {
  const ofRun = definition.timeout === undefined ? undefined : durationMs(definition.timeout);
  if (timeout === undefined) return [{ path, message: `The gate has no timeout: it waits for people ${ofRun === undefined ? 'for as long as it takes' : 'until the run as a whole runs out of time'}.` }];
  if (ofRun !== undefined && durationMs(timeout) >= ofRun) return [{ path: pointer(path, 'timeout'), message: 'The run as a whole runs out of time before the gate does.' }];
  return onTimeout === 'hold' && ofRun === undefined ? [{ path: pointer(path, 'onTimeout'), message: 'The gate stays open after its timeout: it waits for people for as long as it takes.' }] : [];
}

/** Without a condition it always holds. */
function known(source: string | undefined): Known {
  if (source === undefined) return true;
  const compiled = compileExpression(source);
  if (isFault(compiled) || !compiled.constant) return undefined;
  try {
    const value = compiled.evaluate(NOTHING);
    return typeof value === 'boolean' ? value : undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

function constantFault(source: string): string | undefined {
  const compiled = compileExpression(source);
  // One that can be no condition at all is refused for that.
  if (isFault(compiled) || !compiled.constant || !compiled.mayBeBoolean) return undefined;
  try {
    const value = compiled.evaluate(NOTHING);
    return typeof value === 'boolean' ? undefined : `it gives ${JSON.stringify(value)}, which is neither true nor false.`;
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
}

const NOTHING = { params: {}, outputs: () => undefined, run: {} };

function* conditionsIn(definition: BatchDefinition): Generator<{ readonly source: string; readonly path: string }> {
  yield* inSequence(definition.steps, '/steps');
  yield* inSequence(definition.onFailureSteps ?? [], '/onFailureSteps');
}

function* inSequence(steps: readonly StepDefinition[], base: string): Generator<{ readonly source: string; readonly path: string }> {
  for (const [at, step] of steps.entries()) {
    const path = pointer(base, at);
    if (step.when !== undefined) yield { source: step.when, path: pointer(path, 'when') };
    if (!('branches' in step)) continue;
    for (const [number, branch] of step.branches.entries()) {
      if ('when' in branch && typeof branch.when === 'string') yield { source: branch.when, path: pointer(path, 'branches', number, 'when') };
      yield* inSequence(branch.steps, pointer(path, 'branches', number, 'steps'));
    }
  }
}
