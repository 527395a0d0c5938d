/**
 * What a projection is: a name, a version, its tables, and how one fact becomes rows.
 *
 * Owns: the words between the host and every read model. Does not own: any read model (they stand in `projections/`),
 * transactions, checkpoints (the host's), the database (the read store's).
 *
 * 1. `apply` is pure: the same facts in any split give the same rows, so rows can be thrown away and made anew.
 * 2. A change of what `apply` makes, or of a table, is another `version`: it gets tables of its own.
 */
import type { StoredFact } from '../log/event-reader.js';

export type { StoredFact } from '../log/event-reader.js';

/** `flag` is true or false, `json` any JSON value. Every column but those of the key may be null. */
export type ColumnType = 'text' | 'integer' | 'flag' | 'json';
export type KeyValue = string | number;

export interface AnyTable {
  /** Logical: the store puts version and build behind it. */
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly key: readonly string[];
  readonly indexes: readonly (readonly string[])[];
}

/** A table whose rows are `R`. */
export interface Table<R extends object> extends AnyTable {
  readonly columns: { readonly [K in keyof R & string]: ColumnType };
  readonly key: readonly (keyof R & string)[];
  readonly indexes: readonly (readonly (keyof R & string)[])[];
}

/** The rows of one projection, as they are after the facts before. */
export interface Rows {
  get<R extends object>(table: Table<R>, ...key: readonly KeyValue[]): R | undefined;
  /** Makes the row, or replaces it. */
  put<R extends object>(table: Table<R>, row: R): void;
  remove<R extends object>(table: Table<R>, ...key: readonly KeyValue[]): void;
  /** Adds to a counter: `key` names the row, which is made at zero, and `column` what grows by `amount`. */
  add<R extends object>(table: Table<R>, key: Partial<R>, column: keyof R & string, amount: number): void;
}

export interface Projection {
  /** Lower-case letters and `_`. */
  readonly name: string;
  readonly version: number;
  readonly tables: readonly AnyTable[];
  /** By type of fact the field whose payload it needs whole, also where it stands in a blob. */
  readonly payloads?: Readonly<Record<string, string>>;
  /** Facts of streams that it does not know are passed over. @throws if the fact can't become rows: its stream is parked for this projection */
  apply(fact: StoredFact, rows: Rows): void;
}
