/** Batches: one row a definition as it is now. Every version stands in the batch's own stream. */
import type { BatchSource } from '../src/events/batch.events.js';
import type { ScheduleRule } from '../src/events/definition.js';
import type { Streams } from '../src/events/streams.js';
import type { Projection, Rows, Table } from '../src/reading/projection.js';
import { batchFactOf } from './sources.js';

export interface BatchRow {
  readonly id: string;
  readonly name: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: number;
  readonly source: BatchSource;
  readonly schedule: ScheduleRule | null;
  readonly stepCount: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

export interface BatchCatalogueRow extends BatchRow {
  readonly deleted: boolean;
  readonly orphaned: boolean;
  readonly hidden: boolean;
}

export interface BatchLabelRow {
  readonly key: string;
  readonly value: string;
  readonly batchId: string;
}

/** Batches that Sluice makes for a job that is run alone are listed only when they are asked for. */
const JOB_BATCH_PREFIX = 'job.';

export const BATCHES: Table<BatchCatalogueRow> = {
  name: 'batches',
  columns: {
    id: 'text', name: 'text', title: 'text', description: 'text', labels: 'json', version: 'integer', source: 'text', schedule: 'json', stepCount: 'integer',
    createdAt: 'text', createdBy: 'text', updatedAt: 'text', updatedBy: 'text', deleted: 'flag', orphaned: 'flag', hidden: 'flag',
  },
  key: ['id'],
  indexes: [['deleted', 'name'], ['deleted', 'createdAt', 'id']],
};
export const BATCH_LABELS: Table<BatchLabelRow> = { name: 'batch_labels', columns: { key: 'text', value: 'text', batchId: 'text' }, key: ['key', 'value', 'batchId'], indexes: [] };

export function batches(streams: Streams): Projection {
  return {
    name: 'batches',
    version: 1,
    tables: [BATCHES, BATCH_LABELS],
    payloads: { BatchDefined: 'definition' },
    apply(stored, rows) {
      const of = batchFactOf(streams, stored);
      if (of === undefined) return;
      const { id, fact, at, actor } = of;
      const before = rows.get(BATCHES, id);
      if (fact.type !== 'BatchDefined') {
        if (before === undefined) throw new Error(`${fact.type} of batch ${id} stands before its first definition.`);
        return rows.put(BATCHES, { ...before, deleted: fact.type === 'BatchDeleted', orphaned: fact.type === 'BatchOrphaned', updatedAt: at, updatedBy: actor });
      }
      const { name, version, source, definition, stepCount } = fact.data;
      const labels = definition.labels ?? {};
      relabel(rows, id, before?.labels ?? {}, labels);
      rows.put(BATCHES, {
        id, name, title: definition.title ?? null, description: definition.description ?? null, labels, version, source, schedule: definition.schedule ?? null,
        stepCount, createdAt: before?.createdAt ?? at, createdBy: before?.createdBy ?? actor, updatedAt: at, updatedBy: actor, deleted: false, orphaned: false,
        hidden: name.startsWith(JOB_BATCH_PREFIX),
      });
    },
  };
}

function relabel(rows: Rows, batchId: string, before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(before)) if (after[key] !== value) rows.remove(BATCH_LABELS, key, value, batchId);
  for (const [key, value] of Object.entries(after)) rows.put(BATCH_LABELS, { key, value, batchId });
}
