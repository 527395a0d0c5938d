/**
 * The two messages of the protocol that there are many of, as bytes: an event that is read, and an append.
 *
 * The client's generated classes cost several times what the work on a fact costs: they make an object for every part of
 * a message and every number a text. Field numbers are those of `streams.proto` and `shared.proto`; what is not known is
 * passed over, as the protocol wants it.
 */
import { positionText } from './eventstoredb.codec.js';
import type { RecordedEvent, SentEvent } from './eventstoredb.codec.js';
import { Bytes, Fields, sized, tag, varintLength, varintTag } from './protobuf.js';

/** What a read or a subscription brings. */
export type Message =
  | { readonly kind: 'event'; readonly event: RecordedEvent }
  | { readonly kind: 'checkpoint'; readonly position: string }
  | { readonly kind: 'confirmed' | 'notFound' | 'other' };

export interface SentAppend {
  /** Names the append on its stream of calls; the answer bears it. */
  readonly correlation: number;
  readonly stream: string;
  readonly expected: number | 'none';
  readonly events: readonly SentEvent[];
}

export interface Success {
  readonly correlation: number;
  readonly revision: number;
  /** Undefined where the server did not say it. */
  readonly commit: string | undefined;
}

const NOTHING: Buffer = Buffer.alloc(0);
/** Ticks of 100 ns are told as a decimal text: without the last four digits it is milliseconds. */
const DIGITS_UNDER_A_MS = 4;

/** A `ReadResp`. */
export function messageIn(bytes: Buffer): Message {
  const response = new Fields(bytes);
  while (response.next()) {
    switch (response.field) {
      case 1:
        return eventIn(response.message());
      case 2:
        return { kind: 'confirmed' };
      case 3:
        return { kind: 'checkpoint', position: placeIn(response.message()) };
      case 4:
        return { kind: 'notFound' };
    }
  }
  return { kind: 'other' };
}

function eventIn(read: Fields): Message {
  while (read.next()) if (read.field === 1) return { kind: 'event', event: recordedIn(read.message()) };
  return { kind: 'other' };
}

function recordedIn(fields: Fields): RecordedEvent {
  let [id, stream, type, content, created] = ['', '', '', '', ''];
  let [prepare, commit] = ['0', '0'];
  let revision = 0;
  let data: Buffer = NOTHING;
  let metadata = NOTHING;
  while (fields.next()) {
    if (fields.field === 1) id = uuidIn(fields.message());
    else if (fields.field === 2) stream = inner(fields, 3)?.text() ?? '';
    else if (fields.field === 3) revision = fields.number();
    else if (fields.field === 4) prepare = fields.digits();
    else if (fields.field === 5) commit = fields.digits();
    else if (fields.field === 6) {
      const [name, value] = entryIn(fields.message());
      if (name === 'type') type = value;
      else if (name === 'content-type') content = value;
      else if (name === 'created') created = value;
    } else if (fields.field === 7) metadata = fields.part();
    else if (fields.field === 8) data = fields.part();
  }
  return { id, stream, revision, type, json: content === 'application/json', data, metadata, position: positionText(commit, prepare), recordedAtMs: Number(created.slice(0, -DIGITS_UNDER_A_MS)) };
}

function entryIn(fields: Fields): readonly [name: string, value: string] {
  let [name, value] = ['', ''];
  while (fields.next()) {
    if (fields.field === 1) name = fields.text();
    else if (fields.field === 2) value = fields.text();
  }
  return [name, value];
}

function inner(fields: Fields, wanted: number): Fields | undefined {
  const message = fields.message();
  while (message.next()) if (message.field === wanted) return message;
  return undefined;
}

function placeIn(fields: Fields): string {
  let [commit, prepare] = ['0', '0'];
  while (fields.next()) {
    if (fields.field === 1) commit = fields.digits();
    else if (fields.field === 2) prepare = fields.digits();
  }
  return positionText(commit, prepare);
}

/** As text, which is how it is asked for. */
function uuidIn(fields: Fields): string {
  let id = '';
  while (fields.next()) if (fields.field === 2) id = fields.text();
  return id;
}

/** The good answer in a `BatchAppendResp`; undefined if it is another one. */
export function successIn(bytes: Buffer): Success | undefined {
  const answer = new Fields(bytes);
  let correlation = 0;
  while (answer.next()) {
    if (answer.field === 1) correlation = leastBitsIn(answer.message());
    else if (answer.field === 3) return { correlation, ...placesIn(answer.message()) };
  }
  return undefined;
}

/** Which append a `BatchAppendResp` answers. */
export function correlationIn(bytes: Buffer): number {
  const answer = new Fields(bytes);
  while (answer.next()) if (answer.field === 1) return leastBitsIn(answer.message());
  return 0;
}

function placesIn(success: Fields): Pick<Success, 'revision' | 'commit'> {
  let revision = 0;
  let commit: string | undefined;
  while (success.next()) {
    if (success.field === 1) revision = success.number();
    else if (success.field === 3) commit = inner(success, 1)?.digits();
  }
  return { revision, commit };
}

/** Of a UUID in two numbers: ours are small. */
function leastBitsIn(uuid: Fields): number {
  const halves = uuid.next() && uuid.field === 1 ? uuid.message() : undefined;
  while (halves?.next() === true) if (halves.field === 2) return halves.number();
  return 0;
}

const TAG = { id: tag(1), about: tag(2), metadata: tag(3), data: tag(4) } as const;
const UUID_CHARACTERS = 36;
const CONTENT_TYPES = { json: 'application/json', bytes: 'application/octet-stream' } as const;

/** A `BatchAppendReq` with all its events. */
export function appendBytes({ correlation, stream, expected, events }: SentAppend): Buffer {
  const uuid = 1 + varintLength(correlation);
  const identifier = sized(Buffer.byteLength(stream));
  const options = sized(identifier) + (expected === 'none' ? 2 : 1 + varintLength(expected));
  const lengths = events.map(lengthOf);
  const bytes = new Bytes(sized(sized(uuid)) + sized(options) + lengths.reduce((sum, length) => sum + sized(length), 0) + 2);
  bytes.open(tag(1), sized(uuid)).open(tag(1), uuid).varint(varintTag(2)).varint(correlation);
  bytes.open(tag(2), options).open(tag(1), identifier).text(tag(3), stream);
  if (expected === 'none') bytes.open(tag(3), 0);
  else bytes.varint(varintTag(2)).varint(expected);
  events.forEach((event, index) => write(bytes.open(tag(3), lengths[index]!), event));
  return bytes.varint(varintTag(4)).varint(1).all();
}

function lengthOf({ type, json, data, metadata }: SentEvent): number {
  const about = sized(entryLength('type', type)) + sized(entryLength('content-type', contentType(json)));
  return sized(sized(UUID_CHARACTERS)) + about + sized(metadata.length) + sized(data.length);
}

function write(bytes: Bytes, { id, type, json, data, metadata }: SentEvent): void {
  bytes.open(TAG.id, sized(UUID_CHARACTERS)).text(tag(2), id);
  for (const [name, value] of [['type', type], ['content-type', contentType(json)]] as const) {
    bytes.open(TAG.about, entryLength(name, value)).text(tag(1), name).text(tag(2), value);
  }
  bytes.part(TAG.metadata, metadata).part(TAG.data, data);
}

function contentType(json: boolean): string {
  return json ? CONTENT_TYPES.json : CONTENT_TYPES.bytes;
}

function entryLength(name: string, value: string): number {
  return sized(Buffer.byteLength(name)) + sized(Buffer.byteLength(value));
}
