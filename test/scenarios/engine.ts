/** A whole engine on a data directory, without the doors: log, host, runner, reactor, and the batches of these tests. */
import { isRejected } from '../../src/actors/actor.js';
import { ActorHost } from '../../src/actors/actor-host.js';
import { SystemClock } from '../../src/clock.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { Streams } from '../../src/events/streams.js';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';
import { Unavailable } from '../../src/log/log-errors.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { JobRunner } from '../../src/reactors/job-runner.js';
import { Reactor } from '../../src/reactors/reactor.js';
import { compilePlan } from '../../src/runs/plan.js';
import { runActor, runEvent, runFold } from '../../src/runs/run.actor.js';
import { CancelRun, DecideGate, StartRun } from '../../src/runs/run.commands.js';
import type { RunSnapshot } from '../../src/runs/run.draft.js';
import type { AnyRunCommand } from '../../src/runs/run.commands.js';
import type { StoredFact } from '../../src/log/event-reader.js';

const work = (id: string, params: Record<string, string | number> = {}, more = {}) => ({ id, type: 'job' as const, job: 'obey', params, ...more });

export const BATCHES: readonly BatchDefinition[] = [
  { name: 'three', steps: [work('a'), work('b', { ms: 2 }), work('c')] },
  { name: 'wide', steps: [{ id: 'all', type: 'parallel', branches: Array.from({ length: 300 }, (_, at) => ({ steps: [work(`s${at}`)] })) }] },
  { name: 'flaky', steps: [work('a', { failTimes: 2 }, { retry: { maxAttempts: 3, backoff: 'fixed', initialDelay: 5, jitter: false } })] },
  { name: 'gated', steps: [work('a'), { id: 'ok', type: 'gate', title: 'Release?', allowedRoles: ['boss'] }, work('b')] },
  { name: 'hasty', steps: [{ id: 'ok', type: 'gate', allowedRoles: ['boss'], timeout: 50 }] },
  { name: 'hanging', steps: [work('a', { do: 'hang' })] },
  { name: 'stubborn', steps: [work('a', { do: 'stubborn', ms: 1_000 }, { cancelGrace: 50 }), work('b')] },
  { name: 'slow', steps: [work('a', { do: 'hang' }, { timeout: 50 })] },
];

export async function openEngine(directory: string, slots = 16) {
  const clock = new SystemClock();
  const streams = new Streams();
  const log = openSqliteLog({ directory, clock });
  const jobs = new JobRegistry();
  jobs.register(obedientJob(clock));
  const plans = new Map(BATCHES.map((batch) => [batch.name, compilePlan(batch, batch.name)]));
  const planOf = (name: string) => plans.get(name)!;

  const say = async (command: AnyRunCommand): Promise<void> => {
    for (;;) {
      try {
        await host.execute(command);
        return;
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        await clock.sleep(50);
      }
    }
  };
  const runner = new JobRunner(ids.freshIncarnation(), slots, jobs, say);
  const kind = runActor(
    streams,
    {
      startable: (name) => Promise.resolve({ id: ids.batch(name), name, version: 1, plan: planOf(name), jobDefaults: { obey: jobs.defaultsOf('obey') }, unknownJobs: [], check: () => ({ parameters: {}, errors: [] }) }),
      pinned: (_id, _version, hash) => Promise.resolve(planOf(hash)),
    },
    runner,
  );
  const host = new ActorHost(kind, log, log, clock);
  const reactor = new Reactor(log, streams, runner, say, clock);
  await reactor.start();

  const origin = (actor: string, roles: readonly string[], key?: string) => ({
    actor, roles, via: 'code' as const, ...(key === undefined ? { commandId: ids.freshCommand() } : { commandId: ids.keyedCommand(actor, 'POST', '/runs', key), requestHash: key }),
  });
  const runIdOf = (key: string): RunId => ids.runOf(ids.keyedCommand('ann', 'POST', '/runs', key));
  const facts = (runId: RunId): Promise<readonly StoredFact[]> => log.readStream(streams.run(runId));

  return {
    log, host, runIdOf, facts,
    start: async (batch: string, key: string): Promise<RunId> => {
      const command = new StartRun(runIdOf(key), { batch, parameters: {}, labels: {}, reason: null, trigger: { type: 'code' } }, origin('ann', [], key));
      const answer = await host.execute(command);
      if (isRejected(answer)) throw new Error(answer.detail);
      return command.runId;
    },
    cancel: (runId: RunId) => host.execute(new CancelRun(runId, 'enough', origin('olga', ['operator']))),
    approve: (runId: RunId, roles: readonly string[]) =>
      host.execute(new DecideGate(runId, { approvalId: ids.approval(runId, 'ok', 1), stepId: 'ok', verdict: { approve: true, note: null }, digest: null }, origin('kim', roles))),
    /** Resolves with the run's state once it is in one of these lifecycle states. */
    until: async (runId: RunId, ...wanted: readonly string[]) => {
      const ending = new AbortController();
      try {
        let state: RunSnapshot | undefined;
        for await (const delivery of log.subscribe({ filter: { prefixes: [streams.run(runId)] }, signal: ending.signal })) {
          if (delivery.kind !== 'facts') continue;
          for (const fact of delivery.facts) {
            const event = runEvent(fact);
            if (event.type === 'RunStarted') state = runFold.initial({ plan: planOf(event.data.definitionHash) });
            if (state !== undefined) state = runFold.next(state, event);
          }
          if (state !== undefined && wanted.includes(state.value)) return state;
        }
      } finally {
        ending.abort();
      }
      throw new Error('the log was closed');
    },
    close: async () => {
      await runner.drain(clock.sleep(500), clock.sleep(1_000));
      await reactor.stop();
      await log.close();
    },
  };
}

export type Engine = Awaited<ReturnType<typeof openEngine>>;
