/**
 * The connection to EventStoreDB: the one file that knows the client.
 *
 * Owns: the client (connection string, discovery, TLS, credentials, the way to the leader) and the messages that go over
 * it. Does not own: retries, time-outs, what events mean. Talks to: `@eventstore/db-client` 6.2, loaded when a connection
 * is opened.
 *
 * 1. Appends go over one stream of calls of our own. The client's `appendToStream` keeps all that is under way in one
 *    map for the whole process, and throws beside us when an answer comes late.
 * 2. Reads are asked for in the protocol's own messages: the client drops the filter of a read, and says that a
 *    subscription has caught up before what came before it was taken.
 * 3. Events and appends are written and read as bytes (`eventstoredb.wire.ts`), and what one turn of the loop brings is
 *    given out together: one by one, and as the generated classes, they cost more than all the work on a fact.
 * 4. Neither types, nor errors, nor big integers of the client leave this file.
 */
import type * as eventStore from '@eventstore/db-client';
import type * as sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type * as streamsGrpcPb from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type * as streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import { answeredPosition, placeOf } from './eventstoredb.codec.js';
import { appendBytes, correlationIn, messageIn, successIn } from './eventstoredb.wire.js';
import type { Message, SentAppend } from './eventstoredb.wire.js';
import { LogUnusable } from './log-errors.js';

/** What to read. Events of a stream, or of the whole log by the prefixes of stream names. `from` is a revision, or a position. */
export type Query =
  | { readonly stream: string; readonly from: number | undefined; readonly backwards: boolean; readonly limit: number }
  | { readonly prefixes: readonly string[]; readonly from: string | undefined; readonly backwards: boolean; readonly limit: number | 'live' };

/** Gives what there is, never nothing. */
export interface Reading extends AsyncIterable<readonly Message[]> {
  cancel(): void;
}

/** How an append was answered. */
export type AppendAnswer =
  | { readonly kind: 'taken'; readonly revision: number; readonly position: string | undefined }
  | { readonly kind: 'wrongRevision'; readonly actual: number | 'none' }
  | { readonly kind: 'tooLarge'; readonly limit: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'denied' }
  /** Not taken, or not known whether; asking again may help. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface AppendCall {
  /** Answers come in any order. False: more than the connection takes now; `onDrain` says when to go on. */
  send(append: SentAppend): boolean;
  cancel(): void;
}

export interface AppendEars {
  onAnswer(correlation: number, answer: AppendAnswer): void;
  onDrain(): void;
  /** Nothing that was sent will be answered any more. Said once. */
  onEnd(error: unknown): void;
}

export interface Connection {
  read(query: Query): Promise<Reading>;
  appends(ears: AppendEars): Promise<AppendCall>;
  close(): Promise<void>;
}

/** Facts that the server looks at between two checkpoints of a filtered subscription. */
const SEARCH_WINDOW = 1_000;

/**
 * Opens a connection. Nothing is sent yet.
 *
 * @throws LogUnusable when the client is not installed, or the connection string can't be read
 */
export async function connect(url: string): Promise<Connection> {
  const driver = await loadDriver();
  const client = clientOf(driver, withLeader(url));
  return {
    async read(query) {
      const request = requestOf(driver, query);
      const { path, requestSerialize } = driver.services.StreamsService.read;
      const call: ReadCall = await client.open((stub) => stub.makeServerStreamRequest(path, requestSerialize, messageIn, request, ...client.args()));
      return turnsOf(call);
    },

    async appends(ears) {
      const { path } = driver.services.StreamsService.batchAppend;
      const call: AppendStream = await client.open((stub) => stub.makeBidiStreamRequest(path, appendBytes, (bytes: Buffer) => answerIn(driver, bytes), ...client.args()));
      let ended = false;
      const end = (error: unknown): void => {
        if (ended) return;
        ended = true;
        ears.onEnd(error);
      };
      call.on('data', ({ correlation, answer }: Answered) => ears.onAnswer(correlation, answer));
      call.on('drain', () => ears.onDrain());
      call.on('error', end);
      call.on('end', () => end(new Error('The server ended the stream of appends.')));
      call.on('close', () => end(new Error('The stream of appends was closed.')));
      return { send: (append) => !ended && call.write(append), cancel: () => call.cancel() };
    },

    close: () => client.close(),
  };
}

type Streams = (typeof streamsPb)['default'];
type Shared = (typeof sharedPb)['default'];
type Services = (typeof streamsGrpcPb)['default'];
type StreamsStub = InstanceType<Services['StreamsClient']>;
type ReadCall = ClientReadableStream<Message>;
type AppendStream = ClientDuplexStream<SentAppend, Answered>;

interface Answered {
  readonly correlation: number;
  readonly answer: AppendAnswer;
}

interface Driver {
  readonly client: (typeof eventStore)['default'];
  readonly streams: Streams;
  readonly shared: Shared;
  readonly services: Services;
}

async function loadDriver(): Promise<Driver> {
  try {
    // CommonJS with computed exports: what is named stands in `default` alone.
    const [client, streams, shared, services] = await Promise.all([
      import('@eventstore/db-client'),
      import('@eventstore/db-client/generated/streams_pb.js'),
      import('@eventstore/db-client/generated/shared_pb.js'),
      import('@eventstore/db-client/generated/streams_grpc_pb.js'),
    ]);
    return { client: client.default, streams: streams.default, shared: shared.default, services: services.default };
  } catch (error) {
    throw new LogUnusable('The client of EventStoreDB is not installed: run "npm install @eventstore/db-client@^6.2.1" beside Sluice, or use "sqlite:".', { cause: error });
  }
}

/** The client, with what it keeps for its subclasses. 6.2.1 is the last of its name: this does not change any more. */
function clientOf({ client: { EventStoreDBClient }, services }: Driver, url: string) {
  class Wire extends EventStoreDBClient {
    open<T extends ReadCall | AppendStream>(call: (stub: StreamsStub) => T): Promise<T> {
      return this.GRPCStreamCreator<StreamsStub, T>(services.StreamsClient, 'sluice', call)();
    }

    /** Without a deadline: subscriptions and the stream of appends live as long as the connection. */
    args() {
      return this.callArguments({}, { deadline: Infinity });
    }

    /** The client takes what we cancel for a server that is lost, and would open the connection anew. */
    sparingCancels(): this {
      const { handleError } = this;
      this.handleError = async (stub, error) => {
        if (!error.message.includes('Cancelled on client')) await handleError(stub, error);
      };
      return this;
    }

    async close(): Promise<void> {
      await this.dispose();
      void this.getChannel().then((channel) => channel.close(), () => undefined);
    }
  }
  let client: unknown;
  try {
    client = Object.setPrototypeOf(Wire.connectionString(url), Wire.prototype);
  } catch (error) {
    throw new LogUnusable(`The connection string of EventStoreDB can't be used: ${error instanceof Error ? error.message : 'it is no text.'}`, { cause: error });
  }
  if (!(client instanceof Wire)) throw new TypeError('The client of EventStoreDB is none.');
  return client.sparingCancels();
}

/** Whoever has just been answered must be able to read it: a follower may not have it yet. */
function withLeader(url: string): string {
  if (/[?&]nodePreference=/i.test(url)) return url;
  return `${url.trim().replace(/\/+$/, '')}${url.includes('?') ? '&' : '?'}nodePreference=leader`;
}

function requestOf({ streams: { ReadReq }, shared: { Empty, StreamIdentifier } }: Driver, query: Query): InstanceType<Streams['ReadReq']> {
  const { Options } = ReadReq;
  const options = new Options().setResolveLinks(false).setReadDirection(query.backwards ? 1 : 0);
  options.setUuidOption(new Options.UUIDOption().setString(new Empty()));
  if (query.limit === 'live') options.setSubscription(new Options.SubscriptionOptions());
  else options.setCount(String(query.limit));
  if ('stream' in query) {
    const stream = new Options.StreamOptions().setStreamIdentifier(new StreamIdentifier().setStreamName(Buffer.from(query.stream)));
    if (query.from !== undefined) stream.setRevision(String(query.from));
    else if (query.backwards) stream.setEnd(new Empty());
    else stream.setStart(new Empty());
    options.setStream(stream).setNoFilter(new Empty());
  } else {
    const all = new Options.AllOptions();
    const place = query.from === undefined ? undefined : placeOf(query.from);
    if (place !== undefined) all.setPosition(new Options.Position().setCommitPosition(place.commit).setPreparePosition(place.prepare));
    else if (query.backwards) all.setEnd(new Empty());
    else all.setStart(new Empty());
    options.setAll(all);
    if (query.prefixes.length === 0) return new ReadReq().setOptions(options.setNoFilter(new Empty()));
    const names = new Options.FilterOptions.Expression().setPrefixList([...query.prefixes]);
    options.setFilter(new Options.FilterOptions().setStreamIdentifier(names).setMax(SEARCH_WINDOW).setCheckpointintervalmultiplier(1));
  }
  return new ReadReq().setOptions(options);
}

/** Messages that may wait to be taken. */
const MOST_WAITING = 1_000;

/** What one turn of the loop brings, together. Ends with the call, and the call with it. */
function turnsOf(call: ReadCall): Reading {
  let come: Message[] = [];
  let over: { readonly error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  const end = (how: { readonly error?: unknown }): void => {
    over ??= how;
    wake?.();
  };
  call.on('data', (message: Message) => {
    if (come.push(message) === 1) setImmediate(() => wake?.());
    else if (come.length === MOST_WAITING) call.pause();
  });
  call.on('error', (error) => end({ error }));
  call.on('end', () => end({}));
  call.on('close', () => end({}));
  async function* turns(): AsyncGenerator<readonly Message[]> {
    try {
      for (;;) {
        const turn = come;
        come = [];
        if (turn.length >= MOST_WAITING) call.resume();
        if (turn.length > 0) yield turn;
        else if (over === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if ('error' in over) throw over.error;
        else return;
      }
    } finally {
      call.cancel();
    }
  }
  return { cancel: () => call.cancel(), [Symbol.asyncIterator]: turns };
}

function answerIn(driver: Driver, bytes: Buffer): Answered {
  const taken = successIn(bytes);
  if (taken === undefined) return { correlation: correlationIn(bytes), answer: refusalIn(driver, bytes) };
  const { correlation, revision, commit } = taken;
  return { correlation, answer: { kind: 'taken', revision, position: answeredPosition(commit) } };
}

function refusalIn({ shared, streams }: Driver, bytes: Buffer): AppendAnswer {
  const error = streams.BatchAppendResp.deserializeBinary(bytes).getError();
  const details = error?.getDetails();
  switch (details?.getTypeName()) {
    case 'event_store.client.WrongExpectedVersion': {
      const wrong = details.unpack((bytes) => shared.WrongExpectedVersion.deserializeBinary(bytes), details.getTypeName());
      return { kind: 'wrongRevision', actual: wrong?.hasCurrentStreamRevision() ? Number(wrong.getCurrentStreamRevision()) : 'none' };
    }
    case 'event_store.client.MaximumAppendSizeExceeded': {
      const size = details.unpack((bytes) => shared.MaximumAppendSizeExceeded.deserializeBinary(bytes), details.getTypeName());
      return { kind: 'tooLarge', limit: size?.getMaxappendsize() ?? 0 };
    }
    case 'event_store.client.StreamDeleted':
      return { kind: 'gone' };
    case 'event_store.client.AccessDenied':
      return { kind: 'denied' };
    default:
      return { kind: 'unknown', why: error?.getMessage() || details?.getTypeName() || 'no reason was given' };
  }
}
