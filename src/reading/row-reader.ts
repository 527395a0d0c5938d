/**
 * RowReader: the rows of `read.db`, read where another thread writes them.
 *
 * Owns: a connection that only reads. Does not own: rows, checkpoints, which build answers (the file says it). Talks to:
 * the file, synchronously.
 *
 * 1. All that is asked within one turn of the event loop is answered of one moment, its position too.
 * 2. What was told to be in the rows is in the answers to all that is asked from then on (`renew`).
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Kysely, SqliteDialect } from 'kysely';
import type { Projection } from './projection.js';
import { canAnswer, physicalName } from './read-schema.js';
import { answeredTo } from './row-keeper.js';
import { tableNames } from './table-names.js';

interface BuildRow {
  readonly build: number;
  readonly name: string;
  readonly version: number;
  readonly state: string;
  readonly position: string;
}

/** What holds for one turn. */
interface Moment {
  readonly position: string;
  /** What the tables of the projections are called in the file. */
  readonly names: ReadonlyMap<string, string>;
}

export class RowReader {
  private readonly db: Database.Database;
  private readonly builds: Database.Statement<[], BuildRow>;
  private readonly kysely: Kysely<unknown>;
  private moment: Moment | undefined;

  constructor(directory: string, private readonly projections: readonly Projection[], file = 'read.db') {
    this.db = new Database(join(directory, file), { readonly: true, timeout: 1_000 });
    this.builds = this.db.prepare<[], BuildRow>('select build, projection as name, version, state, position from builds order by build');
    this.kysely = new Kysely({ dialect: new SqliteDialect({ database: this.db }), plugins: [tableNames((table) => this.now().names.get(table))] });
  }

  queries(): Kysely<unknown> {
    this.now();
    return this.kysely;
  }

  /** The position that is in the rows of every projection. */
  position(): string {
    return this.now().position;
  }

  /** Lets go of the moment: what is asked next is answered of a newer one. */
  renew(): void {
    if (this.moment !== undefined && this.db.open) this.db.exec('commit');
    this.moment = undefined;
  }

  close(): void {
    this.renew();
    this.db.close();
  }

  private now(): Moment {
    if (this.moment !== undefined) return this.moment;
    this.db.exec('begin');
    const builds = this.builds.all();
    setImmediate(() => this.renew());
    return (this.moment = { names: this.namesOf(builds), position: answeredTo(builds.filter((row) => this.projections.some(({ name, version }) => name === row.name && version === row.version))) });
  }

  private namesOf(builds: readonly BuildRow[]): ReadonlyMap<string, string> {
    const names = new Map<string, string>();
    for (const { name, version, build, state } of builds) {
      const projection = this.projections.find((one) => one.name === name);
      if (state !== 'active' || projection === undefined) continue;
      if (version !== projection.version && !canAnswer(this.db, projection, version, build)) continue;
      for (const table of projection.tables) names.set(table.name, physicalName(table.name, version, build));
    }
    return names;
  }
}
