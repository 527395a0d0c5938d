/** Small definitions by chance: every kind of step, every policy, every way a job may end. Each run of them comes to an end by itself. */
import type { BatchDefinition } from '../../src/events/definition.js';

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
