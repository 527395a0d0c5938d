/**
 * A stand-in for EventStoreDB on the wire: a gRPC server that serves the client's own generated service definitions from
 * memory, with the server's commit rules (store.ts), and with faults on demand.
 *
 * It is no database: what it knows ends with it. `kill` and `start` keep it, as a disk would.
 */
import gossipGrpcPb from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js';
import type { DeleteReq, ReadReq, ReadResp, TombstoneReq } from '@eventstore/db-client/generated/streams_pb.js';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpcPb from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { once } from 'node:events';
import { Store } from './store.js';
import type { Stored } from './store.js';
import { batchAnswer, caughtUp, checkpoint, confirmation, eventMessage, expectedOf, failure, nameOf, notFound, pageOf, proposedOf, unknownAnswer } from './wire.js';
import type { Page } from './wire.js';

type BatchCall = ServerDuplexStream<InstanceType<typeof streamsPb.BatchAppendReq>, InstanceType<typeof streamsPb.BatchAppendResp>>;
type BatchRequest = InstanceType<typeof streamsPb.BatchAppendReq>;
type ReadCall = ServerWritableStream<ReadReq, ReadResp>;

/** What happens to the next append. */
export type AppendFault =
  /** Written, and the stream of calls is dropped in place of the answer. */
  | 'loseAnswer'
  /** Dropped with the stream of calls, not written. */
  | 'loseRequest'
  /** Written, never answered; the stream of calls stays. */
  | 'neverAnswer'
  /** Not written; the server says that it is not ready. */
  | 'notReady'
  /** Not written; the stream of calls ends, naming this very server as the leader. */
  | 'notLeader'
  /** Not written; this user may not. */
  | 'denied';

export class EventStoreDouble {
  port = 0;
  readonly store: Store;
  private server: Server | undefined;
  private readonly appendCalls = new Set<BatchCall>();
  private readonly readCalls = new Set<ReadCall>();
  private readonly faults: AppendFault[] = [];
  private frozen: Promise<void> | undefined;
  private thaw: (() => void) | undefined;
  private delayMs = 0;
  /** Subscriptions that were made since the start, and reads of the whole log forwards. */
  subscriptions = 0;
  pages = 0;

  constructor(store = new Store()) {
    this.store = store;
  }

  get url(): string {
    return `esdb://127.0.0.1:${this.port}?tls=false`;
  }

  /** By way of the gossip, as with a cluster. */
  get discoverUrl(): string {
    return `esdb+discover://127.0.0.1:${this.port}?tls=false`;
  }

  /** Does nothing if it runs. */
  async start(): Promise<this> {
    if (this.server !== undefined) return this;
    const server = new Server({ 'grpc.max_receive_message_length': 17 * 1024 * 1024 });
    server.addService(streamsGrpcPb.StreamsService, {
      read: (call: ReadCall) => void this.read(call).catch(() => call.end()),
      batchAppend: (call: BatchCall) => this.batchAppend(call),
      append: (call: { emit(event: 'error', error: Error): void }) => call.emit('error', failure(status.UNIMPLEMENTED, 'The double takes appends by batch.')),
      delete: (call: ServerUnaryCall<DeleteReq, unknown>, answer: sendUnaryData<InstanceType<typeof streamsPb.DeleteResp>>) => {
        this.store.delete(nameOf(call.request.getOptions()?.getStreamIdentifier()));
        answer(null, new streamsPb.DeleteResp());
      },
      tombstone: (call: ServerUnaryCall<TombstoneReq, unknown>, answer: sendUnaryData<InstanceType<typeof streamsPb.TombstoneResp>>) => {
        this.store.tombstone(nameOf(call.request.getOptions()?.getStreamIdentifier()));
        answer(null, new streamsPb.TombstoneResp());
      },
    });
    server.addService(gossipGrpcPb.GossipService, {
      read: (_: unknown, answer: sendUnaryData<InstanceType<typeof gossipPb.ClusterInfo>>) => answer(null, this.gossip()),
    });
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, ServerCredentials.createInsecure(), (error, port) => (error === null ? resolve(port) : reject(error)));
    });
    this.server = server;
    return this;
  }

  /** At once, as by SIGKILL. What was written stays; `start` takes it up again at the same port. */
  kill(): void {
    this.server?.forceShutdown();
    this.server = undefined;
    this.thawAll();
  }

  /** Takes what comes and answers nothing, as after SIGSTOP. */
  freeze(): void {
    this.frozen ??= new Promise((resolve) => (this.thaw = resolve));
  }

  thawAll(): void {
    this.thaw?.();
    this.frozen = undefined;
  }

  /** Answers every append so much later. */
  delayAppends(ms: number): void {
    this.delayMs = ms;
  }

  /** For the next appends, one after the other. */
  failNext(...faults: readonly AppendFault[]): void {
    this.faults.push(...faults);
  }

  /** Ends every subscription and read that is under way. */
  dropReads(code: status = status.UNAVAILABLE, details = 'The connection was dropped.'): void {
    for (const call of this.readCalls) call.emit('error', failure(code, details));
  }

  /** Ends every subscription as the server does with a consumer that lags. */
  findTooSlow(): void {
    this.dropReads(status.ABORTED, 'Operation timed out: consumer too slow.');
  }

  dropAppends(): void {
    for (const call of this.appendCalls) call.emit('error', failure(status.UNAVAILABLE, 'The connection was dropped.'));
  }

  private batchAppend(call: BatchCall): void {
    this.appendCalls.add(call);
    let before: Promise<unknown> = Promise.resolve();
    call.on('data', (request: BatchRequest) => {
      before = before.then(() => this.frozen).then(() => this.take(call, request));
    });
    call.on('end', () => call.end());
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.appendCalls.delete(call));
  }

  private async take(call: BatchCall, request: BatchRequest): Promise<void> {
    if (!this.appendCalls.has(call)) return;
    const options = request.getOptions()!;
    const expected = expectedOf(options);
    const fault = this.faults.shift();
    const drop = (code = status.UNAVAILABLE, trailers = {}): void => {
      this.appendCalls.delete(call);
      call.emit('error', failure(code, 'The stream of appends was dropped.', trailers));
    };
    if (fault === 'loseRequest') return drop();
    if (fault === 'notLeader') return drop(status.NOT_FOUND, { exception: 'not-leader', 'leader-endpoint-host': '127.0.0.1', 'leader-endpoint-port': String(this.port) });
    if (fault === 'notReady') return void call.write(unknownAnswer(request, 'Server Is Not Ready'));
    if (fault === 'denied') return void call.write(batchAnswer(request, { kind: 'denied' }, expected));
    const outcome = this.store.append(nameOf(options.getStreamIdentifier()), expected, request.getProposedMessagesList().map(proposedOf));
    if (fault === 'loseAnswer') return drop();
    if (fault === 'neverAnswer') return;
    const answer = (): void => void (this.appendCalls.has(call) && call.write(batchAnswer(request, outcome, expected)));
    if (this.delayMs > 0) setTimeout(answer, this.delayMs);
    else answer();
  }

  private async read(call: ReadCall): Promise<void> {
    this.readCalls.add(call);
    let over = false;
    for (const event of ['cancelled', 'error', 'close']) {
      call.on(event, () => {
        over = true;
        this.readCalls.delete(call);
      });
    }
    const page = pageOf(call.request);
    await this.frozen;
    if (page.stream !== undefined) await this.readStream(call, page, page.stream);
    else if (page.live) await this.follow(call, page, () => over);
    else {
      if (!page.backwards) this.pages += 1;
      await this.send(call, this.selected(page));
    }
    if (over) return;
    this.readCalls.delete(call);
    call.end();
  }

  private async readStream(call: ReadCall, page: Page, stream: string): Promise<void> {
    const events = this.store.read(stream);
    if (events === 'gone') return void call.emit('error', failure(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, { exception: 'stream-deleted', 'stream-name': stream }));
    if (events === undefined) return void call.write(notFound(stream));
    const { from, backwards } = page;
    const ordered = backwards ? [...events].reverse() : events;
    const selected = from === undefined ? ordered : ordered.filter(({ revision }) => (backwards ? revision <= from : revision >= from));
    await this.send(call, selected.slice(0, page.limit));
  }

  /** Of the whole log. A read begins with the event at its position; a subscription after it. */
  private selected({ from, before, backwards, live, limit, prefixes, fromEnd }: Page): readonly Stored[] {
    const begins = (position: number): boolean => from === undefined || position > from || (position === from && (before || !live));
    const events = fromEnd && !backwards ? [] : this.store.log.filter(({ position }) => backwards || begins(position));
    const matching = (backwards ? [...events].reverse() : events).filter(({ stream }) => matches(stream, prefixes));
    return live ? matching : matching.slice(0, limit);
  }

  private async follow(call: ReadCall, page: Page, over: () => boolean): Promise<void> {
    this.subscriptions += 1;
    call.write(confirmation());
    let next = this.store.log.findIndex(({ position }) => page.from === undefined || position > page.from || (page.before && position === page.from));
    if (next === -1) next = this.store.log.length;
    let unseen = 0;
    let live = false;
    let wake: (() => void) | undefined;
    const stop = this.store.listen(() => wake?.());
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => wake?.());
    while (!over()) {
      for (const end = this.store.log.length; next < end && !over(); next += 1) {
        await this.frozen;
        const event = this.store.log[next]!;
        const seen = matches(event.stream, page.prefixes);
        unseen = seen ? 0 : unseen + 1;
        if (seen && !call.write(eventMessage(event))) await drained(call);
        if (unseen >= page.window) {
          unseen = 0;
          call.write(checkpoint(event.position));
        }
      }
      if (!live) call.write(caughtUp());
      live = true;
      if (next === this.store.log.length && !over()) await new Promise<void>((resolve) => (wake = resolve));
    }
    stop();
  }

  private async send(call: ReadCall, events: readonly Stored[]): Promise<void> {
    for (const event of events) {
      if (!this.readCalls.has(call)) return;
      if (!call.write(eventMessage(event))) await drained(call);
    }
  }

  private gossip(): InstanceType<typeof gossipPb.ClusterInfo> {
    const member = new gossipPb.MemberInfo()
      .setInstanceId(new sharedPb.UUID().setString('00000000-0000-4000-8000-000000000001'))
      .setState(gossipPb.MemberInfo.VNodeState.LEADER)
      .setIsAlive(true)
      .setHttpEndPoint(new gossipPb.EndPoint().setAddress('127.0.0.1').setPort(this.port));
    return new gossipPb.ClusterInfo().setMembersList([member]);
  }
}

function matches(stream: string, prefixes: readonly string[]): boolean {
  return prefixes.length === 0 || prefixes.some((prefix) => stream.startsWith(prefix));
}

/** Resolves when the call takes more, or nothing any more. */
async function drained(call: ReadCall): Promise<void> {
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(call, 'drain', { signal }), once(call, 'close', { signal }), once(call, 'cancelled', { signal })]).catch(() => undefined);
  done.abort();
}
