/**
 * Commit queue: appends that arrive together share one transaction and one fsync.
 *
 * Owns: the writing statements, what waits for the next commit. Does not own: the file, reading,
 * live delivery. Talks to: the database, synchronously; whoever wants to know what was committed, through `committed`.
 *
 * 1. An append is answered after the commit that holds it, never before.
 * 2. One append in conflict is refused alone; a transaction that fails refuses every append of its group.
 */
import type Database from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { isoTime } from '../events/json.js';
import type { StoredFact } from './event-reader.js';
import type { AppendResult, Blob, ExpectedRevision, NewFact } from './event-writer.js';
import { Conflict, Denied, LogUnusable, Unavailable } from './log-errors.js';
import { positionText } from './sqlite.codec.js';
import { messageOf, sqliteCodeOf } from './sqlite.schema.js';
import type { Published } from './subscription.js';

/** A group is cut there, so that one commit does not hold up the event loop for long. */
const GROUP_APPENDS = 1_000;
const GROUP_BYTES = 16 * 1024 * 1024;
/** Streams that were written to last and are likely to be again. */
const KNOWN_HEADS = 5_000;

export interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly facts: readonly NewFact[];
  readonly blobs: readonly Blob[];
  readonly bytes: number;
}

interface Waiting extends Append {
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}

/** A stream's number in the file, and its last revision. */
interface Head {
  readonly stream: number;
  revision: number;
}

/** What a group is about to do, while its transaction is open. */
interface Group {
  readonly facts: StoredFact[];
  readonly recordedAt: number;
  position: number;
  characters: number;
}

export class CommitQueue {
  readonly #clock: Clock;
  readonly #committed: (commit: Published) => void;
  readonly #statements: Statements;
  readonly #waiting: Waiting[] = [];
  /** Nobody else writes this file while it is open. */
  readonly #heads = new LRUCache<string, Head>({ max: KNOWN_HEADS });
  #turn: Promise<void> | undefined;
  #position: number;

  constructor(db: Database.Database, clock: Clock, committed: (commit: Published) => void) {
    this.#clock = clock;
    this.#committed = committed;
    this.#statements = statementsOf(db);
    this.#position = Number(this.#statements.lastPosition.get() ?? 0);
  }

  append({ stream, expected, facts, blobs, bytes }: Append): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ stream, expected, facts, blobs, bytes, resolve, reject });
      this.#turn ??= new Promise((done) => setImmediate(() => this.#flush(done)));
    });
  }

  /** The stream's last revision; -1 if there is none. */
  lastRevisionOf(stream: string): number {
    return this.#headOf(stream)?.revision ?? -1;
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.#turn !== undefined) await this.#turn;
  }

  #headOf(stream: string): Head | undefined {
    const known = this.#heads.get(stream);
    if (known !== undefined) return known;
    const head = this.#statements.headOf.get(stream);
    if (head !== undefined) this.#heads.set(stream, head);
    return head;
  }

  #flush(done: () => void): void {
    const group = this.#takeGroup();
    this.#turn = this.#waiting.length > 0 ? new Promise((next) => setImmediate(() => this.#flush(next))) : undefined;
    this.#commit(group);
    done();
  }

  #takeGroup(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const append of this.#waiting) {
      bytes += append.bytes;
      if (count > 0 && bytes > GROUP_BYTES) break;
      count += 1;
      if (count === GROUP_APPENDS) break;
    }
    return this.#waiting.splice(0, count);
  }

  #commit(appends: readonly Waiting[]): void {
    const group: Group = { facts: [], recordedAt: this.#clock.now(), position: this.#position, characters: 0 };
    let outcomes: readonly (AppendResult | Conflict)[];
    try {
      outcomes = this.#statements.inTransaction(() => appends.map((append) => this.#write(append, group)));
    } catch (error) {
      this.#heads.clear();
      const refusal = writeError(error);
      for (const append of appends) append.reject(refusal);
      return;
    }
    this.#position = group.position;
    outcomes.forEach((outcome, index) => {
      if (outcome instanceof Conflict) appends[index]!.reject(outcome);
      else appends[index]!.resolve(outcome);
    });
    if (group.facts.length > 0) this.#committed(group);
  }

  #write(append: Append, group: Group): AppendResult | Conflict {
    const head = this.#headOf(append.stream);
    const actual = head?.revision ?? -1;
    const expected = append.expected === 'none' ? -1 : append.expected;
    if (actual !== expected) {
      const repeated = head !== undefined && expected < actual ? this.#repeated(append, head, expected) : undefined;
      return repeated ?? new Conflict(append.stream, append.expected, actual === -1 ? 'none' : actual);
    }
    for (const blob of append.blobs) this.#statements.insertBlob.run(blob.sha256, blob.text);
    const stream = head?.stream ?? Number(this.#statements.insertStream.run(append.stream).lastInsertRowid);
    const recordedAt = isoTime(group.recordedAt);
    let revision = actual;
    for (const fact of append.facts) {
      revision += 1;
      group.position += 1;
      const { type, id, data, metadata } = fact;
      this.#statements.insertFact.run(
        group.position, stream, revision, type, id, fact.dataText, fact.metadataText, group.recordedAt,
      );
      group.facts.push({ stream: append.stream, revision, type, data, metadata, id, position: positionText(group.position), recordedAt });
    }
    group.characters += append.bytes;
    // If nothing comes of the transaction, all heads are let go.
    if (head === undefined) this.#heads.set(append.stream, { stream, revision });
    else head.revision = revision;
    return { revision, position: positionText(group.position), duplicate: false };
  }

  /** The first answer, if these very facts stand at the place where they were to go. */
  #repeated(append: Append, head: Head, expected: number): AppendResult | undefined {
    const last = expected + append.facts.length;
    const rows = this.#statements.idsBetween.all(head.stream, expected, last);
    if (rows.length !== append.facts.length) return undefined;
    if (!rows.every((row, index) => row.id === append.facts[index]!.id)) return undefined;
    return { revision: last, position: positionText(rows.at(-1)!.position), duplicate: true };
  }
}

type Statements = ReturnType<typeof statementsOf>;

function statementsOf(db: Database.Database) {
  const transaction = db.transaction((work: () => (AppendResult | Conflict)[]) => work());
  return {
    inTransaction: (work: () => (AppendResult | Conflict)[]) => transaction.immediate(work),
    lastPosition: db.prepare('select max(position) from facts').pluck(),
    headOf: db.prepare<[string], Head>(
      `select s.stream, f.revision from streams s join facts f on f.stream = s.stream
       where s.name = ? order by f.revision desc limit 1`,
    ),
    idsBetween: db.prepare<[number, number, number], { readonly id: string; readonly position: number }>(
      'select id, position from facts where stream = ? and revision > ? and revision <= ? order by revision',
    ),
    insertStream: db.prepare('insert into streams (name) values (?)'),
    insertFact: db.prepare(
      'insert into facts (position, stream, revision, type, id, data, metadata, recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    insertBlob: db.prepare('insert or ignore into blobs (sha256, text) values (?, ?)'),
  };
}

function writeError(error: unknown): Error {
  const code = sqliteCodeOf(error);
  if (code === 'SQLITE_FULL') return new Unavailable('The disk is full: nothing was written. Make room, and appends work again.', { cause: error });
  if (code.startsWith('SQLITE_IOERR')) return new Unavailable(`The disk does not take the log (${code}): nothing was written, as far as is known.`, { cause: error });
  if (code.startsWith('SQLITE_READONLY')) return new Denied("The log's file can't be written: give this user the right to.", { cause: error });
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new LogUnusable(`The log is damaged (${messageOf(error)}): restore it from a backup.`, { cause: error });
  }
  if (code !== '') return new Unavailable(`The log can't be written: ${messageOf(error)}.`, { cause: error });
  return error instanceof Error ? error : new Error(messageOf(error));
}
