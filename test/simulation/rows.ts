/** All rows of all read models, as they are kept and as a rebuild from zero gives them. */
import type { Clock } from '../../src/clock.js';
import type { Streams } from '../../src/events/streams.js';
import type { EventReader } from '../../src/log/event-reader.js';
import { ProjectionHost } from '../../src/reading/projection-host.js';
import { ReadStore } from '../../src/reading/read-store.js';
import { queriesOn } from '../../src/reading/rows.codec.js';
import { projectionsOf } from '../../src/rows.js';
import type { Rows } from '../../src/rows.js';

export type AllRows = Readonly<Record<string, readonly unknown[]>>;

/** By table, in the order of their keys. */
export async function rowsIn(store: Pick<Rows, 'queries'>, streams: Streams): Promise<AllRows> {
  const db = queriesOn<Record<string, object>>(store.queries());
  const tables = projectionsOf(streams).flatMap((projection) => projection.tables);
  const rows = await Promise.all(tables.map(({ name, key }) => key.reduce((query, column) => query.orderBy(column as never), db.selectFrom(name).selectAll()).execute()));
  return Object.fromEntries(tables.map(({ name }, at) => [name, rows[at]!]));
}

/** The rows that the log gives. */
export function rowsRebuilt(log: EventReader & { readonly identity: string }, streams: Streams, clock: Clock, waitMs?: number): Promise<AllRows> {
  return rowsCaughtUp(ReadStore.open(':memory:', log.identity), log, streams, clock, waitMs);
}

/** The rows of a store, once they have got to the end of the log; it is closed. @throws Error if they do not get there, or a fact can not become rows */
export async function rowsCaughtUp(store: ReadStore, log: EventReader, streams: Streams, clock: Clock, waitMs = 60_000): Promise<AllRows> {
  const reports: string[] = [];
  const host = new ProjectionHost({ reader: log, store, projections: projectionsOf(streams), clock, report: (what) => reports.push(what) });
  await host.start();
  const whole = await host.waitFor(await log.head(), waitMs);
  const rows = await rowsIn(store, streams);
  const parked = host.status().flatMap((one) => one.parked);
  await host.stop();
  store.close();
  if (!whole || reports.length + parked.length > 0) throw new Error(`The rows do not follow the log. ${reports.join(' ')} ${JSON.stringify(parked)}`);
  return rows;
}
