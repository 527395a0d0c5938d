/**
 * The lock of a data directory: one writing process at a time.
 *
 * It is an exclusive transaction on a file of its own, so the operating system frees it when the process ends,
 * however it ends, and the log itself stays readable for others.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { LogUnusable } from './log-errors.js';
import { messageOf, sqliteCodeOf } from './sqlite.schema.js';

/** Takes the lock or throws `LogUnusable`; returns the function that frees it. */
export function lockDirectory(directory: string): () => void {
  let db: Database.Database | undefined;
  try {
    db = new Database(join(directory, 'lock.db'), { timeout: 0 });
    db.exec('begin exclusive');
  } catch (error) {
    db?.close();
    throw new LogUnusable(whyNot(directory, error), { cause: error });
  }
  const held = db;
  return () => held.close();
}

function whyNot(directory: string, error: unknown): string {
  if (sqliteCodeOf(error).startsWith('SQLITE_BUSY')) {
    return (
      `The data directory ${directory} is in use by another process: only one Sluice may write it. ` +
      'Stop the other one, or give this one a directory of its own (SLUICE_DATA).'
    );
  }
  return (
    `The data directory ${directory} can't be locked (lock.db: ${messageOf(error)}): ` +
    'give this user the right to write in it, and if lock.db is no longer a database, delete that one file.'
  );
}
