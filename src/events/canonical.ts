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
  const ordered = inOrder(value);
  return ordered === undefined ? written(value) : JSON.stringify(ordered);
}

/**
 * The value with every key in its place: the very one, as far as it is so already. Undefined if no object can hold that
 * order: whole numbers come first in each.
 */
function inOrder(value: JsonValue): JsonValue | undefined {
  if (typeof value === 'number') return finite(value);
  if (typeof value !== 'object' || value === null) return value;
  return isArray(value) ? listInOrder(value) : isSorted(value) ? itemsInOrder(value) : keysInOrder(value);
}

function listInOrder(value: readonly JsonValue[]): JsonValue | undefined {
  let copy: JsonValue[] | undefined;
  for (let at = 0; at < value.length; at += 1) {
    const item = inOrder(value[at]!);
    if (item === undefined) return undefined;
    if (item !== value[at]) (copy ??= [...value])[at] = item;
  }
  return copy ?? value;
}

function isSorted(value: JsonObject): boolean {
  let before = '';
  for (const key in value) {
    if (key < before) return false;
    before = key;
  }
  return true;
}

function itemsInOrder(value: JsonObject): JsonObject | undefined {
  let copy: Record<string, JsonValue> | undefined;
  for (const key in value) {
    const given = value[key];
    if (given === undefined) continue;
    const item = inOrder(given);
    if (item === undefined || (item !== given && key === '__proto__')) return undefined;
    if (item !== given) (copy ??= { ...value })[key] = item;
  }
  return copy ?? value;
}

function keysInOrder(value: JsonObject): JsonObject | undefined {
  const copy: Record<string, JsonValue> = {};
  for (const key of sorted(Object.keys(value))) {
    const given = value[key];
    if (given === undefined) continue;
    const item = inOrder(given);
    if (item === undefined || isDigit(key.charCodeAt(0)) || key === '__proto__') return undefined;
    copy[key] = item;
  }
  return copy;
}

function isDigit(code: number): boolean {
  return code >= DIGIT_0 && code <= DIGIT_9;
}

const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** Key by key: for objects that name things by whole numbers. */
function written(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return numberText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isArray(value)) return `[${value.map(written).join(',')}]`;
  return objectText(value);
}

function objectText(value: JsonObject): string {
  let text = '';
  for (const key of sorted(Object.keys(value))) {
    const item = value[key];
    // What is `undefined` is not there, as for JSON.stringify.
    if (item !== undefined) text += `${text === '' ? '{' : ','}${JSON.stringify(key)}:${written(item)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** In place. Facts have few keys: for them this is cheaper than `sort`. */
function sorted(keys: string[]): string[] {
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
  return finite(value) === 0 ? '0' : String(value);
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${value} can't be said in JSON.`);
  return value;
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
