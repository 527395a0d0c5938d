/**
 * More than the server can do at once: it stays answering, tells callers to come back, and works off what it took.
 * SLUICE_TEST_LOAD multiplies the numbers: 40 is 2,000 connections and a queue of 4,000 runs; SLUICE_TEST_QUEUE sets the queue's.
 */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { defineJob } from '../../src/jobs/job.js';
import { expectProblem, House } from './house.js';

const LOAD = Number(process.env['SLUICE_TEST_LOAD'] ?? 1);
const CONNECTIONS = 50 * LOAD;
const QUEUE = Number(process.env['SLUICE_TEST_QUEUE'] ?? 100 * LOAD);
/** More than the queue takes. */
const STARTS = Math.ceil(QUEUE * 1.25);
/** What is waited for takes 10 ms a run on a quiet machine. */
const PATIENCE_MS = 120_000 + 100 * QUEUE;
jest.setTimeout(2 * PATIENCE_MS);

let open: () => void = () => undefined;
const opened = new Promise<void>((resolve) => (open = resolve));
const held = defineJob({ name: 'held', run: async () => (await opened, {}) });
interface Counts {
  readonly byStatus: Readonly<Record<string, number>>;
}

describe('A server with too much to do', () => {
  let h: House;
  beforeAll(async () => {
    h = await House.open('Fastify', { jobs: [held], batches: [{ name: 'held', steps: [{ id: 'a', type: 'job', job: 'held' }] }], slots: 2, mostWaiting: QUEUE, changesPerSecond: 0 });
  });
  afterAll(async () => {
    open();
    await h.close();
  });

  it('takes what its queue holds, sends the rest back with a time to come again, and works off all of it', async () => {
    let [taken, sentBack] = [0, 0];
    const keys = Array.from({ length: STARTS }, (_, at) => `start-${at}`);
    const start = async (key: string): Promise<void> => {
      const answer = await h.post('/batches/held/runs', {}, { key });
      if (answer.status === 202) return void (taken += 1);
      expectProblem(answer, 'too-many-requests');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      sentBack += 1;
    };
    await inLanes(32, keys, start);
    // What is on its way when the queue becomes full is taken too: how much that is depends on how soon the log is heard.
    for (let more = 0; sentBack === 0; more += 1) await start(`more-${more}`);
    expect(taken).toBeGreaterThanOrEqual(QUEUE);
    // A start that was taken is told again what it was told, however full the queue is.
    expect((await h.post('/batches/held/runs', {}, { key: keys[0]! })).headers.get('idempotent-replayed')).toBe('true');
    expect((await h.get('/health/ready')).status).toBe(200);
    open();
    await h.until<Counts>('/runs/counts', ({ byStatus }) => byStatus.completed === taken, `${taken} completed runs`, PATIENCE_MS);
    expect((await h.post('/batches/held/runs', {}, { key: 'afterwards' })).status).toBe(202);
  });

  it(`answers on ${CONNECTIONS} connections at once`, async () => {
    const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => dial(h.url)));
    const answers = await Promise.all(sockets.map((socket) => asked(socket, 'GET /runs/counts HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')));
    expect(new Set(answers.map((text) => text.split('\r\n', 1)[0]))).toEqual(new Set(['HTTP/1.1 200 OK']));
    for (const socket of sockets) socket.destroy();
  });

  it('refuses what is nested without end before anything is made of it', async () => {
    const depth = 200_000;
    const answer = await h.post('/batches/held/runs', undefined, { raw: `{"parameters":${'['.repeat(depth)}${']'.repeat(depth)}}`, headers: { 'content-type': 'application/json' } });
    expectProblem(answer, 'validation-failed');
    expect(answer.text).toContain('deeper');
    expect((await h.post('/batches/held/runs', undefined, { raw: `{"parameters":{},"reason":"${'[{'.repeat(150)}\\"["}`, headers: { 'content-type': 'application/json' } })).status).toBe(202);
  });
});

describe('One actor who asks too often', () => {
  it('is told when the next change is taken, reads on, and is nobody else', async () => {
    const h = await House.open('Fastify', { jobs: [held], batches: [{ name: 'held', steps: [{ id: 'a', type: 'job', job: 'held' }] }], changesPerSecond: 5 });
    const starts = await Promise.all(Array.from({ length: 30 }, () => h.post('/batches/held/runs', {}, { as: 'ann' })));
    const sentBack = starts.filter(({ status }) => status === 429);
    expect(sentBack.length).toBeGreaterThanOrEqual(1);
    expect(starts.filter(({ status }) => status === 202).length).toBeGreaterThanOrEqual(5);
    expectProblem(sentBack[0]!, 'too-many-requests');
    expect(sentBack[0]!.headers.get('retry-after')).toBe('1');
    expect((await h.get('/runs', { as: 'ann' })).status).toBe(200);
    expect((await h.post('/batches/held/runs', {}, { as: 'bob' })).status).toBe(202);
    open();
    await h.close();
  });
});

async function inLanes<T>(lanes: number, all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let one = all[next++]; one !== undefined; one = all[next++]) await work(one);
  }));
}

function dial(url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => resolve(socket)).on('error', reject);
  });
}

function asked(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (part) => resolve(part.toString('utf8')));
    socket.write(request);
  });
}
