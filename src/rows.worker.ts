/** The thread in which rows are made: reads the log or takes what is handed over of it, writes `read.db`, says how far it is. */
import { parentPort, workerData } from 'node:worker_threads';
import { SystemClock } from './clock.js';
import { Streams } from './events/streams.js';
import { openLogReader } from './log/open-log.js';
import { FollowedLog } from './reading/followed-log.js';
import { ProjectionHost } from './reading/projection-host.js';
import { ReadStoreUnusable } from './reading/read-errors.js';
import { ReadStore } from './reading/read-store.js';
import type { FromRows, ToRows } from './reading/rows-thread.js';
import { projectionsOf, rowsPlace } from './rows.js';

const TELL_AGAIN_MS = 1_000;
/** Facts in one transaction: nobody is held up by it but who waits for these very rows. */
const MOST_FACTS = 2_000;

const { directory, namespace, url } = rowsPlace.parse(workerData);
const clock = new SystemClock();
const streams = new Streams(namespace);
const reader = await openLogReader({ url, directory, streams, clock });
const log = new FollowedLog({ reader, clock, most: MOST_FACTS, took: ({ facts }) => tell({ kind: 'took', characters: facts.length }) });
const store = ReadStore.open(directory, reader.identity, reader.rowsFile);
const host = new ProjectionHost({
  reader: log, store, projections: projectionsOf(streams), clock,
  report: (message) => tell({ kind: 'report', message }),
  // The other thread has waited for more already.
  gather: { most: MOST_FACTS, pauseMs: 0 },
  moved: () => tellStanding(),
});
let again: (() => void) | undefined;

function tell(message: FromRows): void {
  parentPort?.postMessage(message);
}

/** A rate falls by itself, so it is told again until it is 0. */
function tellStanding(): void {
  const status = host.status();
  tell({ kind: 'standing', live: host.caughtUp, newestAtMs: host.newestAtMs, status });
  if (status.every(({ rate }) => rate === 0)) return;
  again ??= clock.wakeAt(clock.now() + TELL_AGAIN_MS, () => {
    again = undefined;
    tellStanding();
  });
}

async function hear(message: ToRows): Promise<void> {
  switch (message.kind) {
    case 'news':
      return log.news();
    case 'handed':
      return log.hand(message.handed);
    case 'wait': {
      const { ask, position, timeoutMs } = message;
      return tell({ kind: 'answer', ask, reached: await host.waitFor(position, timeoutMs) });
    }
    case 'rebuild':
      await host.beginRebuild(message.name);
      return tell({ kind: 'answer', ask: message.ask, reached: true });
    case 'stop':
      again?.();
      await host.stop();
      store.close();
      await reader.close();
      parentPort?.close();
  }
}

parentPort?.on('message', (message: ToRows) => void hear(message));
try {
  await host.start();
  tellStanding();
  tell({ kind: 'started' });
} catch (error) {
  if (!(error instanceof ReadStoreUnusable)) throw error;
  tell({ kind: 'unusable', why: error.message });
  parentPort?.close();
}
