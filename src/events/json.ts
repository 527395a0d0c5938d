/** JSON as types, and places in it. */
export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** One fault of what somebody sent: where, as a JSON Pointer (RFC 6901; '' is the whole value), and what. */
export interface JsonFault {
  readonly path: string;
  readonly message: string;
}

/** @example pointer('/steps/0', 'show', 'a/b') === '/steps/0/show/a~1b' */
export function pointer(base: string, ...keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`, base);
}

/** A payload that stands outside its fact: the fact names it. */
export interface BlobRef {
  readonly $blob: string;
  readonly bytes: number;
}

export function isBlobRef(value: unknown): value is BlobRef {
  return typeof value === 'object' && value !== null && '$blob' in value && 'bytes' in value && Object.keys(value).length === 2;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** ISO 8601, UTC, milliseconds: how every time is written, in facts and in answers. */
export function isoTime(at: number): string {
  const ms = Math.trunc(at);
  // What belongs to one decision or one commit is written at the same time, and what is due next is due soon.
  for (const time of recent) if (time.ms === ms) return time.text;
  const text = new Date(ms).toISOString();
  recent[(oldest = (oldest + 1) % RECENT)] = { ms, text };
  return text;
}

/** Of a time as `isoTime` writes it. What was written a moment ago need not be read. */
export function timeOf(text: string): number {
  for (const time of recent) if (time.text === text) return time.ms;
  return Date.parse(text);
}

const RECENT = 4;
const recent = Array.from({ length: RECENT }, () => ({ ms: 0, text: '1970-01-01T00:00:00.000Z' }));
let oldest = 0;

/** @throws SyntaxError */
export function parseJson(text: string): JsonValue {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-return -- what JSON.parse answers is JSON, its type does not say so
  return JSON.parse(text);
}
