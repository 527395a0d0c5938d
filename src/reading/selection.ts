/** Pages of a projection's table: filtered, in a total order, from a place on. */
import { sql } from 'kysely';
import type { Kysely, RawBuilder } from 'kysely';
import type { Table } from './projection.js';
import { decodeRow } from './rows.codec.js';
import type { Stored } from './rows.codec.js';

/** Which rows, in which order. `order` and the key together are a total order. */
export interface Selection<R extends object> {
  readonly table: Table<R>;
  readonly where: readonly RawBuilder<unknown>[];
  readonly order: keyof R & string;
  readonly descending: boolean;
}

/** The last row of the page before: what its order column held, and its id. */
export type Place = readonly [value: Stored, id: string];

/** Rows beyond which a count says "at least". */
export const COUNT_LIMIT = 10_000;

/** One condition: a column equals this value. */
export function is<R extends object>(table: Table<R>, column: keyof R & string, value: string | number): RawBuilder<unknown> {
  return sql`${sql.ref(`${table.name}.${column}`)} = ${value}`;
}

export function isOneOf<R extends object>(table: Table<R>, column: keyof R & string, values: readonly string[]): RawBuilder<unknown> {
  return sql`${sql.ref(`${table.name}.${column}`)} in (${sql.join(values)})`;
}

/** `>=` for `from`, `<` for `to`. */
export function within<R extends object>(table: Table<R>, column: keyof R & string, from: string | undefined, to: string | undefined): RawBuilder<unknown>[] {
  const ref = sql.ref(`${table.name}.${column}`);
  return [...(from === undefined ? [] : [sql`${ref} >= ${from}`]), ...(to === undefined ? [] : [sql`${ref} < ${to}`])];
}

/** The text stands somewhere in one of these columns, in any case. */
export function mentions<R extends object>(table: Table<R>, columns: readonly (keyof R & string)[], text: string): RawBuilder<unknown> {
  const pattern = `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  return sql`(${sql.join(columns.map((column) => sql`${sql.ref(`${table.name}.${column}`)} like ${pattern} escape '\\'`), sql` or `)})`;
}

/** One row by its id. */
export async function rowById<R extends { readonly id: string }>(db: Kysely<unknown>, table: Table<R>, id: string): Promise<R | undefined> {
  const { rows } = await sql<object>`select * from ${sql.table(table.name)} where ${is(table, 'id', id)}`.execute(db);
  return rows[0] && decodeRow(table, rows[0]);
}

/** All rows of which this holds, in the order of the key. */
export async function rowsOf<R extends object>(db: Kysely<unknown>, table: Table<R>, where: readonly RawBuilder<unknown>[]): Promise<R[]> {
  const { rows } = await sql<object>`select * from ${sql.table(table.name)} ${whereAll(where)}`.execute(db);
  return rows.map((row) => decodeRow(table, row));
}

export async function selectRows<R extends { readonly id: string }>(db: Kysely<unknown>, selection: Selection<R>, limit: number, after?: Place): Promise<R[]> {
  const { table, where, order, descending } = selection;
  const [column, id] = [sql.ref(`${table.name}.${order}`), sql.ref(`${table.name}.id`)];
  const direction = descending ? sql`desc` : sql`asc`;
  const conditions = after === undefined ? where : [...where, beyond(column, id, after, descending)];
  const { rows } = await sql<object>`select * from ${sql.table(table.name)} ${whereAll(conditions)} order by ${column} ${direction}, ${id} ${direction} limit ${limit}`.execute(db);
  return rows.map((row) => decodeRow(table, row));
}

/** How many rows, up to the limit. */
export async function countRows<R extends object>(db: Kysely<unknown>, { table, where }: Pick<Selection<R>, 'table' | 'where'>): Promise<{ readonly total: number; readonly totalIs: 'exact' | 'atLeast' }> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from (select 1 from ${sql.table(table.name)} ${whereAll(where)} limit ${COUNT_LIMIT + 1})`.execute(db);
  const n = rows[0]?.n ?? 0;
  return n > COUNT_LIMIT ? { total: COUNT_LIMIT, totalIs: 'atLeast' } : { total: n, totalIs: 'exact' };
}

export function whereAll(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length === 0 ? sql`` : sql`where ${sql.join(conditions, sql` and `)}`;
}

/** Nothing stands before everything else, as the database orders it. */
function beyond(column: RawBuilder<unknown>, id: RawBuilder<unknown>, [value, last]: Place, descending: boolean): RawBuilder<unknown> {
  const sign = descending ? sql`<` : sql`>`;
  if (value === null) return descending ? sql`(${column} is null and ${id} < ${last})` : sql`((${column} is null and ${id} > ${last}) or ${column} is not null)`;
  const later = sql`(${column}, ${id}) ${sign} (${value}, ${last})`;
  return descending ? sql`(${later} or ${column} is null)` : later;
}
