/**
 * The event log in one SQLite file: the log of a server that runs alone, and of tests (`:memory:`).
 *
 * Owns: `log.db` and `lock.db` of its directory. Does not own: what the facts mean. Talks to: nobody; rooms hold it as
 * `EventReader`, and the actor host and the audit room as `EventWriter`.
 *
 * 1. An append is answered when it is on the disk (WAL, synchronous=FULL), and published after that.
 * 2. Subscribers get the very objects that were appended; nothing is read a second time.
 * 3. One process writes a directory; any number may read it (`openSqliteLogReader`).
 */
import type Database from 'better-sqlite3';
import type { Clock } from '../clock.js';
import { ids } from '../ids.js';
import { lockDirectory } from './data-lock.js';
import type { Delivery, EventReader, ReadAllOptions, ReadStreamOptions, StoredFact, SubscribeOptions } from './event-reader.js';
import type { AppendResult, Blob, EventWriter, ExpectedRevision, NewFact } from './event-writer.js';
import { TooLarge, Unavailable } from './log-errors.js';
import { positionText } from './sqlite.codec.js';
import { CommitQueue } from './sqlite.commit-queue.js';
import { examine } from './sqlite.examiner.js';
import { pagesOf, SqliteReader } from './sqlite.reader.js';
import { ensureDirectory, logFileIn, openForReading, openForWriting, type OpenedLog } from './sqlite.schema.js';
import { Subscriptions } from './subscription.js';

/** Bytes of the texts of one append, in UTF-8. Blobs are not counted. */
export const APPEND_LIMIT_BYTES = 1024 * 1024;

export interface SqliteLogOptions {
  /** The data directory, made if there is none, or `:memory:` for a log that ends with the process. */
  readonly directory: string;
  readonly clock: Clock;
  /** Pages of 4 KiB that the file may have; appends past it are refused as on a full disk. No limit if absent. */
  readonly maxPageCount?: number;
  /** The identity of the log if it is made now. A fresh one if absent. */
  readonly freshIdentity?: string;
}

/**
 * Opens the log of a data directory for writing and holds it until `close`.
 *
 * @throws LogUnusable when another process holds it, or the file is not a log that this version can write
 */
export function openSqliteLog(options: SqliteLogOptions): SqliteEventLog {
  const { directory, clock, maxPageCount } = options;
  const identity = options.freshIdentity ?? ids.freshIncarnation();
  if (directory === ':memory:') return new SqliteEventLog(openForWriting(':memory:', identity, maxPageCount), clock, () => {});
  ensureDirectory(directory);
  const unlock = lockDirectory(directory);
  try {
    return new SqliteEventLog(openForWriting(logFileIn(directory), identity, maxPageCount), clock, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

export class SqliteEventLog implements EventReader, EventWriter {
  /** A UUID that was made with the file and names this log as long as it lives. */
  readonly identity: string;
  readonly #db: Database.Database;
  readonly #unlock: () => void;
  readonly #reader: SqliteReader;
  readonly #queue: CommitQueue;
  readonly #subscriptions: Subscriptions;
  #closing: Promise<void> | undefined;

  constructor(opened: OpenedLog, clock: Clock, unlock: () => void) {
    this.identity = opened.identity;
    this.#db = opened.db;
    this.#unlock = unlock;
    this.#reader = new SqliteReader(opened.db);
    this.#subscriptions = new Subscriptions(this.#reader);
    this.#queue = new CommitQueue(opened.db, clock, (commit) => this.#subscriptions.publish(commit));
  }

  async append(
    stream: string,
    expected: ExpectedRevision,
    facts: readonly NewFact[],
    blobs: readonly Blob[] = [],
  ): Promise<AppendResult> {
    const bytes = checkAppend(stream, expected, facts);
    if (this.#closing !== undefined) throw new Unavailable('The log is closed: nothing was written.');
    return this.#queue.append({ stream, expected, facts, blobs, bytes });
  }

  async readStream(stream: string, options?: ReadStreamOptions): Promise<readonly StoredFact[]> {
    // Most who ask what has come since they looked are told that nothing has, without a question to the file.
    const { after, backwards } = options ?? {};
    if (after !== undefined && backwards !== true && this.#reader.reading(() => after >= this.#queue.lastRevisionOf(stream))) return [];
    return this.#reader.readStream(stream, options);
  }

  readAll(options?: ReadAllOptions): AsyncGenerator<readonly StoredFact[]> {
    return pagesOf(this.#reader, options);
  }

  subscribe(options: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    return this.#subscriptions.subscribe(options);
  }

  async head(): Promise<string> {
    return headText(this.#reader);
  }

  async readBlob(sha256: string): Promise<string | undefined> {
    return this.#reader.readBlob(sha256);
  }

  /** Facts that wait in memory for subscribers who have not taken them yet: bounded for each. */
  get bufferedFacts(): number {
    return this.#subscriptions.buffered;
  }

  /** How the file is written, as the database itself says: 'wal' and 2 (FULL). `:memory:` says 'memory'. */
  durability(): { readonly journalMode: string; readonly synchronous: number } {
    return {
      journalMode: String(this.#db.pragma('journal_mode', { simple: true })),
      synchronous: Number(this.#db.pragma('synchronous', { simple: true })),
    };
  }

  /** Gives the file another limit, in pages of 4 KiB: appends work again when a full one got room. */
  limitPages(maxPageCount: number): void {
    this.#db.pragma(`max_page_count = ${Math.trunc(maxPageCount)}`);
  }

  /** Writes what waits, ends the subscriptions, frees the directory. Later appends and reads are `Unavailable`. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#queue.drained();
    this.#subscriptions.close();
    this.#db.close();
    this.#unlock();
  }
}

/** A log that is only read: there is no live delivery, because another process writes. */
export type SqliteLogReader = Omit<EventReader, 'subscribe'> & { readonly identity: string; examine(): ReturnType<typeof examine>; close(): void };

/**
 * Opens the log of a data directory for reading, also while a server writes it. Takes no lock.
 *
 * @throws LogUnusable when there is no log in that directory that this version can read
 */
export function openSqliteLogReader(options: { readonly directory: string }): SqliteLogReader {
  const { db, identity } = openForReading(logFileIn(options.directory));
  const reader = new SqliteReader(db);
  return {
    identity,
    readStream: async (stream, readOptions) => reader.readStream(stream, readOptions),
    readAll: (readOptions) => pagesOf(reader, readOptions),
    examine: () => examine(db),
    head: async () => headText(reader),
    readBlob: async (sha256) => reader.readBlob(sha256),
    close: () => {
      db.close();
    },
  };
}

function headText(reader: SqliteReader): string {
  const head = reader.head();
  return head === 0 ? '' : positionText(head);
}

/** The bytes of an append that may be tried. What no caller may ever ask is a programmer's error, not a refusal. */
function checkAppend(stream: string, expected: ExpectedRevision, facts: readonly NewFact[]): number {
  if (stream === '') throw new RangeError("A stream's name can't be empty.");
  if (facts.length === 0) throw new RangeError(`An append to ${stream} needs at least one fact.`);
  if (expected !== 'none' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw new RangeError(`${expected} is not a revision: give one from 0, or 'none'.`);
  }
  let bytes = 0;
  for (const fact of facts) {
    if (fact.type === '') throw new RangeError(`A fact for ${stream} has no type.`);
    bytes += Buffer.byteLength(fact.dataText) + Buffer.byteLength(fact.metadataText);
  }
  if (bytes > APPEND_LIMIT_BYTES) throw new TooLarge(bytes, APPEND_LIMIT_BYTES);
  return bytes;
}
