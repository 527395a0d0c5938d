/** The rows of one run in memory, as the real projections make them, and what is answered from them. */
import { approvals, APPROVALS } from '../../projections/approvals.js';
import { DECISIONS, executions, EXECUTIONS, KEPT_STEPS, REFUSED_STEPS, SKIPPED_STEPS } from '../../projections/executions.js';
import { runHistory, RUNS } from '../../projections/run-history.js';
import { isoTime } from '../../src/events/json.js';
import { Streams } from '../../src/events/streams.js';
import type { AnyTable, KeyValue, Rows, Table } from '../../src/reading/projection.js';
import type { RunParts } from '../../src/runs/run-steps.queries.js';
import type { Trial } from '../trial.js';

const streams = new Streams();
const PROJECTIONS = [runHistory(streams), executions(streams), approvals(streams)];

class Tables implements Rows {
  private readonly tables = new Map<string, Map<string, object>>();

  get<R extends object>(table: Table<R>, ...key: readonly KeyValue[]): R | undefined {
    return this.rows(table).get(JSON.stringify(key)) as R | undefined;
  }

  put<R extends object>(table: Table<R>, row: R): void {
    this.rows(table).set(JSON.stringify(table.key.map((column) => row[column])), row);
  }

  remove<R extends object>(table: Table<R>, ...key: readonly KeyValue[]): void {
    this.rows(table).delete(JSON.stringify(key));
  }

  /** Counters are not looked at here. */
  add(): void {}

  all<R extends object>(table: Table<R>): R[] {
    return [...this.rows(table).values()] as R[];
  }

  private rows({ name }: AnyTable): Map<string, object> {
    const rows = this.tables.get(name) ?? new Map<string, object>();
    this.tables.set(name, rows);
    return rows;
  }
}

export class TrialRows {
  private readonly tables = new Tables();
  private taken = 0;

  constructor(private readonly trial: Trial) {}

  /** The rows after all that has been said. */
  parts(): RunParts {
    const { trial, tables } = this;
    const at = isoTime(trial.nowMs);
    for (const { revision, actor } of trial.events.slice(this.taken)) {
      const { type, data } = trial.facts[revision]!;
      const fact = { stream: streams.run(trial.runId), revision, type, data, metadata: { actor, at, schemaVersion: '1' }, id: `${revision}`, position: `${revision}`.padStart(10, '0'), recordedAt: at };
      for (const projection of PROJECTIONS) projection.apply(fact, tables);
    }
    this.taken = trial.facts.length;
    const run = tables.get(RUNS, trial.runId);
    if (run === undefined) throw new Error('The run has not begun.');
    return { run, attempts: tables.all(EXECUTIONS), gates: tables.all(APPROVALS), refused: tables.all(REFUSED_STEPS), skipped: tables.all(SKIPPED_STEPS), kept: tables.all(KEPT_STEPS), decisions: tables.all(DECISIONS) };
  }
}
