/**
 * Schedules: one row a batch that has one, the stretches of its rules, what became of each occurrence, its backfills, and
 * which of the runs that were fired have not begun.
 */
import type { Backfill, Ledger, OccurrenceData, RuleInForce, ScheduleFact, ScheduleFactData, Slot } from '../src/events/schedule.events.js';
import type { Streams } from '../src/events/streams.js';
import type { Projection, Rows, StoredFact, Table } from '../src/reading/projection.js';
import { batchFactOf, scheduleFactOf } from './sources.js';

export interface ScheduleRow {
  /** Of the batch. */
  readonly id: string;
  readonly batchName: string;
  /** Null if no rule is in force. */
  readonly cron: string | null;
  readonly timeZone: string | null;
  readonly paused: boolean;
  readonly nextDue: string | null;
  readonly lastOccurrence: Ledger['last'];
  /** Null until the schedule has taken over what the batch says. */
  readonly ledger: Ledger | null;
  /** Revision of the newest fact of the batch. */
  readonly batchRevision: number;
  readonly isInForce: boolean;
}

export interface StretchRow {
  readonly batchId: string;
  readonly revision: number;
  readonly from: string;
  readonly version: number;
  readonly rule: RuleInForce | null;
  readonly paused: boolean;
}

export interface OccurrenceRow {
  readonly batchId: string;
  readonly due: string;
  /** The last one that the fact covers. */
  readonly until: string;
  readonly occurrences: number;
  readonly outcome: 'fired' | 'skipped' | 'missed' | 'pending';
  readonly reason: string | null;
  readonly runId: string | null;
  readonly at: string;
}

/** A run that was fired and has not begun. */
export interface FiredRow {
  readonly runId: string;
  readonly batchId: string;
  readonly version: number;
  readonly occurrence: OccurrenceData;
  readonly backfillId: string | null;
}

export interface BackfillRow extends Backfill {
  readonly batchId: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export const SCHEDULES: Table<ScheduleRow> = {
  name: 'schedules',
  columns: { id: 'text', batchName: 'text', cron: 'text', timeZone: 'text', paused: 'flag', nextDue: 'text', lastOccurrence: 'json', ledger: 'json', batchRevision: 'integer', isInForce: 'flag' },
  key: ['id'],
  indexes: [['isInForce', 'batchName', 'id']],
};
export const STRETCHES: Table<StretchRow> = {
  name: 'schedule_stretches', columns: { batchId: 'text', revision: 'integer', from: 'text', version: 'integer', rule: 'json', paused: 'flag' }, key: ['batchId', 'revision'], indexes: [],
};
export const OCCURRENCES: Table<OccurrenceRow> = {
  name: 'schedule_occurrences',
  columns: { batchId: 'text', due: 'text', until: 'text', occurrences: 'integer', outcome: 'text', reason: 'text', runId: 'text', at: 'text' },
  key: ['batchId', 'due'],
  indexes: [['batchId', 'until']],
};
export const FIRED: Table<FiredRow> = { name: 'schedule_fired', columns: { runId: 'text', batchId: 'text', version: 'integer', occurrence: 'json', backfillId: 'text' }, key: ['runId'], indexes: [] };
export const BACKFILLS: Table<BackfillRow> = {
  name: 'schedule_backfills',
  columns: { id: 'text', batchId: 'text', from: 'text', to: 'text', again: 'flag', by: 'text', total: 'integer', done: 'integer', doneUntil: 'text', startedAt: 'text', endedAt: 'text' },
  key: ['id'],
  indexes: [['batchId', 'startedAt', 'id']],
};

export function schedules(streams: Streams): Projection {
  return {
    name: 'schedules',
    version: 1,
    tables: [SCHEDULES, STRETCHES, OCCURRENCES, FIRED, BACKFILLS],
    payloads: { BatchDefined: 'definition' },
    apply(stored, rows) {
      if (stored.type === 'RunStarted') return begun(streams, stored, rows);
      const batch = batchFactOf(streams, stored);
      if (batch !== undefined) {
        const { fact } = batch;
        const row = rows.get(SCHEDULES, batch.id) ?? (fact.type === 'BatchDefined' && (fact.data.definition.schedule ?? null) !== null ? unborn(batch.id, fact.data.name) : undefined);
        return row && rows.put(SCHEDULES, { ...row, batchRevision: stored.revision });
      }
      const of = scheduleFactOf(streams, stored);
      if (of !== undefined) take(of, stored.revision, rows);
    },
  };
}

function begun(streams: Streams, { stream, data }: StoredFact, rows: Rows): void {
  const { trigger } = data;
  const type = typeof trigger === 'object' && trigger !== null && 'type' in trigger ? trigger.type : undefined;
  if (type === 'schedule' || type === 'backfill') rows.remove(FIRED, streams.parse(stream)?.id ?? '');
}

function unborn(id: string, batchName: string): ScheduleRow {
  return { id, batchName, cron: null, timeZone: null, paused: false, nextDue: null, lastOccurrence: null, ledger: null, batchRevision: 0, isInForce: false };
}

function take({ id: batchId, fact, at }: { readonly id: string; readonly fact: ScheduleFact; readonly at: string }, revision: number, rows: Rows): void {
  const { ledger } = fact.data;
  const inForce = ledger.inForce.at(-1)!;
  const { batchName, nextDue, last } = ledger;
  rows.put(SCHEDULES, {
    id: batchId, batchName, cron: inForce.rule?.cron ?? null, timeZone: inForce.rule?.timeZone ?? null, paused: ledger.paused !== null, nextDue, lastOccurrence: last, ledger,
    batchRevision: rows.get(SCHEDULES, batchId)?.batchRevision ?? ledger.definedRevision, isInForce: inForce.rule !== null,
  });
  note(batchId, fact, { at, revision }, rows);
}

function note(batchId: string, { type, data }: ScheduleFact, { at, revision }: { readonly at: string; readonly revision: number }, rows: Rows): void {
  switch (type) {
    case 'ScheduleAdopted':
    case 'ScheduleEnded':
    case 'SchedulePaused':
    case 'ScheduleResumed': {
      const { version, rule, paused } = data.ledger.inForce.at(-1)!;
      return rows.put(STRETCHES, { batchId, revision, from: data.from, version, rule, paused });
    }
    case 'OccurrenceFired':
      fired(batchId, data, data.runId, null, rows);
      return judged(rows, { batchId, due: data.occurrence.due, until: data.occurrence.due, occurrences: 1, outcome: 'fired', reason: null, runId: data.runId, at });
    case 'OccurrenceQueued':
      return judged(rows, { batchId, due: data.due, until: data.due, occurrences: 1, outcome: 'pending', reason: 'queued', runId: null, at });
    case 'OccurrencesSkipped':
      return judged(rows, { batchId, due: data.from, until: data.to, occurrences: data.count, outcome: 'skipped', reason: data.reason, runId: null, at });
    case 'OccurrencesMissed':
      return judged(rows, { batchId, due: data.from, until: data.to, occurrences: data.count, outcome: 'missed', reason: data.reason, runId: null, at });
    case 'BackfillStarted':
      return rows.put(BACKFILLS, { id: data.backfillId, batchId, from: data.from, to: data.to, again: data.again, by: data.by, total: data.total, done: 0, doneUntil: null, startedAt: at, endedAt: null });
    case 'OccurrenceBackfilled':
      fired(batchId, data, data.runId, data.backfillId, rows);
      return progress(rows, data);
    case 'BackfillEnded': {
      const row = rows.get(BACKFILLS, data.backfillId);
      return row && rows.put(BACKFILLS, { ...row, done: data.done, endedAt: at });
    }
  }
}

function fired(batchId: string, { occurrence, version }: Slot, runId: string, backfillId: string | null, rows: Rows): void {
  rows.put(FIRED, { runId, batchId, version, occurrence, backfillId });
}

function progress(rows: Rows, { backfillId, occurrence: { due } }: ScheduleFactData<'OccurrenceBackfilled'>): void {
  const row = rows.get(BACKFILLS, backfillId);
  if (row !== undefined) rows.put(BACKFILLS, { ...row, done: row.done + 1, doneUntil: due });
}

/** An occurrence comes to one end; that it waited is none. */
function judged(rows: Rows, row: OccurrenceRow): void {
  const before = rows.get(OCCURRENCES, row.batchId, row.due);
  if (before !== undefined && before.outcome !== 'pending') throw new Error(`The occurrence of ${row.due} was ${before.outcome} before it was ${row.outcome}.`);
  rows.put(OCCURRENCES, row);
}
