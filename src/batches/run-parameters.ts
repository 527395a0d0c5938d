/** The parameters of a run, held against what its batch declares. */
import { z } from 'zod';
import { refuseUnstorableText } from '../events/canonical.js';
import { isJsonValue } from '../events/definition.js';
import type { ParameterDeclaration, ParameterKind } from '../events/definition.js';
import { isJsonObject, pointer } from '../events/json.js';
import type { JsonFault, JsonValue } from '../events/json.js';

/** Bytes of a run's parameters as JSON text in UTF-8. */
export const MAX_PARAMETERS_BYTES = 256 * 1024;

const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const moment = z.iso.datetime({ offset: true });

/** What a value of each kind is: true if it fits, and the words for one that does not. */
const KINDS: Readonly<Record<ParameterKind, { readonly fits: (value: JsonValue) => boolean; readonly words: string }>> = {
  string: { fits: (value) => typeof value === 'string', words: 'a text' },
  integer: { fits: (value) => Number.isSafeInteger(value), words: 'a whole number below 2^53' },
  number: { fits: (value) => typeof value === 'number', words: 'a number' },
  boolean: { fits: (value) => typeof value === 'boolean', words: 'true or false' },
  datetime: { fits: (value) => moment.safeParse(value).success, words: 'a time as ISO 8601 with its zone, like "2026-01-31T00:00:00Z"' },
  object: { fits: isJsonObject, words: 'a JSON object' },
  secret: { fits: isSecretReference, words: 'the name of a secret, {"$secret": "name"}; the secret itself is never stored' },
};

/** Why a value is not of a kind; `undefined` if it is. */
export function misfit(kind: ParameterKind, value: JsonValue): string | undefined {
  return KINDS[kind].fits(value) ? undefined : `Give ${KINDS[kind].words}.`;
}

function isSecretReference(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const { $secret: name, ...others } = value;
  return typeof name === 'string' && SECRET_NAME.test(name) && Object.keys(others).length === 0;
}

/** What a run gets, with the defaults filled in, and every fault of what was given. */
export interface CheckedParameters {
  readonly parameters: Record<string, JsonValue>;
  readonly errors: JsonFault[];
}

/**
 * Checks the parameters given for a run. A null stands for "no value": only what is required may not be null.
 *
 * @param path the pointer of the parameters in what was sent
 * @example checkParameters([{ name: 'limit', kind: 'number', default: 10 }], {}).parameters // { limit: 10 }
 */
export function checkParameters(declared: readonly ParameterDeclaration[] | undefined, given: unknown, path = '/parameters'): CheckedParameters {
  const declarations = declared ?? [];
  const values = given ?? {};
  if (!isJsonValue(values) || !isJsonObject(values)) return refused({ path, message: 'Give the parameters as a JSON object of at most 32 levels.' });
  if (isTooLarge(values)) return refused({ path, message: 'Parameters have at most 256 KiB.' });
  const errors = refuseUnstorableText(values, path).map((place) => ({ path: place, message: 'A text may hold neither NUL nor half a character.' }));
  const names = new Set(declarations.map(({ name }) => name));
  for (const name of Object.keys(values)) {
    if (!names.has(name)) errors.push({ path: pointer(path, name), message: `The batch has no parameter of this name; ${listed(names)}.` });
  }
  const entries: [string, JsonValue][] = [];
  for (const declaration of declarations) {
    const { name, kind, required } = declaration;
    const value = (Object.hasOwn(values, name) ? values[name] : undefined) ?? declaration.default ?? null;
    const message = value === null ? (required === true ? `The parameter "${name}" is required.` : undefined) : misfit(kind, value);
    if (message !== undefined) errors.push({ path: pointer(path, name), message });
    else if (value !== null) entries.push([name, value]);
  }
  const parameters = Object.fromEntries(entries);
  if (isTooLarge(parameters)) errors.push({ path, message: 'Parameters have at most 256 KiB, defaults included.' });
  return errors.length === 0 ? { parameters, errors } : { parameters: {}, errors };
}

function refused(problem: JsonFault): CheckedParameters {
  return { parameters: {}, errors: [problem] };
}

/** Whether these are more than a run may be given. */
export function isTooLarge(value: JsonValue): boolean {
  return Buffer.byteLength(JSON.stringify(value)) > MAX_PARAMETERS_BYTES;
}

function listed(names: ReadonlySet<string>): string {
  return names.size === 0 ? 'it takes none' : `it takes ${[...names].join(', ')}`;
}
