/** Canonical JSON (RFC 8785): one text for one value, so that a hash of it means something. */
import { pointer } from './json.js';
import type { JsonObject, JsonValue } from './json.js';

/**
 * The canonical JSON text of a value: keys in the order of their UTF-16 code units, numbers as ECMAScript writes them.
 *
 * @throws RangeError for a number that JSON can't say
 * @example canonicalJson({ b: 1, a: [2.0] }) === '{"a":[2],"b":1}'
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return objectText(value);
}

function objectText(value: JsonObject): string {
  let text = '';
  for (const key of inOrder(Object.keys(value))) {
    const item = value[key];
    // What is `undefined` is not there, as for JSON.stringify.
    if (item !== undefined) text += `${text === '' ? '{' : ','}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** In place. Facts have few keys: for them this is cheaper than `sort`. */
function inOrder(keys: string[]): string[] {
  if (keys.length > FEW_KEYS) return keys.sort();
  for (let at = 1; at < keys.length; at += 1) {
    const key = keys[at]!;
    let to = at;
    for (; to > 0 && keys[to - 1]! > key; to -= 1) keys[to] = keys[to - 1]!;
    keys[to] = key;
  }
  return keys;
}

const FEW_KEYS = 16;

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} can't be said in JSON.`);
  return value === 0 ? '0' : String(value);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** With the flag `u` only a surrogate without its other half is one. */
const UNSTORABLE = /\p{Surrogate}|\0/u;
const UNSTORABLE_ALL = /\p{Surrogate}|\0/gu;

/**
 * Where in a JSON value, keys included, stands text that not every store keeps: a lone surrogate or NUL.
 * Borders refuse such values; the answer names each place by its JSON Pointer.
 *
 * @param path the pointer of the value itself, '' for a whole document
 * @example refuseUnstorableText({ a: ['\u0000'] }, '/params') // ['/params/a/0']
 */
export function refuseUnstorableText(value: JsonValue, path = ''): readonly string[] {
  const places: string[] = [];
  collectUnstorable(value, path, places);
  return places;
}

function collectUnstorable(value: JsonValue, path: string, places: string[]): void {
  if (typeof value === 'string') {
    if (!isStorableText(value)) places.push(path);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  if (isArray(value)) return value.forEach((item, index) => collectUnstorable(item, `${path}/${index}`, places));
  for (const [key, item] of Object.entries(value)) {
    // The pointer itself must be storable too: it is shown to people.
    const place = pointer(path, key.replace(UNSTORABLE_ALL, '\uFFFD'));
    if (!isStorableText(key)) places.push(place);
    collectUnstorable(item, place, places);
  }
}

/** True for text that every store keeps as it is: well-formed UTF-16 without NUL. */
export function isStorableText(text: string): boolean {
  return !UNSTORABLE.test(text);
}

/** The beginning of a text, as every store keeps it. */
export function storableText(text: string, limit: number): string {
  return text.slice(0, limit).replaceAll('\0', '\uFFFD').toWellFormed();
}
