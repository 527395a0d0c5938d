/**
 * The file of the SQLite log: how it is made, opened, and refused when it is not ours.
 *
 * Stream names stand once, in `streams`: facts carry a small number instead, which keeps the one index short.
 * Nothing is ever deleted or updated, so positions grow without holes and are never used twice.
 */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { LogUnusable } from './log-errors.js';

/** Where the log's file lies in a data directory. */
export function logFileIn(directory: string): string {
  return join(directory, 'log.db');
}

/** 'Sluc' in ASCII: this file is ours and no other program's. */
const APPLICATION_ID = 0x536c7563;
const SCHEMA_VERSION = 1;

const SCHEMA = `
  create table streams (stream integer primary key, name text not null unique);
  create table facts (
    position integer primary key,
    stream integer not null references streams (stream),
    revision integer not null,
    type text not null,
    id text not null,
    data text not null,
    metadata text not null,
    recorded_at integer not null
  );
  create unique index facts_of_stream on facts (stream, revision);
  create table blobs (sha256 text primary key, text text not null) without rowid;
  create table log (identity text not null);
`;

export interface OpenedLog {
  readonly db: Database.Database;
  /** Made with the file, and the same as long as the file lives. */
  readonly identity: string;
}

/** Opens the log's file for writing, and makes it if there is none. `:memory:` makes one that nobody else sees. */
export function openForWriting(file: string, freshIdentity: string, maxPageCount: number | undefined): OpenedLog {
  return opening(file, () => {
    const db = new Database(file, { timeout: 1_000 });
    return closingOnError(db, () => {
      // Reads the first page: what is not a database is found here, before anything is written.
      if (isEmpty(db)) createSchema(db, freshIdentity);
      checkVersion(db, file);
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      // After a burst the write-ahead log gives its room back.
      db.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
      if (maxPageCount !== undefined) db.pragma(`max_page_count = ${Math.trunc(maxPageCount)}`);
      // A file that can't be written is found now, not at the first append: `begin immediate` alone would not see it.
      db.exec(`begin immediate; pragma user_version = ${SCHEMA_VERSION}; rollback`);
      return { db, identity: readIdentity(db) };
    });
  });
}

/** Opens the log's file for reading, also while a server writes it. */
export function openForReading(file: string): OpenedLog {
  return opening(file, () => {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 1_000 });
    return closingOnError(db, () => {
      if (isEmpty(db)) throw new LogUnusable(`${file} is empty: there is no log in it yet.`);
      checkVersion(db, file);
      return { db, identity: readIdentity(db) };
    });
  });
}

/** Makes the data directory if there is none. */
export function ensureDirectory(directory: string): void {
  try {
    makeFolder(directory);
  } catch (error) {
    throw new LogUnusable(`The data directory ${directory} can't be made: ${messageOf(error)}.`, { cause: error });
  }
}

/** Folder by folder: Node's own `recursive` never comes back where a parent answers ENOENT to everything, as /proc does. */
function makeFolder(folder: string): void {
  if (isFolder(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have been faster.
    if (!isFolder(folder)) throw error;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * SQLite's name for what went wrong (`SQLITE_FULL`, `SQLITE_IOERR_WRITE`, …), '' for any other error.
 * By shape, because the driver throws one class for a whole process, also where its module is loaded twice.
 */
export function sqliteCodeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error) || typeof error.code !== 'string') return '';
  return error.code.startsWith('SQLITE_') ? error.code : '';
}

export function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return String(hasMessage ? error.message : error);
}

function isEmpty(db: Database.Database): boolean {
  return db.prepare('select 1 from sqlite_schema limit 1').get() === undefined && numberPragma(db, 'application_id') === 0;
}

function createSchema(db: Database.Database, identity: string): void {
  db.transaction(() => {
    db.exec(SCHEMA);
    db.prepare('insert into log (identity) values (?)').run(identity);
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${SCHEMA_VERSION}`);
  }).immediate();
}

function checkVersion(db: Database.Database, file: string): void {
  if (numberPragma(db, 'application_id') !== APPLICATION_ID) {
    throw new LogUnusable(`${file} is another program's database, not a log of Sluice: nothing was changed. Point SLUICE_DATA elsewhere.`);
  }
  const version = numberPragma(db, 'user_version');
  if (version > SCHEMA_VERSION) {
    throw new LogUnusable(
      `${file} was written by a newer Sluice (schema ${version}; this one knows ${SCHEMA_VERSION}): nothing was changed. Use the newer version.`,
    );
  }
}

function readIdentity(db: Database.Database): string {
  return String(db.prepare('select identity from log').pluck().get());
}

function numberPragma(db: Database.Database, name: string): number {
  return Number(db.pragma(name, { simple: true }));
}

function closingOnError<T>(db: Database.Database, work: () => T): T {
  try {
    return work();
  } catch (error) {
    db.close();
    throw error;
  }
}

function opening<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LogUnusable) throw error;
    throw new LogUnusable(`${whyUnusable(file, error)} Nothing was changed.`, { cause: error });
  }
}

function whyUnusable(file: string, error: unknown): string {
  const code = sqliteCodeOf(error);
  if (code === 'SQLITE_NOTADB') return `${file} is not a database: put the right file there, or move it away for a fresh log.`;
  if (code.startsWith('SQLITE_CORRUPT')) return `${file} is damaged (${messageOf(error)}): restore it from a backup.`;
  if (code.startsWith('SQLITE_READONLY')) return `${file} can't be written: give this user the right to write the file and its directory.`;
  if (code.startsWith('SQLITE_CANTOPEN')) return `${file} can't be opened: it must be a file that this user may read and write, in a directory that exists.`;
  if (code === 'SQLITE_FULL') return `The disk is full: ${file} can't be made. Make room and start again.`;
  return `${file} can't be opened: ${messageOf(error)}.`;
}
