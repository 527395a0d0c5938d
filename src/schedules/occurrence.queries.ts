/**
 * Questions about what became of the occurrences of a schedule. What is expected comes from the rules as they were in
 * force, what became of it from the facts: neither is taken for the other, so that what is unexplained shows.
 */
import { Inject } from '@nestjs/common';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { sql } from 'kysely';
import { z } from 'zod';
import { OCCURRENCES, SCHEDULES, STRETCHES } from '../../projections/schedules.js';
import type { OccurrenceRow as JudgedRow, ScheduleRow as LedgerRow } from '../../projections/schedules.js';
import { CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { isoTime } from '../events/json.js';
import type { Slot } from '../events/schedule.events.js';
import { decodeCursor, encodeCursor } from '../http/paging.js';
import type { Page, PageQuery } from '../http/paging.js';
import type { BatchId } from '../ids.js';
import { ReadSide } from '../reading/read-side.js';
import { is, rowById, rowsOf, whereAll } from '../reading/selection.js';
import { Timeline } from './timeline.js';
import type { NamedOccurrence } from './timeline.js';

export interface OccurrenceRow {
  readonly due: string;
  readonly outcome: JudgedRow['outcome'];
  readonly reason: string | null;
  readonly runId: string | null;
  /** When that was decided; null while it is not. */
  readonly at: string | null;
}

/** They add up: expected = fired + skipped + missed + pending + unexplained. */
export interface Sums {
  readonly expected: number;
  readonly fired: number;
  readonly skipped: number;
  readonly missed: number;
  readonly pending: number;
  readonly unexplained: number;
}

/** `from` is inside of it, `to` is not. */
export interface RangeAsked {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Undefined if the batch never had a schedule. */
export class GetOccurrences extends Query<(Page<OccurrenceRow> & Sums) | undefined> {
  constructor(readonly batchId: BatchId, readonly range: RangeAsked, readonly page: PageQuery) {
    super();
  }
}

/** What a backfill of the range would begin, oldest first: past occurrences that were not fired, or with `again` all of them. Undefined if there never was a schedule, or its batch was deleted. */
export class GetSlots extends Query<readonly (Slot & { readonly outcome: JudgedRow['outcome'] })[] | undefined> {
  constructor(readonly batchId: BatchId, readonly range: RangeAsked, readonly again: boolean, readonly limit: number) {
    super();
  }
}

const placeSchema = z.tuple([z.literal('due'), z.int()]);

@QueryHandler(GetOccurrences)
export class GetOccurrencesHandler implements IQueryHandler<GetOccurrences> {
  constructor(
    private readonly read: ReadSide,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ batchId, range, page: { limit, cursor } }: GetOccurrences): Promise<(Page<OccurrenceRow> & Sums) | undefined> {
    const place = cursor === undefined ? undefined : decodeCursor(cursor, placeSchema);
    const asOf = this.read.asOf();
    const ledger = await LedgerBook.open(this.read, batchId, this.clock.now());
    if (ledger === undefined) return undefined;
    const sums = await ledger.sums(range);
    const named: NamedOccurrence[] = [];
    for (const one of ledger.timeline.backwards(range.fromMs - 1, (place?.[1] ?? range.toMs) - 1)) if (named.push(one) > limit) break;
    const shown = named.slice(0, limit);
    const items = await ledger.rowsOf(shown);
    const last = named.length > limit ? shown.at(-1) : undefined;
    return { items, nextCursor: last === undefined ? null : encodeCursor(['due', last.dueMs]), total: sums.expected, totalIs: 'exact', asOf, ...sums };
  }
}

@QueryHandler(GetSlots)
export class GetSlotsHandler implements IQueryHandler<GetSlots> {
  constructor(
    private readonly read: ReadSide,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async execute({ batchId, range: { fromMs, toMs }, again, limit }: GetSlots): Promise<readonly (Slot & { readonly outcome: JudgedRow['outcome'] })[] | undefined> {
    await this.read.settled();
    const ledger = await LedgerBook.open(this.read, batchId, this.clock.now());
    if (ledger === undefined || ledger.isDeleted) return undefined;
    const slots: (Slot & { readonly outcome: JudgedRow['outcome'] })[] = [];
    for (const chunk of chunksOf(ledger.timeline.forwards(fromMs - 1, Math.min(toMs - 1, this.clock.now())), CHUNK)) {
      const rows = await ledger.rowsOf(chunk);
      for (const [at, { occurrences, dueMs, version }] of chunk.entries()) {
        const { outcome } = rows[at]!;
        if (outcome === 'pending' || (outcome === 'fired' && !again)) continue;
        if (slots.push({ occurrence: occurrences.valuesOf(dueMs), version, outcome }) >= limit) return slots;
      }
    }
    return slots;
  }
}

const CHUNK = 500;

/** The rows of one schedule, held against its rules. */
class LedgerBook {
  private constructor(
    private readonly read: ReadSide,
    private readonly batchId: string,
    private readonly row: LedgerRow,
    readonly timeline: Timeline,
    private readonly nowMs: number,
  ) {}

  static async open(read: ReadSide, batchId: string, nowMs: number): Promise<LedgerBook | undefined> {
    const row = await rowById(read.db, SCHEDULES, batchId);
    const stretches = await rowsOf(read.db, STRETCHES, [is(STRETCHES, 'batchId', batchId)]);
    if (row === undefined || stretches.length === 0) return undefined;
    return new LedgerBook(read, batchId, row, new Timeline([...stretches].sort((one, other) => one.revision - other.revision)), nowMs);
  }

  async sums({ fromMs, toMs }: RangeAsked): Promise<Sums> {
    const [from, to] = [isoTime(fromMs), isoTime(toMs - 1)];
    const sums = { fired: 0, skipped: 0, missed: 0, pending: 0 };
    const inside = [is(OCCURRENCES, 'batchId', this.batchId), sql`${sql.ref('due')} >= ${from}`, sql`${sql.ref('until')} <= ${to}`];
    const { rows } = await sql<{ outcome: keyof typeof sums; n: number }>`select outcome, sum(occurrences) as n from ${sql.table(OCCURRENCES.name)} ${whereAll(inside)} group by outcome`.execute(this.read.db);
    for (const { outcome, n } of rows) sums[outcome] += n;
    for (const { due, until, outcome } of await this.crossing(from, to)) {
      sums[outcome] += this.timeline.count(Math.max(Date.parse(due), fromMs) - 1, Math.min(Date.parse(until), toMs - 1));
    }
    const judgedMs = Math.max(fromMs - 1, this.judgedMs);
    const skippedNow = this.skippedUntilMs > judgedMs ? this.timeline.count(judgedMs, Math.min(this.skippedUntilMs, toMs - 1)) : 0;
    const open = toMs - 1 > judgedMs ? this.timeline.count(judgedMs, toMs - 1) : 0;
    sums.skipped += skippedNow;
    sums.pending += open - skippedNow;
    const expected = this.timeline.count(fromMs - 1, toMs - 1);
    return { expected, ...sums, unexplained: expected - sums.fired - sums.skipped - sums.missed - sums.pending };
  }

  /** In the order of the occurrences. */
  async rowsOf(named: readonly NamedOccurrence[]): Promise<OccurrenceRow[]> {
    if (named.length === 0) return [];
    const dues = named.map(({ dueMs }) => dueMs);
    const [first, last] = [isoTime(Math.min(...dues)), isoTime(Math.max(...dues))];
    const rows = await rowsOf(this.read.db, OCCURRENCES, [is(OCCURRENCES, 'batchId', this.batchId), sql`${sql.ref('due')} <= ${last}`, sql`${sql.ref('until')} >= ${first}`]);
    const alone = new Map(rows.filter(({ due, until }) => due === until).map((row) => [row.due, row]));
    const ranges = rows.filter(({ due, until }) => due !== until);
    return named.map(({ dueMs }) => {
      const due = isoTime(dueMs);
      const row = alone.get(due) ?? ranges.find((range) => range.due <= due && due <= range.until);
      if (row !== undefined) return { due, outcome: row.outcome, reason: row.reason, runId: row.runId, at: row.at };
      if (dueMs > this.judgedMs && dueMs <= this.skippedUntilMs) return { due, outcome: 'skipped', reason: 'paused', runId: null, at: null };
      return { due, outcome: 'pending', reason: dueMs > this.judgedMs ? null : 'unexplained', runId: null, at: null };
    });
  }

  /** Facts that cover occurrences inside and outside of the range. */
  private crossing(from: string, to: string): Promise<JudgedRow[]> {
    const out = sql`(${sql.ref('due')} < ${from} or ${sql.ref('until')} > ${to})`;
    return rowsOf(this.read.db, OCCURRENCES, [is(OCCURRENCES, 'batchId', this.batchId), sql`${sql.ref('due')} <= ${to}`, sql`${sql.ref('until')} >= ${from}`, out]);
  }

  get isDeleted(): boolean {
    return this.row.ledger?.ended === 'deleted';
  }

  private get judgedMs(): number {
    return this.row.ledger === null ? -Infinity : Date.parse(this.row.ledger.judgedUntil);
  }

  /** While it is paused nothing else can become of what is due: the fact follows when the pause ends. */
  private get skippedUntilMs(): number {
    const inForce = this.row.ledger?.inForce;
    return inForce?.length === 1 && inForce[0]?.paused === true ? this.nowMs : -Infinity;
  }
}

function* chunksOf<T>(all: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const one of all) {
    if (chunk.push(one) < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
