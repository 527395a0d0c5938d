/** What a sound definition may ask for and the engine does not do yet: refused as a whole, never half done. */
import type { BatchDefinition, StepDefinition } from '../events/definition.js';
import { placedSteps } from './placed-steps.js';
import { pointer } from './problem.js';
import type { Problem } from './problem.js';

export function notSupportedYet(definition: BatchDefinition): Problem[] {
  const problems = [...placedSteps(definition)].flatMap(({ step, path }) => ofStep(step, path));
  const refuse = (asked: boolean, field: string, what: string): void => {
    if (asked) problems.push(not(`/${field}`, what));
  };
  refuse(definition.failurePolicy === 'compensate', 'failurePolicy', 'The failure policy "compensate"');
  refuse(definition.compensateOnCancel === true, 'compensateOnCancel', 'Compensation on cancel');
  refuse((definition.onFailureSteps ?? []).length > 0, 'onFailureSteps', 'A list of steps for failures');
  refuse(definition.schedule !== undefined && definition.schedule !== null, 'schedule', 'A schedule');
  return problems;
}

function ofStep(step: StepDefinition, path: string): Problem[] {
  const problems: Problem[] = [];
  if (step.type !== 'gate' && step.compensate !== undefined) problems.push(not(pointer(path, 'compensate'), 'Compensation'));
  return problems;
}

function not(path: string, what: string): Problem {
  return { path, message: `${what} is not supported yet.` };
}
