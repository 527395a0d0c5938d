/** The file of the read store: its own tables, and how those of a build are made, named and written. */
import type Database from 'better-sqlite3';
import { encoderOf } from './rows.codec.js';
import type { AnyTable, ColumnType, Projection } from './projection.js';
import type { TableStatements } from './row-buffer.js';

/** A file of another version is thrown away and made anew: nothing stands in it that the log does not have. */
export const STORE_VERSION = 1;

export const STORE_SCHEMA = `
  create table store (log_identity text not null);
  create table builds (
    build integer primary key autoincrement,
    projection text not null,
    version integer not null,
    state text not null,
    position text not null,
    epoch integer not null
  );
  create unique index active_build on builds (projection) where state = 'active';
  create table parked (
    build integer not null references builds (build) on delete cascade,
    stream text not null,
    position text not null,
    reason text not null,
    primary key (build, stream)
  ) without rowid;
`;

const SQL_TYPES: Readonly<Record<ColumnType, string>> = { text: 'text', integer: 'integer', flag: 'integer', json: 'text' };

/** What a table of a build is called in the database. */
export function physicalName(table: string, version: number, build: number): string {
  return `${table}__v${version}_${build}`;
}

/** An older version answers as long as it has every column that may be asked for. */
export function canAnswer(db: Database.Database, { tables }: Projection, version: number, build: number): boolean {
  const columnsOf = db.prepare<[string], string>('select name from pragma_table_info(?)').pluck();
  return tables.every((table) => {
    const columns = columnsOf.all(physicalName(table.name, version, build));
    return Object.keys(table.columns).every((column) => columns.includes(column));
  });
}

export function createTable(db: Database.Database, table: AnyTable, name: string): void {
  const columns = Object.entries(table.columns).map(([column, type]) => `${quoted(column)} ${SQL_TYPES[type]}${table.key.includes(column) ? ' not null' : ''}`);
  db.exec(`create table ${quoted(name)} (${columns.join(', ')}, primary key (${list(table.key)}))`);
  for (const [at, index] of table.indexes.entries()) db.exec(`create index ${quoted(`${name}_${at}`)} on ${quoted(name)} (${list(index)})`);
}

export function dropTable(db: Database.Database, name: string): void {
  db.exec(`drop table if exists ${quoted(name)}`);
}

/** Hot statements are compiled once: a query builder costs ten times as much a row. */
export function statementsFor(db: Database.Database, table: AnyTable, name: string): TableStatements {
  const columns = Object.keys(table.columns);
  const others = columns.filter((column) => !table.key.includes(column));
  const byKey = table.key.map((column) => `${quoted(column)} = ?`).join(' and ');
  const update = others.length === 0 ? 'nothing' : `update set ${others.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(', ')}`;
  const marks = columns.map(() => '?').join(', ');
  const load = db.prepare(`select * from ${quoted(name)} where ${byKey}`);
  const put = db.prepare(`insert into ${quoted(name)} (${list(columns)}) values (${marks}) on conflict (${list(table.key)}) do ${update}`);
  const remove = db.prepare(`delete from ${quoted(name)} where ${byKey}`);
  const encoded = encoderOf(table);
  const adding = new Map<string, Database.Statement>();
  const add = (column: string): Database.Statement => {
    let statement = adding.get(column);
    if (statement === undefined) {
      const at = quoted(column);
      statement = db.prepare(
        `insert into ${quoted(name)} (${list([...table.key, column])}) values (${[...table.key, column].map(() => '?').join(', ')})
         on conflict (${list(table.key)}) do update set ${at} = ${at} + excluded.${at}`,
      );
      adding.set(column, statement);
    }
    return statement;
  };
  return {
    load: (key) => {
      const row: unknown = load.get(...key);
      return typeof row === 'object' && row !== null ? row : undefined;
    },
    put: (row) => void put.run(...encoded(row)),
    remove: (key) => void remove.run(...key),
    add: (key, column, amount) => void add(column).run(...key, amount),
  };
}

function list(columns: readonly string[]): string {
  return columns.map(quoted).join(', ');
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
