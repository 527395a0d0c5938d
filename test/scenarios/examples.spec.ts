import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batches, firstRuns, jobs } from '../../examples/index.js';
import { openEngine } from './engine.js';
import type { Engine } from './engine.js';

let directory: string;
let engine: Engine;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-examples-'));
  engine = await openEngine(join(directory, 'data'), { jobs, batches });
});
afterEach(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

const first = async (name: string) => {
  const run = firstRuns.find((candidate) => candidate.batch === name);
  if (run === undefined) throw new Error(`no first run of ${name}`);
  return engine.start(name, name, { ...run.parameters, directory: join(directory, 'reports') });
};

describe('the examples on the engine', () => {
  it('leave a report of the flights', async () => {
    const state = await engine.until(await first('nightly-flights'), 'completed', 'failed');
    expect(state.context.failure).toBeNull();
    expect(state.value).toBe('completed');
    expect((await readdir(join(directory, 'reports'), { recursive: true })).filter((file) => file.endsWith('.md'))).toHaveLength(1);
  }, 240_000);

  it('park at a gate that shows the figures, over a restart, and publish when it is approved', async () => {
    const runId = await first('quarter-end-review');
    await engine.until(runId, 'parked');
    const gate = (await engine.facts(runId)).find((fact) => fact.type === 'GateParked');
    expect(gate?.data.title).toBe('Release 2009-Q4: 275814.4 USD, 19.05 % in the quarter');
    await engine.close();
    engine = await openEngine(join(directory, 'data'), { jobs, batches });
    await engine.approve(runId, ['controller'], 'release');
    await engine.until(runId, 'completed');
  }, 240_000);

  it('fail on a bad record and say which', async () => {
    const state = await engine.until(await first('film-catalogue'), 'completed', 'failed');
    expect(state.context.failure?.error.message).toMatch(/movies\.json, record 10: .*Dec 31 2046/);
  }, 240_000);
});
