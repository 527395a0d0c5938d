/** What is said of EventStoreDB alone: how many appends a run costs, and two hosts at once. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRejected } from '../../src/actors/actor.js';
import { ActorHost } from '../../src/actors/actor-host.js';
import { SystemClock } from '../../src/clock.js';
import { verifyChain } from '../../src/events/envelope.js';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import type { EventWriter } from '../../src/log/event-writer.js';
import { openLog } from '../../src/log/open-log.js';
import { DecideGate, PauseRun, ResumeRun } from '../../src/runs/run.commands.js';
import { runActor } from '../../src/runs/run.actor.js';
import { openEngine } from './engine.js';
import type { Engine } from './engine.js';

const clock = new SystemClock();
let directory: string;
let engine: Engine;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-esdb-'));
  engine = await openEngine(directory);
});
afterEach(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

describe('a run on EventStoreDB', () => {
  it('of three steps costs four appends', async () => {
    const appends: number[] = [];
    const { append } = engine.log;
    const counted: EventWriter['append'] = (...args) => {
      appends.push(args[2].length);
      return append.apply(engine.log, args);
    };
    Object.assign(engine.log, { append: counted });
    const runId = await engine.start('three', 'k1');
    await engine.until(runId, 'completed');
    const facts = await engine.facts(runId);
    expect(facts).toHaveLength(appends.reduce((sum, count) => sum + count, 0));
    expect(appends).toHaveLength(4);
    expect(verifyChain(facts)).toMatchObject({ ok: true });
  });

  it('keeps its chain when two hosts say commands to it at once', async () => {
    const runIds: RunId[] = [];
    for (let at = 0; at < 5; at += 1) {
      const runId = await engine.start('gated', `g${at}`);
      await engine.until(runId, 'parked');
      runIds.push(runId);
    }
    // A second host with a connection of its own, as another process has it.
    const beside = await openBeside();
    const hosts = [engine.execute, (command: Parameters<Engine['execute']>[0]) => beside.host.execute(command)] as const;
    const origin = (actor: string) => ({ actor, roles: ['operator', 'boss'], via: 'code' as const, commandId: ids.freshCommand() });
    for (const runId of runIds) {
      // The same command on both hosts at once is one command; pausing and resuming races with it.
      const approve = new DecideGate(runId, { approvalId: ids.approval(runId, 'ok', 1), stepId: 'ok', verdict: { approve: true, note: null }, digest: null }, origin('kim'));
      await Promise.all([
        ...[0, 1, 2].flatMap(() => hosts.map(async (execute, at) => {
          await execute(new PauseRun(runId, 'a moment', origin(`olga${at}`)));
          await execute(new ResumeRun(runId, null, origin(`olga${at}`)));
        })),
        ...hosts.map(async (execute) => {
          const answer = await execute(approve);
          if (isRejected(answer)) expect(answer.rejected).toBe('gate-already-decided');
        }),
      ]);
      await engine.execute(new ResumeRun(runId, null, origin('olga')));
      await engine.until(runId, 'completed');
      const facts = await engine.facts(runId);
      expect(verifyChain(facts)).toMatchObject({ ok: true });
      expect(facts.filter(({ type }) => type === 'GateApproved')).toHaveLength(1);
      expect(facts.filter(({ type }) => type === 'StepStarted')).toHaveLength(2);
    }
    await beside.log.close();
  });

  async function openBeside() {
    const url = process.env['SLUICE_TEST_EVENTS_URL'] ?? '';
    const log = await openLog({ url, directory: ':memory:', streams: engine.streams, clock });
    const claims = { claim: () => undefined, letGo: () => undefined };
    const host = new ActorHost(runActor(engine.streams, engine.definitions, claims, log), log, log, clock);
    return { log, host };
  }
});
