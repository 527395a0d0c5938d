import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../clock.js';
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import type { JsonObject } from '../events/json.js';
import { encodeRunFact } from '../events/run.codec.js';
import type { RunFactData, RunFactType } from '../events/run.events.js';
import { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import type { RunId } from '../ids.js';
import { JobRegistry } from '../jobs/job-registry.js';
import type { Delivery, EventReader, StoredFact, SubscribeOptions } from '../log/event-reader.js';
import { Denied, Unavailable } from '../log/log-errors.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import type { SqliteEventLog } from '../log/sqlite.event-log.js';
import type { AnyRunCommand } from '../runs/run.commands.js';
import { JobRunner } from './job-runner.js';
import { Reactor } from './reactor.js';
import type { Attempt } from './worklist.js';

const streams = new Streams();
const clock = new SystemClock();
let log: SqliteEventLog;
let reactor: Reactor | undefined;
beforeEach(() => {
  log = openSqliteLog({ directory: ':memory:', clock });
});
afterEach(async () => {
  await reactor?.stop();
  await log.close();
});

interface Stage {
  readonly reader?: EventReader;
  readonly answer?: (command: AnyRunCommand) => Promise<string | undefined>;
  readonly Runner?: typeof JobRunner;
}

/** A reactor over the log of this test; what it says is collected, and awaited one by one. */
async function stage({ reader = log, answer = () => Promise.resolve(undefined), Runner = JobRunner }: Stage = {}) {
  const said: AnyRunCommand[] = [];
  const reports: string[] = [];
  let heard: () => void = () => undefined;
  const say = (command: AnyRunCommand): Promise<string | undefined> => {
    said.push(command);
    heard();
    return answer(command);
  };
  const runner = new Runner(ids.freshIncarnation(), 4, new JobRegistry(), say);
  reactor = new Reactor({ reader, streams, runner, say, outlast: (ask) => ask(), clock, report: (what) => void reports.push(what) });
  await reactor.start();
  const until = async (count: number): Promise<void> => {
    while (said.length < count) await new Promise<void>((resolve) => (heard = resolve));
  };
  return { said, reports, until, runner, quarantined: reactor.quarantined };
}

/** A run whose facts are written by hand. */
function run() {
  const runId: RunId = ids.runOf(ids.freshCommand());
  let revision = -1;
  let prevHash = GENESIS_HASH;
  const write = async <T extends RunFactType>(type: T, data: RunFactData<T>): Promise<void> => {
    revision += 1;
    const fact = sealFact({ stream: streams.run(runId), revision, prevHash, id: ids.event(ids.freshCommand(), 0), type, data: encodeRunFact(data), metadata: { schemaVersion: '1' } });
    prevHash = fact.metadata.hash;
    await log.append(streams.run(runId), revision === 0 ? 'none' : revision - 1, [fact]);
  };
  return { runId, write, dispatch: (stepId: string) => write('StepDispatched', dispatchOf(runId, stepId)) };
}

function dispatchOf(runId: RunId, stepId: string): RunFactData<'StepDispatched'> {
  return { stepId, executionId: ids.execution(runId, stepId, 1), attempt: 1, job: 'j', kind: 'step', params: {} };
}

/** Breaks the subscription after so many facts, each time that it is asked for. */
function breaking(after: number, how: 'ends' | 'throws'): EventReader {
  async function* subscribe(options: SubscribeOptions): AsyncGenerator<Delivery> {
    let facts = 0;
    for await (const delivery of log.subscribe(options)) {
      yield delivery;
      facts += delivery.kind === 'facts' ? delivery.facts.length : 0;
      if (facts >= after && how === 'throws') throw new Unavailable('The connection is gone.');
      if (facts >= after) return;
    }
  }
  return { subscribe, head: () => log.head(), readAll: (options) => log.readAll(options), readBlob: (sha256) => log.readBlob(sha256), readStream: (...asked) => log.readStream(...asked) };
}

/** A log that brings what it is told to. */
function scripted() {
  const deliveries: Delivery[] = [{ kind: 'caughtUp', position: '' }];
  let wake: () => void = () => undefined;
  async function* subscribe({ signal }: SubscribeOptions): AsyncGenerator<Delivery> {
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      const delivery = deliveries.shift();
      if (delivery === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else yield delivery;
    }
  }
  const bring = (...facts: readonly StoredFact[]): void => {
    deliveries.push({ kind: 'facts', facts });
    wake();
  };
  return { bring, reader: { subscribe, head: () => log.head(), readAll: (options) => log.readAll(options), readBlob: (sha256) => log.readBlob(sha256), readStream: (...asked) => log.readStream(...asked) } satisfies EventReader };
}

/** A run of one step, from its dispatch to its end, from this position on. */
function life(worker: string, position: number): StoredFact[] {
  const runId = ids.runOf(ids.freshCommand());
  const of = { stepId: 'a', executionId: ids.execution(runId, 'a', 1), attempt: 1 };
  const facts: [type: RunFactType, data: JsonObject][] = [
    ['StepDispatched', encodeRunFact(dispatchOf(runId, 'a'))], ['StepStarted', { ...of, worker, timeoutAt: null }], ['StepSucceeded', { ...of, outputs: {} }], ['RunCompleted', {}],
  ];
  return facts.map(([type, data], revision) => ({ stream: streams.run(runId), revision, type, data, metadata: { schemaVersion: '1' }, id: `${runId}/${revision}`, position: String(position + revision).padStart(8, '0'), recordedAt: '' }));
}

function hear(facts: readonly StoredFact[]): void {
  reactor?.hear({ stream: facts[0]!.stream, facts, revision: facts[0]!.revision, position: facts.at(-1)!.position });
}

/** Tells which attempts it is to run, and runs none. */
class Noting extends JobRunner {
  readonly ran: string[] = [];
  override run({ executionId }: Attempt): void {
    this.ran.push(executionId);
  }
}

describe('the reactor', () => {
  it.each(['ends', 'throws'] as const)('goes on after the last fact that it saw when its subscription %s', async (how) => {
    const { said, reports, until } = await stage({ reader: breaking(1, how) });
    const runs = [run(), run(), run()];
    for (const [at, { dispatch }] of runs.entries()) {
      await dispatch('a');
      await until(at + 1);
    }
    expect(said.map((command) => [command.type, command.runId])).toEqual(runs.map(({ runId }) => ['ClaimStep', runId]));
    expect(reports.length).toBeGreaterThanOrEqual(2);
  });

  it('leaves a run alone whose command breaks something, says so, and goes on with the others', async () => {
    const broken = run();
    const { reports, until, quarantined } = await stage({ answer: (command) => (command.runId === broken.runId ? Promise.reject(new TypeError('broken')) : Promise.resolve(undefined)) });
    await broken.dispatch('a');
    await until(1);
    await run().dispatch('a');
    await until(2);
    expect([...quarantined]).toEqual([[broken.runId, 'broken']]);
    expect(reports).toEqual([expect.stringContaining(broken.runId)]);
  });

  it('holds no slot for what is claimed in a run that it leaves alone', async () => {
    const broken = run();
    const { until, quarantined, runner } = await stage({ answer: (command) => (command.runId === broken.runId ? Promise.reject(new TypeError('broken')) : Promise.resolve(undefined)) });
    await broken.dispatch('a');
    await until(1);
    while (quarantined.size === 0) await new Promise(setImmediate);
    const executionId = ids.execution(broken.runId, 'b', 1);
    runner.reserve(executionId);
    await broken.write('StepStarted', { stepId: 'b', executionId, attempt: 1, worker: runner.node, timeoutAt: null });
    await run().dispatch('a');
    await until(2);
    expect(runner.taken).toBe(1);
  });

  it.each([new Unavailable('closing'), new Denied('no right to write')])('does not quarantine a run because the log is in trouble: %p', async (trouble) => {
    const { until, quarantined } = await stage({ answer: () => Promise.reject(trouble) });
    await run().dispatch('a');
    await until(1);
    await reactor?.stop();
    expect(quarantined.size).toBe(0);
  });

  it('leaves a run alone when looking at one of its facts breaks something', async () => {
    class Brittle extends JobRunner {
      override stop(): void {
        throw new TypeError('brittle');
      }
    }
    const { said, until, quarantined, reports } = await stage({ Runner: Brittle });
    const faulty = run();
    await faulty.write('StepStopRequested', { stepId: 'a', executionId: ids.execution(faulty.runId, 'a', 1), attempt: 1, reason: 'cancel', graceEndsAt: '2026-01-01T00:00:00.000Z' });
    const sound = run();
    await sound.dispatch('a');
    await until(1);
    expect(said.map((command) => command.runId)).toEqual([sound.runId]);
    expect([...quarantined]).toEqual([[faulty.runId, 'brittle']]);
    expect(reports).toEqual([expect.stringContaining(faulty.runId)]);
  });

  it('looks at what its node has appended before the log brings it, and at the log once it has caught up', async () => {
    const { said, until } = await stage();
    const { runId, dispatch } = run();
    const facts = [sealFact({ stream: streams.run(runId), revision: 0, prevHash: GENESIS_HASH, id: ids.event(ids.freshCommand(), 0), type: 'StepDispatched', data: encodeRunFact(dispatchOf(runId, 'a')), metadata: { schemaVersion: '1' } })];
    reactor?.hear({ stream: streams.run(runId), facts, revision: 0, position: '9' });
    await until(1);
    await dispatch('a');
    await run().dispatch('b');
    await until(2);
    expect(said.map(({ type }) => type)).toEqual(['ClaimStep', 'ClaimStep']);
    expect(new Set(said.map((command) => command.runId)).size).toBe(2);
  });

  it('knows what it has heard early until the log has brought all of it, also behind the end of a run in the same page', async () => {
    const { bring, reader } = scripted();
    const { until, runner } = await stage({ reader, Runner: Noting });
    const [heard, unheard] = [life(runner.node, 10), life(runner.node, 1)];
    hear(heard);
    for (let other = 0; other < 1_000; other += 1) hear(life('elsewhere', 100 + other * 4));
    bring(...unheard, ...heard);
    bring(life('elsewhere', 90)[0]!);
    await until(1);
    const attempts = [heard, unheard].map(([dispatched]) => dispatched!.data['executionId']);
    expect((runner as Noting).ran).toEqual(attempts);
  });

  it('begins nothing, and claims nothing, once it has made way for a newer version', async () => {
    const { bring, reader } = scripted();
    const { reports, runner, said } = await stage({ reader, Runner: Noting });
    const [newer] = life(runner.node, 1);
    bring({ ...newer!, metadata: { schemaVersion: '99' } });
    while (reports.length === 0) await new Promise(setImmediate);
    hear(life(runner.node, 10).slice(0, 2));
    expect([reports, (runner as Noting).ran, said, runner.free]).toEqual([['This node takes no more work.'], [], [], 0]);
  });

  it('claims no more than it has slots for until facts say what came of its claims', async () => {
    const { said, until } = await stage();
    const runs = Array.from({ length: 6 }, run);
    for (const { dispatch } of runs) await dispatch('a');
    await until(4);
    // The answers are there; the facts are not.
    await runs[0]!.write('StepCancelled', { stepId: 'a', executionId: ids.execution(runs[0]!.runId, 'a', 1), attempt: 1, was: 'dispatched', reason: 'cancel', orphaned: false });
    await until(5);
    expect(said.map((command) => command.runId)).toEqual(runs.slice(0, 5).map(({ runId }) => runId));
  });

  it('that is to end takes up nothing new, and gives back the attempt whose claim was under way', async () => {
    let seen: () => void = () => undefined;
    class Telling extends JobRunner {
      override stop(): void {
        seen();
      }
    }
    const { said, until, runner } = await stage({ Runner: Telling });
    const claimed = run();
    await claimed.dispatch('a');
    await until(1);
    reactor?.quiesce();
    const late = run();
    await late.dispatch('a');
    const lookedAt = new Promise<void>((resolve) => (seen = resolve));
    await late.write('StepStopRequested', { stepId: 'a', executionId: ids.execution(late.runId, 'a', 1), attempt: 1, reason: 'cancel', graceEndsAt: '2026-01-01T00:00:00.000Z' });
    await lookedAt;
    let drained = false;
    const never = new Promise<void>(() => undefined);
    const draining = runner.drain(never, never).then(() => (drained = true));
    await claimed.write('StepStarted', { stepId: 'a', executionId: ids.execution(claimed.runId, 'a', 1), attempt: 1, worker: runner.node, timeoutAt: null });
    await until(2);
    expect(drained).toBe(false);
    await draining;
    expect(said).toMatchObject([{ type: 'ClaimStep', runId: claimed.runId }, { type: 'ReportOutcome', runId: claimed.runId, outcome: { kind: 'lost', reason: 'shutdown' } }]);
  });
});
