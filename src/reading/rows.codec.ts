/** Rows as the database has them. The casts say what the table's columns have promised. */
import type { Kysely } from 'kysely';
import { parseJson } from '../events/json.js';
import type { AnyTable, ColumnType, KeyValue, Table } from './projection.js';

export type Stored = string | number | null;

/** What gives a row's columns in the order of the table. */
export function encoderOf(table: AnyTable): (row: object) => Stored[] {
  const columns = Object.entries(table.columns);
  return (row) => columns.map(([name, type]) => encode(type, (row as Record<string, unknown>)[name]));
}

/** Only the columns that were read. */
export function decodeRow<R extends object>(table: Table<R>, stored: object): R {
  const columns: AnyTable['columns'] = table.columns;
  const row: Record<string, unknown> = {};
  for (const name of Object.keys(stored)) row[name] = decode(columns[name], (stored as Record<string, Stored>)[name] ?? null);
  return row as R;
}

/** A row that was held for this table. */
export function heldRow<R extends object>(_table: Table<R>, row: object): R {
  return row as R;
}

/** @throws Error if a column of the key is empty: such a row could never be found again */
export function keyOf(table: AnyTable, row: object): readonly KeyValue[] {
  return table.key.map((name) => {
    const value = (row as Record<string, unknown>)[name];
    if (typeof value !== 'string' && typeof value !== 'number') throw new TypeError(`A row of ${table.name} needs its key ${name}.`);
    return value;
  });
}

function encode(type: ColumnType, value: unknown): Stored {
  if (value === null || value === undefined) return null;
  if (type === 'json') return JSON.stringify(value);
  return type === 'flag' ? Number(value) : (value as Stored);
}

function decode(type: ColumnType | undefined, value: Stored): unknown {
  if (value === null) return null;
  if (type === 'json') return parseJson(String(value));
  return type === 'flag' ? value === 1 : value;
}

/** The same questions, asked of tables that are known by their rows. */
export function queriesOn<T>(kysely: Kysely<unknown>): Kysely<T> {
  return kysely as Kysely<T>;
}
