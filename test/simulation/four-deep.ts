/** The definition of every kind of step, four deep, played by the obedient job: a scenario for each end that its runs can come to. */
import type { BatchDefinition } from '../../src/events/definition.js';
import type { JsonObject } from '../../src/events/json.js';
import type { RunId } from '../../src/ids.js';
import { FOUR_DEEP } from '../model/random-definition.js';
import type { Client } from './client.js';
import type { Scenario } from './scenarios.js';

type Batch = Omit<BatchDefinition, 'name'>;

/** What its steps do unless a scenario says otherwise: a majority without its third, a race that the branch with the gate wins. */
const PARTS: Readonly<Record<string, JsonObject>> = { z: { do: 'fail-terminal' }, slow: { do: 'hang' }, 'begin:compensate': { ms: 40 } };

function played(parts: Readonly<Record<string, JsonObject>> = {}, policy: Partial<Batch> = {}): Batch {
  const paramsOf = (id: string): JsonObject => ({ ...PARTS, ...parts })[id] ?? {};
  const obeying = (_: string, value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'string') return value;
    const undoing = 'compensate' in value && { compensate: { job: 'obey', params: paramsOf(`${value.id}:compensate`) } };
    return { ...value, ...('job' in value && { job: 'obey', params: paramsOf(value.id) }), ...undoing };
  };
  return { ...(JSON.parse(JSON.stringify(FOUR_DEEP), obeying) as Batch), ...policy };
}

const toTheGates = async (client: Client): Promise<RunId> => {
  const runId = await client.start('it');
  await Promise.all(['sign', 'release'].map((gate) => client.saidOf(runId, gate, 'GateParked')));
  return runId;
};
const sign = async (client: Client, runId: RunId): Promise<void> => {
  for (const who of ['kim', 'lee']) await client.must(client.deciding(runId, true, who, 'sign'));
};
const release = (client: Client, runId: RunId, approve = true): Promise<void> => client.must(client.deciding(runId, approve, 'kim', 'release'));

function ending(name: string, ends: readonly string[], batch: Batch, then: (client: Client, runId: RunId) => Promise<unknown>): Scenario {
  return {
    name, ends, batch, stepsVary: true,
    script: async (client) => {
      const runId = await toTheGates(client);
      await then(client, runId);
      await client.ended(runId);
    },
  };
}

export const FOUR_DEEP_ENDS: readonly Scenario[] = [
  ending('completed', ['completed'], played(), async (client, runId) => {
    await sign(client, runId);
    await release(client, runId);
  }),
  ending('completed after a pause', ['completed'], played(), async (client, runId) => {
    await client.must(client.pausing(runId));
    await sign(client, runId);
    await release(client, runId);
    await client.must(client.resuming(runId));
  }),
  ending('failed by a rejection, all undone', ['failed'], played(), (client, runId) => release(client, runId, false)),
  ending('failed by a gate that nobody decides, all undone', ['failed'], played(), () => Promise.resolve()),
  ending('failed by a step, all undone', ['failed'], played({ beside: { do: 'fail-terminal' } }), release),
  ending('failed by a step, and gone on past it', ['failed'], played({ beside: { do: 'fail-terminal' } }, { failurePolicy: 'continue' }), async (client, runId) => {
    await sign(client, runId);
    await release(client, runId);
  }),
  ending('failed by a step, nothing undone', ['failed'], played({ beside: { do: 'fail-terminal' } }, { failurePolicy: 'stop' }), release),
  ending('failed by its own time-out, all undone', ['failed'], played({}, { timeout: '20s' }), () => Promise.resolve()),
  ending('failed, though undoing failed too', ['failed'], played({ 'deep:compensate': { do: 'fail-terminal' } }), (client, runId) => release(client, runId, false)),
  ending('cancelled, all undone', ['cancelled'], played(), (client, runId) => client.must(client.cancelling(runId))),
  ending('cancelled, nothing undone', ['cancelled'], played({}, { compensateOnCancel: false }), (client, runId) => client.must(client.cancelling(runId))),
  ending('cancelled while it is undone', ['cancelled'], played({ 'deep:compensate': { do: 'hang' } }), async (client, runId) => {
    await release(client, runId, false);
    await client.saidOf(runId, 'deep:compensate', 'StepStarted');
    await client.must(client.cancelling(runId));
  }),
  ending('failed, and tried again to its completion', ['failed', 'completed'], played(), async (client, runId) => {
    await release(client, runId, false);
    await client.ended(runId);
    const again = await client.retry(runId);
    await Promise.all(['sign', 'release'].map((gate) => client.saidOf(again, gate, 'GateParked')));
    await sign(client, again);
    await release(client, again);
    await client.ended(again);
  }),
];
