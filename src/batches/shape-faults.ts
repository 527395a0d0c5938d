/** What is wrong with the shape of a definition, in sentences for its author. */
import type { z } from 'zod';
import type { JsonFault, JsonValue } from '../events/json.js';
import { pointer } from '../events/json.js';
import { wordsOfKind } from '../http/problem.js';

type Issue = z.core.$ZodIssue;

/** Every fault that the schema found in the input. */
export function shapeFaults(issues: readonly Issue[], input: JsonValue): JsonFault[] {
  return issues.flatMap((issue) => problemsOf(issue, input));
}

function problemsOf(issue: Issue, input: JsonValue): JsonFault[] {
  const path = pointer('', ...issue.path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: pointer(path, key), message: `There is no field "${key.slice(0, 100)}" here.` }));
    case 'invalid_key':
      return issue.issues.map(({ message }) => ({ path, message }));
    case 'invalid_type':
      return [{ path, message: wrongKind(issue, input) }];
    case 'invalid_value':
      return [{ path, message: oneOf(issue.path, issue.values.map(String), input) }];
    case 'invalid_union':
      // Of the unions, only that of the step types speaks by its options; a duration has words of its own.
      return [{ path, message: 'discriminator' in issue ? oneOf(issue.path, ['job', 'gate', 'parallel', 'decision'], input) : missingOr(issue.path, input, issue.message) }];
    default:
      return [{ path, message: issue.message }];
  }
}

function wrongKind(issue: { readonly expected: string; readonly path: readonly PropertyKey[] }, input: JsonValue): string {
  return missingOr(issue.path, input, `Give ${wordsOfKind(issue.expected)} here.`);
}

function oneOf(path: readonly PropertyKey[], options: readonly string[], input: JsonValue): string {
  return missingOr(path, input, `Give ${options.length === 1 ? '' : 'one of '}${options.map((option) => `"${option}"`).join(', ')}.`);
}

function missingOr(path: readonly PropertyKey[], input: JsonValue, message: string): string {
  return valueAt(input, path) === undefined ? `"${String(path.at(-1) ?? '')}" is needed here. ${message}` : message;
}

function valueAt(value: JsonValue, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined), value);
}
