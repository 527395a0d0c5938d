import { describe, expect, it } from '@jest/globals';
import { ids } from '../ids.js';
import { TooLarge, Unavailable } from '../log/log-errors.js';
import type { StartRun } from '../runs/run.commands.js';
import { beginFired } from './scheduled-start.js';

const batchId = ids.batch('tick');
const due = '2026-01-01T00:00:00.000Z';
const fired = { runId: ids.scheduledRun(batchId, due), batchId, version: 1, backfillId: null, occurrence: { due, date: '2026-01-01', time: '00:00', timeZone: 'UTC', previous: null } };

/** What is said, when the first so many times fail with this. */
async function said(fails: number, error: Error): Promise<StartRun[]> {
  const all: StartRun[] = [];
  const say = (command: StartRun) => (all.push(command) <= fails ? Promise.reject(error) : Promise.resolve(undefined));
  await beginFired(fired, { say, report: () => undefined });
  return all;
}

describe('a run that an occurrence has fired', () => {
  it('begins and fails with the reason if it can not be begun as it was meant', async () => {
    const [meant, instead] = await said(1, new TooLarge(2, 1));
    expect(meant?.start.scheduled?.fault).toBeUndefined();
    expect(instead?.start.scheduled?.fault).toContain('over the limit');
    expect(instead?.origin.commandId).toBe(meant?.origin.commandId);
  });

  it('is left to the next start while the log is away', async () => {
    await expect(said(1, new Unavailable('away'))).rejects.toThrow('away');
  });
});
