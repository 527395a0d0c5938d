/**
 * The read store in one SQLite file: rows that can be thrown away and made anew from the log.
 *
 * Owns: `read.db` of the data directory: the tables of every build, their checkpoints, the parked streams. Does not own:
 * what the rows mean, when they are written (the projection host). Talks to: nobody.
 *
 * 1. Rows and checkpoint move in one transaction, and only if the checkpoint stands where this process left it, in its
 *    own epoch: whoever was overtaken is told so and stops.
 * 2. Queries name a table as its projection does; which build answers is decided here alone.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { AnyTable, Projection } from './projection.js';
import { Fenced, ReadStoreUnusable } from './read-errors.js';
import { canAnswer, createTable, dropTable, physicalName, statementsFor, STORE_SCHEMA, STORE_VERSION } from './read-schema.js';
import { RowBuffer } from './row-buffer.js';
import type { TableStatements } from './row-buffer.js';
import { queriesOn } from './rows.codec.js';
import { tableNames } from './table-names.js';

/** `active`: its rows answer queries. `building`: it is made from zero beside the active one. */
export type BuildState = 'active' | 'building';

/** The tables of one version of a projection, made from zero once. */
export interface Build {
  readonly number: number;
  readonly projection: Projection;
  readonly state: BuildState;
  /** Everything up to here is in the rows; '' at the beginning. */
  readonly position: string;
}

interface BuildRow {
  readonly build: number;
  readonly projection: string;
  readonly version: number;
  readonly state: BuildState;
  readonly position: string;
  readonly epoch: number;
}

export class ReadStore {
  private readonly statements = new Map<string, TableStatements>();
  private readonly physical = new Map<string, string>();
  private readonly epochs = new Map<number, number>();
  private readonly db: Database.Database;
  private readonly reading: Database.Database;
  private readonly move: Database.Statement;
  private readonly kysely: Kysely<unknown>;

  /** @throws ReadStoreUnusable */
  static open(directory: string, logIdentity: string, name = 'read.db'): ReadStore {
    const file = directory === ':memory:' ? directory : join(directory, name);
    try {
      return new ReadStore(file, logIdentity);
    } catch (error) {
      if (error instanceof ReadStoreUnusable) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new ReadStoreUnusable(`${file} can't be used: ${why}. It holds nothing that the log does not have: move it away and start again.`, { cause: error });
    }
  }

  private constructor(file: string, logIdentity: string) {
    this.db = new Database(file, { timeout: 1_000 });
    this.db.pragma('journal_mode = WAL');
    this.db.pragma('synchronous = NORMAL');
    // A checkpoint syncs the disk: at every 1,000 pages, as by default, it would be at nearly every batch of facts.
    this.db.pragma('wal_autocheckpoint = 16384');
    this.db.pragma(`journal_size_limit = ${64 * 1024 * 1024}`);
    this.db.pragma('cache_size = -65536');
    this.db.pragma('foreign_keys = ON');
    this.prepare(file, logIdentity);
    // A memory database is seen by its own connection alone.
    this.reading = file === ':memory:' ? this.db : new Database(file, { readonly: true, timeout: 1_000 });
    this.kysely = new Kysely({ dialect: new SqliteDialect({ database: this.reading }), plugins: [tableNames((table) => this.physical.get(table))] });
    this.db.prepare('update builds set epoch = epoch + 1').run();
    this.move = this.db.prepare('update builds set position = ? where build = ? and position = ? and epoch = ?');
  }

  private prepare(file: string, logIdentity: string): void {
    const version = this.db.pragma('user_version', { simple: true });
    if (version === 0) {
      this.db.transaction(() => {
        this.db.exec(STORE_SCHEMA);
        this.db.prepare('insert into store values (?)').run(logIdentity);
        this.db.pragma(`user_version = ${STORE_VERSION}`);
      })();
    } else if (version !== STORE_VERSION) {
      throw new ReadStoreUnusable(`${file} was made by another version of Sluice. It holds nothing that the log does not have: move it away and start again.`);
    } else if (this.db.prepare('select log_identity from store').pluck().get() !== logIdentity) {
      throw new ReadStoreUnusable(`${file} was made from another log. Move it away: it is made anew from the log beside it.`);
    }
  }

  /** The builds of these projections that the store has, and how far each is. */
  builds(projections: readonly Projection[]): Build[] {
    return this.rows().flatMap((row) => {
      const projection = projections.find(({ name }) => name === row.projection);
      if (projection === undefined) return [];
      if (projection.version !== row.version) {
        this.nameOlder(row, projection);
        return [];
      }
      this.epochs.set(row.build, row.epoch);
      const build = { number: row.build, projection, state: row.state, position: row.position };
      this.name(build);
      return [build];
    });
  }

  /**
   * Makes empty tables for a build. It answers when it is activated; where nothing else can answer what is asked of
   * this version, it does so from the beginning.
   */
  create(projection: Projection): Build {
    return this.db.transaction((): Build => {
      const others = this.rows().filter((row) => row.projection === projection.name && row.state === 'active');
      const state = others.some((row) => canAnswer(this.db, projection, row.version, row.build)) ? 'building' : 'active';
      if (state === 'active') for (const row of others) this.drop(row);
      const { lastInsertRowid } = this.db.prepare("insert into builds (projection, version, state, position, epoch) values (?, ?, ?, '', 1)").run(projection.name, projection.version, state);
      const build: Build = { number: Number(lastInsertRowid), projection, state, position: '' };
      for (const table of projection.tables) createTable(this.db, table, nameIn(build, table));
      this.epochs.set(build.number, 1);
      this.name(build);
      return build;
    })();
  }

  /** From here on this build answers, and the one that did so before is gone. */
  activate(build: Build): Build {
    const active: Build = { ...build, state: 'active' };
    this.db.transaction(() => {
      for (const row of this.rows().filter((other) => other.projection === build.projection.name && other.build !== build.number)) this.drop(row);
      this.db.prepare("update builds set state = 'active' where build = ?").run(build.number);
      this.name(active);
    })();
    return active;
  }

  /** Takes away a build that came to nothing. */
  discard(build: number): void {
    this.db.transaction(() => {
      for (const row of this.rows()) if (row.build === build) this.drop(row);
    })();
  }

  buffer(build: Build): RowBuffer {
    return new RowBuffer((table) => this.statementsOf(build, table));
  }

  /** One transaction: all that `work` does, and all that it moves. @throws Fenced, and nothing was written */
  transaction<T>(work: () => T): T {
    return this.db.transaction(work).immediate();
  }

  /** Moves the checkpoint; to be called in the transaction of the rows. @throws Fenced */
  advance(build: Build, to: string): Build {
    const moved = this.move.run(to, build.number, build.position, this.epochs.get(build.number) ?? -1);
    if (moved.changes !== 1) throw new Fenced(build.projection.name);
    return { ...build, position: to };
  }

  /** From this fact on, the stream's facts are left out of this build. */
  park(build: Build, stream: string, position: string, reason: string): void {
    this.db.prepare('insert or ignore into parked values (?, ?, ?, ?)').run(build.number, stream, position, reason);
  }

  parked(build: Build): ReadonlyMap<string, { readonly position: string; readonly reason: string }> {
    const rows = this.db.prepare<[number], { stream: string; position: string; reason: string }>('select stream, position, reason from parked where build = ?').all(build.number);
    return new Map(rows.map(({ stream, position, reason }) => [stream, { position, reason }]));
  }

  /** Questions to the active builds; `T` names their tables as the projections do. */
  queries<T = unknown>(): Kysely<T> {
    return queriesOn<T>(this.kysely);
  }

  close(): void {
    if (this.reading !== this.db) this.reading.close();
    this.db.close();
  }

  private rows(): BuildRow[] {
    return this.db.prepare<[], BuildRow>('select * from builds order by build').all();
  }

  private name(build: Build): void {
    if (build.state === 'active') for (const table of build.projection.tables) this.physical.set(table.name, nameIn(build, table));
  }

  private nameOlder(row: BuildRow, projection: Projection): void {
    if (row.state !== 'active' || !canAnswer(this.db, projection, row.version, row.build)) return;
    for (const { name } of projection.tables) this.physical.set(name, physicalName(name, row.version, row.build));
  }

  private drop(row: BuildRow): void {
    const suffix = physicalName('', row.version, row.build);
    const names = this.db.prepare<[string], string>("select name from sqlite_schema where type = 'table' and name like '%' || ?").pluck().all(suffix);
    for (const name of names.filter((one) => one.endsWith(suffix))) dropTable(this.db, name);
    this.db.prepare('delete from builds where build = ?').run(row.build);
    this.statements.clear();
  }

  private statementsOf(build: Build, table: AnyTable): TableStatements {
    const name = nameIn(build, table);
    let statements = this.statements.get(name);
    if (statements === undefined) this.statements.set(name, (statements = statementsFor(this.db, table, name)));
    return statements;
  }
}

function nameIn({ number, projection }: Build, table: AnyTable): string {
  return physicalName(table.name, projection.version, number);
}
