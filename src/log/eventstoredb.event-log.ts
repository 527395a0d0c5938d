/**
 * The event log in EventStoreDB: the log of a server whose facts live on a database of their own.
 *
 * Owns: one connection, what an answer of the server means to the ports. Does not own: what the facts mean. Talks to:
 * nobody; rooms hold it as `EventReader`, and the actor host and the audit room as `EventWriter`.
 *
 * 1. An append is answered when the server has written it to as many nodes as it has to.
 * 2. Only the very same facts at the same place are a repeat (codec): what another node, or an earlier try, has stored
 *    under the same ids is given as that, never taken for this.
 * 3. While the server is away every call is `Unavailable` within seconds, and subscriptions wait and go on by themselves.
 * 4. Streams that are not ours are not seen.
 */
import { LRUCache } from 'lru-cache';
import { SystemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { isJsonObject, parseJson } from '../events/json.js';
import type { Streams } from '../events/streams.js';
import { ids, uuidOf } from '../ids.js';
import type { Delivery, EventReader, ReadAllOptions, ReadStreamOptions, StoredFact, SubscribeOptions } from './event-reader.js';
import type { AppendResult, Blob, EventWriter, ExpectedRevision, NewFact } from './event-writer.js';
import { Appender } from './eventstoredb.appender.js';
import type { Settled } from './eventstoredb.appender.js';
import { EventStoreBlobs } from './eventstoredb.blobs.js';
import { factOf, placeOf, sentEventOf, sizeOf } from './eventstoredb.codec.js';
import type { SentEvent } from './eventstoredb.codec.js';
import { connect } from './eventstoredb.connection.js';
import type { Connection } from './eventstoredb.connection.js';
import { denied } from './eventstoredb.errors.js';
import { Feed } from './eventstoredb.feed.js';
import { OwnFacts } from './eventstoredb.own-facts.js';
import { Reach } from './eventstoredb.reach.js';
import { EventStoreReader } from './eventstoredb.reader.js';
import { Conflict, Gone, LogUnusable, TooLarge, Unavailable } from './log-errors.js';

/** Bytes of one append as the server counts them: see `sizeOf`. It refuses more, unless it was told otherwise. */
export const APPEND_LIMIT_BYTES = 1024 * 1024;
/** How long to wait for the server at the start. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 250;
const MOST_ANSWERED = 4_096;
const IDENTITY_TYPE = 'LogIdentified';

export interface EventStoreLogOptions {
  /** An EventStoreDB connection string. */
  readonly url: string;
  readonly streams: Streams;
  /** Of what is sent and awaited; facts bear times of their own. */
  readonly clock?: Clock;
  /** How long to wait for the server, in milliseconds; 30,000 unless given. */
  readonly patienceMs?: number;
}

/**
 * Connects, and finds out which log it is: the first who comes says so, in a stream of ours.
 *
 * @throws LogUnusable when the client is missing, the connection string is wrong, or the server is not there in time
 */
export async function openEventStoreLog({ url, streams, clock = new SystemClock(), patienceMs = PATIENCE_MS }: EventStoreLogOptions): Promise<EventStoreLog> {
  const log = new EventStoreLog(await connect(url), streams, clock);
  const deadline = clock.now() + patienceMs;
  for (;;) {
    try {
      await log.identify();
      return log;
    } catch (error) {
      if (error instanceof Unavailable && clock.now() < deadline) {
        await clock.sleep(AGAIN_MS);
        continue;
      }
      await log.close();
      if (!(error instanceof Unavailable)) throw error;
      throw new LogUnusable(`EventStoreDB could not be reached for ${patienceMs / 1_000} s: ${error.message} See that the server runs, and that SLUICE_EVENTS_URL is right.`, { cause: error });
    }
  }
}

export class EventStoreLog implements EventReader, EventWriter {
  readonly deliversLate = true;
  private readonly reader: EventStoreReader;
  private readonly appender: Appender;
  private readonly blobs: EventStoreBlobs;
  private readonly feed: Feed;
  private readonly reach: Reach;
  private readonly own = new OwnFacts();
  /** The last position that is known to stand in the log. */
  private known = '';
  /** Positions of appends that were answered here: no two are written at one. */
  private readonly answered = new LRUCache<string, true>({ max: MOST_ANSWERED });
  private identified = '';
  private closing: Promise<void> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly streams: Streams,
    clock: Clock,
  ) {
    this.reach = new Reach(clock, () => this.reader.probe());
    const sources = { connection, reach: this.reach, clock, prefixes: streams.factPrefixes() };
    this.reader = new EventStoreReader(sources);
    this.appender = new Appender(connection, this.reach, clock);
    this.blobs = new EventStoreBlobs(streams, this.reader, (stream, expected, events) => this.write(stream, expected, events));
    this.feed = new Feed(sources, this.reader, this.own.factOf, () => this.known);
  }

  /** A UUID that was made with the first start on this log, and names it. */
  get identity(): string {
    return this.identified;
  }

  get rowsFile(): string {
    return `read-${this.identified.slice(0, 8)}.db`;
  }

  async append(stream: string, expected: ExpectedRevision, facts: readonly NewFact[], blobs: readonly Blob[] = []): Promise<AppendResult> {
    const events = checkedEvents(stream, expected, facts);
    for (const blob of blobs) await this.blobs.keep(blob);
    const before = this.known;
    this.own.remember(stream, events, facts);
    const answer = await this.write(stream, expected, events);
    if (answer.kind === 'wrongRevision') return this.repeated(stream, expected, facts, answer.actual);
    const last = (expected === 'none' ? -1 : expected) + facts.length;
    // A stream that was deleted begins anew, but its revisions go on: the facts stand there under numbers they don't bear.
    if (answer.revision !== last) throw new Gone(stream);
    const position = answer.position ?? (await this.positionOf(stream, last));
    const duplicate = position <= before || this.answered.has(position);
    this.answered.set(position, true);
    this.note(position);
    return { revision: last, position, duplicate };
  }

  async readStream(stream: string, { after, backwards = false, limit }: ReadStreamOptions = {}): Promise<readonly StoredFact[]> {
    if (limit === 0 || (backwards && after === 0)) return [];
    const from = after === undefined ? undefined : backwards ? after - 1 : after + 1;
    const facts = (await this.reader.stream(stream, from, backwards, limit)).map(factOf);
    for (const { position } of facts) this.note(position);
    return facts;
  }

  async *readAll({ after, filter, limit = Number.MAX_SAFE_INTEGER }: ReadAllOptions = {}): AsyncGenerator<readonly StoredFact[]> {
    let left = limit;
    if (after !== undefined && after !== '') placeOf(after);
    if (left <= 0) return;
    for await (const page of this.reader.pages(after === '' ? undefined : after, filter)) {
      const facts = page.slice(0, left);
      yield facts;
      left -= facts.length;
      if (left <= 0) return;
    }
  }

  subscribe(options: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    return this.feed.subscribe(options);
  }

  async head(): Promise<string> {
    this.reach.check();
    return this.reader.head();
  }

  readBlob(sha256: string): Promise<string | undefined> {
    return this.blobs.read(sha256);
  }

  /** Facts that wait in memory for subscribers who have not taken them yet: bounded for each. */
  get bufferedFacts(): number {
    return this.feed.buffered;
  }

  /** Ends the subscriptions and, when what is under way is answered, the connection. Later calls are `Unavailable`. */
  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  /** Reads which log this is, or says so if nobody has. Asked once, by who opens it. */
  async identify(): Promise<void> {
    const stream = this.streams.identity();
    const identity = ids.freshIncarnation();
    const event = { id: uuidOf('identity', identity), type: IDENTITY_TYPE, json: true, data: Buffer.from(JSON.stringify({ identity })), metadata: Buffer.from('{}') };
    let [said] = await this.reader.stream(stream, undefined, false, 1);
    if (said === undefined) {
      await this.write(stream, 'none', [event]);
      [said] = await this.reader.stream(stream, undefined, false, 1);
    }
    const data = said === undefined ? undefined : parseJson(Buffer.from(said.data).toString('utf8'));
    const found = isJsonObject(data) ? data['identity'] : undefined;
    if (typeof found !== 'string') throw new LogUnusable(`Stream ${stream} does not say which log this is: it was written by another program. Set SLUICE_NAMESPACE.`);
    this.identified = found;
    this.note(await this.reader.head());
  }

  private note(position: string): void {
    if (position > this.known) this.known = position;
  }

  private async write(stream: string, expected: ExpectedRevision, events: readonly SentEvent[]): Promise<Extract<Settled, { kind: 'taken' | 'wrongRevision' }>> {
    if (this.closing !== undefined) throw new Unavailable('The log is closed: nothing was written.');
    const answer = await this.appender.append(stream, expected, events);
    switch (answer.kind) {
      case 'taken':
      case 'wrongRevision':
        return answer;
      case 'tooLarge':
        throw new TooLarge(sizeOf(events), answer.limit);
      case 'gone':
        throw new Gone(stream);
      case 'denied':
        throw denied(`append to ${stream}`);
    }
  }

  /** The same ids may stand there with other facts: then that was the first answer. */
  private async repeated(stream: string, expected: ExpectedRevision, facts: readonly NewFact[], actual: number | 'none'): Promise<AppendResult> {
    const before = expected === 'none' ? -1 : expected;
    const last = before + facts.length;
    if (actual !== 'none' && actual >= last) {
      const stored = await this.reader.stream(stream, before + 1, false, facts.length);
      const same = stored.length === facts.length && stored.every((event, index) => factOf(event).id === facts[index]!.id && event.revision === before + 1 + index);
      if (same) return { revision: last, position: stored.at(-1)!.position, duplicate: true };
    }
    throw new Conflict(stream, expected, actual);
  }

  private async positionOf(stream: string, revision: number): Promise<string> {
    const [event] = await this.reader.stream(stream, revision, false, 1);
    if (event === undefined) throw new Unavailable(`Fact ${revision} of ${stream} was taken, but can't be read yet.`);
    return event.position;
  }

  private async shut(): Promise<void> {
    await this.appender.drained();
    this.reach.close();
    await this.feed.close();
    this.appender.close();
    await this.connection.close();
  }
}

/** What no caller may ever ask is a programmer's error, not a refusal. */
function checkedEvents(stream: string, expected: ExpectedRevision, facts: readonly NewFact[]): readonly SentEvent[] {
  if (stream === '') throw new RangeError("A stream's name can't be empty.");
  if (facts.length === 0) throw new RangeError(`An append to ${stream} needs at least one fact.`);
  if (expected !== 'none' && !(Number.isSafeInteger(expected) && expected >= 0)) throw new RangeError(`${expected} is not a revision: give one from 0, or 'none'.`);
  if (facts.some(({ type }) => type === '')) throw new RangeError(`A fact for ${stream} has no type.`);
  const events = facts.map(sentEventOf);
  const bytes = sizeOf(events);
  if (bytes > APPEND_LIMIT_BYTES) throw new TooLarge(bytes, APPEND_LIMIT_BYTES);
  return events;
}
