/** What every measurement shares: a directory of its own, an engine, lanes of work, and figures. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { SystemClock } from '../src/clock.js';
import type { Clock } from '../src/clock.js';
import type { BatchDefinition } from '../src/events/definition.js';
import { ids } from '../src/ids.js';
import type { RunId } from '../src/ids.js';
import type { JobDefinition } from '../src/jobs/job.js';
import { JobRegistry } from '../src/jobs/job-registry.js';
import { StartRun } from '../src/runs/run.commands.js';
import { openSluice } from '../src/sluice.js';
import type { SluiceEngine } from '../src/sluice.js';

/** One line of the results: a name, a number, its unit, and what else was seen. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly note?: string;
  /** Processor time of one piece of work, in milliseconds, with all that was left to do after it: what a busy machine changes least. */
  readonly cpuMs?: number;
}

/** What is measured in one process, one after the other: what others do to the machine comes and goes within seconds. */
export const SLICES = 3;

export async function inTemp<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Driven {
  readonly perSecond: number;
  /** Sorted, in milliseconds. */
  readonly tookMs: readonly number[];
}

/** Does `count` pieces of work, `lanes` of them at once. */
export async function drive(count: number, lanes: number, one: (at: number) => Promise<void>): Promise<Driven> {
  const tookMs: number[] = [];
  let next = 0;
  const from = performance.now();
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let at = next++; at < count; at = next++) {
      const began = performance.now();
      await one(at);
      tookMs.push(performance.now() - began);
    }
  }));
  return { perSecond: count / ((performance.now() - from) / 1_000), tookMs: tookMs.sort((a, b) => a - b) };
}

export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

export interface Bench {
  readonly sluice: SluiceEngine;
  /** Starts a run. `ended` resolves when it has ended, or parked if that is asked for; at once if it is not waited for, and then nothing is kept of it. */
  start(batch: string, isWaitedFor?: boolean): { readonly runId: RunId; readonly durable: Promise<unknown>; readonly ended: Promise<void> };
  /** Commits that the log has made: each is one sync of the disk. */
  commits(): number;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly jobs?: readonly JobDefinition[];
  readonly batches?: readonly BatchDefinition[];
  readonly clock?: Clock;
  /** Facts that end what is waited for, besides the final ones. */
  readonly until?: readonly string[];
}

const FINAL = ['RunCompleted', 'RunFailed', 'RunCancelled'];

export async function openBench(directory: string, { jobs = [], batches = [], clock = new SystemClock(), until = [] }: BenchOptions): Promise<Bench> {
  const registry = new JobRegistry();
  for (const job of jobs) registry.register(job);
  const sluice = openSluice({ directory, clock, jobs: registry, slots: 128, rowsBeside: 'sqlite:' });
  await sluice.start(batches);
  const waiting = new Map<string, () => void>();
  const ending = new AbortController();
  const ends = new Set([...FINAL, ...until]);
  let commits = 0;
  const watching = (async () => {
    for await (const delivery of sluice.log.subscribe({ filter: { prefixes: ['run-'] }, after: await sluice.log.head(), signal: ending.signal })) {
      if (delivery.kind !== 'facts') continue;
      commits += 1;
      for (const { type, stream } of delivery.facts) if (ends.has(type)) waiting.get(stream)?.();
    }
  })();
  return {
    sluice,
    start: (batch, isWaitedFor = true) => {
      const commandId = ids.freshCommand();
      const runId = ids.runOf(commandId);
      const stream = sluice.streams.run(runId);
      const fields = { batch, parameters: {}, labels: {}, reason: null, trigger: { type: 'code' as const } };
      const wait = (): Promise<void> => new Promise<void>((resolve) => waiting.set(stream, resolve)).then(() => void waiting.delete(stream));
      const ended = isWaitedFor ? wait() : Promise.resolve();
      return { runId, ended, durable: sluice.runs.execute(new StartRun(runId, fields, { actor: 'bench', roles: [], via: 'code', commandId })) };
    },
    commits: () => commits,
    close: async () => {
      ending.abort();
      await watching;
      await sluice.close(1_000, 1_000);
    },
  };
}

/** The batch of every comparison: three jobs, one after the other. */
export const THREE: BatchDefinition = { name: 'three', steps: ['a', 'b', 'c'].map((id) => ({ id, type: 'job' as const, job: 'work' })) };
