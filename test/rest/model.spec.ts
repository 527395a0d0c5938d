/**
 * Random runs on the whole server, and random people: what a run says may be done is taken, and nothing else changes it;
 * who looks at a run that has not ended is told what it waits for; its facts, folded anew, are what its row says.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { countsAfter } from '../../projections/run-counts.js';
import { storedRunFact } from '../../src/events/run.codec.js';
import type { StepCounts } from '../../src/events/run.events.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { compilePlan } from '../../src/runs/plan.js';
import { replayRun } from '../../src/runs/run.replay.js';
import type { RunDetail } from '../../src/runs/run-detail.queries.js';
import { seeded } from '../crash/careful-client.js';
import { Chance, randomBatch } from '../simulation/random-batch.js';
import { House } from './house.js';
import type { Listed } from './house.js';

const SEED = Number(process.env['SLUICE_TEST_SEED'] ?? Math.trunc(Math.random() * 1e9));
const RUNS = 24;
const ACTS = 5;
const SAID_BY: Readonly<Record<string, readonly string[]>> = {
  cancel: ['CancelRequested'], pause: ['RunPaused'], resume: ['RunResumed'], approve: ['GateApprovalGiven', 'GateApproved'], reject: ['GateRejected'],
};
const ENDED = ['completed', 'failed', 'cancelled'];
const ROLES = 'viewer,operator,boss';

const chance = new Chance(seeded(SEED));
const counted = { accepted: 0, refused: 0, looks: 0 };
let house: House;
beforeAll(async () => {
  process.stdout.write(`model of the server: SLUICE_TEST_SEED=${SEED}\n`);
  house = await House.open('Fastify');
});
afterAll(() => house.close());

/** The same batch with twentieths of its times. */
const hurried = (batch: BatchDefinition): BatchDefinition =>
  JSON.parse(JSON.stringify(batch, (key, value: unknown) => (typeof value === 'number' && /^(ms|timeout|initialDelay|cancelGrace)$/.test(key) ? Math.ceil(value / 20) : value))) as BatchDefinition;

const factsOf = async (runId: string): Promise<StoredFact[]> => {
  const { items } = await house.read<Listed<StoredFact>>(`/runs/${runId}/events?limit=500`);
  return items.map((fact) => ({ ...fact, revision: Number(fact.revision) }));
};
const look = async (runId: string): Promise<RunDetail> => {
  const run = await house.read<RunDetail>(`/runs/${runId}`, { as: 'kim', roles: ROLES });
  const { total, ...states } = run.counts;
  counted.looks += 1;
  expect(Object.values(states).reduce((sum, one) => sum + one, 0)).toBe(total);
  if (!ENDED.includes(run.status)) expect(run.waitingFor).not.toEqual([]);
  // What went wrong may be tried again; nothing else can be done to a run that has ended.
  else expect(run.allowedActions.filter(({ action }) => action !== 'retry' || run.status === 'completed')).toEqual([]);
  return run;
};

/** Every action that there is for this run, allowed now or not. */
const every = (run: RunDetail): string[] => [
  ...['cancel', 'pause', 'resume'].map((action) => `/runs/${run.id}/${action}`),
  ...run.approvals.flatMap(({ id }) => ['approve', 'reject'].map((action) => `/approvals/${id}/${action}`)),
];

async function act(runId: string): Promise<void> {
  const run = await look(runId);
  const href = chance.one(...every(run));
  const action = href.split('/').at(-1)!;
  const allowed = run.allowedActions.some((one) => one.href === href);
  const said = async (): Promise<number> => (await factsOf(runId)).filter(({ type }) => SAID_BY[action]!.includes(type)).length;
  const before = await said();
  const { status, body } = await house.post<{ position?: string }>(href, action === 'reject' ? { reason: 'no' } : {}, { as: chance.one('kim', 'lee'), roles: ROLES });
  const after = await said();
  const now = await house.read<RunDetail>(`/runs/${runId}${body.position ? `?atLeast=${body.position}` : ''}`, { as: 'kim', roles: ROLES });
  if (allowed && status < 300) counted.accepted += 1;
  // Refused though it was allowed: then it had gone on meanwhile.
  if (allowed && status >= 300) expect(now.position > run.position).toBe(true);
  if (allowed || now.position !== run.position) return;
  counted.refused += 1;
  expect([action, after]).toEqual([action, before]);
}

async function whole(runId: string, definition: BatchDefinition): Promise<void> {
  const run = await house.until<RunDetail>(`/runs/${runId}`, ({ status }) => ENDED.includes(status));
  const facts = await factsOf(runId);
  const first = storedRunFact(facts[0]!);
  if (first.type !== 'RunStarted') throw new Error(`It begins with ${first.type}.`);
  let counts: StepCounts = { ...run.counts, pending: first.data.total, total: first.data.total, dispatched: 0, running: 0, retrying: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 };
  for (const fact of facts.map(storedRunFact)) {
    counts = countsAfter(counts, fact);
    const { total, ...states } = counts;
    expect(Object.values(states).reduce((sum, one) => sum + one, 0)).toBe(total);
  }
  const { value, context } = replayRun(compilePlan(definition, first.data.definitionHash), facts);
  expect({ status: value, counts: context.counts }).toEqual({ status: run.status, counts: run.counts });
  expect(counts).toEqual(run.counts);
}

describe('The server, used at random', () => {
  it('takes what it says that it takes, says what it waits for, and counts what its facts say', async () => {
    for (let at = 0; at < RUNS; at += 1) {
      const definition = hurried(randomBatch(`model-${at}`, chance));
      await house.define(definition);
      const runId = await house.start(definition.name);
      for (let acts = 0; acts < ACTS; acts += 1) {
        await act(runId);
        await sleep(chance.one(0, 5, 50));
      }
      const run = await look(runId);
      if (!ENDED.includes(run.status)) await house.post(`/runs/${runId}/cancel`, {});
      await whole(runId, definition);
    }
    process.stdout.write(`model of the server: ${RUNS} runs, ${counted.looks} looks, ${counted.accepted} actions accepted, ${counted.refused} not allowed and without effect\n`);
    expect(Math.min(counted.accepted, counted.refused)).toBeGreaterThan(RUNS / 4);
  }, 600_000);
});
