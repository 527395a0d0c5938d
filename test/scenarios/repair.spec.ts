import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GENESIS_HASH, sealFact } from '../../src/events/envelope.js';
import { Streams } from '../../src/events/streams.js';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import type { EventWriter } from '../../src/log/event-writer.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { SteppedClock } from '../stepped-clock.js';
import { openEngine } from './engine.js';
import type { Engine } from './engine.js';

const PERIOD_MS = 15_000;
let directory: string;
let clock: SteppedClock;
let engine: Engine;
const open = () => openEngine(directory, { jobs: [], batches: [] }, 16, clock);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-repair-'));
  clock = new SteppedClock();
  engine = await open();
});
afterEach(async () => {
  await driven(engine.close());
  await rm(directory, { recursive: true, force: true });
});

/** Lets time go on in small steps until the answer is there. */
async function driven<T>(answer: Promise<T>): Promise<T> {
  let done = false;
  const settled = answer.finally(() => (done = true));
  settled.catch(() => undefined);
  while (!done) await clock.advance(10);
  return settled;
}

/** A run that has begun, and whose first step nobody dispatched. */
async function leaveHanging(writer: EventWriter, like: StoredFact): Promise<RunId> {
  const runId = ids.runOf(ids.freshCommand());
  const stream = new Streams().run(runId);
  const fact = sealFact({ stream, revision: 0, prevHash: GENESIS_HASH, id: ids.event(ids.freshCommand(), 0), type: 'RunStarted', data: { ...like.data, runId }, metadata: like.metadata });
  await writer.append(stream, 'none', [fact]);
  // It is seen before time goes on.
  await clock.advance(0);
  return runId;
}

async function firstFact(): Promise<StoredFact> {
  const runId = await engine.start('three', 'k1');
  await driven(engine.until(runId, 'completed'));
  return (await engine.facts(runId))[0]!;
}

describe('the repair scan', () => {
  it('has nothing to do as long as all is well', async () => {
    const start = (batch: string): Promise<RunId> => engine.start(batch, batch);
    for (const batch of ['three', 'wide', 'flaky']) await driven(engine.until(await start(batch), 'completed'));
    for (const batch of ['slow', 'hasty']) await driven(engine.until(await start(batch), 'failed'));
    await driven(engine.until(await start('gated'), 'parked'));
    const hanging = await start('hanging');
    const stubborn = await start('stubborn');
    await engine.cancel(stubborn);
    await driven(engine.until(stubborn, 'cancelled'));
    for (let period = 0; period < 5; period += 1) await clock.advance(PERIOD_MS);
    expect(engine.repairs()).toBe(0);
    await engine.cancel(hanging);
    await driven(engine.until(hanging, 'cancelled'));
  });

  it('takes up a run that nothing drives on', async () => {
    const runId = await leaveHanging(engine.log, await firstFact());
    await clock.advance(2 * PERIOD_MS);
    await driven(engine.until(runId, 'completed'));
    expect(engine.repairs()).toBe(1);
    expect((await engine.facts(runId))[1]?.metadata).toMatchObject({ actor: 'repair', via: 'repair', commandId: ids.derivedCommand('repair', runId, 0) });
  });

  it('takes up a run that was left hanging before the start', async () => {
    const like = await firstFact();
    await driven(engine.close());
    const log = openSqliteLog({ directory, clock });
    const runId = await leaveHanging(log, like);
    await log.close();
    engine = await open();
    await clock.advance(PERIOD_MS);
    await driven(engine.until(runId, 'completed'));
    expect(engine.repairs()).toBe(1);
  });

  it('is no use to a run whose definition is gone: that one is left alone, visibly', async () => {
    const like = await firstFact();
    const lost = await leaveHanging(engine.log, { ...like, data: { ...like.data, definitionHash: 'gone' } });
    await clock.advance(5 * PERIOD_MS);
    expect(engine.repairs()).toBe(1);
    expect([...engine.quarantined.keys()]).toEqual([lost]);
  });
});
