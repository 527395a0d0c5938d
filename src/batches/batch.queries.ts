/** Questions about batch definitions. What a definition says is read from its own stream; lists come from rows. */
import { Inject } from '@nestjs/common';
import { Query, QueryHandler } from '@nestjs/cqrs';
import type { IQueryHandler } from '@nestjs/cqrs';
import { sql } from 'kysely';
import { BATCH_LABELS, BATCHES } from '../../projections/batches.js';
import type { BatchCatalogueRow, BatchRow } from '../../projections/batches.js';
import type { BatchSource } from '../events/batch.events.js';
import type { BatchDefinition } from '../events/definition.js';
import { Streams } from '../events/streams.js';
import { listed } from '../http/listing.js';
import type { Page, PageQuery } from '../http/paging.js';
import type { BatchId } from '../ids.js';
import { LOG_READER } from '../log/event-reader.js';
import type { EventReader } from '../log/event-reader.js';
import { ReadSide } from '../reading/read-side.js';
import { is, mentions, rowById } from '../reading/selection.js';
import { batchVersions } from './batch.actor.js';
import type { BatchVersion } from './batch.actor.js';

export type { BatchRow } from '../../projections/batches.js';

export interface BatchFilter {
  readonly q?: string | undefined;
  readonly label?: readonly (readonly [key: string, value: string])[] | undefined;
  readonly source?: BatchSource | undefined;
  /** Also those that were made for a job that is run alone. */
  readonly hidden?: boolean | undefined;
}

export interface BatchDetail extends BatchRow {
  readonly definition: BatchDefinition;
  /** What somebody should know who is about to use it. */
  readonly warnings?: readonly { readonly path: string; readonly message: string }[];
}

/** One version as it stands in the log, for ever. */
export interface BatchVersionRow {
  readonly version: number;
  readonly source: BatchSource;
  readonly definitionHash: string;
  readonly stepCount: number;
  readonly definedAt: string;
  readonly definedBy: string;
  readonly definition: BatchDefinition;
}

export class ListBatches extends Query<Page<BatchRow>> {
  constructor(readonly filter: BatchFilter, readonly page: PageQuery) {
    super();
  }
}

/** Straight from the log, so it is never behind. Undefined if there is none, or it was deleted. */
export class GetBatch extends Query<BatchDetail | undefined> {
  constructor(readonly id: BatchId) {
    super();
  }
}

/** As the lists have it, and whether it is in them no more. Undefined of one that they never show. */
export class GetBatchRow extends Query<(BatchRow & { readonly deleted?: true }) | undefined> {
  constructor(readonly id: string) {
    super();
  }
}

/** Every version, oldest first, also of a deleted batch. */
export class GetBatchVersions extends Query<readonly BatchVersionRow[]> {
  constructor(readonly id: BatchId) {
    super();
  }
}

@QueryHandler(ListBatches)
export class ListBatchesHandler implements IQueryHandler<ListBatches> {
  constructor(private readonly read: ReadSide) {}

  async execute({ filter: { q, label = [], source, hidden }, page: { limit, cursor } }: ListBatches): Promise<Page<BatchRow>> {
    const where = [
      is(BATCHES, 'deleted', 0),
      ...(hidden === true ? [] : [is(BATCHES, 'hidden', 0)]),
      ...(source === undefined ? [] : [is(BATCHES, 'source', source)]),
      ...(q === undefined ? [] : [mentions(BATCHES, ['id', 'name', 'title', 'description', 'labels'], q)]),
      ...label.map(([key, value]) => sql`${sql.ref(`${BATCHES.name}.id`)} in (select ${sql.ref('batchId')} from ${sql.table(BATCH_LABELS.name)} where ${is(BATCH_LABELS, 'key', key)} and ${is(BATCH_LABELS, 'value', value)})`),
    ];
    return listed(this.read, { selection: { table: BATCHES, where, order: 'createdAt', descending: true }, limit, cursor, show: batchRow });
  }
}

@QueryHandler(GetBatchRow)
export class GetBatchRowHandler implements IQueryHandler<GetBatchRow> {
  constructor(private readonly read: ReadSide) {}

  async execute({ id }: GetBatchRow): Promise<(BatchRow & { readonly deleted?: true }) | undefined> {
    const row = await rowById(this.read.db, BATCHES, id);
    if (row === undefined || row.hidden) return undefined;
    return row.deleted ? { ...batchRow(row), deleted: true } : batchRow(row);
  }
}

@QueryHandler(GetBatch)
export class GetBatchHandler implements IQueryHandler<GetBatch> {
  constructor(
    @Inject(LOG_READER) private readonly reader: EventReader,
    private readonly streams: Streams,
  ) {}

  async execute({ id }: GetBatch): Promise<BatchDetail | undefined> {
    const { versions, deleted, orphaned } = await batchVersions(this.reader, this.streams, id);
    const [first, newest] = [versions[0], versions.at(-1)];
    if (first === undefined || newest === undefined || deleted) return undefined;
    const { definition, name, version, source, stepCount } = newest;
    return {
      id, name, title: definition.title ?? null, description: definition.description ?? null, labels: definition.labels ?? {}, version, source,
      schedule: definition.schedule ?? null, stepCount, createdAt: first.at, createdBy: first.by, updatedAt: newest.at, updatedBy: newest.by, definition,
      ...(orphaned && { warnings: [{ path: '/source', message: 'The code that defined this batch no longer has it. It is not scheduled; it can be started by hand, or deleted.' }] }),
    };
  }
}

@QueryHandler(GetBatchVersions)
export class GetBatchVersionsHandler implements IQueryHandler<GetBatchVersions> {
  constructor(
    @Inject(LOG_READER) private readonly reader: EventReader,
    private readonly streams: Streams,
  ) {}

  async execute({ id }: GetBatchVersions): Promise<readonly BatchVersionRow[]> {
    return (await batchVersions(this.reader, this.streams, id)).versions.map(versionRow);
  }
}

function batchRow({ deleted: _deleted, orphaned: _orphaned, hidden: _hidden, ...row }: BatchCatalogueRow): BatchRow {
  return row;
}

function versionRow({ version, source, definitionHash, stepCount, at, by, definition }: BatchVersion): BatchVersionRow {
  return { version, source, definitionHash, stepCount, definedAt: at, definedBy: by, definition };
}
