/** Runs of three steps: the bare loop, the log alone, the engine in process, the server over HTTP. */
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { defineJob } from '../src/jobs/job.js';
import { bareLoop, logAlone } from './bare-loop.js';
import { drive, inTemp, openBench, percentile, SLICES, THREE } from './trial.js';
import type { Driven, Figure } from './trial.js';

/** A process that has just begun needs so many runs until its code is compiled as it stays: before that, the compiler is measured. */
const WARM_UP = 1_000;

export const work = defineJob({ name: 'work', run: async () => ({ done: true }) });

async function slices<T>(slice: () => Promise<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for (let left = SLICES; left > 0; left -= 1) all.push(await slice());
  return all;
}

/** Slices whose first figure says what a run took of the processors, from the first one until nothing is left to do: a slice leaves some of it to the next. */
async function slicesWithCpu(runs: number, slice: () => Promise<readonly [Figure, ...Figure[]]>, settled: () => Promise<void>): Promise<readonly (readonly Figure[])[]> {
  const before = process.cpuUsage();
  const all = await slices(slice);
  await settled();
  const { user, system } = process.cpuUsage(before);
  return all.map(([first, ...others]) => [{ ...first, cpuMs: (user + system) / 1_000 / (runs * SLICES) }, ...others]);
}

async function measured(lanes: number, runs: number, one: () => Promise<void>): Promise<readonly (readonly Figure[])[]> {
  await drive(WARM_UP, Math.max(lanes, 16), one);
  return slicesWithCpu(runs, async () => [runsASecond(await drive(runs, lanes, one))], () => Promise.resolve());
}

function runsASecond({ perSecond, tookMs }: Driven, note = ''): Figure {
  const times = `p50 ${percentile(tookMs, 0.5).toFixed(2)} ms, p99 ${percentile(tookMs, 0.99).toFixed(2)} ms`;
  return { name: 'runs', value: perSecond, unit: '/s', note: note === '' ? times : `${times}, ${note}` };
}

export function bareLane(lanes: number, runs: number): Promise<readonly (readonly Figure[])[]> {
  return inTemp(async (directory) => {
    const loop = bareLoop(directory);
    const figures = await measured(lanes, runs, () => loop.run());
    loop.close();
    return figures;
  });
}

export function logLane(lanes: number, runs: number): Promise<readonly (readonly Figure[])[]> {
  return inTemp(async (directory) => {
    const log = logAlone(directory);
    const figures = await measured(lanes, runs, () => log.run());
    await log.close();
    return figures;
  });
}

export function engineLane(lanes: number, runs: number): Promise<readonly (readonly Figure[])[]> {
  return inTemp(async (directory) => {
    const bench = await openBench(directory, { jobs: [work], batches: [THREE] });
    const durableMs: number[] = [];
    const one = async (): Promise<void> => {
      const from = performance.now();
      const { durable, ended } = bench.start('three');
      await durable;
      durableMs.push(performance.now() - from);
      await ended;
    };
    await drive(WARM_UP, Math.max(lanes, 16), one);
    await bench.sluice.read.settled();
    const figures = await slicesWithCpu(runs, async () => {
      durableMs.length = 0;
      const behind = bench.sluice.read.asOf().lagMs;
      const [before, from] = [bench.commits(), performance.now()];
      const driven = await drive(runs, lanes, one);
      const syncs = (bench.commits() - before) / ((performance.now() - from) / 1_000);
      // They are not waited for: what a slice leaves to do is done in the next one's time.
      const { lagMs } = bench.sluice.read.asOf();
      durableMs.sort((a, b) => a - b);
      return [
        runsASecond(driven, `${syncs.toFixed(0)} syncs/s, rows ${behind.toFixed(0)} ms behind at its beginning and ${lagMs.toFixed(0)} at its end`),
        { name: 'command to durable, p50', value: percentile(durableMs, 0.5), unit: 'ms' },
        { name: 'command to durable, p99', value: percentile(durableMs, 0.99), unit: 'ms' },
      ];
    }, () => bench.sluice.read.settled());
    await bench.close();
    return figures;
  });
}

/**
 * `lanes` callers who start the next run when the one before was accepted; the clock stops when the rows say that the
 * last run has ended. Server and callers share the machine.
 */
export function httpLane(lanes: number, runs: number): Promise<readonly (readonly Figure[])[]> {
  return inTemp(async (directory) => {
    const server = await startServer(directory);
    const agent = new Agent({ keepAlive: true, maxSockets: lanes });
    const ask = asking(server.port, agent);
    const start = async (): Promise<void> => void (await ask('POST', '/batches/three/runs'));
    const total = async (): Promise<number> => completedOf(await ask('GET', '/runs/counts'));
    const all = async (count: number): Promise<Driven> => {
      const before = await total();
      const from = performance.now();
      const accepted = await drive(count, lanes, start);
      while ((await total()) < before + count) await new Promise((resolve) => setTimeout(resolve, 10));
      return { ...accepted, perSecond: count / ((performance.now() - from) / 1_000) };
    };
    try {
      await all(WARM_UP);
      return await slices(async () => {
        const driven = await all(runs);
        return [{ ...runsASecond(driven), note: `accepted in ${percentile(driven.tookMs, 0.5).toFixed(2)} ms at p50, ${percentile(driven.tookMs, 0.99).toFixed(2)} ms at p99` }];
      });
    } finally {
      agent.destroy();
      await server.stop();
    }
  });
}

function completedOf(text: string): number {
  const { byStatus } = JSON.parse(text) as { readonly byStatus: { readonly completed: number } };
  return byStatus.completed;
}

export function asking(port: number, agent: Agent): (method: string, path: string, body?: string) => Promise<string> {
  return (method, path, body = '{}') =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, agent, method, path, ...(method === 'POST' && { headers: { 'content-type': 'application/json', 'content-length': body.length } }) }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => {
          if ((response.statusCode ?? 500) < 300) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        });
      });
      sent.on('error', reject).end(method === 'POST' ? body : undefined);
    });
}

export interface Server {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The server as an operator starts it, built, with the bench's own job and batch. */
export async function startServer(directory: string, environment: Readonly<Record<string, string>> = {}): Promise<Server> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../dist/src/main.js', import.meta.url))], {
    env: { ...process.env, SLUICE_DATA: directory, SLUICE_PORT: '0', SLUICE_DEMO: '0', SLUICE_LOG_LEVEL: 'error', SLUICE_SLOTS: '128', SLUICE_RATE_LIMIT: '0', SLUICE_JOBS: fileURLToPath(new URL('./server-jobs.mjs', import.meta.url)), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      const found = /listening on http:\/\/[^:]+:(\d+)/.exec((text += part));
      if (found !== null) resolve(Number(found[1]));
    });
    void ended.then(() => reject(new Error(`The server did not start: ${text}`)));
  });
  return {
    port, pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
