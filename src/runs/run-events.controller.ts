/** A run's stream as it stands in the log. */
import { Get, Inject, Param, Query } from '@nestjs/common';
import { z } from 'zod';
import { Streams } from '../events/streams.js';
import { Answers, Does } from '../http/answers.js';
import { asked } from '../http/asking.js';
import { atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { Needs } from '../http/roles.guard.js';
import { LOG_READER } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import { ReadSide } from '../reading/read-side.js';
import { factListAnswer } from './run.answers.js';
import { idOf, noRun } from './runs.controller.js';

/** A fact as it is shown: `revision` is a decimal string, as in its hash. */
export type FactRow = Omit<StoredFact, 'revision'> & { readonly revision: string };

const eventsQuery = asked({
  after: z.string().regex(/^\d{1,15}$/, 'must be the revision of a fact').optional(),
  limit: pageQuery.shape.limit,
  ...atLeastQuery.shape,
});

@Door('runs')
@Needs('viewer')
export class RunEventsController {
  constructor(
    @Inject(LOG_READER) private readonly reader: EventReader,
    private readonly streams: Streams,
    private readonly read: ReadSide,
  ) {}

  /** Oldest first. `nextCursor` is what `after` takes for the next page. */
  @Get(':runId/events')
  @Does('Lists the facts of a run, as they stand in the log')
  @Answers(200, factListAnswer)
  async events(@Param('runId') runId: string, @Query({ schema: eventsQuery }) { after, limit, atLeast }: z.output<typeof eventsQuery>): Promise<Page<FactRow>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const stream = this.streams.run(idOf(runId));
    const [newest] = await this.reader.readStream(stream, { backwards: true, limit: 1 });
    if (newest === undefined) throw noRun(runId);
    const facts = await this.reader.readStream(stream, { limit, ...(after !== undefined && { after: Number(after) }) });
    const last = facts.at(-1);
    return {
      items: facts.map(factRow),
      nextCursor: last !== undefined && last.revision < newest.revision ? String(last.revision) : null,
      total: newest.revision + 1,
      totalIs: 'exact',
      asOf: { position: newest.position, lagMs: 0 },
    };
  }
}

export function factRow({ stream, revision, type, data, metadata, id, position, recordedAt }: StoredFact): FactRow {
  return { stream, revision: String(revision), type, data, metadata, id, position, recordedAt };
}
