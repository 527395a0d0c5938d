/** What is told of facts: for each row that they have changed one message, with the row as it is then. */
import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { GetBatchRow } from '../batches/batch.queries.js';
import { isJsonObject } from '../events/json.js';
import { Streams } from '../events/streams.js';
import { approvalRow, GetApproval } from '../gates/approval.queries.js';
import { eventText } from '../http/sse.js';
import type { StoredFact, StreamFilter } from '../log/event-reader.js';
import { GetSchedule } from '../schedules/schedule.queries.js';
import { GetExecution } from './execution.queries.js';
import { GetRunRow } from './run.queries.js';

/** In the order in which a delivery is told: a run after what happened in it. */
export const TOPICS = ['execution', 'approval', 'run', 'schedule', 'batch'] as const;
export type Topic = (typeof TOPICS)[number];

/** What a listener wants to hear of. */
export interface Audience {
  readonly topics: ReadonlySet<Topic>;
  /** Of this run alone. */
  readonly run: string | undefined;
}

export interface LiveMessage {
  readonly topic: Topic;
  readonly run: string | undefined;
  /** Of the newest fact that it tells of. */
  readonly position: string;
  /** As it is sent, but for the id. */
  readonly text: string;
}

interface Row {
  readonly run?: string;
  readonly row: unknown;
}

@Injectable()
export class LiveMessages {
  readonly filter: StreamFilter;

  constructor(
    private readonly streams: Streams,
    private readonly queries: QueryBus,
  ) {
    this.filter = { prefixes: (['run', 'schedule', 'batch'] as const).map((category) => streams.prefix(category)) };
  }

  /** Several facts about one row are one message. */
  async of(facts: readonly StoredFact[], { topics, run }: Audience): Promise<readonly LiveMessage[]> {
    const changed = this.changedBy(run === undefined ? facts : facts.filter((fact) => this.streams.parse(fact.stream)?.id === run || retried(fact) === run));
    const messages: LiveMessage[] = [];
    for (const topic of TOPICS) {
      if (!topics.has(topic)) continue;
      for (const [id, position] of changed[topic]) {
        const found = await this.rowOf(topic, id);
        if (found !== undefined) messages.push({ topic, run: found.run, position, text: eventText({ event: topic, data: found.row }) });
      }
    }
    return messages;
  }

  /** By topic the ids, each with the position of the newest fact about it. */
  private changedBy(facts: readonly StoredFact[]): Readonly<Record<Topic, ReadonlyMap<string, string>>> {
    const changed = { execution: new Map<string, string>(), approval: new Map<string, string>(), run: new Map<string, string>(), schedule: new Map<string, string>(), batch: new Map<string, string>() };
    for (const fact of facts) {
      const { stream, data, position } = fact;
      const original = retried(fact);
      const { category, id = '' } = this.streams.parse(stream) ?? {};
      if (category === 'run' || category === 'schedule' || category === 'batch') changed[category].set(id, position);
      if (category !== 'run') continue;
      // The run that is tried again is told by whom.
      if (original !== undefined) changed.run.set(original, position);
      if (typeof data.executionId === 'string') changed.execution.set(data.executionId, position);
      if (typeof data.approvalId === 'string') changed.approval.set(data.approvalId, position);
    }
    return changed;
  }

  private async rowOf(topic: Topic, id: string): Promise<Row | undefined> {
    switch (topic) {
      case 'execution': {
        const row = await this.queries.execute(new GetExecution(id));
        return row && { run: row.runId, row };
      }
      case 'approval': {
        const row = await this.queries.execute(new GetApproval(id));
        return row && { run: row.runId, row: approvalRow(row) };
      }
      case 'run': {
        const row = await this.queries.execute(new GetRunRow(id));
        return row && { run: row.id, row };
      }
      case 'schedule': {
        const row = await this.queries.execute(new GetSchedule(id));
        return row && { row };
      }
      case 'batch': {
        const row = await this.queries.execute(new GetBatchRow(id));
        return row && { row };
      }
    }
  }
}

/** The run that this one tries again. */
function retried({ data: { retry } }: StoredFact): string | undefined {
  return retry !== undefined && isJsonObject(retry) && typeof retry.of === 'string' ? retry.of : undefined;
}
