/** What is written and read as bytes, beside the client's own generated classes. */
import { describe, expect, it } from '@jest/globals';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { appendBytes, correlationIn, messageIn, successIn } from './eventstoredb.wire.js';

const { ReadResp, BatchAppendReq, BatchAppendResp } = streamsPb;
const ID = '2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d';
const LARGE = '9223372036854775807';
const bytesOf = (message: { serializeBinary(): Uint8Array }): Buffer => Buffer.from(message.serializeBinary());

function recorded(change: (event: InstanceType<typeof ReadResp.ReadEvent.RecordedEvent>) => void = () => {}): InstanceType<typeof ReadResp> {
  const event = new ReadResp.ReadEvent.RecordedEvent()
    .setId(new sharedPb.UUID().setString(ID))
    .setStreamIdentifier(new sharedPb.StreamIdentifier().setStreamName(Buffer.from('run-ä')))
    .setStreamRevision('7')
    .setCommitPosition('300')
    .setPreparePosition('300')
    .setData(Buffer.from('{"a":"ö"}'))
    .setCustomMetadata(Buffer.from('{}'));
  event.getMetadataMap().set('type', 'StepSucceeded').set('content-type', 'application/json').set('created', '17957195631234567');
  change(event);
  return new ReadResp().setEvent(new ReadResp.ReadEvent().setEvent(event).setCommitPosition('300'));
}

describe('a message of a read', () => {
  it('is the event that the server recorded', () => {
    expect(messageIn(bytesOf(recorded()))).toEqual({
      kind: 'event',
      event: { id: ID, stream: 'run-ä', revision: 7, type: 'StepSucceeded', json: true, data: Buffer.from('{"a":"ö"}'), metadata: Buffer.from('{}'), position: '000000000000000003001', recordedAtMs: 1_795_719_563_123 },
    });
  });

  it('may have a place that no double holds exactly', () => {
    const message = messageIn(bytesOf(recorded((event) => event.setCommitPosition(LARGE).setPreparePosition(LARGE))));
    expect(message).toMatchObject({ event: { position: `0${LARGE}1` } });
  });

  it('may have nothing in it, and be no JSON', () => {
    const message = messageIn(bytesOf(recorded((event) => {
      event.setData(Buffer.alloc(0)).setStreamRevision('0').getMetadataMap().clear();
    })));
    expect(message).toMatchObject({ event: { revision: 0, type: '', json: false, data: Buffer.alloc(0), recordedAtMs: 0 } });
  });

  it.each([
    ['confirmed', new ReadResp().setConfirmation(new ReadResp.SubscriptionConfirmation().setSubscriptionId('one')), { kind: 'confirmed' }],
    ['a checkpoint', new ReadResp().setCheckpoint(new ReadResp.Checkpoint().setCommitPosition('300').setPreparePosition('0')), { kind: 'checkpoint', position: '000000000000000003000' }],
    ['not found', new ReadResp().setStreamNotFound(new ReadResp.StreamNotFound()), { kind: 'notFound' }],
    ['caught up', new ReadResp().setCaughtUp(new ReadResp.CaughtUp()), { kind: 'other' }],
    ['nothing', new ReadResp(), { kind: 'other' }],
  ])('may say %s', (_, message, said) => {
    expect(messageIn(bytesOf(message))).toEqual(said);
  });

  it('may hold fields that are not known yet', () => {
    const unknown = Buffer.from([0x98, 0x06, 0x96, 0x01, 0x9d, 0x06, 1, 2, 3, 4, 0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xaa, 0x06, 2, 9, 9]);
    expect(messageIn(Buffer.concat([unknown, bytesOf(recorded())]))).toEqual(messageIn(bytesOf(recorded())));
  });

  it('is refused if it was cut off', () => {
    const whole = bytesOf(recorded());
    expect(() => messageIn(whole.subarray(0, whole.length - 3))).toThrow('cut off');
  });
});

describe('an append', () => {
  const event = { id: ID, type: 'StepSucceededÜ', json: true, data: Buffer.from('{"a":1}'), metadata: Buffer.from('{"b":"c"}') };

  it.each<readonly [number | 'none', number]>([['none', 1], [0, 2], [127, 128], [128, 300], [2 ** 31, 2 ** 40]])('is what the generated classes read: after %s', (expected, correlation) => {
    const large = { ...event, json: false, data: Buffer.alloc(70_000, 7) };
    const request = BatchAppendReq.deserializeBinary(appendBytes({ correlation, stream: 'run-ä', expected, events: [event, large] }));
    const options = request.getOptions()!;
    expect(Buffer.from(options.getStreamIdentifier()!.getStreamName_asU8()).toString()).toBe('run-ä');
    expect([options.hasNoStream(), options.hasStreamPosition() && Number(options.getStreamPosition())]).toEqual(expected === 'none' ? [true, false] : [false, expected]);
    expect([request.getIsFinal(), request.getCorrelationId()!.getStructured()!.getLeastSignificantBits()]).toEqual([true, String(correlation)]);
    expect(request.getProposedMessagesList().map((message) => ({
      id: message.getId()!.getString(), about: message.getMetadataMap().getEntryList().sort(),
      data: Buffer.from(message.getData_asU8()), metadata: Buffer.from(message.getCustomMetadata_asU8()),
    }))).toEqual([event, large].map(({ id, type, json, data, metadata }) => ({
      id, data, metadata, about: [['content-type', json ? 'application/json' : 'application/octet-stream'], ['type', type]],
    })));
  });
});

describe('the answer to an append', () => {
  const answer = (): InstanceType<typeof BatchAppendResp> =>
    new BatchAppendResp().setCorrelationId(new sharedPb.UUID().setStructured(new sharedPb.UUID.Structured().setLeastSignificantBits('300')));

  it('says where the facts stand', () => {
    const place = new sharedPb.AllStreamPosition().setCommitPosition(LARGE).setPreparePosition(LARGE);
    const good = answer().setSuccess(new BatchAppendResp.Success().setCurrentRevision('5').setPosition(place));
    expect(successIn(bytesOf(good))).toEqual({ correlation: 300, revision: 5, commit: LARGE });
  });

  it('may not know the place', () => {
    expect(successIn(bytesOf(answer().setSuccess(new BatchAppendResp.Success().setCurrentRevision('5'))))).toEqual({ correlation: 300, revision: 5, commit: undefined });
  });

  it('that is a refusal says of what', () => {
    const bad = bytesOf(answer().setError(new statusPb.Status().setMessage('no')));
    expect([successIn(bad), correlationIn(bad)]).toEqual([undefined, 300]);
  });
});
