/** A batch that the code no longer has, over starts of the engine. */
import { expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchDefinition } from '../../src/events/definition.js';
import { ids } from '../../src/ids.js';
import { openEngine } from './engine.js';
import type { Engine } from './engine.js';

const leaving: BatchDefinition = { name: 'leaving', steps: [{ id: 'a', type: 'job', job: 'obey' }] };

async function untilLast(engine: Engine, type: string): Promise<void> {
  const ending = new AbortController();
  for await (const delivery of engine.log.subscribe({ filter: { prefixes: [engine.streams.batch(ids.batch('leaving'))] }, signal: ending.signal })) {
    if (delivery.kind === 'facts' && delivery.facts.at(-1)!.type === type) ending.abort();
  }
}

it('is marked at the next start, can be started by hand, and is taken back when the code has it again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-orphaned-'));
  const withIt = { jobs: [], batches: [leaving] };
  const first = await openEngine(directory, withIt);
  await untilLast(first, 'BatchDefined');
  await first.close();
  const second = await openEngine(directory);
  await untilLast(second, 'BatchOrphaned');
  await second.until(await second.start('leaving', 'by-hand'), 'completed');
  await second.close();
  const third = await openEngine(directory, withIt);
  await untilLast(third, 'BatchDefined');
  const said = await third.log.readStream(third.streams.batch(ids.batch('leaving')));
  expect(said.map(({ type, data }) => [type, data['version']])).toEqual([['BatchDefined', 1], ['BatchOrphaned', undefined], ['BatchDefined', 2]]);
  await third.close();
  await rm(directory, { recursive: true, force: true });
}, 240_000);
