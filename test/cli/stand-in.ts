/**
 * A server that answers the command line as it is told to, over real sockets, and the command line run against it
 * in this process: what it wrote, and how it ended.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/clock.js';
import { sluice } from '../../src/cli/program.js';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Told {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** `break` closes the socket without an answer. */
type Answer = Told | 'break' | ((response: ServerResponse, asked: Asked) => void);
/** One answer for always, or one after the other, the last one for always. */
type Answers = Answer | readonly Answer[];

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Circumstances {
  readonly width?: number;
  readonly colour?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly serve?: () => Promise<void>;
}

export class StandIn {
  readonly asked: Asked[] = [];
  private readonly doors = new Map<string, Answer[]>();

  private constructor(private readonly server: Server) {}

  static async open(): Promise<StandIn> {
    const server = createServer();
    const standIn = new StandIn(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://stand-in');
        const text = Buffer.concat(chunks).toString('utf8');
        const body: unknown = text === '' ? undefined : JSON.parse(text);
        standIn.answer({ method: request.method ?? '', path: url.pathname, query: url.searchParams, headers: request.headers, body }, response);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return standIn;
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** `door` is like `GET /runs`. */
  on(door: string, answers: Answers): this {
    this.doors.set(door, typeof answers === 'object' && Array.isArray(answers) ? [...(answers as readonly Answer[])] : [answers as Answer]);
    return this;
  }

  /** What was asked at one door. */
  at(door: string): Asked[] {
    return this.asked.filter(({ method, path }) => `${method} ${path}` === door);
  }

  forget(): void {
    this.asked.length = 0;
    this.doors.clear();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(asked: Asked, response: ServerResponse): void {
    this.asked.push(asked);
    const answers = this.doors.get(`${asked.method} ${asked.path}`) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === 'break') return void response.destroy();
    if (typeof answer === 'function') return answer(response, asked);
    const told = answer ?? problem('not-found', 404, `There is nothing at ${asked.method} ${asked.path}.`);
    const type = (told.status ?? 200) < 400 ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8';
    response.writeHead(told.status ?? 200, { 'content-type': type, ...told.headers }).end(JSON.stringify(told.body));
  }
}

export function problem(slug: string, status: number, detail: string, more: Readonly<Record<string, unknown>> = {}): Told {
  return { status, body: { type: `urn:sluice:${slug}`, title: slug.replaceAll('-', ' '), status, detail, ...more } };
}

export function list(items: readonly unknown[], more: Readonly<Record<string, unknown>> = {}): Told {
  return { body: { items, nextCursor: null, total: items.length, totalIs: 'exact', asOf: { position: '0', lagMs: 0 }, ...more } };
}

type Message = readonly [event: string, data: unknown, id?: string];

/** Messages of an event stream, and then its end. */
export function stream(...messages: readonly Message[]): Answer {
  return (response, asked) => {
    openStream(...messages)(response, asked);
    response.end();
  };
}

/** Messages of an event stream that goes on for as long as somebody listens. */
export function openStream(...messages: readonly Message[]): (response: ServerResponse, asked: Asked) => void {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (const [event, data, id] of messages) response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  };
}

/** Noon; waits take no time but are counted. */
class QuickClock implements Clock {
  private waited = 0;

  now(): number {
    return Date.parse('2026-11-24T12:00:00.000Z');
  }

  elapsed(): number {
    return this.waited;
  }

  wakeAt(): () => void {
    return () => undefined;
  }

  async sleep(ms: number): Promise<void> {
    this.waited += ms;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function noServer(): Promise<void> {
  throw new Error('No server is to be started here.');
}

/** The command line against a server, as in a terminal without colours and of any width unless told otherwise. */
export async function ask(url: string, args: readonly string[], { width, colour = false, env = {}, serve = noServer }: Circumstances = {}): Promise<Ended> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = { width, colour, out: (line: string) => void out.push(`${line}\n`), err: (line: string) => void err.push(`${line}\n`) };
  const code = await sluice(args, { terminal, clock: new QuickClock(), env: { SLUICE_URL: url, ...env }, serve }, '1.2.3');
  return { code, out: out.join(''), err: err.join('') };
}
