/**
 * What Sluice makes of an EventStoreDB, beside the raw client in the same run on the same server.
 *
 *   node --import ./test/typescript-loader.mjs bench/eventstoredb.ts esdb://127.0.0.1:2113?tls=false [runs]
 * ROWS_HERE=1: rows in the first thread.
 *
 * Raw client: appends of the same number of facts of the same size, four one after the other to a stream of its own,
 * which is what a 3-step run costs; a run is over when its last fact is durable. An engine must also hear what it has
 * appended, to show it and to hear of others: so there is a second row, in which the raw client hears its own facts by one subscription (taken up again whenever the
 * server ends it as too slow), and a run is over when that was heard. Every row is run once before, unmeasured;
 * then they take turns. Not measured: a cluster, TLS, a server on another machine.
 */
import { END, EventStoreDBClient, jsonEvent, streamNameFilter } from '@eventstore/db-client';
import type { AllStreamSubscription } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRejected } from '../src/actors/actor.js';
import { SystemClock } from '../src/clock.js';
import type { BatchDefinition } from '../src/events/definition.js';
import { Streams } from '../src/events/streams.js';
import { ids } from '../src/ids.js';
import { JobRegistry } from '../src/jobs/job-registry.js';
import { obedientJob } from '../src/jobs/obedient.job.js';
import { openLog } from '../src/log/open-log.js';
import type { EngineLog } from '../src/log/open-log.js';
import { StartRun } from '../src/runs/run.commands.js';
import { openSluice } from '../src/sluice.js';
import { Chain } from '../test/contracts/chain.js';

const [url = 'esdb://127.0.0.1:2113?tls=false', count = '1000'] = process.argv.slice(2);
const RUNS = Number(count);
const LANES = 64;
const ROUNDS = 5;
/** Facts of the appends of a 3-step run, as `runs` makes them, and about the bytes of one. */
const APPENDS = [3, 3, 3, 2] as const;
const FACT_BYTES = 700;
const LAST_FACT = BigInt(APPENDS.reduce((sum, facts) => sum + facts, 0) - 1);
const clock = new SystemClock();
const namespace = `bench${randomUUID().slice(0, 8)}`;
const batch: BatchDefinition = { name: 'three', steps: ['a', 'b', 'c'].map((id) => ({ id, type: 'job' as const, job: 'obey', params: {} })) };

interface Timed {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** `total` pieces of work, so many at once. */
async function timed(total: number, atOnce: number, work: (at: number) => Promise<void>): Promise<Timed> {
  const took: number[] = [];
  const began = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(atOnce, total) }, async () => {
    for (let at = next++; at < total; at = next++) {
      const since = performance.now();
      await work(at);
      took.push(performance.now() - since);
    }
  }));
  const seconds = (performance.now() - began) / 1_000;
  took.sort((one, two) => one - two);
  const at = (share: number): number => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  return { perSecond: total / seconds, p50: at(0.5), p99: at(0.99) };
}

function tell(what: string, { perSecond, p50, p99 }: Timed): void {
  console.log(`${what.padEnd(58)} ${perSecond.toFixed(0).padStart(7)}/s   p50 ${p50.toFixed(1).padStart(7)} ms   p99 ${p99.toFixed(1).padStart(7)} ms`);
}

/** What Linux says of the thread that bears the number of the process. */
function firstThreadMs(): number {
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000_000;
}

const text = 'x'.repeat(FACT_BYTES);

async function rawRun(client: EventStoreDBClient): Promise<string> {
  const stream = `${namespace}raw-${randomUUID()}`;
  let revision = -1n;
  for (const facts of APPENDS) {
    const events = Array.from({ length: facts }, () => jsonEvent({ type: 'StepSucceeded', data: { text } }));
    const answer = await client.appendToStream(stream, events, { expectedRevision: revision < 0n ? 'no_stream' : revision });
    revision = answer.nextExpectedRevision;
  }
  return stream;
}

const rawRuns = (client: EventStoreDBClient, runs: number): Promise<Timed> => timed(runs, LANES, async () => void (await rawRun(client)));

/** The raw client, which hears what it has appended. */
class RawEars {
  private readonly heard = new Set<string>();
  private readonly waiting = new Map<string, () => void>();
  private subscription: AllStreamSubscription | undefined;
  private over = false;

  constructor(private readonly client: EventStoreDBClient) {}

  async listen(): Promise<void> {
    const filter = streamNameFilter({ prefixes: [`${namespace}raw-`], checkpointInterval: 1_000, maxSearchWindow: 1_000 });
    let fromPosition: { commit: bigint; prepare: bigint } | typeof END = END;
    while (!this.over) {
      try {
        this.subscription = this.client.subscribeToAll({ fromPosition, filter });
        for await (const { event } of this.subscription) {
          if (event === undefined) continue;
          fromPosition = event.position;
          if (event.revision === LAST_FACT) this.hear(event.streamId);
        }
      } catch {
        // Ended by the server as too slow.
      }
    }
  }

  async run(): Promise<void> {
    const stream = await rawRun(this.client);
    if (!this.heard.delete(stream)) await new Promise<void>((resolve) => this.waiting.set(stream, resolve));
  }

  async close(): Promise<void> {
    this.over = true;
    await this.subscription?.unsubscribe();
  }

  private hear(stream: string): void {
    const wake = this.waiting.get(stream);
    if (wake === undefined) this.heard.add(stream);
    else wake();
    this.waiting.delete(stream);
  }
}

console.log(`${cpus().length} cores, node ${process.version}, ${RUNS} runs, ${LANES} at once, ${new Date(clock.now()).toISOString()}`);
const client = EventStoreDBClient.connectionString(url);
const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const streams = new Streams(namespace);
const log = await openLog({ url, directory, streams, clock });
const append = async (): Promise<void> => {
  const chain = new Chain(`${streams.prefix('run')}${randomUUID()}`);
  await log.append(chain.stream, 'none', chain.next(1));
};
const rawAppend = async (): Promise<void> => void (await client.appendToStream(`${namespace}raw-${randomUUID()}`, jsonEvent({ type: 'T', data: { text: 'x'.repeat(300) } }), { expectedRevision: 'no_stream' }));

await timed(300, LANES, rawAppend);
await timed(300, LANES, append);
tell('raw client: append 1 event, 1 in flight', await timed(RUNS, 1, rawAppend));
tell('log: append 1 fact, 1 in flight', await timed(RUNS, 1, append));
tell('raw client: append 1 event, 64 in flight', await timed(RUNS * 4, LANES, rawAppend));
tell('log: append 1 fact, 64 in flight', await timed(RUNS * 4, LANES, append));

const ending = new AbortController();
const live = log.subscribe({ after: await log.head(), signal: ending.signal })[Symbol.asyncIterator]();
await live.next();
tell('log: append, then live delivery, 1 in flight', await timed(Math.min(RUNS, 500), 1, async () => {
  const seen = live.next();
  await append();
  await seen;
}));
ending.abort();
let read = 0;
const began = performance.now();
for await (const page of log.readAll()) read += page.length;
const seconds = (performance.now() - began) / 1_000;
console.log(`${'log: catch-up by pages'.padEnd(58)} ${(read / seconds).toFixed(0).padStart(7)} facts/s (${read})`);

const jobs = new JobRegistry();
jobs.register(obedientJob(clock));
await log.close();
// Streams of their own: what was appended above are no runs.
const runStreams = new Streams(`${namespace}runs`);
const engineLog = await openLog({ url, directory, streams: runStreams, clock });
const waiting = new Map<string, () => void>();
/** A run is over when its last fact is durable, as for the raw client. */
const appending: EngineLog = Object.assign(Object.create(engineLog) as EngineLog, {
  append: async (...[stream, expected, facts, blobs]: Parameters<EngineLog['append']>) => {
    const result = await engineLog.append(stream, expected, facts, blobs);
    if (facts.at(-1)?.type === 'RunCompleted') waiting.get(stream)?.();
    return result;
  },
});
const engine = openSluice({ directory, clock, log: appending, jobs, slots: 128, namespace: `${namespace}runs`, rowsBeside: process.env['ROWS_HERE'] === undefined ? url : undefined });
await engine.start([batch]);
const run = async (): Promise<void> => {
  const commandId = ids.freshCommand();
  const runId = ids.runOf(commandId);
  const done = new Promise<void>((resolve) => waiting.set(runStreams.run(runId), resolve));
  const answer = await engine.runs.execute(new StartRun(runId, { batch: 'three', parameters: {}, labels: {}, reason: null, trigger: { type: 'code' } }, { actor: 'bench', roles: [], via: 'code', commandId }));
  if (isRejected(answer)) throw new Error(answer.detail);
  await done;
  waiting.delete(runStreams.run(runId));
};
const hearing = async (): Promise<Timed> => {
  const ears = new RawEars(client);
  const listening = ears.listen();
  const heard = await timed(RUNS, LANES, () => ears.run());
  await ears.close();
  await listening;
  return heard;
};
const ways = [
  ['raw client: the 4 appends of a 3-step run, 64 at once', () => rawRuns(client, RUNS)],
  ['raw client: the same, and its facts heard', hearing],
  ['sluice: 3-step run, 64 at once', () => timed(RUNS, LANES, run)],
] as const;
for (const [, way] of ways) await way();
const rounds = ways.map((): number[] => []);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [at, [what, way]] of ways.entries()) {
    const [first, all] = [firstThreadMs(), process.cpuUsage()];
    const one = await way();
    const { user, system } = process.cpuUsage(all);
    rounds[at]?.push(one.perSecond);
    tell(what, one);
    console.log(`${''.padEnd(58)} processor time of one: ${((firstThreadMs() - first) / RUNS).toFixed(2)} ms of the first thread, ${((user + system) / 1_000 / RUNS).toFixed(2)} ms of the process`);
  }
}
const [raw = NaN, heard = NaN, sluice = NaN] = rounds.map((all) => all.sort((one, other) => one - other)[Math.floor(all.length / 2)]);
console.log(`ratio of runs/s, medians of ${ROUNDS} rounds: ${(sluice / raw).toFixed(2)} of the raw client, ${(sluice / heard).toFixed(2)} of one that hears its facts`);
await engine.close(0, 0);
await client.dispose();
await rm(directory, { recursive: true, force: true });
process.exit(0);
