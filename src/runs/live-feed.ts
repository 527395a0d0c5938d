/**
 * The live feed: one subscription to the log for all who listen.
 *
 * Owns: that subscription, which lives as long as somebody listens. Does not own: rows, connections. Talks to: the log's
 * reader, the read side, messages of facts.
 *
 * 1. Rows are asked for once a change and written as text once an audience, however many listen.
 * 2. Who is further back than what is kept reads the log until the feed has what follows: nothing is left out.
 * 3. A message is told after the projections' commit: whoever reads on hearing it sees at least that.
 */
import { Inject, Injectable } from '@nestjs/common';
import { LOG_READER } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import { ReadSide } from '../reading/read-side.js';
import { Hearing, Telling } from './live.hearing.js';
import { LiveMessages, TOPICS } from './live.messages.js';
import type { Audience } from './live.messages.js';

/** How long the rows are waited for before listeners are told to read anew. */
const COMMIT_WAIT_MS = 30_000;
const EVERYBODY: Audience = { topics: new Set(TOPICS), run: undefined };

/** Takes what is told; false if nobody is there any more. Resolves when more can be taken. */
export type Take = (text: Uint8Array) => Promise<boolean>;

@Injectable()
export class LiveFeed {
  private hearing: Hearing | undefined;

  constructor(
    @Inject(LOG_READER) private readonly reader: EventReader,
    private readonly read: ReadSide,
    private readonly messages: LiveMessages,
  ) {}

  /** Tells everything after a position, until the signal. @throws what the log or the rows have thrown */
  async tell(audience: Audience, after: string, take: Take, signal: AbortSignal): Promise<void> {
    const hearing = (this.hearing ??= this.hear());
    hearing.listeners += 1;
    try {
      await hearing.begun;
      for (let at: string | undefined = after; at !== undefined && !signal.aborted && !hearing.isOver; ) {
        if (at < hearing.keptAfter) at = await this.catchUp(audience, at, take, signal);
        else at = await this.next(hearing, audience, at, { take, signal });
      }
    } finally {
      hearing.listeners -= 1;
      if (hearing.listeners === 0) this.leave(hearing);
    }
    if (hearing.fault !== undefined) throw hearing.fault;
  }

  private hear(): Hearing {
    const hearing: Hearing = new Hearing(this.reader, this.messages.filter, (after, facts) => this.tellingOf(after, facts, EVERYBODY), () => this.leave(hearing));
    return hearing;
  }

  private leave(hearing: Hearing): void {
    hearing.end();
    if (this.hearing === hearing) this.hearing = undefined;
  }

  private async next(hearing: Hearing, audience: Audience, at: string, { take, signal }: { readonly take: Take; readonly signal: AbortSignal }): Promise<string | undefined> {
    const telling = hearing.tellingAfter(at);
    if (telling !== undefined) return told(telling, audience, at, take);
    await hearing.more(signal);
    return at;
  }

  /** By the log itself, as far as it goes now. Where to go on; undefined if nobody is there any more. */
  private async catchUp(audience: Audience, after: string, take: Take, signal: AbortSignal): Promise<string | undefined> {
    const head = await this.reader.head();
    let at = after;
    for await (const facts of this.reader.readAll({ after: at || undefined, filter: this.messages.filter })) {
      if (signal.aborted) return undefined;
      const next = await told(await this.tellingOf(at, facts, audience), audience, at, take);
      if (next === undefined) return undefined;
      at = next;
    }
    return at > head ? at : head;
  }

  private async tellingOf(after: string, facts: readonly StoredFact[], audience: Audience): Promise<Telling> {
    const position = facts.at(-1)!.position;
    const committed = await this.read.host.waitFor(position, COMMIT_WAIT_MS);
    return new Telling(after, position, committed ? await this.messages.of(facts, audience) : undefined);
  }
}

/** Where to go on; undefined if nobody is there any more. */
async function told(telling: Telling, audience: Audience, at: string, take: Take): Promise<string | undefined> {
  const text = telling.textFor(audience, at);
  return text === undefined || (await take(text)) ? telling.position : undefined;
}
