/** Batches that are defined in code, over builds that differ. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SystemClock } from '../../src/clock.js';
import { UnusableBatch } from '../../src/definitions.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import { openSluice } from '../../src/sluice.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-code-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const close = (title: string): BatchDefinition => ({ name: 'close', title, steps: [{ id: 'a', type: 'gate', allowedRoles: ['*'], timeout: '1d' }] });

/** What a node with this batch in its code has warned of. */
async function startedWith(batch: BatchDefinition): Promise<string[]> {
  const warnings: string[] = [];
  const sluice = openSluice({ directory, clock: new SystemClock(), jobs: new JobRegistry(), slots: 1, report: (what) => warnings.push(what) });
  try {
    await sluice.start([batch]);
  } finally {
    await sluice.close(0, 0);
  }
  return warnings;
}

it('an older build that starts again changes nothing, and is warned of', async () => {
  expect(await startedWith(close('first'))).toEqual([]);
  expect(await startedWith(close('second'))).toEqual([]);
  expect(await startedWith(close('first'))).toEqual([expect.stringMatching(/close stays at version 2: .*older build/)]);
});

it('a batch that can not be meant stops the start, with all that is wrong and where', async () => {
  const wrong: BatchDefinition = { name: 'close', steps: [{ id: 'a', type: 'gate', allowedRoles: [] }, { id: 'a', type: 'gate', allowedRoles: ['*'] }] };
  await expect(startedWith(wrong)).rejects.toThrow(UnusableBatch);
  await expect(startedWith(wrong)).rejects.toThrow(/\/steps\/0\/allowedRoles: .*\n\s+\/steps\/1\/id: /);
});
