/**
 * The log that a scenario runs on: the embedded one, or EventStoreDB where SLUICE_TEST_EVENTS_URL says so. There every
 * data directory has streams of its own, so that opening it again finds them.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../../src/clock.js';
import { Streams } from '../../src/events/streams.js';
import { openLog } from '../../src/log/open-log.js';
import type { EngineLog } from '../../src/log/open-log.js';

export interface ChosenLog {
  readonly log: EngineLog;
  readonly namespace: string | undefined;
}

/** Test files may share a process, and a server. */
const FILE = randomUUID();
let inMemory = 0;

export async function chosenLog(directory: string, clock: Clock): Promise<ChosenLog> {
  const { url, namespace } = chosenPlace(directory);
  return { log: await openLog({ url, directory, streams: new Streams(namespace), clock }), namespace };
}

/** Where that log is. */
export function chosenPlace(directory: string): { readonly url: string; readonly namespace: string | undefined } {
  const url = process.env['SLUICE_TEST_EVENTS_URL'] ?? 'sqlite:';
  const own = directory === ':memory:' ? `${FILE} ${(inMemory += 1)}` : directory;
  return { url, namespace: url === 'sqlite:' ? undefined : `t${createHash('sha256').update(own).digest('hex').slice(0, 16)}` };
}
