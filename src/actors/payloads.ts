/** Large payloads: out of the fact into a blob before the append. The log's reader puts them back (`inlined`). */
import { hash } from 'node:crypto';
import { canonicalJson } from '../events/canonical.js';
import { isBlobRef } from '../events/json.js';
import type { JsonObject } from '../events/json.js';
import type { Blob } from '../log/event-writer.js';
import { INLINE_BYTES } from './actor.js';
import type { Decided } from './actor.js';

/** The fact's data as it will stand in the log, and its canonical JSON. A payload over the limit is added to `blobs`. */
export function outlined({ data, dataText = canonicalJson(data) }: Pick<Decided, 'data' | 'dataText'>, field: string | undefined, blobs: Blob[]): { readonly data: JsonObject; readonly dataText: string } {
  const whole = { data, dataText };
  const payload = field === undefined ? null : data[field];
  if (field === undefined || typeof payload !== 'object' || payload === null) return whole;
  // What is small as a whole has no part that is large.
  if (Buffer.byteLength(dataText) <= INLINE_BYTES && !isBlobRef(payload)) return whole;
  const text = canonicalJson(payload);
  const bytes = Buffer.byteLength(text);
  if (bytes <= INLINE_BYTES && !isBlobRef(payload)) return whole;
  const sha256 = sha256Of(text);
  blobs.push({ sha256, text });
  const without = { ...data, [field]: { $blob: sha256, bytes } };
  return { data: without, dataText: canonicalJson(without) };
}

export function sha256Of(text: string): string {
  return hash('sha256', text, 'hex');
}
