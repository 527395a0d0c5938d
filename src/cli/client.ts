/**
 * Client: the REST doors, asked from outside.
 *
 * Owns: one connection's headers, repeats, what was written last. Does not own: what is shown.
 * Talks to: the server by fetch, the clock.
 *
 * 1. Every mutation carries an Idempotency-Key, the same for each repeat: nothing is done twice.
 * 2. A read after a mutation asks for what the mutation wrote (`atLeast`).
 * 3. An answer is checked before it is used; texts for people are cleaned, `raw` is what was sent.
 */
import type { z } from 'zod';
import type { Clock } from '../clock.js';
import { ids } from '../ids.js';
import type { Connection } from './connection.js';
import { serverEvents } from './event-stream.js';
import { Misused, problemSchema, Refused, Unreachable } from './failures.js';
import { type Reply, Transport } from './transport.js';
import { cleaned, cleanText } from './terminal.js';

/** How often it is asked again where the server says when to. */
const MOST_REPEATS = 4;

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  /** Checked and cleaned, for people. */
  readonly body: T;
  /** As it was sent, for programs. */
  readonly raw: unknown;
}

export interface Change {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly body: unknown;
  /** The caller's own Idempotency-Key; a fresh one otherwise. */
  readonly key?: string | undefined;
  readonly ifMatch?: string;
}

/** One message of the live stream. */
export interface LiveMessage {
  readonly event: string;
  readonly id: string | undefined;
  readonly body: unknown;
  readonly raw: unknown;
}

export interface LiveOptions {
  readonly run: string;
  /** Only what came after that position. */
  readonly after: string | undefined;
  readonly lastEventId: string | undefined;
}

export class SluiceClient {
  private readonly transport: Transport;
  private written: string | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock,
  ) {
    this.transport = new Transport(connection, clock);
  }

  /** @throws Refused, Unreachable */
  async get<S extends z.ZodType>(path: string, schema: S, query: Query = {}): Promise<Answer<z.output<S>>> {
    return this.patiently(async () => this.answerOf(await this.transport.send('GET', this.url(path, { ...query, atLeast: this.written })), schema, `GET ${path}`));
  }

  /** @throws Refused, Unreachable */
  async change<S extends z.ZodType>({ method, path, body, key, ifMatch }: Change, schema: S): Promise<Answer<z.output<S>>> {
    const headers = { 'idempotency-key': key ?? ids.freshCommand(), ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) };
    const answer = await this.patiently(async () => this.answerOf(await this.transport.send(method, this.url(path, {}), { headers, body: JSON.stringify(body) }), schema, `${method} ${path}`));
    this.sawPosition(answer.headers.get('sluice-position') ?? undefined);
    return answer;
  }

  /** Reads ask for at least this position from now on. Positions order as strings. */
  sawPosition(position: string | undefined): void {
    if (position !== undefined && (this.written === undefined || position > this.written)) this.written = position;
  }

  /**
   * What happens to a run, until the server or the signal ends it.
   *
   * @throws Refused, Unreachable when the stream breaks
   */
  async *live({ run, after, lastEventId }: LiveOptions, signal: AbortSignal): AsyncGenerator<LiveMessage> {
    const url = this.url('/live', { run, after: lastEventId === undefined ? after : undefined });
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const { bytes, beat } = await this.transport.stream(url, headers, signal);
    try {
      for await (const { event, data, id } of serverEvents(bytes, beat)) {
        const raw = jsonOf(data);
        yield { event, id, raw, body: cleaned(raw) };
      }
    } catch (error) {
      throw error instanceof Refused || error instanceof Unreachable ? error : new Unreachable('The stream of what happens broke.', true);
    }
  }

  /** Asks again when the server has too much to do, or has not caught up. */
  private async patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (let left = MOST_REPEATS; ; left -= 1) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof Refused) || !(error.is('not-caught-up') || error.is('too-many-requests')) || left === 0) throw error;
        await this.clock.sleep(error.retryAfterMs ?? 1_000);
      }
    }
  }

  private url(path: string, query: Query): string {
    const asked = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      for (const one of typeof value === 'object' ? value : [value]) if (one !== undefined) asked.append(name, String(one));
    }
    return `${this.connection.url}${path}${asked.size === 0 ? '' : `?${asked.toString()}`}`;
  }

  private answerOf<S extends z.ZodType>(reply: Reply, schema: S, door: string): Answer<z.output<S>> {
    const { status, headers, text } = reply;
    const raw = jsonOf(text);
    if (status < 200 || status > 299) throw this.refusalOf(reply, raw);
    const checked = schema.safeParse(cleaned(raw));
    if (checked.success) return { status, headers, raw, body: checked.data };
    const [fault] = checked.error.issues;
    const place = fault === undefined ? '' : ` (${cleanText(fault.path.join('.'))}: ${fault.message})`;
    throw new Unreachable(
      `What ${this.connection.url} answered to ${door} is not understood${place}. Is a Sluice server of this version there? Check --url or SLUICE_URL.`,
      false,
    );
  }

  private refusalOf({ status, headers }: Reply, raw: unknown): Error {
    const problem = problemSchema.safeParse(cleaned(raw));
    const isProblem = /^application\/(problem\+)?json\b/.test(headers.get('content-type') ?? '');
    if (!problem.success || !isProblem) {
      const gateway = status === 502 || status === 504 || status === 503;
      return new Unreachable(
        `${this.connection.url} answered with HTTP ${status} and not as a Sluice server does. Check --url or SLUICE_URL, and what stands between.`,
        gateway,
      );
    }
    const seconds = Number(headers.get('retry-after') ?? Number.NaN);
    return new Refused(status, problem.data, raw, seconds >= 0 ? Math.min(seconds, 30) * 1_000 : undefined);
  }
}

/** A path of doors: each part stands for one segment, whatever is in it. */
export function door(...parts: readonly string[]): string {
  return parts
    .map((part) => {
      // A browser's rules for URLs would take these as steps, even when they are escaped.
      if (part === '' || part === '.' || part === '..') throw new Misused(`"${part}" is neither a name nor an id.`);
      return `/${encodeURIComponent(part)}`;
    })
    .join('');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
