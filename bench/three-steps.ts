/** How many runs of three steps a second: the bare loop of appends, the engine, beside each other on the same disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { SystemClock } from '../src/clock.js';
import { GENESIS_HASH, sealFact } from '../src/events/envelope.js';
import type { JsonObject } from '../src/events/json.js';
import { ids } from '../src/ids.js';
import type { CommandId } from '../src/ids.js';
import { defineJob } from '../src/jobs/job.js';
import { JobRegistry } from '../src/jobs/job-registry.js';
import { openSqliteLog } from '../src/log/sqlite.event-log.js';
import { StartRun } from '../src/runs/run.commands.js';
import { openSluice } from '../src/sluice.js';

const clock = new SystemClock();
const inTemp = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
};

/** Runs `count` jobs, `lanes` of them at once; gives how many a second. */
async function rate(count: number, lanes: number, one: (at: number) => Promise<void>): Promise<number> {
  let next = 0;
  const from = performance.now();
  await Promise.all(Array.from({ length: lanes }, async () => {
    for (let at = next++; at < count; at = next++) await one(at);
  }));
  return count / ((performance.now() - from) / 1_000);
}

/** What an engine of this design can't do without: the same facts, sealed, in the same appends, awaited one after the other. */
async function bare(count: number, lanes: number): Promise<number> {
  return inTemp(async (directory) => {
    const log = openSqliteLog({ directory, clock });
    const parts = [['RunStarted', 'StepDispatched', 'StepStarted'], ['StepSucceeded', 'StepDispatched', 'StepStarted'], ['StepSucceeded', 'StepDispatched', 'StepStarted'], ['StepSucceeded', 'RunCompleted']];
    const perSecond = await rate(count, lanes, async () => {
      const stream = `run-${ids.freshCommand()}`;
      let [revision, prevHash] = [-1, GENESIS_HASH];
      for (const types of parts) {
        const command = ids.freshCommand();
        const before = revision;
        const facts = types.map((type, index) => {
          revision += 1;
          const fact = sealFact({ stream, revision, prevHash, id: ids.event(command, index), type, data: dataOf(type), metadata: metadataOf(command) });
          prevHash = fact.metadata.hash;
          return fact;
        });
        await log.append(stream, before === -1 ? 'none' : before, facts);
      }
    });
    await log.close();
    return perSecond;
  });
}

const uuid = ids.freshCommand();
function dataOf(type: string): JsonObject {
  if (type === 'RunStarted') return { runId: uuid, batchId: uuid, batchName: 'three', batchVersion: 1, definitionHash: 'f'.repeat(64), trigger: { type: 'code' }, parameters: {}, labels: {}, reason: null, stepCount: 3, total: 3, jobDefaults: { work: { maxAttempts: 1, backoff: 'exponential', initialDelayMs: 1_000, maxDelayMs: 60_000, jitter: true, lostCounts: false, maxLosses: 5, timeoutMs: null, cancelGraceMs: 10_000, declares: [] } } };
  if (type === 'RunCompleted') return {};
  return { stepId: 'a', executionId: uuid, attempt: 1, ...(type === 'StepDispatched' ? { job: 'work', kind: 'step', params: {} } : type === 'StepStarted' ? { worker: uuid, timeoutAt: null } : { outputs: { done: true }, log: [] }) };
}
function metadataOf(command: CommandId): Record<string, string> {
  return { $correlationId: command, $causationId: command, actor: 'bench', at: '2026-01-01T00:00:00.000Z', commandId: command, machine: 'batch-run@1', roles: '', schemaVersion: '1', via: 'code' };
}

async function engine(count: number, lanes: number): Promise<number> {
  return inTemp(async (directory) => {
    const jobs = new JobRegistry();
    jobs.register(defineJob({ name: 'work', run: async () => ({ done: true }) }));
    const sluice = openSluice({ directory, clock, jobs, slots: 128 });
    const work = (id: string) => ({ id, type: 'job' as const, job: 'work' });
    await sluice.start([{ name: 'three', steps: [work('a'), work('b'), work('c')] }]);
    const waiting = new Map<string, () => void>();
    const ending = new AbortController();
    const watching = (async () => {
      for await (const delivery of sluice.log.subscribe({ filter: { prefixes: ['run-'] }, signal: ending.signal })) {
        if (delivery.kind === 'facts') for (const { type, stream } of delivery.facts) if (type === 'RunCompleted') waiting.get(stream)?.();
      }
    })();
    const perSecond = await rate(count, lanes, async () => {
      const commandId = ids.freshCommand();
      const runId = ids.runOf(commandId);
      const ended = new Promise<void>((resolve) => waiting.set(`run-${runId}`, resolve));
      await sluice.runs.execute(new StartRun(runId, { batch: 'three', parameters: {}, labels: {}, reason: null, trigger: { type: 'code' } }, { actor: 'bench', roles: [], via: 'code', commandId }));
      await ended;
      waiting.delete(`run-${runId}`);
    });
    ending.abort();
    await watching;
    await sluice.close(1_000, 1_000);
    return perSecond;
  });
}

for (const [lanes, count] of [[1, 500], [16, 3_000], [64, 5_000]] as const) {
  const [loop, own] = [await bare(count, lanes), await engine(count, lanes)];
  process.stdout.write(`${String(lanes).padStart(3)} in flight: bare loop ${loop.toFixed(0)}/s, engine ${own.toFixed(0)}/s, ratio ${(own / loop).toFixed(2)}\n`);
}
