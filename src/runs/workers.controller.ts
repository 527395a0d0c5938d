/** The door of workers: which nodes take jobs, how many slots each has, and what runs where. */
import { Get, Inject, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { Answers, Does } from '../http/answers.js';
import { atLeastOnly, awaitAtLeast } from '../http/at-least.js';
import type { AtLeastOnly } from '../http/at-least.js';
import { Door } from '../http/door.js';
import type { Page } from '../http/paging.js';
import { Needs } from '../http/roles.guard.js';
import { ReadSide } from '../reading/read-side.js';
import { workerListAnswer } from './run.answers.js';
import { ListExecutions } from './execution.queries.js';
import type { ExecutionRow } from './execution.queries.js';

/** Under which the controller is given the {@link Worker}s. */
export const WORKERS = Symbol('workers');

/** A node that takes jobs. */
export interface Worker {
  /** Its incarnation: `worker` of an execution names it. A restarted node is another one. */
  readonly node: string;
  readonly slots: number;
  /** Slots that are held: by what is being claimed, by what runs, and by what was told to stop and has not. */
  readonly taken: number;
  /** 0 as well while the node drains. */
  readonly free: number;
}

export interface WorkerRow {
  readonly id: string;
  readonly slots: { readonly total: number; readonly taken: number; readonly free: number };
  /** At most 500, the newest first. */
  readonly running: readonly Pick<ExecutionRow, 'id' | 'runId' | 'batchName' | 'stepId' | 'job' | 'attempt' | 'startedAt' | 'progress'>[];
}

const MOST_RUNNING = 500;

@Door('workers')
@Needs('viewer')
export class WorkersController {
  constructor(
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    @Inject(WORKERS) private readonly workers: readonly Worker[],
  ) {}

  @Get()
  @Does('Lists the nodes that run jobs')
  @Answers(200, workerListAnswer)
  async list(@Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly): Promise<Page<WorkerRow>> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    const items = await Promise.all(this.workers.map((worker) => this.row(worker)));
    return { items, nextCursor: null, total: items.length, totalIs: 'exact', asOf: this.read.asOf() };
  }

  private async row({ node, slots, taken, free }: Worker): Promise<WorkerRow> {
    const { items } = await this.queries.execute(new ListExecutions({ worker: node, status: ['running'] }, { limit: MOST_RUNNING, cursor: undefined }));
    const running = items.map(({ id, runId, batchName, stepId, job, attempt, startedAt, progress }) => ({ id, runId, batchName, stepId, job, attempt, startedAt, progress }));
    return { id: node, slots: { total: slots, taken, free }, running };
  }
}
