/** Large payloads: out of the fact into a blob before the append. The log's reader puts them back (`inlined`). */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../events/canonical.js';
import { isBlobRef } from '../events/json.js';
import type { JsonObject } from '../events/json.js';
import type { Blob } from '../log/event-writer.js';
import { INLINE_BYTES } from './actor.js';

/** The fact's data as it will stand in the log. A payload over the limit is added to `blobs`. */
export function outlined(data: JsonObject, field: string | undefined, blobs: Blob[]): JsonObject {
  if (field === undefined) return data;
  const payload = data[field];
  if (typeof payload !== 'object' || payload === null) return data;
  const text = canonicalJson(payload);
  const bytes = Buffer.byteLength(text);
  if (bytes <= INLINE_BYTES && !isBlobRef(payload)) return data;
  const sha256 = sha256Of(text);
  blobs.push({ sha256, text });
  return { ...data, [field]: { $blob: sha256, bytes } };
}

export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
