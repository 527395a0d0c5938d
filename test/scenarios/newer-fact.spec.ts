import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/clock.js';
import { sealFact } from '../../src/events/envelope.js';
import { NewerFact } from '../../src/events/upcasting.js';
import { ids } from '../../src/ids.js';
import { chosenLog } from '../eventstoredb/chosen-log.js';
import { openEngine } from './engine.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-newer-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a log that a newer Sluice has written to', () => {
  it('is not worked on by this one, and is left as it is', async () => {
    const engine = await openEngine(directory);
    const runId = await engine.start('gated', 'k1');
    await engine.until(runId, 'parked');
    const stream = engine.streams.run(runId);
    await engine.close();

    const { log } = await chosenLog(directory, new SystemClock());
    const last = (await log.readStream(stream)).at(-1)!;
    const metadata = { ...last.metadata, schemaVersion: '2' };
    const newer = sealFact({ stream, revision: last.revision + 1, prevHash: last.metadata['hash'] ?? '', id: ids.event(ids.freshCommand(), 0), type: 'RunCompleted', data: { thanks: true }, metadata });
    await log.append(stream, last.revision, [newer]);
    const head = await log.head();
    await log.close();

    await expect(openEngine(directory)).rejects.toThrow(NewerFact);

    const { log: after } = await chosenLog(directory, new SystemClock());
    expect(await after.head()).toBe(head);
    await after.close();
  });
});
