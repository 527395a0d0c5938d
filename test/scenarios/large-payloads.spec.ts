import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { isBlobRef } from '../../src/events/json.js';
import { defineJob } from '../../src/jobs/job.js';
import { openEngine } from './engine.js';
import type { Engine, Guests } from './engine.js';

const LARGE = 100_000;
const seen = new Map<string, { readonly params: unknown; readonly outputs: unknown }>();
const make = defineJob({ name: 'make', parameters: z.object({ size: z.number() }), run: async ({ params }) => ({ text: 'x'.repeat(params.size) }) });
const note = defineJob({
  name: 'note',
  parameters: z.object({ text: z.string() }),
  run: async ({ runId, stepId, params, outputs }) => {
    seen.set(`${runId}:${stepId}`, { params, outputs });
    return {};
  },
});
const taking = { id: 'take', type: 'job' as const, job: 'note', params: { text: '{{ outputs.large.text }}' } };
const making = [{ id: 'small', type: 'job' as const, job: 'make', params: { size: 3 } }, { id: 'large', type: 'job' as const, job: 'make', params: { size: LARGE } }];
const gate = { id: 'ok', type: 'gate' as const, allowedRoles: ['boss'] };
const guests: Guests = { jobs: [make, note], batches: [{ name: 'heavy', steps: [...making, taking] }, { name: 'heavy-gated', steps: [...making, gate, taking] }] };

let directory: string;
let engine: Engine;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-large-'));
  engine = await openEngine(directory, guests);
});
afterEach(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

const whole = { params: { text: 'x'.repeat(LARGE) }, outputs: { small: { text: 'xxx' }, large: { text: 'x'.repeat(LARGE) } } };

describe('parameters and outputs over 64 KiB', () => {
  it('stand in blobs, and reach the job whole', async () => {
    const runId = await engine.start('heavy', 'k1');
    await engine.until(runId, 'completed', 'failed');
    const facts = await engine.facts(runId);
    expect(facts.filter((fact) => isBlobRef(fact.data.params) || isBlobRef(fact.data.outputs)).map((fact) => fact.type)).toEqual(['StepSucceeded', 'StepDispatched']);
    expect(seen.get(`${runId}:take`)).toEqual(whole);
  });

  it('reach the job whole that begins after a restart', async () => {
    const runId = await engine.start('heavy-gated', 'k1');
    await engine.until(runId, 'parked');
    await engine.close();
    engine = await openEngine(directory, guests);
    await engine.approve(runId, ['boss']);
    await engine.until(runId, 'completed', 'failed');
    expect(seen.get(`${runId}:take`)).toEqual(whole);
  });
});
