/** Decisions, conditions and races, as whoever looks at a run sees them. */
import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SystemClock } from '../../src/clock.js';
import type { StepDefinition } from '../../src/events/definition.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';
import type { StepNode } from '../../src/runs/run-steps.queries.js';
import { Sluice } from '../../src/sluice.service.js';
import { SluiceModule } from '../../src/sluice.module.js';

const work = (id: string, params: Record<string, string | number | Record<string, number>> = {}, more = {}): StepDefinition => ({ id, type: 'job', job: 'obey', params, ...more });
const review = (id: string): StepDefinition => ({ id, type: 'gate', allowedRoles: ['boss'] });

const BATCHES = [
  {
    name: 'sized',
    steps: [
      work('a', { outputs: { total: 7 } }),
      { id: 'size', type: 'decision' as const, branches: [{ id: 'big', label: 'over the limit', when: 'outputs.a.total > 5', steps: [review('sign')] }, { id: 'small', steps: [work('file')] }] },
      work('z', {}, { when: 'false' }),
    ],
  },
  { name: 'race', steps: [{ id: 'race', type: 'parallel' as const, join: 'any' as const, branches: [{ steps: [work('fast')] }, { steps: [work('slow', { do: 'hang' }), work('after')] }] }, work('z')] },
  {
    name: 'undone', failurePolicy: 'compensate' as const, onFailureSteps: [{ id: 'tell', type: 'job' as const, job: 'obey', params: {} }],
    steps: [work('a', {}, { compensate: { job: 'obey', params: { outputs: { undone: 1 } } } }), work('b', { do: 'fail-terminal' })],
  },
];

/** Every step of the tree by its id. */
function flat(steps: readonly StepNode[]): Record<string, string> {
  return Object.assign({}, ...steps.map((step) => ({ [step.id]: step.status, ...flat((step.branches ?? []).flatMap((branch) => branch.steps)) }))) as Record<string, string>;
}

describe('A run with branches', () => {
  let app: INestApplicationContext;
  let sluice: Sluice;
  beforeAll(async () => {
    app = await NestFactory.createApplicationContext(SluiceModule.forRoot({ directory: ':memory:', jobs: [obedientJob(new SystemClock())], batches: BATCHES, drainMs: 100 }), { logger: false });
    sluice = app.get(Sluice);
  });
  afterAll(() => app.close());

  it('shows which way it went, what it left out, and what it waits for', async () => {
    const { runId } = await sluice.start('sized', {}, { actor: 'ann' });
    const parked = await sluice.waitFor(runId, { until: ({ status }) => status === 'parked' });
    expect(flat(parked.steps)).toEqual({ a: 'succeeded', size: 'waiting', sign: 'waiting', file: 'skipped', z: 'pending' });
    expect(parked.steps[1]?.branches?.map(({ id, label, taken }) => [id, label, taken])).toEqual([['big', 'over the limit', true], ['small', null, false]]);
    await sluice.approve(parked.approvals[0]!.id, { actor: 'kim', roles: ['boss'] });
    const run = await sluice.waitFor(runId);
    expect(flat(run.steps)).toEqual({ a: 'succeeded', size: 'succeeded', sign: 'succeeded', file: 'skipped', z: 'skipped' });
    expect(run).toMatchObject({ status: 'completed', counts: { total: 4, succeeded: 2, skipped: 2 } });
  });

  it('is won by its fastest branch, stops the others, and is no failure', async () => {
    const { runId } = await sluice.start('race', {}, { actor: 'ann' });
    const run = await sluice.waitFor(runId);
    expect(run.status).toBe('completed');
    expect(flat(run.steps)).toEqual({ race: 'succeeded', fast: 'succeeded', slow: 'cancelled', after: 'skipped', z: 'succeeded' });
  });

  it('shows what was undone after it failed, and what followed', async () => {
    const { runId } = await sluice.start('undone', {}, { actor: 'ann' });
    const run = await sluice.waitFor(runId);
    expect([run.status, flat(run.steps)]).toEqual(['failed', { a: 'succeeded', b: 'failed', 'a:compensate': 'succeeded', tell: 'succeeded' }]);
    expect(run).toMatchObject({ stepCount: 2, counts: { total: 4, succeeded: 3, failed: 1 }, error: { kind: 'terminal' } });
  });
});
