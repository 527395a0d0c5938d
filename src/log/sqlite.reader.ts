/**
 * What is read from the SQLite log: streams, pages of the whole log, blobs, the head.
 *
 * Owns: the reading statements and how rows become facts. Does not own: writing, live delivery. Talks to: the database
 * that it is given, synchronously.
 *
 * 1. A page costs the event loop a few milliseconds at most, however rare the streams are that are asked for.
 */
import type Database from 'better-sqlite3';
import type { ReadAllOptions, ReadStreamOptions, StoredFact, StreamFilter } from './event-reader.js';
import { LogUnusable, Unavailable } from './log-errors.js';
import { factOf, positionNumber, type Row } from './sqlite.codec.js';
import { messageOf, sqliteCodeOf } from './sqlite.schema.js';

/** Facts of one page at most; also the texts of one page are bounded, so that large facts make short pages. */
const PAGE_FACTS = 500;
const PAGE_CHARACTERS = 2 * 1024 * 1024;
/** Positions that one page looks at when a filter skips most of them. */
const SCAN_WINDOW = 5_000;
export function matchesFilter(stream: string, filter: StreamFilter | undefined): boolean {
  if (filter === undefined || filter.prefixes.length === 0) return true;
  return filter.prefixes.some((prefix) => stream.startsWith(prefix));
}

/** Facts in log order, and how far the log was looked at to find them. */
export interface Page {
  readonly facts: readonly StoredFact[];
  readonly scannedTo: number;
}

const COLUMNS = 'f.position, s.name, f.revision, f.type, f.id, f.data, f.metadata, f.recorded_at';
const FROM = 'from facts f join streams s on s.stream = f.stream';
// `cross join` fixes the order of the loops: along the positions, each with its stream's name.
const FROM_ALL = 'from facts f cross join streams s on s.stream = f.stream';

export class SqliteReader {
  readonly #db: Database.Database;
  readonly #forwards: Database.Statement<[string, number, number], Row>;
  readonly #backwards: Database.Statement<[string, number, number], Row>;
  readonly #head: Database.Statement<[], number | null>;
  readonly #blob: Database.Statement<[string], string>;
  /** By number of prefixes: the text differs by nothing else. */
  readonly #pages = new Map<number, Database.Statement<(string | number)[], Row>>();

  constructor(db: Database.Database) {
    this.#db = db;
    const ofStream = `select ${COLUMNS} ${FROM} where s.name = ? and f.revision`;
    this.#forwards = db.prepare<[string, number, number], Row>(`${ofStream} > ? order by f.revision limit ?`).raw();
    this.#backwards = db.prepare<[string, number, number], Row>(`${ofStream} < ? order by f.revision desc limit ?`).raw();
    this.#head = db.prepare<[], number | null>('select max(position) from facts').pluck();
    this.#blob = db.prepare<[string], string>('select text from blobs where sha256 = ?').pluck();
  }

  readStream(stream: string, options: ReadStreamOptions = {}): readonly StoredFact[] {
    return this.reading(() => {
      const statement = options.backwards ? this.#backwards : this.#forwards;
      const after = options.after ?? (options.backwards ? Number.MAX_SAFE_INTEGER : -1);
      const rows = statement.all(stream, after, options.limit ?? -1);
      return rows.map(factOf);
    });
  }

  head(): number {
    return this.reading(() => Number(this.#head.get() ?? 0));
  }

  readBlob(sha256: string): string | undefined {
    return this.reading(() => this.#blob.get(sha256));
  }

  /** The next page after a position; at the end `scannedTo` is the head (or `after`, if that lies beyond it). */
  readPage(after: number, filter: StreamFilter | undefined, limit = PAGE_FACTS): Page {
    return this.reading(() => {
      const head = Number(this.#head.get() ?? 0);
      const prefixes = filter?.prefixes ?? [];
      const bound = prefixes.flatMap((prefix) => [prefix, prefix]);
      const end = prefixes.length === 0 ? head : Math.min(head, after + SCAN_WINDOW);
      const most = Math.min(limit, PAGE_FACTS);
      const facts: StoredFact[] = [];
      let characters = 0;
      let last = after;
      let cut = false;
      for (const row of this.#pageStatement(prefixes.length).iterate(after, end, ...bound, most)) {
        facts.push(factOf(row));
        last = row[0];
        characters += row[5].length + row[6].length;
        if (characters >= PAGE_CHARACTERS) {
          cut = true;
          break;
        }
      }
      const full = cut || facts.length >= most;
      return { facts, scannedTo: full ? last : Math.max(after, end) };
    });
  }

  #pageStatement(prefixes: number): Database.Statement<(string | number)[], Row> {
    let statement = this.#pages.get(prefixes);
    if (statement === undefined) {
      const ours = Array.from({ length: prefixes }, () => 'substr(s.name, 1, length(?)) = ?').join(' or ');
      const where = `f.position > ? and f.position <= ?${prefixes === 0 ? '' : ` and (${ours})`}`;
      statement = this.#db
        .prepare<(string | number)[], Row>(`select ${COLUMNS} ${FROM_ALL} where ${where} order by f.position limit ?`)
        .raw();
      this.#pages.set(prefixes, statement);
    }
    return statement;
  }

  /** @throws Unavailable, LogUnusable: what the database says when it can't be read */
  reading<T>(work: () => T): T {
    if (!this.#db.open) throw new Unavailable('The log is closed.');
    try {
      return work();
    } catch (error) {
      throw readError(error);
    }
  }
}

/** Pages in log order until the head, with a turn of the event loop between two, so that others get theirs. */
export async function* pagesOf(reader: SqliteReader, options: ReadAllOptions = {}): AsyncGenerator<readonly StoredFact[]> {
  let after = positionNumber(options.after);
  let left = options.limit ?? Number.MAX_SAFE_INTEGER;
  while (left > 0) {
    const page = reader.readPage(after, options.filter, left);
    if (page.facts.length > 0) yield page.facts;
    if (page.scannedTo <= after) return;
    left -= page.facts.length;
    after = page.scannedTo;
    await nextTurn();
  }
}

/** Lets input, output and other work have its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function readError(error: unknown): unknown {
  const code = sqliteCodeOf(error);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB' || error instanceof SyntaxError) {
    return new LogUnusable(`The log is damaged (${messageOf(error)}): restore it from a backup.`, { cause: error });
  }
  if (code !== '') return new Unavailable(`The log can't be read: ${messageOf(error)}.`, { cause: error });
  return error;
}
