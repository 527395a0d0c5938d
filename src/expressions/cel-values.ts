/**
 * The border between JSON and CEL. In: objects become Maps, so that no key (`constructor`, `__proto__`) can reach a
 * prototype; numbers stay what they are, CEL doubles. Out: whatever CEL made becomes JSON again, or is refused.
 */
import type { JsonObject, JsonValue } from '../events/json.js';
import { ExpressionError } from './scope.js';

export type CelValue = null | boolean | number | string | CelValue[] | CelMap;
export type CelMap = Map<string, CelValue>;

export function toCel(value: JsonValue): CelValue {
  if (value === null || typeof value !== 'object') return value;
  if (isArray(value)) return value.map(toCel);
  return toCelMap(value);
}

export function toCelMap(object: JsonObject): CelMap {
  const map: CelMap = new Map();
  for (const [key, value] of Object.entries(object)) map.set(key, toCel(value));
  return map;
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Characters and elements that one result may have: above it no step would take it. */
const MAX_RESULT_SIZE = 1024 * 1024;
const MAX_RESULT_DEPTH = 64;

/** @throws ExpressionError if JSON can't say the value */
export function toJson(value: unknown): JsonValue {
  return new ResultReader().read(value, MAX_RESULT_DEPTH);
}

class ResultReader {
  private size = 0;

  read(value: unknown, levels: number): JsonValue {
    this.spend(1);
    switch (typeof value) {
      case 'boolean':
        return value;
      case 'string':
        return this.text(value);
      case 'number':
        return finite(value);
      case 'bigint':
        return exact(value);
      default:
        return value === null ? null : this.composite(value, levels - 1);
    }
  }

  private composite(value: unknown, levels: number): JsonValue {
    if (levels < 0) throw new ExpressionError(`the result has more than ${MAX_RESULT_DEPTH} levels`);
    if (Array.isArray(value)) return value.map((item: unknown) => this.read(item, levels));
    if (value instanceof Map) return this.object(value.entries(), levels);
    if (value instanceof Date) return timestamp(value);
    if (typeof value === 'object' && value !== null) {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) return this.object(Object.entries(value), levels);
      const primitive: unknown = value.valueOf();
      if (typeof primitive === 'bigint') return exact(primitive);
      if (isDuration(value)) return `${Number(value.seconds) + value.nanos / 1e9}s`;
    }
    throw new ExpressionError('the result is a type, bytes or something else that JSON can not say');
  }

  private object(entries: Iterable<[unknown, unknown]>, levels: number): JsonObject {
    const items: [string, JsonValue][] = [];
    // From entries and not by assignment: `__proto__` becomes a key like any other.
    for (const [key, item] of entries) items.push([this.text(String(key)), this.read(item, levels)]);
    return Object.fromEntries(items);
  }

  private text(text: string): string {
    this.spend(text.length);
    if (!text.isWellFormed() || text.includes('\0')) throw new ExpressionError('the result holds half a character or NUL');
    return text;
  }

  private spend(size: number): void {
    this.size += size;
    if (this.size > MAX_RESULT_SIZE) throw new ExpressionError('the result is larger than 1 MiB');
  }
}

/** cel-js does not export its class of durations. */
function isDuration(value: object): value is { readonly seconds: bigint; readonly nanos: number } {
  return Symbol.toStringTag in value && value[Symbol.toStringTag] === 'google.protobuf.Duration';
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new ExpressionError('the result is not a number that JSON can say (a division by zero?)');
  return value === 0 ? 0 : value;
}

function exact(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new ExpressionError(`the result ${value} is beyond 2^53, where JSON numbers are no longer exact`);
}

function timestamp(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new ExpressionError('the result is not a valid time');
  return value.toISOString();
}
