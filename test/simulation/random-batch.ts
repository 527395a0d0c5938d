/** Small definitions by chance: every kind of step, every policy, every way a job may end. Each run of them comes to an end by itself. */
import type { BatchDefinition } from '../../src/events/definition.js';
import type { RunId } from '../../src/ids.js';
import { seeded } from '../crash/careful-client.js';
import type { Client } from './client.js';
import type { Scenario } from './scenarios.js';

type Steps = BatchDefinition['steps'];
type Step = Steps[number];

/** By the seeded numbers in [0, 1) that it is given. */
export class Chance {
  constructor(readonly random: () => number) {}

  one<T>(...from: readonly T[]): T {
    return from[Math.trunc(this.random() * from.length)]!;
  }

  upTo(most: number): number {
    return 1 + Math.trunc(this.random() * most);
  }

  is(likely: number): boolean {
    return this.random() < likely;
  }
}

export function randomBatch(name: string, chance: Chance): BatchDefinition {
  let named = 0;
  const id = (): string => `s${(named += 1)}`;
  const job = (): Step => ({
    id: id(), type: 'job', job: 'obey',
    params: chance.one<Record<string, string | number>>({}, { ms: 200 }, { failTimes: 1 }, { do: 'fail' }, { do: 'fail-terminal', ms: 30 }, { do: 'hang' }, { do: 'stubborn', ms: 3_000 }, { ms: 5_000 }),
    retry: { maxAttempts: chance.upTo(3), backoff: chance.one('fixed', 'exponential'), initialDelay: 300, jitter: false, maxLosses: 1_000 },
    timeout: 4_000, cancelGrace: 400,
    ...(chance.is(0.3) && { compensate: { job: 'obey', params: chance.one<Record<string, string | number>>({}, { failTimes: 1 }) } }),
    ...(chance.is(0.15) && { when: chance.one('false', 'true') }),
  });
  const gate = (): Step => ({
    id: id(), type: 'gate', title: 'Release?', allowedRoles: ['boss'],
    ...(chance.is(0.3) && { quorum: 2 }), ...(chance.is(0.7) && { timeout: chance.one(2_000, 20_000), onTimeout: chance.one('fail', 'approve', 'hold') }),
  });
  const group = (depth: number): Step => {
    const join = chance.one('all', 'any', 'majority');
    return { id: id(), type: 'parallel', join, branches: Array.from({ length: join === 'majority' ? 3 : 1 + chance.upTo(2) }, () => ({ steps: steps(2, depth) })) };
  };
  const decision = (depth: number): Step => ({ id: id(), type: 'decision', branches: [{ id: 'one', when: chance.one('true', 'false'), steps: steps(2, depth) }, { id: 'other', steps: steps(1, depth) }] });
  const step = (depth: number): Step => {
    const dice = chance.random();
    if (dice < 0.55 || depth > 2) return job();
    if (dice < 0.7) return gate();
    return dice < 0.9 ? group(depth + 1) : decision(depth + 1);
  };
  const steps = (most: number, depth: number): Step[] => Array.from({ length: chance.upTo(most) }, () => step(depth));
  return {
    name, steps: steps(3, 0), failurePolicy: chance.one('stop', 'continue', 'compensate'), timeout: '5m',
    ...(chance.is(0.3) && { onFailureSteps: [{ id: 'tell', type: 'job' as const, job: 'obey' }] }),
    ...(chance.is(0.3) && { compensateOnCancel: true }),
  };
}

/** A run of such a definition, and people who decide every gate of it, or leave it to its time-out; some cancel or pause it. */
export function randomScenario(seed: number): Scenario {
  const chance = new Chance(seeded(seed));
  const batch = randomBatch('it', chance);
  const mood = chance.upTo(1_000_000);
  const interferes = chance.one<'cancelling' | 'pausing' | 'nobody'>('cancelling', 'pausing', 'nobody', 'nobody');
  const after = chance.upTo(12);
  return {
    name: `seed ${seed}`, batch, refusals: true,
    script: async (client) => {
      const runId = await client.start('it');
      const over = client.ended(runId).then(() => 'over' as const);
      if (interferes !== 'nobody') void interfere(client, runId, interferes, after);
      const decided = new Set<string>();
      const open = (): string | undefined => client.world.runFacts(runId).flatMap(({ type, data }) => (type === 'GateParked' && !decided.has(data['stepId'] as string) ? [data['stepId'] as string] : []))[0];
      for (;;) {
        if ((await Promise.race([over, client.world.when(() => open() !== undefined)])) === 'over') return;
        const gate = open()!;
        decided.add(gate);
        // The same for the same gate, whatever else happens.
        const dice = seeded(mood + [...gate].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7))();
        if (dice < 0.15 && hasTimeout(batch.steps, gate)) continue;
        for (const who of ['kim', 'lee']) await client.tried(client.deciding(runId, dice < 0.85, who, gate));
      }
    },
  };
}

async function interfere(client: Client, runId: RunId, how: 'cancelling' | 'pausing', after: number): Promise<void> {
  await client.world.when(() => client.world.runFacts(runId).length >= after);
  await client.tried(client[how](runId));
  if (how === 'cancelling') return;
  await client.world.clock.sleep(10_000);
  await client.tried(client.resuming(runId));
}

function hasTimeout(steps: readonly Step[], id: string): boolean {
  return steps.some((step) => (step.type === 'gate' ? step.id === id && step.timeout !== undefined : 'branches' in step && step.branches.some((branch) => hasTimeout(branch.steps, id))));
}
