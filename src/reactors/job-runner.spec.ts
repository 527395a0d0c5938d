import { describe, expect, it } from '@jest/globals';
import { ids } from '../ids.js';
import { defineJob } from '../jobs/job.js';
import { JobRegistry } from '../jobs/job-registry.js';
import { Unavailable } from '../log/log-errors.js';
import type { Outcome } from '../runs/run.commands.js';
import { JobRunner } from './job-runner.js';
import type { Inputs } from './run-inputs.js';
import { held } from './worklist.js';

/** What a runner reports of one attempt at a job that gives these outputs. Undefined: nothing. */
async function outcomeOf(outputs: unknown, inputs: () => Promise<Inputs> = () => Promise.resolve({ params: {}, outputs: () => ({}) })): Promise<Outcome | undefined> {
  const registry = new JobRegistry();
  registry.register(defineJob({ name: 'give', run: () => Promise.resolve(outputs) }));
  let outcome: Outcome | undefined;
  const runner = new JobRunner(ids.freshIncarnation(), 1, registry, (command) => {
    if (command.type === 'ReportOutcome') outcome = command.outcome;
    return Promise.resolve(undefined);
  });
  const runId = ids.runOf(ids.freshCommand());
  await new Promise<void>((resolve) => {
    runner.start({ onFree: resolve, onFault: () => undefined });
    runner.run({ runId, stepId: 'a', executionId: ids.execution(runId, 'a', 1), attempt: 1, job: 'give', params: held({}, 1), worker: runner.node, stopRequested: false }, inputs);
  });
  return outcome;
}

describe('the job runner', () => {
  it('takes outputs of 256 KiB, and fails the step for good with more', async () => {
    const most = 256 * 1024 - '{"text":""}'.length;
    expect(await outcomeOf({ text: 'x'.repeat(most) })).toMatchObject({ kind: 'succeeded' });
    expect(await outcomeOf({ text: 'x'.repeat(most + 1) })).toMatchObject({ kind: 'failed', error: { kind: 'validation', code: 'invalid-outputs', retryable: false, message: expect.stringContaining('262145 bytes') } });
  });

  it('refuses text that not every store keeps, and says where', async () => {
    expect(await outcomeOf({ rows: ['fine', 'a\0b'] })).toMatchObject({ kind: 'failed', error: { code: 'invalid-outputs', message: expect.stringContaining('/rows/1') } });
    expect(await outcomeOf({ rows: ['\ud800'] })).toMatchObject({ kind: 'failed', error: { code: 'invalid-outputs' } });
  });

  it('fails an attempt whose inputs are not in the log any more', async () => {
    expect(await outcomeOf({}, () => Promise.reject(new Error('no such blob')))).toMatchObject({ kind: 'failed', error: { message: 'no such blob' } });
  });

  it('says nothing of an attempt that was not begun because the log went away', async () => {
    expect(await outcomeOf({}, () => Promise.reject(new Unavailable('closed')))).toBeUndefined();
  });
});
