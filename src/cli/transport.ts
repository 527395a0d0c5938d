/**
 * Transport: requests over a network that breaks.
 *
 * Owns: repeats, time limits, the words for what went wrong on the way. Does not own: what the bytes mean.
 * Talks to: fetch, the clock.
 *
 * 1. A broken connection is tried again twice; one that was refused or can't be found is told at once.
 * 2. Nothing waits for ever: an answer comes in time, a stream shows signs of life.
 */
import type { Clock } from '../clock.js';
import type { Connection } from './connection.js';
import { Misused, Unreachable } from './failures.js';

const PAUSES_MS = [200, 1_000];
const ANSWER_WITHIN_MS = 60_000;
/** Five times the server's heartbeat. */
const SILENCE_MS = 15_000;
const DOUBT = ' What was asked may have been done: look before asking again.';
const NOBODY_THERE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Sending {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export class Transport {
  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock,
  ) {}

  /** @throws Unreachable */
  async send(method: string, url: string, { headers = {}, body }: Sending = {}): Promise<Reply> {
    const all = this.headersWith({ ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) });
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.once(method, url, all, body);
      } catch (error) {
        const pause = PAUSES_MS[attempt];
        if (pause === undefined || error instanceof Unreachable || isNobodyThere(error)) throw this.unreachable(error, method === 'GET' ? '' : DOUBT);
        await this.clock.sleep(pause);
      }
    }
  }

  /** The bytes of an event stream; `beat` is to be called whenever some arrive. */
  async stream(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<{ bytes: AsyncIterable<Uint8Array>; beat: () => void }> {
    const all = this.headersWith({ ...headers, accept: 'text/event-stream' });
    const ended = new AbortController();
    const watch = this.watchSilence(ended);
    const stop = (): void => {
      watch.stop();
      ended.abort();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      const response = await fetch(url, { headers: all, redirect: 'manual', signal: ended.signal });
      const isStream = (response.headers.get('content-type') ?? '').startsWith('text/event-stream');
      if (response.status !== 200 || !isStream || response.body === null) {
        stop();
        throw new Unreachable('The server tells no stream of what happens.', true);
      }
      return { bytes: endingWith(response.body, stop), beat: watch.beat };
    } catch (error) {
      stop();
      throw this.unreachable(error);
    }
  }

  private async once(method: string, url: string, headers: Headers, body: string | undefined): Promise<Reply> {
    const limit = new AbortController();
    const cancel = this.clock.wakeAt(this.clock.now() + ANSWER_WITHIN_MS, () => limit.abort());
    try {
      const response = await fetch(url, { method, headers, redirect: 'manual', signal: limit.signal, ...(body === undefined ? {} : { body }) });
      return { status: response.status, headers: response.headers, text: await response.text() };
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      throw new Unreachable(
        `${this.connection.url} took the connection and gave no answer in ${ANSWER_WITHIN_MS / 1_000} s.${method === 'GET' ? '' : DOUBT}`,
        true,
      );
    } finally {
      cancel();
    }
  }

  private headersWith(more: Readonly<Record<string, string>>): Headers {
    const headers = new Headers({ accept: 'application/json, application/problem+json' });
    for (const [name, value] of this.connection.headers) headers.set(name, value);
    for (const [name, value] of Object.entries(more)) {
      if (!/^[\x20-\x7e]*$/.test(value)) throw new Misused(`What goes into the header ${name} takes printable ASCII characters only.`);
      headers.set(name, value);
    }
    return headers;
  }

  private watchSilence(ended: AbortController): { beat: () => void; stop: () => void } {
    const arm = (): (() => void) => this.clock.wakeAt(this.clock.now() + SILENCE_MS, () => ended.abort());
    let cancel = arm();
    let stopped = false;
    return {
      beat: () => {
        cancel();
        if (!stopped) cancel = arm();
      },
      stop: () => {
        stopped = true;
        cancel();
      },
    };
  }

  private unreachable(error: unknown, doubt = ''): Error {
    if (error instanceof Unreachable) return error;
    const { url } = this.connection;
    if (isNobodyThere(error)) {
      return new Unreachable(`No server answers at ${url} (${codeOf(error) ?? ''}). Start one with "sluice start", or say where it is with --url or SLUICE_URL.`, true);
    }
    const why = codeOf(error) ?? messageOf(error);
    return new Unreachable(`The connection to ${url} broke (${why}). See that the server runs there, or correct --url or SLUICE_URL.${doubt}`, true);
  }
}

async function* endingWith(body: AsyncIterable<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    done();
  }
}

function isNobodyThere(error: unknown): boolean {
  return NOBODY_THERE.has(codeOf(error) ?? '');
}

/** Fetch wraps what the socket said. Objects are looked into for what they have: errors of the runtime are not always of our realm. */
function codeOf(error: unknown): string | undefined {
  const cause = causeOf(error);
  return isObject(cause) && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

function messageOf(error: unknown): string {
  const inner = causeOf(error) ?? error;
  return isObject(inner) && 'message' in inner && typeof inner.message === 'string' ? inner.message : 'unknown';
}

function causeOf(error: unknown): unknown {
  return isObject(error) && 'cause' in error ? error.cause : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
