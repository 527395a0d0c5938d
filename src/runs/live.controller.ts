/**
 * What happens, as it happens: one message for each row that a fact has changed, after the row can be read.
 *
 * Owns: who listens. Does not own: what is told (live feed). Talks to: the feed, the log's reader, event streams.
 *
 * 1. The last message of a position carries it as `id`: after it a listener goes on without a gap.
 * 2. Listeners are let go before the engine stops: they come back and resume.
 * 3. There are at most 1,000 listeners: who comes after is told when to try again.
 * 4. A place to resume from that is too far back is answered with `reset`: read everything anew.
 */
import { Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { z } from 'zod';
import { CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';
import { Does } from '../http/answers.js';
import { asked, uuidParam } from '../http/asking.js';
import { atLeastQuery, awaitAtLeast } from '../http/at-least.js';
import { Door } from '../http/door.js';
import { invalid, Problem } from '../http/problem.js';
import { headerOf } from '../http/request.js';
import type { HttpRequest } from '../http/request.js';
import { Needs } from '../http/roles.guard.js';
import { EventStream } from '../http/sse.js';
import type { StreamableResponse } from '../http/sse.js';
import { LOG_READER } from '../log/event-reader.js';
import type { EventReader } from '../log/event-reader.js';
import { ReadSide } from '../reading/read-side.js';
import { LiveFeed } from './live-feed.js';
import { TOPICS } from './live.messages.js';
import type { Audience } from './live.messages.js';
import { tellProjections } from './live.projections.js';

/** Facts that a listener is told one by one; further back than that it reads the lists anew. */
const MOST_BEHIND = 10_000;
const MOST_LISTENERS = 1_000;

const liveQuery = asked({
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
    private readonly feed: LiveFeed,
    private readonly read: ReadSide,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Does('Tells what happens as it happens, as server-sent events')
  async live(@Query({ schema: liveQuery }) { after, topics: wished = [...TOPICS], run, atLeast }: z.output<typeof liveQuery>, @Req() request: HttpRequest, @Res() response: StreamableResponse): Promise<void> {
    const topics = new Set(wished.filter((topic) => topic !== 'projection'));
    const asked = headerOf(request, 'last-event-id') ?? after;
    if (asked !== undefined && !/^[\x21-\x7e]*$/.test(asked)) throw invalid([{ path: '/after', message: 'must be a position that an answer of this server carried' }]);
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    if (this.listeners.size >= MOST_LISTENERS) throw new Problem('too-many-requests', `${MOST_LISTENERS} listen already. Try again later, or ask GET /runs.`, { headers: { 'Retry-After': '30' } });
    const head = await this.reader.head();
    const stream = new EventStream(response, this.clock);
    const telling = Promise.all([
      this.resume(stream, asked, head, { topics, run }),
      // How a projection stands is no fact of the log: it is told to those who ask for it by name.
      wished.length > topics.size && tellProjections(this.read, this.clock, stream),
    ]);
    this.listeners.set(stream, telling.then(() => undefined, () => undefined));
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

  private async resume(stream: EventStream, asked: string | undefined, head: string, audience: Audience): Promise<void> {
    const from = await this.resumable(asked, head);
    if (from === undefined) await stream.send({ id: head, event: 'reset', data: { position: head } });
    await this.feed.tell(audience, from ?? head, (text) => stream.write(text), stream.signal);
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
}
