/** The doors of executions: the attempts at jobs. */
import { Get, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { Answers, Does } from '../http/answers.js';
import { asked, several, textParam, timeParam, uuidParam } from '../http/asking.js';
import { atLeastOnly, atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import type { AtLeastOnly } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { pageQuery } from '../http/paging.js';
import type { Page } from '../http/paging.js';
import { Problem } from '../http/problem.js';
import { Needs } from '../http/roles.guard.js';
import { batchIdOf, parseId } from '../ids.js';
import type { ExecutionId } from '../ids.js';
import { ReadSide } from '../reading/read-side.js';
import { executionAnswer, executionListAnswer } from './run.answers.js';
import { EXECUTION_STATUSES, GetExecution, ListExecutions } from './execution.queries.js';
import type { ExecutionRow } from './execution.queries.js';

const listQuery = asked({
  status: several(z.enum(EXECUTION_STATUSES)),
  job: textParam.optional(),
  run: uuidParam.optional(),
  batch: textParam.optional(),
  worker: textParam.optional(),
  from: timeParam.optional(),
  to: timeParam.optional(),
  q: textParam.optional(),
  ...atLeastQuery.shape,
  ...pageQuery.shape,
});

@Door('executions')
@Needs('viewer')
export class ExecutionsController {
  constructor(
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
  ) {}

  @Get()
  @Does('Lists attempts at steps, the newest first')
  @Answers(200, executionListAnswer)
  async list(@Query({ schema: listQuery }) query: z.output<typeof listQuery>): Promise<Page<ExecutionRow>> {
    const { limit, cursor, atLeast, batch, ...filter } = query;
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return this.queries.execute(new ListExecutions({ ...filter, ...(batch !== undefined && { batch: batchIdOf(batch) }) }, { limit, cursor }));
  }

  @Get(':id')
  @Does('Tells of one attempt, with its outputs and log')
  @Answers(200, executionAnswer)
  async one(@Param('id') text: string, @Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<ExecutionRow> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const id = parseId<ExecutionId>(text);
    const row = id && (await this.queries.execute(new GetExecution(id)));
    if (row === undefined) throw new Problem('not-found', `There is no execution ${text.slice(0, 100)}.`);
    return row;
  }
}
