/**
 * The rows of one build while a batch of facts is applied: each row is loaded once and written once.
 *
 * Owns: what is loaded, changed and added to, of one batch. Does not own: the transaction. Talks to: the build's tables.
 *
 * 1. What one fact does is taken whole or, if `apply` throws, not at all.
 */
import type { AnyTable, KeyValue, Rows, Table } from './projection.js';
import { decodeRow, heldRow, keyOf } from './rows.codec.js';

/** What a table of one build can be asked, by statements that are prepared once. */
export interface TableStatements {
  load(key: readonly KeyValue[]): object | undefined;
  put(row: object): void;
  remove(key: readonly KeyValue[]): void;
  add(key: readonly KeyValue[], column: string, amount: number): void;
}

interface Held {
  readonly key: readonly KeyValue[];
  /** Null: it is not there. */
  readonly row: object | null;
  readonly changed: boolean;
}

interface Sum {
  readonly key: readonly KeyValue[];
  readonly column: string;
  readonly amount: number;
}

class Page {
  readonly held = new Map<string, Held>();
  readonly sums = new Map<string, Sum>();
}

export class RowBuffer implements Rows {
  private readonly pages = new Map<AnyTable, Page>();
  private readonly touched = new Map<AnyTable, Page>();

  constructor(private readonly statementsOf: (table: AnyTable) => TableStatements) {}

  /** Does what one fact asks; nothing of it stays if it throws. */
  whole(work: () => void): void {
    this.touched.clear();
    work();
    for (const [table, page] of this.touched) {
      const into = pageOf(this.pages, table);
      for (const [place, held] of page.held) into.held.set(place, held);
      for (const [place, sum] of page.sums) into.sums.set(place, grown(into.sums.get(place), sum));
    }
  }

  /** Writes what the facts have changed. To be called in the transaction that moves the checkpoint. */
  flush(): void {
    for (const [table, page] of this.pages) {
      const statements = this.statementsOf(table);
      for (const { key, row, changed } of page.held.values()) {
        if (!changed) continue;
        if (row === null) statements.remove(key);
        else statements.put(row);
      }
      // Also by nothing: whether a counter is there must not depend on how the facts were split.
      for (const { key, column, amount } of page.sums.values()) statements.add(key, column, amount);
    }
    this.pages.clear();
  }

  get<R extends object>(table: Table<R>, ...key: readonly KeyValue[]): R | undefined {
    const place = placeOf(key);
    const held = this.touched.get(table)?.held.get(place) ?? this.pages.get(table)?.held.get(place);
    if (held !== undefined) return held.row === null ? undefined : heldRow(table, held.row);
    const stored = this.statementsOf(table).load(key);
    const row = stored === undefined ? null : decodeRow(table, stored);
    pageOf(this.pages, table).held.set(place, { key, row, changed: false });
    return row ?? undefined;
  }

  put<R extends object>(table: Table<R>, row: R): void {
    this.hold(table, keyOf(table, row), row);
  }

  remove<R extends object>(table: Table<R>, ...key: readonly KeyValue[]): void {
    this.hold(table, key, null);
  }

  add<R extends object>(table: Table<R>, of: Partial<R>, column: keyof R & string, amount: number): void {
    const key = keyOf(table, of);
    const { sums } = pageOf(this.touched, table);
    const place = `${column} ${placeOf(key)}`;
    sums.set(place, grown(sums.get(place), { key, column, amount }));
  }

  private hold(table: AnyTable, key: readonly KeyValue[], row: object | null): void {
    pageOf(this.touched, table).held.set(placeOf(key), { key, row, changed: true });
  }
}

function pageOf(pages: Map<AnyTable, Page>, table: AnyTable): Page {
  let page = pages.get(table);
  if (page === undefined) pages.set(table, (page = new Page()));
  return page;
}

function placeOf(key: readonly KeyValue[]): string {
  return key.length === 1 ? String(key[0]) : JSON.stringify(key);
}

function grown(sum: Sum | undefined, by: Sum): Sum {
  return sum === undefined ? by : { ...sum, amount: sum.amount + by.amount };
}
