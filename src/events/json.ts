/** JSON as types. */
export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A payload that stands outside its fact: the fact names it. */
export interface BlobRef {
  readonly $blob: string;
  readonly bytes: number;
}

export function isBlobRef(value: unknown): value is BlobRef {
  return typeof value === 'object' && value !== null && '$blob' in value && 'bytes' in value && Object.keys(value).length === 2;
}
