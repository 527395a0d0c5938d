/** The whole server in this process, on one adapter or the other, and a caller who speaks to it over real connections. */
import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, jest } from '@jest/globals';
import type { INestApplication, LoggerService, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { readConfig } from '../../src/config.js';
import { SystemClock } from '../../src/clock.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { fastifyAdapter, takeJsonBodies } from '../../src/http/fastify.js';
import { serveOpenApi } from '../../src/http/openapi.js';
import { type ProblemBody, PROBLEMS, type ProblemSlug } from '../../src/http/problem.js';
import type { JobDefinition } from '../../src/jobs/job.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';
import type { RunDetail } from '../../src/runs/run-detail.queries.js';
import { ServerModule } from '../../src/server.module.js';
import { chosenPlace } from '../eventstoredb/chosen-log.js';
import { AnswerBook, type Document } from './answer-book.js';

export type Adapter = 'Fastify' | 'Express';
export const ADAPTERS: readonly Adapter[] = process.env['SLUICE_TEST_ADAPTER'] === 'Fastify' ? ['Fastify'] : ['Fastify', 'Express'];

export interface Ask {
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** `x-dev-user`. */
  readonly as?: string;
  /** `x-dev-roles`: the default is every role of the server. */
  readonly roles?: string;
  readonly key?: string;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
}

export type Json = Readonly<Record<string, unknown>>;
export interface Listed<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
  readonly total: number;
  readonly totalIs: string;
  readonly asOf: { readonly position: string; readonly lagMs: number };
}

export interface HouseOptions {
  readonly directory?: string;
  readonly jobs?: readonly JobDefinition[];
  readonly batches?: readonly BatchDefinition[];
  /** How long a query waits, in milliseconds. */
  readonly readWaitMs?: number;
  readonly slots?: number;
  readonly mostWaiting?: number;
  readonly changesPerSecond?: number;
}

/** Long enough for a busy machine; what is waited for comes in milliseconds. */
const PATIENCE_MS = 30_000;
jest.setTimeout(4 * PATIENCE_MS);

export class House {
  private book: AnswerBook | undefined;

  private constructor(readonly app: INestApplication, readonly url: string, readonly faults: readonly string[]) {}

  static async open(adapter: Adapter, { directory = ':memory:', jobs = [], batches = [], readWaitMs = 5_000, slots = 64, mostWaiting, changesPerSecond = 0 }: HouseOptions = {}): Promise<House> {
    const faults: string[] = [];
    const { url: eventsUrl, namespace } = chosenPlace(directory);
    const defaults = readConfig({});
    const config = { ...defaults, eventsUrl, namespace, dataDir: directory, slots, readWaitMs, drainMs: 200, queueLimit: mostWaiting ?? defaults.queueLimit, rateLimit: changesPerSecond };
    const server = ServerModule.of(config, { jobs: [obedientJob(new SystemClock()), ...jobs], batches });
    const options = { logger: listening(faults), abortOnError: false };
    const app = adapter === 'Fastify' ? await onFastify(server, options) : await onExpress(server, options);
    serveOpenApi(app, '0');
    await app.listen(0, '127.0.0.1');
    const house = new House(app, (await app.getUrl()).replace('[::1]', '127.0.0.1'), faults);
    house.book = new AnswerBook((await house.get<Document>('/openapi.json')).body);
    return house;
  }

  close(): Promise<void> {
    return this.app.close();
  }

  async ask<T = Json>(method: string, path: string, { body, raw, headers = {}, as, roles, key, signal }: Ask = {}): Promise<Answer<T>> {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.url}${path}`, {
      method, redirect: 'manual', ...(sent !== undefined && { body: sent }), ...(signal && { signal }),
      headers: {
        ...(sent !== undefined && { 'content-type': 'application/json' }), ...(as !== undefined && { 'x-dev-user': as }),
        ...(roles !== undefined && { 'x-dev-roles': roles }), ...(key !== undefined && { 'idempotency-key': key }), ...headers,
      },
    });
    const text = await response.text();
    const isJson = text !== '' && /json/.test(response.headers.get('content-type') ?? '');
    const answer: Answer<T> = { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
    // Whatever a test looks at: every answer is what the document says of its door.
    this.book?.check(method, path, response.status, answer.body);
    return answer;
  }

  get<T = Json>(path: string, ask?: Ask): Promise<Answer<T>> {
    return this.ask<T>('GET', path, ask);
  }

  post<T = Json>(path: string, body?: unknown, ask?: Ask): Promise<Answer<T>> {
    return this.ask<T>('POST', path, { ...ask, ...(body !== undefined && { body }) });
  }

  /** What the answer says, after it was seen to be one of success. */
  async read<T = Json>(path: string, ask?: Ask): Promise<T> {
    const answer = await this.get<T>(path, ask);
    if (answer.status !== 200) throw new Error(`GET ${path} was answered with ${answer.status}: ${answer.text}`);
    return answer.body;
  }

  /** Saves a batch and gives its id; the rows have it. */
  async define(definition: object): Promise<string> {
    const answer = await this.post<{ id: string; position: string }>('/batches', definition);
    if (answer.status !== 201) throw new Error(`The batch was answered with ${answer.status}: ${answer.text}`);
    await this.read(`/batches?limit=1&atLeast=${answer.body.position}`);
    return answer.body.id;
  }

  /** Starts a run and gives its id; the rows have it. */
  async start(batch: string, body: object = {}, ask?: Ask): Promise<string> {
    const answer = await this.post<{ runId: string; position: string }>(`/batches/${batch}/runs`, body, ask);
    if (answer.status !== 202) throw new Error(`The start was answered with ${answer.status}: ${answer.text}`);
    await this.read(`/runs?limit=1&atLeast=${answer.body.position}`);
    return answer.body.runId;
  }

  /** Asks until the answer is right, one question after the other; `what` is told if it never is. */
  async until<T>(path: string, right: (body: T) => boolean, what = 'the right answer', patienceMs = PATIENCE_MS): Promise<T> {
    const endsAt = Date.now() + patienceMs;
    for (;;) {
      const body = await this.read<T>(path);
      if (right(body)) return body;
      if (Date.now() > endsAt) throw new Error(`${path} never gave ${what}: ${JSON.stringify(body).slice(0, 2_000)}`);
    }
  }

  /** The run, once it is in one of these statuses. */
  runIn(runId: string, ...statuses: readonly string[]): Promise<RunDetail> {
    return this.until<RunDetail>(`/runs/${runId}`, ({ status }) => statuses.includes(status), statuses.join(' or '));
  }

  /** Starts a run and gives it back once it has ended or waits for people. */
  async runOf(batch: string, body?: object): Promise<RunDetail> {
    return this.runIn(await this.start(batch, body), 'completed', 'failed', 'cancelled', 'parked');
  }
}

async function onFastify(server: ReturnType<typeof ServerModule.of>, options: NestApplicationOptions): Promise<INestApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(server, fastifyAdapter(), options);
  takeJsonBodies(app);
  return app;
}

/** As somebody would who takes large definitions. */
async function onExpress(server: ReturnType<typeof ServerModule.of>, options: NestApplicationOptions): Promise<INestApplication> {
  const app = await NestFactory.create<NestExpressApplication>(server, new ExpressAdapter(), options);
  app.useBodyParser('json', { limit: 1_100 * 1024 });
  return app;
}

function listening(faults: string[]): LoggerService {
  const keep = (message: unknown): void => void faults.push(String(message));
  return { log: () => undefined, warn: () => undefined, error: keep, fatal: keep };
}

/** One suite on both adapters. No door may break in it: what was logged as an error is a fault of the suite. */
export function onBoth(subject: string, suite: (house: () => House, adapter: Adapter) => void, options: HouseOptions = {}): void {
  describe.each(ADAPTERS)(`${subject}, on %s`, (adapter) => {
    let house: House;
    beforeAll(async () => {
      house = await House.open(adapter, options);
    });
    afterAll(async () => {
      await house.close();
      expect(house.faults).toEqual([]);
    });
    suite(() => house, adapter);
  });
}

/** The answer is this problem, whole, and tells nothing of the inside. */
export function expectProblem(answer: Answer<unknown>, slug: ProblemSlug): ProblemBody {
  const body: ProblemBody = JSON.parse(answer.text || 'null');
  expect(body).toMatchObject({ type: `urn:sluice:${slug}`, title: PROBLEMS[slug].title, status: PROBLEMS[slug].status });
  expect(answer.status).toBe(PROBLEMS[slug].status);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body.detail).toMatch(/\S \S/);
  expect(Object.keys(body).filter((key) => !['type', 'title', 'status', 'detail', 'errors', 'allowedActions', 'retriedBy'].includes(key))).toEqual([]);
  expect(answer.text).not.toMatch(/\bat \S+ \(|node_modules|\.ts:\d|stack/);
  return body;
}

export function objectOf(value: unknown): object {
  if (typeof value !== 'object' || value === null) throw new Error(`${String(value)} is no object.`);
  return value;
}

export function keysOf(value: object): string[] {
  return Object.keys(value).sort();
}

/** A step of a job that does as it is told. */
export function work(id: string, params: object = {}, more: object = {}): object {
  return { id, type: 'job', job: 'obey', params, ...more };
}

export const gate = (id: string, more: object = {}): object => ({ id, type: 'gate', allowedRoles: ['boss'], ...more });
