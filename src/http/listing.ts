/** What every list's door does: its page, its total, its cursor. */
import { z } from 'zod';
import type { ReadSide } from '../reading/read-side.js';
import { countRows, selectRows } from '../reading/selection.js';
import type { Selection } from '../reading/selection.js';
import { decodeCursor, encodeCursor } from './paging.js';
import type { Page } from './paging.js';

/** Where a list goes on: the order it was in, what its last row held there, and that row's id. */
const placeOf = (order: string) => z.tuple([z.literal(order), z.union([z.string(), z.number(), z.null()]), z.string()]);

export interface Asked<R extends { readonly id: string }, T> {
  readonly selection: Selection<R>;
  readonly limit: number;
  readonly cursor: string | undefined;
  /** Where counters know it; else it is counted. */
  readonly total?: number | undefined;
  readonly show: (row: R) => T | Promise<T>;
}

/** @throws Problem validation-failed for a cursor of another list or order */
export async function listed<R extends { readonly id: string }, T>(read: ReadSide, { selection, limit, cursor, total, show }: Asked<R, T>): Promise<Page<T>> {
  const order = `${selection.descending ? '-' : '+'}${selection.table.name}.${selection.order}`;
  const place = cursor === undefined ? undefined : decodeCursor(cursor, placeOf(order));
  const asOf = read.asOf();
  const rows = await selectRows(read.db, selection, limit + 1, place && [place[1], place[2]]);
  const counted = total === undefined ? await countRows(read.db, selection) : ({ total, totalIs: 'exact' } as const);
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  const nextCursor = last === undefined ? null : encodeCursor([order, last[selection.order] ?? null, last.id]);
  return { items: await Promise.all(items.map(show)), nextCursor, ...counted, asOf };
}
