/** How far the rows of a data directory have come, from its file alone: for who looks without a server. */
import { join } from 'node:path';
import Database from 'better-sqlite3';

export interface BuildProgress {
  readonly projection: string;
  readonly version: number;
  readonly state: string;
  readonly position: string;
}

export interface ReadProgress {
  /** The log that the rows were made from. */
  readonly log: string;
  readonly builds: readonly BuildProgress[];
}

/** Undefined if there is no file, or none that can be read: nothing stands in it that the log does not have. */
export function readProgressIn(directory: string): ReadProgress | undefined {
  let db: Database.Database | undefined;
  try {
    db = new Database(join(directory, 'read.db'), { readonly: true, fileMustExist: true, timeout: 1_000 });
    const log = String(db.prepare('select log_identity from store').pluck().get());
    return { log, builds: db.prepare<[], BuildProgress>('select projection, version, state, position from builds order by projection, build').all() };
  } catch {
    return undefined;
  } finally {
    db?.close();
  }
}
