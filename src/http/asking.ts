/** Parts of queries that several doors share. */
import { z } from 'zod';
import { isStorableText, refuseUnstorableText } from '../events/canonical.js';
import type { JsonValue } from '../events/json.js';
import { wordsOfUnknown } from './problem.js';

/** The query or the body that a door takes. What it does not know is refused, with a word on what it knows. */
export function asked<S extends z.ZodRawShape>(shape: S) {
  const known = quoted(Object.keys(shape));
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') return `${wordsOfUnknown(quoted(issue.keys))}; known: ${known}.`;
      return issue.code === 'invalid_type' ? `Give an object; it may have ${known}.` : undefined;
    },
  });
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

/** A parameter that may be repeated. */
export function several<T extends z.ZodType>(one: T) {
  return z.preprocess((said): unknown => (Array.isArray(said) ? said : [said]), z.array(one).max(50)).optional();
}

export const uuidParam = z.uuid({ error: 'must be a UUID' }).transform((id) => id.toLowerCase());
/** Any ISO 8601 time with its zone; compared as UTC. */
export const timeParam = z.iso.datetime({ offset: true, error: 'must be a time as ISO 8601 with its zone' }).transform((time) => new Date(time).toISOString());
export const textParam = z.string().min(1).max(200);
export const labelParam = z
  .string()
  .max(300)
  .regex(/^[^:]+:/, 'must be key:value')
  .transform((label): readonly [string, string] => [label.slice(0, label.indexOf(':')), label.slice(label.indexOf(':') + 1)]);

const UNSTORABLE = 'A text may hold neither NUL nor half a character.';

/** A text of people that goes into a fact. */
export function storedText(most: number) {
  return z.string().max(most).refine(isStorableText, UNSTORABLE);
}

/** Lists the places of texts that no fact can hold; for `superRefine`. */
export function refuseUnstorable(value: JsonValue, ctx: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void }): void {
  for (const place of refuseUnstorableText(value)) ctx.addIssue({ code: 'custom', path: place.split('/').slice(1), message: UNSTORABLE });
}
