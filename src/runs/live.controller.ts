/**
 * What happens, as it happens: one message for each row that a fact has changed, after the row can be read.
 *
 * Owns: nothing; each listener is a subscription to the log of its own, so that it resumes without a gap wherever it was.
 * Talks to: the log's reader, the read side, the listener's event stream.
 *
 * 1. A message is sent after the projections' commit: whoever reads on hearing it sees at least that.
 * 2. The last message of a position carries it as `id`. Several facts about one row in one delivery are one message.
 * 3. Listeners are let go before the engine stops: they come back and resume.
 * 4. There are at most 1,000 listeners: who comes after is told when to try again.
 * 5. A place to resume from that is too far back is answered with `reset`: read everything anew.
 */
import { Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { isJsonObject } from '../events/json.js';
import { Streams } from '../events/streams.js';
import { Does } from '../http/answers.js';
import { uuidParam } from '../http/asking.js';
import { atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import { GetApproval, approvalRow } from '../gates/approval.queries.js';
import { Door } from '../http/door.js';
import { invalid, Problem } from '../http/problem.js';
import { headerOf } from '../http/request.js';
import type { HttpRequest } from '../http/request.js';
import { Needs } from '../http/roles.guard.js';
import { EventStream } from '../http/sse.js';
import type { StreamableResponse, StreamMessage } from '../http/sse.js';
import { parseId } from '../ids.js';
import type { RunId } from '../ids.js';
import { LOG_READER } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import { ReadSide } from '../reading/read-side.js';
import { GetSchedule } from '../schedules/schedule.queries.js';
import { GetExecution } from './execution.queries.js';
import { GetRunRow } from './run.queries.js';

const TOPICS = ['run', 'execution', 'approval', 'schedule'] as const;
type Topic = (typeof TOPICS)[number];

/** Facts that a listener is told one by one; further back than that it reads the lists anew. */
const MOST_BEHIND = 10_000;
/** How long a message waits for the projections before it is given up and the listener is told to read anew. */
const COMMIT_WAIT_MS = 30_000;
const MOST_LISTENERS = 1_000;

const liveQuery = z.strictObject({
  after: z.string().max(128).optional(),
  topics: z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum([...TOPICS, 'projection'])))
    .optional(),
  run: uuidParam.optional(),
  ...atLeastQuery.shape,
});

@Door('live')
@Needs('viewer')
export class LiveController implements OnModuleDestroy {
  private readonly listeners = new Map<EventStream, Promise<void>>();
  private ending = false;

  constructor(
    @Inject(LOG_READER) private readonly reader: EventReader,
    private readonly streams: Streams,
    private readonly read: ReadSide,
    private readonly queries: QueryBus,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Does('Tells what happens as it happens, as server-sent events')
  async live(@Query({ schema: liveQuery }) { after, topics: wished = [...TOPICS], run, atLeast }: z.output<typeof liveQuery>, @Req() request: HttpRequest, @Res() response: StreamableResponse): Promise<void> {
    const topics = told(wished);
    const asked = headerOf(request, 'last-event-id') ?? after;
    if (asked !== undefined && !/^[\x21-\x7e]*$/.test(asked)) throw invalid([{ path: '/after', message: 'must be a position that an answer of this server carried' }]);
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    if (this.listeners.size >= MOST_LISTENERS) throw new Problem('too-many-requests', `${MOST_LISTENERS} listen already. Try again later, or ask GET /runs.`, { headers: { 'Retry-After': '30' } });
    const head = await this.reader.head();
    const stream = new EventStream(response, this.clock);
    const prefixes = run === undefined ? [this.streams.prefix('run'), ...(topics.includes('schedule') ? [this.streams.prefix('schedule')] : [])] : [this.runStream(run)];
    const telling = this.resume(stream, asked, head, { prefixes, topics: new Set(topics) });
    this.listeners.set(stream, telling.catch(() => undefined));
    try {
      if (this.ending) stream.close();
      await telling;
    } finally {
      this.listeners.delete(stream);
      stream.close();
    }
  }

  async onModuleDestroy(): Promise<void> {
    this.ending = true;
    for (const stream of this.listeners.keys()) stream.close();
    await Promise.all(this.listeners.values());
  }

  private async resume(stream: EventStream, asked: string | undefined, head: string, what: { prefixes: readonly string[]; topics: ReadonlySet<Topic> }): Promise<void> {
    const from = await this.resumable(asked, head);
    if (from === undefined) await stream.send({ id: head, event: 'reset', data: { position: head } });
    await this.tell(stream, { after: from ?? head, ...what });
  }

  /** Where to go on; undefined if that is too far back, or no place of this log. */
  private async resumable(asked: string | undefined, head: string): Promise<string | undefined> {
    if (asked === undefined) return head;
    if (asked > head) return undefined;
    let facts = 0;
    try {
      for await (const page of this.reader.readAll({ after: asked || undefined, limit: MOST_BEHIND + 1 })) facts += page.length;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
    return facts > MOST_BEHIND ? undefined : asked;
  }

  private runStream(run: string): string {
    const id = parseId<RunId>(run);
    if (id === undefined) throw invalid([{ path: '/run', message: 'must be the id of a run' }]);
    return this.streams.run(id);
  }

  private async tell(stream: EventStream, { after, prefixes, topics }: { after: string; prefixes: readonly string[]; topics: ReadonlySet<Topic> }): Promise<void> {
    for await (const delivery of this.reader.subscribe({ after: after || undefined, filter: { prefixes }, signal: stream.signal })) {
      if (delivery.kind !== 'facts') continue;
      const position = delivery.facts.at(-1)!.position;
      const committed = await this.read.host.waitFor(position, COMMIT_WAIT_MS);
      const messages = committed ? await this.messagesOf(delivery.facts, topics) : [{ event: 'reset', data: { position } }];
      for (const [at, message] of messages.entries()) {
        if (!(await stream.send(at === messages.length - 1 ? { id: position, ...message } : message))) return;
      }
    }
  }

  private async messagesOf(facts: readonly StoredFact[], topics: ReadonlySet<Topic>): Promise<StreamMessage[]> {
    const changed = { run: new Set<string>(), execution: new Set<string>(), approval: new Set<string>(), schedule: new Set<string>() };
    for (const { stream, data } of facts) {
      const { category, id = '' } = this.streams.parse(stream) ?? {};
      changed[category === 'schedule' ? 'schedule' : 'run'].add(id);
      if (category === 'schedule') continue;
      // The run that is tried again is told by whom.
      if (data.retry !== undefined && isJsonObject(data.retry) && typeof data.retry.of === 'string') changed.run.add(data.retry.of);
      if (typeof data.executionId === 'string') changed.execution.add(data.executionId);
      if (typeof data.approvalId === 'string') changed.approval.add(data.approvalId);
    }
    const rows = {
      execution: (id: string) => this.queries.execute(new GetExecution(id)),
      approval: async (id: string) => {
        const row = await this.queries.execute(new GetApproval(id));
        return row && approvalRow(row);
      },
      run: (id: string) => this.queries.execute(new GetRunRow(id)),
      schedule: (id: string) => this.queries.execute(new GetSchedule(id)),
    };
    const messages: StreamMessage[] = [];
    for (const topic of ['execution', 'approval', 'run', 'schedule'] as const) {
      if (!topics.has(topic)) continue;
      for (const id of changed[topic]) {
        const row = await rows[topic](id);
        if (row !== undefined) messages.push({ event: topic, data: row });
      }
    }
    return messages;
  }
}

/** @throws Problem not-supported-yet: a projection's state is no fact of the log, which is what listeners hear */
function told(wished: readonly (Topic | 'projection')[]): readonly Topic[] {
  const topics = wished.filter((topic) => topic !== 'projection');
  if (topics.length < wished.length) throw new Problem('not-supported-yet', 'The topic projection is part of the contract and is not told yet. GET /projections says how each stands.');
  return topics;
}
