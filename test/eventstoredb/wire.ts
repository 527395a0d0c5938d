/** The protocol's messages, from the client's own generated definitions, to and from what the store knows. */
import type { ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { Metadata, type status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import { MAX_APPEND_BYTES } from './store.js';
import type { Expected, Outcome, Proposed, Stored } from './store.js';

type BatchRequest = InstanceType<typeof streamsPb.BatchAppendReq>;
type BatchAnswer = InstanceType<typeof streamsPb.BatchAppendResp>;
type Message = InstanceType<typeof streamsPb.BatchAppendReq.ProposedMessage> | InstanceType<typeof streamsPb.AppendReq.ProposedMessage>;

export interface Page {
  readonly stream: string | undefined;
  readonly prefixes: readonly string[];
  readonly backwards: boolean;
  readonly live: boolean;
  readonly limit: number;
  /** A revision or a position; the end or the beginning where it is absent. */
  readonly from: number | undefined;
  /** A place before the event at `from`. */
  readonly before: boolean;
  readonly fromEnd: boolean;
  /** Events that are looked at between two checkpoints. */
  readonly window: number;
}

const DEFAULT_WINDOW = 32;
const TICKS_PER_MS = 10_000n;

export function nameOf(identifier: InstanceType<typeof sharedPb.StreamIdentifier> | undefined): string {
  return Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
}

export function pageOf(request: ReadReq): Page {
  const options = request.getOptions()!;
  const stream = options.getStream();
  const all = options.getAll();
  const filter = options.getFilter();
  const place = all?.getPosition();
  return {
    stream: stream === undefined ? undefined : nameOf(stream.getStreamIdentifier()),
    prefixes: filter?.getStreamIdentifier()?.getPrefixList() ?? [],
    backwards: options.getReadDirection() === streamsPb.ReadReq.Options.ReadDirection.BACKWARDS,
    live: options.hasSubscription(),
    limit: Number(options.getCount()),
    from: stream?.hasRevision() ? Number(stream.getRevision()) : place === undefined ? undefined : Number(place.getCommitPosition()),
    before: place !== undefined && place.getPreparePosition() !== place.getCommitPosition(),
    fromEnd: stream?.hasEnd() === true || all?.hasEnd() === true,
    window: filter?.hasMax() ? filter.getMax() : DEFAULT_WINDOW,
  };
}

export function eventMessage(event: Stored): ReadResp {
  const { ReadEvent } = streamsPb.ReadResp;
  const recorded = new ReadEvent.RecordedEvent()
    .setId(new sharedPb.UUID().setString(event.id))
    .setStreamIdentifier(new sharedPb.StreamIdentifier().setStreamName(Buffer.from(event.stream)))
    .setStreamRevision(String(event.revision))
    .setCommitPosition(String(event.position))
    .setPreparePosition(String(event.position))
    .setData(event.data)
    .setCustomMetadata(event.metadata);
  recorded.getMetadataMap().set('type', event.type).set('content-type', event.contentType).set('created', String(BigInt(event.createdMs) * TICKS_PER_MS));
  return new streamsPb.ReadResp().setEvent(new ReadEvent().setEvent(recorded).setCommitPosition(String(event.position)));
}

export const confirmation = (): ReadResp => new streamsPb.ReadResp().setConfirmation(new streamsPb.ReadResp.SubscriptionConfirmation().setSubscriptionId('double'));
export const caughtUp = (): ReadResp => new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp());
export const notFound = (stream: string): ReadResp =>
  new streamsPb.ReadResp().setStreamNotFound(new streamsPb.ReadResp.StreamNotFound().setStreamIdentifier(new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream))));
export const checkpoint = (position: number): ReadResp =>
  new streamsPb.ReadResp().setCheckpoint(new streamsPb.ReadResp.Checkpoint().setCommitPosition(String(position)).setPreparePosition(String(position)));

export function proposedOf(message: Message): Proposed {
  const about = message.getMetadataMap();
  return { id: message.getId()!.getString(), type: about.get('type') ?? '', contentType: about.get('content-type') ?? '', data: message.getData_asU8(), metadata: message.getCustomMetadata_asU8() };
}

export function expectedOf(options: InstanceType<typeof streamsPb.BatchAppendReq.Options>): Expected {
  if (options.hasStreamPosition()) return Number(options.getStreamPosition());
  return options.hasNoStream() ? 'none' : options.hasStreamExists() ? 'exists' : 'any';
}

export function batchAnswer(request: BatchRequest, outcome: Outcome, expected: Expected): BatchAnswer {
  const answer = new streamsPb.BatchAppendResp().setCorrelationId(request.getCorrelationId());
  answer.setStreamIdentifier(request.getOptions()?.getStreamIdentifier());
  if (outcome.kind === 'taken') {
    const position = new sharedPb.AllStreamPosition().setCommitPosition(String(outcome.position)).setPreparePosition(String(outcome.position));
    return answer.setSuccess(new streamsPb.BatchAppendResp.Success().setCurrentRevision(String(outcome.revision)).setPosition(position));
  }
  return answer.setError(new statusPb.Status().setMessage(outcome.kind).setDetails(detailsOf(outcome, expected)));
}

/** What the server says that it could not do, without a name that the client knows. */
export function unknownAnswer(request: BatchRequest, why: string): BatchAnswer {
  const answer = new streamsPb.BatchAppendResp().setCorrelationId(request.getCorrelationId());
  const details = packed(new emptyPb.Empty().serializeBinary(), 'google.protobuf.Empty');
  return answer.setStreamIdentifier(request.getOptions()?.getStreamIdentifier()).setError(new statusPb.Status().setMessage(why).setDetails(details));
}

function detailsOf(outcome: Exclude<Outcome, { kind: 'taken' }>, expected: Expected): InstanceType<typeof anyPb.Any> {
  switch (outcome.kind) {
    case 'tooLarge':
      return packed(new sharedPb.MaximumAppendSizeExceeded().setMaxappendsize(MAX_APPEND_BYTES).serializeBinary(), 'event_store.client.MaximumAppendSizeExceeded');
    case 'denied':
      return packed(new sharedPb.AccessDenied().serializeBinary(), 'event_store.client.AccessDenied');
    case 'gone':
      return packed(new sharedPb.StreamDeleted().serializeBinary(), 'event_store.client.StreamDeleted');
    case 'wrongRevision': {
      const wrong = new sharedPb.WrongExpectedVersion();
      if (outcome.current === undefined) wrong.setCurrentNoStream(new emptyPb.Empty());
      else wrong.setCurrentStreamRevision(String(outcome.current));
      if (typeof expected === 'number') wrong.setExpectedStreamPosition(String(expected));
      else wrong.setExpectedNoStream(new emptyPb.Empty());
      return packed(wrong.serializeBinary(), 'event_store.client.WrongExpectedVersion');
    }
  }
}

function packed(bytes: Uint8Array, name: string): InstanceType<typeof anyPb.Any> {
  const any = new anyPb.Any();
  any.pack(bytes, name);
  return any;
}

/** An error of a whole call, with the trailers that say which. */
export function failure(code: status, details: string, trailers: Readonly<Record<string, string>> = {}): ServiceError {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
}
