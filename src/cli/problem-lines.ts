/** Refusals as people read them. */
import type { ProblemAnswer } from './failures.js';

/** The sentence of a refusal, each fault with its place, what could be done instead. */
export function problemLines(problem: ProblemAnswer): string[] {
  return [`${problem.title}.`, ...faultLines(problem, '').map((line) => `  ${line}`)];
}

/** The faults with their places; the sentence where there are none, or they are the difference that it speaks of. `base` is put before each place. */
export function faultLines({ type, detail, errors, allowedActions }: ProblemAnswer, base: string): string[] {
  const faults = (errors ?? []).map(({ path, message }) => (`${base}${path}` === '' ? message : `${base}${path}: ${message}`));
  const instead = (allowedActions ?? []).map(({ action, stepId }) => (typeof stepId === 'string' ? `${action} ${stepId}` : action));
  return [
    ...((faults.length > 0 && type !== 'urn:sluice:not-retryable') || typeof detail !== 'string' ? [] : [detail]),
    ...faults,
    ...(instead.length === 0 ? [] : [`Allowed now: ${instead.join(', ')}`]),
  ];
}
