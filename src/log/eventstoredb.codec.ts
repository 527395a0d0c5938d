/** Positions and events of EventStoreDB, as the ports show them. */
import type { JsonObject } from '../events/json.js';
import { isJsonObject, isoTime, parseJson } from '../events/json.js';
import type { StoredFact } from './event-reader.js';
import type { NewFact } from './event-writer.js';

/** An event as it is sent. */
export interface SentEvent {
  readonly id: string;
  readonly type: string;
  readonly json: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** An event as the server gives it. */
export interface RecordedEvent extends SentEvent {
  readonly stream: string;
  readonly revision: number;
  /** As the ports show it. */
  readonly position: string;
  readonly recordedAtMs: number;
}

/** The digits of an unsigned number of 64 bits, and one that says where at that number. */
const COMMIT_DIGITS = 20;
const POSITION = /^(\d{20})([01])$/;
/** The number that the server writes where it does not know a position. */
const NO_POSITION = '18446744073709551615';

/**
 * A place in `$all` as text that compares like the place. An event stands at prepare = commit; a checkpoint may lie before
 * the event of the same commit, at prepare 0.
 */
export function positionText(commit: string, prepare: string): string {
  return `${commit.padStart(COMMIT_DIGITS, '0')}${prepare === commit ? '1' : '0'}`;
}

/** The two numbers of a position. @throws RangeError for what this log never gave out */
export function placeOf(position: string): { readonly commit: string; readonly prepare: string } {
  const [, digits, event] = POSITION.exec(position) ?? [];
  if (digits === undefined) throw new RangeError(`${JSON.stringify(position)} is not a position of this log.`);
  const commit = digits.replace(/^0+(?=\d)/, '');
  return { commit, prepare: event === '1' ? commit : '0' };
}

/** The position of an answer to an append; undefined where the server did not know it. */
export function answeredPosition(commit: string | undefined): string | undefined {
  return commit === undefined || commit === '' || commit === NO_POSITION ? undefined : positionText(commit, commit);
}

/**
 * The id that an event bears on the wire: the fact's own id, and its hash laid over it.
 *
 * The server takes an append for a repeat of one that stands there by the ids alone. Two nodes, or one before and after
 * an unknown outcome, may say the same command with another time in it; each would then believe that its own facts stand
 * there, and seal the next one onto a hash that nobody has stored. With the hash in the id, only the very same facts are
 * a repeat. Laid over twice it is gone again, so that readers see the fact's own id.
 */
export function withHash(id: string, hash: string | undefined): string {
  if (hash === undefined || !HASH.test(hash) || !UUID.test(id)) return id;
  const laid = BigInt(`0x${id.replaceAll('-', '')}`) ^ (BigInt(`0x${hash.slice(0, 32)}`) & NOT_ITS_KIND);
  const hex = laid.toString(16).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

const HASH = /^[0-9a-f]{32}/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** The bits that say which kind of UUID it is stay as they are. */
const NOT_ITS_KIND = 0xffffffff_ffff_0fff_3fff_ffffffffffffn;

export function sentEventOf(fact: NewFact): SentEvent {
  return { id: withHash(fact.id, fact.metadata['hash']), type: fact.type, json: true, data: Buffer.from(fact.dataText), metadata: Buffer.from(fact.metadataText) };
}

/** Bytes of an append as the server counts them: the texts, and two for each character of a type. */
export function sizeOf(events: readonly Pick<SentEvent, 'type' | 'data' | 'metadata'>[]): number {
  return events.reduce((sum, { type, data, metadata }) => sum + data.length + metadata.length + 2 * type.length, 0);
}

/** The server's own events (a tombstone is one) stand among ours, and are no facts. */
export function isFact({ type }: Pick<RecordedEvent, 'type'>): boolean {
  return !type.startsWith('$');
}

/**
 * What nobody could have sealed is shown as a fact that no vocabulary knows, without data and metadata: whoever reads it
 * refuses it for its stream alone.
 */
export function factOf(event: RecordedEvent): StoredFact {
  const { stream, revision, type, id, recordedAtMs } = event;
  const where = { stream, revision, type, position: event.position, recordedAt: isoTime(recordedAtMs) };
  const data = event.json ? objectIn(event.data) : undefined;
  const metadata = objectIn(event.metadata);
  if (data === undefined || metadata === undefined || !isFlat(metadata)) return { ...where, id, data: {}, metadata: {} };
  return { ...where, id: withHash(id, metadata['hash']), data, metadata };
}

function objectIn(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFlat(metadata: JsonObject): metadata is Readonly<Record<string, string>> {
  for (const key in metadata) if (typeof metadata[key] !== 'string') return false;
  return true;
}
