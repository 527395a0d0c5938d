/** The engine on a data directory, with the batches of these tests and a few words to speak to it. */
import { isRejected } from '../../src/actors/actor.js';
import { SystemClock } from '../../src/clock.js';
import type { Clock } from '../../src/clock.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import type { JsonObject } from '../../src/events/json.js';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import type { JobDefinition } from '../../src/jobs/job.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';
import { runEvent, runFold } from '../../src/runs/run.replay.js';
import { CancelRun, DecideGate, StartRun } from '../../src/runs/run.commands.js';
import type { AnyRunCommand } from '../../src/runs/run.commands.js';
import type { RunSnapshot } from '../../src/runs/run.draft.js';
import { openSluice } from '../../src/sluice.js';
import { chosenLog } from '../eventstoredb/chosen-log.js';

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

/** More jobs and batches than those of these tests. */
export interface Guests {
  readonly jobs: readonly JobDefinition[];
  readonly batches: readonly BatchDefinition[];
}

export async function openEngine(directory: string, guests: Guests = { jobs: [], batches: [] }, slots = 16, clock: Clock = new SystemClock()) {
  const jobs = new JobRegistry();
  for (const job of [obedientJob(clock), ...guests.jobs]) jobs.register(job);
  const sluice = openSluice({ directory, clock, slots, jobs, ...(await chosenLog(directory, clock)) });
  const { log, streams } = sluice;
  const execute = (command: AnyRunCommand) => sluice.runs.execute(command);
  const facts = (runId: RunId) => log.readStream(streams.run(runId));
  try {
    await sluice.start([...BATCHES, ...guests.batches]);
  } catch (error) {
    await sluice.close(0, 0);
    throw error;
  }

  const origin = (actor: string, roles: readonly string[], key?: string) => ({
    actor, roles, via: 'code' as const, ...(key === undefined ? { commandId: ids.freshCommand() } : { commandId: ids.keyedCommand(actor, 'POST', '/runs', key), requestHash: key }),
  });
  const runIdOf = (key: string): RunId => ids.runOf(ids.keyedCommand('ann', 'POST', '/runs', key));

  return {
    log, streams, definitions: sluice.definitions, quarantined: sluice.quarantined, repairs: sluice.repairs, runIdOf, facts, execute,
    start: async (batch: string, key: string, parameters: JsonObject = {}): Promise<RunId> => {
      const command = new StartRun(runIdOf(key), { batch, parameters, labels: {}, reason: null, trigger: { type: 'code' } }, origin('ann', [], key));
      const answer = await execute(command);
      if (isRejected(answer)) throw new Error(answer.detail);
      return command.runId;
    },
    cancel: (runId: RunId) => execute(new CancelRun(runId, 'enough', origin('olga', ['operator']))),
    approve: (runId: RunId, roles: readonly string[], stepId = 'ok') =>
      execute(new DecideGate(runId, { approvalId: ids.approval(runId, stepId, 1), stepId, verdict: { approve: true, note: null }, digest: null }, origin('kim', roles))),
    /** Resolves when a fact of this type stands in the run's stream. */
    said: async (runId: RunId, type: string): Promise<void> => {
      const ending = new AbortController();
      for await (const delivery of log.subscribe({ filter: { prefixes: [streams.run(runId)] }, signal: ending.signal })) {
        if (delivery.kind === 'facts' && delivery.facts.some((fact) => fact.type === type)) ending.abort();
      }
    },
    /** Resolves with the run's state once it is in one of these lifecycle states. */
    until: async (runId: RunId, ...wanted: readonly string[]) => {
      const ending = new AbortController();
      try {
        let state: RunSnapshot | undefined;
        for await (const delivery of log.subscribe({ filter: { prefixes: [streams.run(runId)] }, signal: ending.signal })) {
          if (delivery.kind !== 'facts') continue;
          for (const fact of delivery.facts) {
            const event = runEvent(fact);
            if (event.type === 'RunStarted') state = runFold.initial(await sluice.definitions.pinned(event.data.batchId, event.data.batchVersion, event.data.definitionHash));
            if (state !== undefined) state = runFold.next(state, event);
          }
          if (state !== undefined && wanted.includes(state.value)) return state;
        }
      } finally {
        ending.abort();
      }
      throw new Error('the log was closed');
    },
    close: () => sluice.close(500, 500),
  };
}

export type Engine = Awaited<ReturnType<typeof openEngine>>;
