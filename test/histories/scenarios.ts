/** The scenarios that are recorded: a batch, and what is said to its run until it ends. */
import type { BatchDefinition } from '../../src/events/definition.js';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import { DecideGate, PauseRun, ResumeRun, RetryRun } from '../../src/runs/run.commands.js';
import type { GateDecision } from '../../src/runs/run.commands.js';
import type { Engine } from '../scenarios/engine.js';

export interface Scenario {
  readonly batch: Omit<BatchDefinition, 'name'>;
  /** Of the run; anything that is said while it stands there. */
  readonly drive?: (engine: Engine, runId: RunId) => Promise<unknown>;
  /** The run that is recorded, if it is another one. */
  readonly records?: (runId: RunId) => RunId;
  /** The node is killed once the run has begun, and another goes on. */
  readonly killed?: true;
  /** The run knows what it says, but no definition that says it is accepted yet. */
  readonly early?: true;
}

const work = (id: string, params: Record<string, string | number | Record<string, number>> = {}, more = {}) => ({ id, type: 'job' as const, job: 'obey', params, ...more });
const gate = (id: string, more = {}) => ({ id, type: 'gate' as const, title: 'Release?', allowedRoles: ['boss'], ...more });

const decide = (engine: Engine, runId: RunId, by: string, verdict: GateDecision['verdict']): Promise<unknown> =>
  engine.execute(
    new DecideGate(runId, { approvalId: ids.approval(runId, 'ok', 1), stepId: 'ok', verdict, digest: null }, { actor: by, roles: ['boss'], via: 'code', commandId: ids.freshCommand() }),
  );
const approve = (engine: Engine, runId: RunId, by: string) => decide(engine, runId, by, { approve: true, note: `seen by ${by}` });

/** By the name of the file. A scenario may be added; one that was recorded is never changed. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'three-steps': { batch: { steps: [work('a', { outputs: { total: 2 } }), work('b', { outputs: { total: 3 } }), work('c')] } },
  'flaky-retry': { batch: { steps: [work('a', { failTimes: 2 }, { retry: { maxAttempts: 3, backoff: 'fixed', initialDelay: 5, jitter: false } })] } },
  'gate-approved': {
    batch: { steps: [work('a', { outputs: { total: 2 } }), gate('ok', { title: 'Release {{ outputs.a.total }}?', show: { total: 'outputs.a.total' } }), work('b')] },
    drive: async (engine, runId) => {
      await engine.until(runId, 'parked');
      await approve(engine, runId, 'kim');
    },
  },
  'gate-rejected': {
    batch: { steps: [gate('ok'), work('b')] },
    drive: async (engine, runId) => {
      await engine.until(runId, 'parked');
      await decide(engine, runId, 'kim', { approve: false, reason: 'the sums are wrong' });
    },
  },
  'gate-timed-out': { batch: { steps: [gate('ok', { timeout: 20 }), work('b')] } },
  'gate-overdue-then-two-approvals': {
    early: true,
    batch: { steps: [gate('ok', { timeout: 20, onTimeout: 'hold', quorum: 2 })] },
    drive: async (engine, runId) => {
      await engine.until(runId, 'parked');
      await engine.said(runId, 'GateOverdue');
      await approve(engine, runId, 'kim');
      await approve(engine, runId, 'lee');
    },
  },
  'cancel-while-running': {
    batch: { steps: [work('a', { do: 'hang' }), work('b')] },
    drive: async (engine, runId) => {
      await engine.said(runId, 'StepStarted');
      await engine.cancel(runId);
    },
  },
  'cancel-while-parked': {
    batch: { steps: [work('a'), gate('ok')] },
    drive: async (engine, runId) => {
      await engine.until(runId, 'parked');
      await engine.cancel(runId);
    },
  },
  'stubborn-orphan': {
    batch: { steps: [work('a', { do: 'stubborn', ms: 400 }, { cancelGrace: 30 }), work('b')] },
    drive: async (engine, runId) => {
      await engine.said(runId, 'StepStarted');
      await engine.cancel(runId);
    },
  },
  'lost-attempt': { batch: { steps: [work('a', { ms: 600 }), work('b')] }, killed: true },
  parallel: {
    batch: {
      steps: [
        { id: 'both', type: 'parallel', branches: [{ steps: [work('a'), work('b')] }, { steps: [work('c'), gate('ok')] }] },
        work('d'),
      ],
    },
    drive: async (engine, runId) => {
      await engine.until(runId, 'parked');
      await approve(engine, runId, 'kim');
    },
  },
  'stop-policy': {
    batch: { steps: [{ id: 'both', type: 'parallel', branches: [{ steps: [work('a', { do: 'fail-terminal', ms: 20 })] }, { steps: [work('b', { do: 'hang' })] }, { steps: [gate('ok')] }] }, work('c')] },
  },
  'continue-policy': { batch: { failurePolicy: 'continue', steps: [work('a', { do: 'fail' }), work('b')] } },
  'step-refused': { batch: { steps: [work('a'), work('b', { ms: '{{ outputs.a.absent }}' }), work('c')] } },
  'step-timed-out': { batch: { steps: [work('a', { do: 'hang' }, { timeout: 20 })] } },
  'decision-and-conditions': {
    batch: {
      parameters: [{ name: 'limit', kind: 'number', default: 5 }],
      steps: [
        work('a', { outputs: { total: 7 } }),
        {
          id: 'size', type: 'decision',
          branches: [{ id: 'big', label: 'over the limit', when: 'outputs.a.total > params.limit', steps: [work('audit')] }, { id: 'small', steps: [work('file'), work('tell')] }],
        },
        { id: 'extra', type: 'parallel', when: 'outputs.a.total > 100', branches: [{ steps: [work('b')] }, { steps: [work('c')] }] },
        work('z', {}, { when: 'params.limit == 5' }),
      ],
    },
  },
  'first-branch-wins': {
    batch: { steps: [{ id: 'race', type: 'parallel', join: 'any', branches: [{ steps: [work('fast')] }, { steps: [work('slow', { do: 'hang' }), work('after')] }, { steps: [gate('ok')] }] }, work('z')] },
  },
  'paused-and-resumed': {
    batch: { steps: [work('a', { ms: 40 }), work('b')] },
    drive: async (engine, runId) => {
      await engine.said(runId, 'StepStarted');
      await engine.execute(new PauseRun(runId, 'look first', { actor: 'olga', roles: ['operator'], via: 'code', commandId: ids.freshCommand() }));
      await engine.said(runId, 'StepSucceeded');
      await engine.execute(new ResumeRun(runId, null, { actor: 'olga', roles: ['operator'], via: 'code', commandId: ids.freshCommand() }));
    },
  },
  'run-timed-out': { batch: { timeout: 30, steps: [gate('ok'), work('b')] } },
  compensated: {
    batch: {
      failurePolicy: 'compensate',
      steps: [work('a', {}, { compensate: { job: 'obey', params: {} } }), work('b', {}, { compensate: { job: 'obey', params: { failTimes: 1 }, retry: { maxAttempts: 2, backoff: 'none' } } }), work('c', { do: 'fail-terminal' })],
      onFailureSteps: [{ id: 'tell', type: 'job', job: 'obey', params: {} }],
    },
  },
  retried: {
    batch: {
      steps: [
        work('a', { outputs: { total: 7 } }), work('never', {}, { when: 'outputs.a.total > 100' }),
        { id: 'size', type: 'decision', branches: [{ id: 'big', when: 'outputs.a.total > 5', steps: [gate('ok')] }, { steps: [work('file')] }] },
        gate('release', { notTheStarter: true }), work('z', { outputs: { n: 1 } }),
      ],
    },
    drive: async (engine, runId) => {
      await engine.until(runId, 'parked');
      await approve(engine, runId, 'kim');
      await engine.said(runId, 'GateApproved');
      await engine.cancel(runId);
      await engine.until(runId, 'cancelled');
      const again = ids.retryOf(runId);
      await engine.execute(new RetryRun(again, { of: runId, fromStep: null, version: 'original', reason: 'the sums are right now' }, { actor: 'olga', roles: ['operator'], via: 'code', commandId: ids.freshCommand() }));
      await engine.until(again, 'parked');
      await engine.approve(again, ['boss'], 'release');
    },
    records: (runId) => ids.retryOf(runId),
  },
};
