/** Hours of a whole runtime in seconds: random batches, random people, rough weather; one seed, one history. */
import { createHash } from 'node:crypto';
import type { RunId } from '../../src/ids.js';
import { seeded } from '../crash/careful-client.js';
import { Client } from './client.js';
import { Chance, randomBatch } from './random-batch.js';
import { broken } from './rules.js';
import { storyOf } from './story.js';
import { unruly } from './unruly.js';
import { ROUGH, weather } from './weather.js';
import { World } from './world.js';
import type { LogElsewhere } from './world.js';

export interface Simulated {
  readonly seed: number;
  readonly runs: number;
  readonly facts: number;
  readonly deaths: number;
  readonly faults: number;
  readonly full: number;
  readonly twice: number;
  readonly heldBack: number;
  readonly simulatedMs: number;
  readonly broken: readonly string[];
  /** Of everything that was said, when, and by which life. */
  readonly fingerprint: string;
  /** The end of it. */
  readonly story: string;
}

const BATCHES = 4;
const AT_ONCE = 6;
const STORY_LINES = 60;

/** @param elsewhere a log in place of the embedded one: its disk is never full, and the same seed is not the same moments */
export async function simulate(seed: number, simulatedMs: number, elsewhere?: LogElsewhere): Promise<Simulated> {
  const random = seeded(seed);
  const chance = new Chance(random);
  const sky = weather(random, () => world, elsewhere === undefined ? ROUGH : { ...ROUGH, full: 0 });
  const count = { twice: 0, heldBack: 0 };
  const batches = Array.from({ length: BATCHES }, (_, at) => randomBatch(`batch-${at}`, chance));
  const world: World = new World({
    ...(elsewhere && { elsewhere }), late: elsewhere !== undefined || seed % 2 === 1, batches, fate: sky, slots: 3, downMs: 900, tolerated: /disk|answer was lost/i,
    spoil: ({ log, rows }) => ({ log: unruly(log, world.clock, random, count), rows }),
  });
  const client = new Client(world);
  const began = world.clock.now();
  const wrong: string[] = [];
  try {
    await world.run(async () => {
      await Promise.all(Array.from({ length: AT_ONCE }, () => lane(world, client, chance, batches.map(({ name }) => name), began + simulatedMs)));
      sky.calm();
      await Promise.all(client.runs.map((runId) => client.ended(runId)));
    });
    wrong.push(...(await broken(world, { runs: client.runs, refusals: true, awayMs: Infinity })));
  } catch (error) {
    wrong.push(String(error));
  }
  const story = storyOf(world);
  const result = {
    seed, runs: client.runs.length, facts: world.facts.length, deaths: world.lives.filter(({ alive }) => !alive).length, ...sky.seen, ...count,
    simulatedMs: world.clock.now() - began, broken: wrong, fingerprint: createHash('sha256').update(story).digest('hex').slice(0, 16), story: story.split('\n').slice(-STORY_LINES).join('\n'),
  };
  await world.close();
  return result;
}

/** Starts one run after the other, and does to it what people do. */
async function lane(world: World, client: Client, chance: Chance, batches: readonly string[], untilMs: number): Promise<void> {
  while (world.clock.now() < untilMs) {
    const runId = await client.start(chance.one(...batches));
    for (let acts = chance.upTo(4); acts > 0; acts -= 1) {
      await world.clock.sleep(chance.one(1, 50, 500, 5_000));
      await act(world, client, chance, runId);
    }
    await client.tried(client.resuming(runId));
    if (chance.is(0.7)) await client.ended(runId);
    if (chance.is(0.2)) await client.startAgain(runId);
    await world.clock.sleep(chance.one(1, 1_000, 10_000, 60_000));
  }
}

async function act(world: World, client: Client, chance: Chance, runId: RunId): Promise<void> {
  const facts = world.runFacts(runId);
  const gate = facts.findLast(({ type }) => type === 'GateParked')?.data['stepId'];
  const running = facts.findLast(({ type }) => type === 'StepStarted')?.data;
  switch (chance.one('decide', 'decide', 'decide', 'decide', 'pause', 'resume', 'cancel', 'cancelExecution', 'nothing', 'nothing')) {
    case 'decide':
      return typeof gate === 'string' ? client.tried(client.deciding(runId, chance.is(0.8), chance.one('kim', 'lee', 'pat'), gate)) : undefined;
    case 'pause':
      return client.tried(client.pausing(runId));
    case 'resume':
      return client.tried(client.resuming(runId));
    case 'cancel':
      return client.tried(client.cancelling(runId));
    case 'cancelExecution':
      return typeof running?.['stepId'] === 'string' && typeof running['attempt'] === 'number' ? client.tried(client.cancellingExecution(runId, running['stepId'], running['attempt'])) : undefined;
    default:
  }
}

