/** The doors where batch definitions are read: as they are now, and every version for ever. */
import { Get, Param, Query, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { batchSourceSchema } from '../events/batch.events.js';
import { asked, labelParam, several, textParam } from '../http/asking.js';
import { Answers, Does } from '../http/answers.js';
import { asOf, atLeastOnly, atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import type { AtLeastOnly } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { decodeCursor, encodeCursor, pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { Problem } from '../http/problem.js';
import { Needs } from '../http/roles.guard.js';
import { batchIdOf } from '../ids.js';
import { ReadSide } from '../reading/read-side.js';
import { batchDetailAnswer, batchListAnswer, versionAnswer, versionListAnswer } from './batch.answers.js';
import { etagOf, noBatch } from './batch-paths.js';
import { GetBatch, GetBatchVersions, ListBatches } from './batch.queries.js';
import type { BatchDetail, BatchRow, BatchVersionRow } from './batch.queries.js';

const listQuery = asked({
  q: textParam.optional(),
  label: several(labelParam),
  source: batchSourceSchema.optional(),
  hidden: z.enum(['true', 'false']).optional(),
  ...atLeastQuery.shape,
  ...pageQuery.shape,
});
const versionsQuery = asked({ ...atLeastQuery.shape, ...pageQuery.shape });

@Door('batches')
@Needs('viewer')
export class BatchesController {
  constructor(
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get()
  @Does('Lists batches')
  @Answers(200, batchListAnswer)
  async list(@Query({ schema: listQuery }) { limit, cursor, atLeast, hidden, ...filter }: z.output<typeof listQuery>): Promise<Page<BatchRow>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return this.queries.execute(new ListBatches({ ...filter, hidden: hidden === 'true' }, { limit, cursor }));
  }

  @Get(':batch')
  @Does('Tells of one batch, with its newest definition')
  @Answers(200, batchDetailAnswer)
  async detail(@Param('batch') batch: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly, @Res({ passthrough: true }) response: unknown): Promise<BatchDetail> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const found = await this.queries.execute(new GetBatch(batchIdOf(batch)));
    if (found === undefined) throw noBatch(batch);
    this.adapterHost.httpAdapter.setHeader(response, 'ETag', etagOf(found.version));
    return found;
  }

  /** Newest first, without what they define. */
  @Get(':batch/versions')
  @Does('Lists the versions of a batch')
  @Answers(200, versionListAnswer)
  async versions(@Param('batch') batch: string, @Query({ schema: versionsQuery }) { atLeast, limit, cursor }: z.output<typeof versionsQuery>): Promise<Page<Omit<BatchVersionRow, 'definition'>>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const all = (await this.allVersions(batch)).map(({ definition: _definition, ...row }) => row).reverse();
    const before = cursor === undefined ? Number.POSITIVE_INFINITY : decodeCursor(cursor, z.int());
    const older = all.filter(({ version }) => version < before);
    const items = older.slice(0, limit);
    const nextCursor = older.length > items.length ? encodeCursor(items.at(-1)?.version) : null;
    return { items, nextCursor, total: all.length, totalIs: 'exact', asOf: asOf(this.read.host) };
  }

  @Get(':batch/versions/:version')
  @Does('Gives one version of a batch')
  @Answers(200, versionAnswer)
  async version(@Param('batch') batch: string, @Param('version') version: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<BatchVersionRow> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const found = (await this.allVersions(batch)).find((one) => String(one.version) === version);
    if (found === undefined) throw new Problem('not-found', `Batch ${batch} has no version ${version.slice(0, 20)}.`);
    return found;
  }

  private async allVersions(batch: string): Promise<readonly BatchVersionRow[]> {
    const all = await this.queries.execute(new GetBatchVersions(batchIdOf(batch)));
    if (all.length === 0) throw noBatch(batch);
    return all;
  }
}
