import { describe, expect, it } from '@jest/globals';
import { isRejected } from './actors/actor.js';
import { ActorHost } from './actors/actor-host.js';
import { batchActor } from './batches/batch.actor.js';
import { defineInCode, Definitions } from './definitions.js';
import type { BatchDefinition } from './events/definition.js';
import { Streams } from './events/streams.js';
import { defineJob } from './jobs/job.js';
import { JobRegistry } from './jobs/job-registry.js';
import type { EventReader } from './log/event-reader.js';
import { openSqliteLog } from './log/sqlite.event-log.js';
import { SimulatedClock } from './testing/simulated-clock.js';

const clock = new SimulatedClock();
const streams = new Streams();
const batch = (description: string): BatchDefinition => ({ name: 'nightly', description, steps: [{ id: 'ok', type: 'gate', allowedRoles: ['boss'] }] });

/** Definitions over a log whose reads wait until they are let through, the oldest first. */
function house() {
  const log = openSqliteLog({ directory: ':memory:', clock });
  const jobs = new JobRegistry();
  const host = new ActorHost(batchActor(streams), log, log, clock);
  const held: (() => void)[] = [];
  let reads = 0;
  const slow: EventReader = {
    readStream: async (...asked) => {
      reads += 1;
      const facts = await log.readStream(...asked);
      await new Promise<void>((resolve) => held.push(resolve));
      return facts;
    },
    readAll: (options) => log.readAll(options), subscribe: (options) => log.subscribe(options), head: () => log.head(), readBlob: (sha256) => log.readBlob(sha256),
  };
  const definitions = new Definitions(slow, streams, jobs);
  const letThrough = async (): Promise<void> => {
    while (held.length === 0) await new Promise(setImmediate);
    held.shift()!();
  };
  jobs.register(defineJob({ name: 'known', run: () => Promise.resolve({}) }));
  const defineWhole = (definition: BatchDefinition) => defineInCode(definition, jobs, host, () => undefined);
  return { definitions, letThrough, reads: () => reads, defineWhole, define: (description: string) => defineWhole(batch(description)), close: () => log.close() };
}

describe('Definitions', () => {
  it('look into the log once for all who ask while a look is under way, and after they asked', async () => {
    const { definitions, letThrough, reads, define, close } = house();
    await define('one');
    const early = definitions.startable('nightly');
    await new Promise(setImmediate);
    await define('two');
    const late = [definitions.startable('nightly'), definitions.startable('nightly'), definitions.startable('nightly')];
    await letThrough();
    await letThrough();
    const versions = (await Promise.all([early, ...late])).map((found) => (isRejected(found) ? found.rejected : found.version));
    expect(versions).toEqual([1, 2, 2, 2]);
    expect(reads()).toBe(2);
    await close();
  });

  it('name every job that is not there, also one that is to undo what follows a failure', async () => {
    const { definitions, letThrough, defineWhole, close } = house();
    await defineWhole({ name: 'nightly', steps: [{ id: 'ok', type: 'gate', allowedRoles: ['boss'] }], onFailureSteps: [{ id: 'tell', type: 'job', job: 'known', compensate: { job: 'gone' } }] });
    const found = definitions.startable('nightly');
    await letThrough();
    expect(await found).toMatchObject({ unknownJobs: [{ path: '/onFailureSteps/0/compensate/job' }] });
    await close();
  });

  it('look again after a look that failed', async () => {
    const { definitions, letThrough, define, close } = house();
    await define('one');
    const missing = definitions.startable('another');
    await letThrough();
    expect(await missing).toMatchObject({ rejected: 'not-found' });
    const found = definitions.startable('nightly');
    await letThrough();
    expect(await found).toMatchObject({ version: 1 });
    await close();
  });
});
