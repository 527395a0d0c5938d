import { describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { verifyChain } from '../../src/events/envelope.js';
import { runTypeScript } from '../child-process.js';
import { openEngine } from '../scenarios/engine.js';

const CHILD = fileURLToPath(new URL('./engine.child.ts', import.meta.url));
const KILLS = 5;
/** A server of its own has more to do for each start than a file. */
const LIMIT_MS = process.env['SLUICE_TEST_EVENTS_URL'] === undefined ? 120_000 : 600_000;
/** The promise is five seconds; a test has four times the slack. */
const RESUMED_WITHIN_MS = 20_000;

describe('an engine that is killed with SIGKILL under load', () => {
  it('loses no acknowledged run, doubles none, records each outcome once and goes on by itself', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-killed-'));
    const acknowledged: string[] = [];
    for (let round = 0; round < KILLS; round += 1) {
      const child = runTypeScript(CHILD, { args: [directory, String(round * 1_000), '1000'] });
      // Killed after another number of answers each time, in the middle of the sixteen that are under way.
      await child.line(new RegExp(`^started run-${round * 1_000 + 40 + round * 23}$`));
      child.kill('SIGKILL');
      await child.exited;
      acknowledged.push(...child.lines.filter((line) => line.startsWith('started ')).map((line) => line.slice('started '.length)));
    }
    expect(acknowledged.length).toBeGreaterThan(KILLS * 40);

    const engine = await openEngine(directory);
    const began = performance.now();
    for (const key of acknowledged) {
      const runId = engine.runIdOf(key);
      if (Number(key.slice(4)) % 3 === 2) {
        await engine.until(runId, 'parked');
        await engine.approve(runId, ['boss']);
      }
      await engine.until(runId, 'completed');
      const facts = await engine.facts(runId);
      expect(verifyChain(facts)).toMatchObject({ ok: true });
      expect(facts.filter((fact) => fact.type === 'RunStarted')).toHaveLength(1);
      const outcomes = facts.filter((fact) => ['StepSucceeded', 'StepFailed', 'StepLost'].includes(fact.type)).map((fact) => fact.data.executionId);
      expect(new Set(outcomes).size).toBe(outcomes.length);
      expect(facts.filter((fact) => fact.type === 'StepStarted')).toHaveLength(outcomes.length);
    }
    expect(performance.now() - began).toBeLessThan(RESUMED_WITHIN_MS);
    await engine.close();
    await rm(directory, { recursive: true, force: true });
  }, LIMIT_MS);
});
