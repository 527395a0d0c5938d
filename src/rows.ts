/**
 * Rows: every read model that there is, and where they are made: in this thread, or in one of their own beside it.
 *
 * Beside it is faster where there is a second core. In this one they are made where the store is given (tests and
 * simulations, whose clock and failures reach no other thread) and in memory.
 */
import { Worker } from 'node:worker_threads';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { approvals } from '../projections/approvals.js';
import { batches } from '../projections/batches.js';
import { commandKeys } from '../projections/command-keys.js';
import { executions } from '../projections/executions.js';
import { runHistory } from '../projections/run-history.js';
import { schedules } from '../projections/schedules.js';
import type { Clock } from './clock.js';
import { Streams } from './events/streams.js';
import type { EventReader } from './log/event-reader.js';
import { EMBEDDED } from './log/open-log.js';
import type { EngineLog } from './log/open-log.js';
import { ProjectionHost } from './reading/projection-host.js';
import type { Projection } from './reading/projection.js';
import { ReadStore } from './reading/read-store.js';
import type { RowKeeper } from './reading/row-keeper.js';
import { RowReader } from './reading/row-reader.js';
import { RowsThread } from './reading/rows-thread.js';

export interface Rows {
  readonly host: RowKeeper;
  queries(): Kysely<unknown>;
  close(): void;
}

export interface RowsParts {
  readonly reader: EventReader;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

/** Facts of one transaction are young together: in the 48 MiB that V8 takes by itself, more of them are moved about before they are dropped. */
const YOUNG_MB = 96;

/** What the thread has to know. */
export const rowsPlace = z.strictObject({ directory: z.string(), namespace: z.string().optional(), url: z.string() });
export type RowsPlace = z.output<typeof rowsPlace>;

/** Which log they are made from. */
export type RowsOf = Pick<EngineLog, 'identity' | 'rowsFile'>;

export function projectionsOf(streams: Streams): readonly Projection[] {
  return [runHistory(streams), executions(streams), approvals(streams), batches(streams), commandKeys(), schedules(streams)];
}

export function rowsHere(store: ReadStore, streams: Streams, parts: RowsParts): Rows {
  return { host: new ProjectionHost({ ...parts, store, projections: projectionsOf(streams) }), queries: () => store.queries(), close: () => store.close() };
}

/** @throws ReadStoreUnusable */
export function rowsBeside(place: RowsPlace, { identity, rowsFile }: RowsOf, parts: RowsParts, begin = beginThread): Rows {
  // Made or refused here, before anything is begun.
  ReadStore.open(place.directory, identity, rowsFile).close();
  const rows = new RowReader(place.directory, projectionsOf(new Streams(place.namespace)), rowsFile);
  // A file is read twice for little; a server would send everything twice.
  const host = new RowsThread({ ...parts, rows, handsOver: place.url !== EMBEDDED, begin: () => begin(place) });
  return { host, queries: () => rows.queries(), close: () => rows.close() };
}

function beginThread(place: RowsPlace): Worker {
  return new Worker(new URL(import.meta.url.endsWith('.ts') ? './rows.worker.ts' : './rows.worker.js', import.meta.url), { workerData: place, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
}
