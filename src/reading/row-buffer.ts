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
  row: object | null;
  changed: boolean;
}

interface Sum {
  readonly key: readonly KeyValue[];
  readonly column: string;
  amount: number;
}

class Page {
  readonly held = new Map<string, Held>();
  readonly sums = new Map<string, Sum>();
}

export class RowBuffer implements Rows {
  private readonly pages = new Map<AnyTable, Page>();
  /** What takes back the fact that is being applied, newest last. */
  private undo: (() => void)[] = [];

  constructor(private readonly statementsOf: (table: AnyTable) => TableStatements) {}

  /** Does what one fact asks; nothing of it stays if it throws. */
  whole(work: () => void): void {
    try {
      work();
    } catch (error) {
      for (const takeBack of this.undo.reverse()) takeBack();
      throw error;
    } finally {
      this.undo = [];
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
    const { held } = this.pageOf(table);
    const known = held.get(place);
    if (known !== undefined) return known.row === null ? undefined : heldRow(table, known.row);
    const stored = this.statementsOf(table).load(key);
    const row = stored === undefined ? null : decodeRow(table, stored);
    held.set(place, { key, row, changed: false });
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
    const { sums } = this.pageOf(table);
    const place = `${column} ${placeOf(key)}`;
    const sum = sums.get(place);
    if (sum === undefined) {
      sums.set(place, { key, column, amount });
      this.undo.push(() => sums.delete(place));
    } else {
      sum.amount += amount;
      this.undo.push(() => (sum.amount -= amount));
    }
  }

  private hold(table: AnyTable, key: readonly KeyValue[], row: object | null): void {
    const { held } = this.pageOf(table);
    const place = placeOf(key);
    const before = held.get(place);
    if (before === undefined) {
      held.set(place, { key, row, changed: true });
      this.undo.push(() => held.delete(place));
    } else {
      const { row: was, changed } = before;
      before.row = row;
      before.changed = true;
      this.undo.push(() => Object.assign(before, { row: was, changed }));
    }
  }

  private pageOf(table: AnyTable): Page {
    let page = this.pages.get(table);
    if (page === undefined) this.pages.set(table, (page = new Page()));
    return page;
  }
}

function placeOf(key: readonly KeyValue[]): string {
  return key.length === 1 ? String(key[0]) : JSON.stringify(key);
}
