/** The ways that a run may go: a batch, and what its people do. Each comes to the same, whatever befalls the node. */
import type { BatchDefinition } from '../../src/events/definition.js';
import type { Client } from './client.js';

export interface Scenario {
  readonly name: string;
  readonly batch: Omit<BatchDefinition, 'name'>;
  readonly script: (client: Client) => Promise<unknown>;
  /** Steps may end otherwise after a crash, like one that was cancelled before it was begun again: the run may not. */
  readonly stepsVary?: true;
  /** How its runs end when nothing befalls the node; not looked at unless given. */
  readonly ends?: readonly string[];
  /** People may come too late, and be refused. */
  readonly refusals?: boolean;
}

const work = (id: string, params: Record<string, unknown> = {}, more = {}) => ({ id, type: 'job' as const, job: 'obey', params: params as never, ...more });
const gate = (more = {}) => ({ id: 'ok', type: 'gate' as const, title: 'Release?', allowedRoles: ['boss'], ...more });
const retry = { maxAttempts: 3, backoff: 'fixed' as const, initialDelay: 400, jitter: false };

const toTheEnd = async (client: Client): Promise<void> => client.ended(await client.start('it'));

export const SCENARIOS: readonly Scenario[] = [
  { name: 'three steps', batch: { steps: [work('a', { outputs: { total: 2 } }), work('b', { ms: '{{ outputs.a.total }}' }), work('c')] }, script: toTheEnd },
  { name: 'tried again', batch: { steps: [work('a', { failTimes: 2 }, { retry: { ...retry, maxAttempts: 20 } })] }, script: toTheEnd },
  {
    name: 'a gate between', batch: { steps: [work('a'), gate(), work('b')] },
    script: async (client) => {
      const runId = await client.start('it');
      await client.said(runId, 'GateParked');
      await client.must(client.deciding(runId, true));
      await client.ended(runId);
    },
  },
  {
    name: 'two of two, overdue', batch: { steps: [gate({ quorum: 2, timeout: 2_000, onTimeout: 'hold' }), work('b')] },
    script: async (client) => {
      const runId = await client.start('it');
      await client.said(runId, 'GateOverdue');
      await client.must(client.deciding(runId, true, 'kim'));
      await client.must(client.deciding(runId, true, 'lee'));
      await client.ended(runId);
    },
  },
  {
    name: 'rejected, with compensation', batch: { failurePolicy: 'compensate', steps: [work('a', {}, { compensate: { job: 'obey' } }), gate()], onFailureSteps: [work('tell')] },
    script: async (client) => {
      const runId = await client.start('it');
      await client.said(runId, 'GateParked');
      await client.must(client.deciding(runId, false));
      await client.ended(runId);
    },
  },
  { name: 'nobody decides', batch: { steps: [gate({ timeout: 3_000 })] }, script: toTheEnd },
  { name: 'approved by time', batch: { steps: [gate({ timeout: 3_000, onTimeout: 'approve' }), work('b')] }, script: toTheEnd },
  {
    name: 'cancelled at work', batch: { steps: [work('a', { do: 'hang' }), work('b')] }, stepsVary: true,
    script: async (client) => {
      const runId = await client.start('it');
      await client.said(runId, 'StepStarted');
      await client.must(client.cancelling(runId));
      await client.ended(runId);
    },
  },
  {
    name: 'two runs, one slot, one cancelled', batch: { steps: [work('a', { ms: 1_000 })] }, stepsVary: true,
    script: async (client) => {
      const [one, other] = [await client.start('it'), await client.start('it')];
      await client.said(one, 'StepStarted');
      await client.must(client.cancelling(other));
      await Promise.all([client.ended(one), client.ended(other)]);
    },
  },
  {
    name: 'all branches', batch: { steps: [{ id: 'all', type: 'parallel', branches: [{ steps: [work('x', { ms: 300 })] }, { steps: [work('y'), work('z')] }, { steps: [gate()] }] }, work('last')] },
    script: async (client) => {
      const runId = await client.start('it');
      await client.said(runId, 'GateParked');
      await client.must(client.deciding(runId, true));
      await client.ended(runId);
    },
  },
  { name: 'the first branch wins', batch: { steps: [{ id: 'race', type: 'parallel', join: 'any', branches: [{ steps: [work('fast')] }, { steps: [work('slow', { do: 'hang' })] }, { steps: [gate()] }] }, work('last')] }, script: toTheEnd, stepsVary: true },
  { name: 'a branch fails', batch: { steps: [{ id: 'all', type: 'parallel', branches: [{ steps: [work('bad', { do: 'fail-terminal', ms: 50 })] }, { steps: [work('long', { do: 'hang' })] }, { steps: [gate()] }] }] }, script: toTheEnd, stepsVary: true },
  { name: 'goes on past a failure', batch: { failurePolicy: 'continue', steps: [work('a', { do: 'fail' }), work('b')] }, script: toTheEnd },
  { name: 'takes too long', batch: { steps: [work('a', { do: 'hang' }, { timeout: 1_500, cancelGrace: 200 })] }, script: toTheEnd },
  { name: 'the run takes too long', batch: { timeout: 5_000, steps: [work('a'), gate()] }, script: toTheEnd },
  { name: 'a decision', batch: { steps: [work('a', { outputs: { n: 7 } }), { id: 'size', type: 'decision', branches: [{ id: 'big', when: 'outputs.a.n > 5', steps: [work('audit')] }, { id: 'small', steps: [work('file')] }] }] }, script: toTheEnd },
  {
    name: 'paused while an attempt waits for a slot', batch: { steps: [{ id: 'all', type: 'parallel', branches: ['x', 'y', 'z'].map((id) => ({ steps: [work(id, { ms: 1_000 })] })) }] },
    script: async (client) => {
      const runId = await client.start('it');
      await client.must(client.pausing(runId));
      // A crash may come first: what was claimed is lost then, and waits as well.
      await Promise.all(['x', 'y'].map((id) => client.saidOf(runId, id, 'StepSucceeded', 'StepLost')));
      await client.must(client.resuming(runId));
      await client.ended(runId);
    },
  },
  {
    name: 'paused and resumed', batch: { steps: [work('a', { ms: 100 }), work('b')] },
    script: async (client) => {
      const runId = await client.start('it');
      await client.must(client.pausing(runId));
      // A crash may come first: then nothing is begun until the run is resumed.
      await client.said(runId, 'StepSucceeded', 'StepLost');
      await client.must(client.resuming(runId));
      await client.ended(runId);
    },
  },
];
