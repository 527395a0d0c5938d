/** Which log a server has: told by one URL, and by nothing else. */
import type { Clock } from '../clock.js';
import type { Streams } from '../events/streams.js';
import { lockDirectory } from './data-lock.js';
import type { EventReader } from './event-reader.js';
import type { EventWriter } from './event-writer.js';
import { openSqliteLog, openSqliteLogReader } from './sqlite.event-log.js';
import { ensureDirectory } from './sqlite.schema.js';

/** A log as the engine holds it: both ports, and the end of it. */
export interface EngineLog extends EventReader, EventWriter {
  /** A UUID that names this log as long as it lives. */
  readonly identity: string;
  /** The file of the data directory for rows made from it, where that is not `read.db`: each log has rows of its own. */
  readonly rowsFile?: string;
  /** Whether a fact is heard well after its append was answered. */
  readonly deliversLate?: boolean;
  /** Facts that wait in memory for subscribers who have not taken them yet. */
  readonly bufferedFacts: number;
  close(): Promise<void>;
}

export interface LogPlace {
  /** `sqlite:`, or an EventStoreDB connection string. */
  readonly url: string;
  /** The data directory: it is held whatever the log is, since one process writes what lies in it. */
  readonly directory: string;
  readonly streams: Streams;
  readonly clock: Clock;
}

/** A log that is read alone. */
export interface LogReading extends Omit<EventReader, 'subscribe'>, Pick<EngineLog, 'identity' | 'rowsFile'> {
  close(): void | Promise<void>;
}

/** The URL of the log in the data directory. */
export const EMBEDDED = 'sqlite:';

/** @throws LogUnusable with what a person can do about it */
export async function openLog({ url, directory, streams, clock }: LogPlace): Promise<EngineLog> {
  if (url === EMBEDDED) return openSqliteLog({ directory, clock });
  const unlock = heldBeside(directory);
  try {
    const log = await openServerLog(url, streams);
    const close = log.close.bind(log);
    return Object.assign(log, { close: () => close().finally(unlock) });
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Beside the one process that writes. @throws LogUnusable */
export async function openLogReader({ url, directory, streams }: LogPlace): Promise<LogReading> {
  return url === EMBEDDED ? openSqliteLogReader({ directory }) : openServerLog(url, streams);
}

/** Loaded when it is used: its driver need not be installed otherwise. */
async function openServerLog(url: string, streams: Streams) {
  const { openEventStoreLog } = await import('./eventstoredb.event-log.js');
  return openEventStoreLog({ url, streams });
}

function heldBeside(directory: string): () => void {
  if (directory === ':memory:') return () => {};
  ensureDirectory(directory);
  return lockDirectory(directory);
}
