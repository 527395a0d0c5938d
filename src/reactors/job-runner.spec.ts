import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { runFactSchemas } from '../events/run.events.js';
import { ids } from '../ids.js';
import { defineJob } from '../jobs/job.js';
import type { JobDefinition } from '../jobs/job.js';
import { JobRegistry } from '../jobs/job-registry.js';
import { TooLarge, Unavailable } from '../log/log-errors.js';
import type { Outcome } from '../runs/run.commands.js';
import { JobRunner } from './job-runner.js';
import type { Inputs } from './run-inputs.js';
import { turns as turnsOfLoop } from '../testing/simulated-clock.js';
import { held } from './worklist.js';

const turns = (): Promise<void> => turnsOfLoop(20);

const NONE = (): Promise<Inputs> => Promise.resolve({ params: {}, outputs: () => ({}) });

/** What a runner reports of one attempt at a job that gives these outputs. Undefined: nothing. */
function outcomeOf(outputs: unknown, inputs = NONE): Promise<Outcome | undefined> {
  return outcomeOfJob(() => Promise.resolve(outputs), inputs);
}

async function outcomeOfJob(run: JobDefinition['run'], inputs = NONE): Promise<Outcome | undefined> {
  const registry = new JobRegistry();
  registry.register(defineJob({ name: 'give', run }));
  return outcomeAt(registry, inputs);
}

/** `troubles` meet the first so many reports; `faults` are what is told to nobody but the reactor. */
async function outcomeAt(registry: JobRegistry, inputs: () => Promise<Inputs>, troubles: Error[] = [], faults: unknown[] = []): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  const runner = new JobRunner(ids.freshIncarnation(), 1, registry, (command) => {
    const trouble = troubles.shift();
    if (trouble !== undefined) return Promise.reject(trouble);
    if (command.type === 'ReportOutcome') outcome = command.outcome;
    return Promise.resolve(undefined);
  });
  const runId = ids.runOf(ids.freshCommand());
  await new Promise<void>((resolve) => {
    runner.start({ onFree: resolve, onFault: (_runId, error) => void faults.push(error) });
    runner.run({ runId, stepId: 'a', executionId: ids.execution(runId, 'a', 1), attempt: 1, job: 'give', params: held({}, 1), worker: runner.node, stopRequested: false }, inputs);
  });
  return outcome;
}

const PROGRESS = runFactSchemas.StepSucceeded.shape.progress;

function wrong(): never {
  throw new Error('wrong');
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

  it.each([Number.NaN, 0 / 0, Infinity, undefined, 'half', 10n, () => 1, { done: 1 }])('leaves out progress of %p, which no fact can say', async (wild) => {
    const told = async (first: unknown, second?: unknown) => {
      const outcome = await outcomeOfJob((ctx) => {
        ctx.progress(1, 2);
        Reflect.apply(ctx.progress, ctx, [first, second]);
        return Promise.resolve({});
      });
      return outcome?.kind === 'succeeded' ? PROGRESS.parse(outcome.report.progress) : undefined;
    };
    expect(await told(wild, 10)).toEqual({ done: 1, total: 2 });
    expect(await told(5, wild)).toEqual({ done: 5, total: null });
  });

  it('keeps a line of the log that can not be said, without what it can not say', async () => {
    const outcome = await outcomeOfJob(({ log }) => {
      log.info('counted', { rows: 10n });
      log.info(`${'x'.repeat(16 * 1024 - 6)}😀`);
      return Promise.resolve({});
    });
    if (outcome?.kind !== 'succeeded') throw new Error('The job was to succeed.');
    expect(outcome.report.log?.every((line) => line.isWellFormed())).toBe(true);
    expect(await outcomeOfJob(({ log }) => Promise.resolve(log.info('counted', { rows: 10n })))).toMatchObject({ kind: 'succeeded', report: { log: ['info counted (with something that JSON can not say)'] } });
  });

  it('cuts what a schema says of outputs that do not fit', async () => {
    const registry = new JobRegistry();
    registry.register(defineJob({ name: 'give', outputs: z.array(z.string()), run: () => Promise.resolve(JSON.parse(`[${'1,'.repeat(99_999)}1]`)) }));
    expect(await outcomeAt(registry, NONE)).toMatchObject({ kind: 'failed', error: { code: 'invalid-outputs', message: expect.stringMatching(/^.{4000}$/) } });
  });

  it('takes outputs as deep as parameters may be, and says what to give where they are deeper', async () => {
    const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });
    expect(await outcomeOfJob(() => Promise.resolve(nested(32)))).toMatchObject({ kind: 'succeeded' });
    expect(await outcomeOfJob(() => Promise.resolve(nested(33)))).toMatchObject({ kind: 'failed', error: { code: 'invalid-outputs', message: expect.stringContaining('deeper than 32 levels') } });
  });

  it('leaves to the attempt what a schema that throws is asked about', async () => {
    const registry = new JobRegistry();
    const parameters = z.object({}).refine(() => wrong());
    registry.register(defineJob({ name: 'give', parameters, run: () => Promise.resolve({}) }));
    const runner = new JobRunner(ids.freshIncarnation(), 1, registry, () => Promise.resolve(undefined));
    runner.start({ onFree: () => undefined, onFault: () => undefined });
    expect(runner.claim('give', ids.execution(ids.runOf(ids.freshCommand()), 'a', 1), {})).toBeUndefined();
    expect(await outcomeAt(registry, NONE)).toMatchObject({ kind: 'failed', error: { message: 'wrong' } });
  });

  it('tells an outcome that can not be written as a failure, and leaves the run alone only if that fails too', async () => {
    const registry = new JobRegistry();
    registry.register(defineJob({ name: 'give', run: () => Promise.resolve({}) }));
    expect(await outcomeAt(registry, NONE, [new TooLarge(2, 1)])).toMatchObject({ kind: 'failed', error: { code: 'outcome-not-written', message: expect.stringContaining('over the limit'), retryable: false } });
    const faults: unknown[] = [];
    expect(await outcomeAt(registry, NONE, [new TooLarge(2, 1), new Error('again')], faults)).toBeUndefined();
    expect(await outcomeAt(registry, NONE, [new Unavailable('away')], faults)).toBeUndefined();
    expect(faults).toEqual([new TooLarge(2, 1), new Unavailable('away')]);
  });

  it('has no more handlers at work than slots, also where more attempts are found to be its own', async () => {
    const ends: (() => void)[] = [];
    const registry = new JobRegistry();
    const run: JobDefinition['run'] = ({ signal }) => new Promise((resolve) => {
      ends.push(() => resolve({}));
      if (signal.aborted) resolve({});
      signal.addEventListener('abort', () => resolve({}));
    });
    registry.register(defineJob({ name: 'give', run }));
    const said: string[] = [];
    const runner = new JobRunner(ids.freshIncarnation(), 2, registry, (command) => {
      if (command.type === 'ReportOutcome') said.push(`${command.stepId} ${command.outcome.kind}`);
      return Promise.resolve(undefined);
    });
    runner.start({ onFree: () => undefined, onFault: () => undefined });
    const runId = ids.runOf(ids.freshCommand());
    const executionOf = (stepId: string) => ids.execution(runId, stepId, 1);
    for (const stepId of ['a', 'b', 'c', 'd', 'e']) {
      runner.run({ runId, stepId, executionId: executionOf(stepId), attempt: 1, job: 'give', params: held({}, 1), worker: runner.node, stopRequested: false }, NONE);
    }
    await turns();
    expect([ends.length, runner.handlers, runner.taken, runner.free]).toEqual([2, 2, 5, -3]);
    ends[0]?.();
    await turns();
    expect([ends.length, said]).toEqual([3, ['a succeeded']]);
    // What is to stop is not begun.
    runner.stop(executionOf('d'), 'cancel');
    await turns();
    expect(said).toEqual(['a succeeded', 'd failed']);
    const over = Promise.resolve();
    await runner.drain(over, over);
    await turns();
    expect([...said].sort()).toEqual(['a succeeded', 'b succeeded', 'c succeeded', 'd failed', 'e lost']);
    expect([runner.taken, ends.length]).toEqual([0, 3]);
  });

  it('takes no second slot for an attempt that has one', () => {
    const registry = new JobRegistry();
    registry.register(defineJob({ name: 'give', run: () => Promise.resolve({}) }));
    const runner = new JobRunner(ids.freshIncarnation(), 2, registry, () => Promise.resolve(undefined));
    runner.start({ onFree: () => undefined, onFault: () => undefined });
    const executionId = ids.execution(ids.runOf(ids.freshCommand()), 'a', 1);
    expect([runner.reserve(executionId), runner.claim('give', executionId, {}), runner.taken]).toEqual([true, undefined, 1]);
  });

  it('fails an attempt whose inputs are not in the log any more', async () => {
    expect(await outcomeOf({}, () => Promise.reject(new Error('no such blob')))).toMatchObject({ kind: 'failed', error: { message: 'no such blob' } });
  });

  it('says nothing of an attempt that was not begun because the log went away', async () => {
    expect(await outcomeOf({}, () => Promise.reject(new Unavailable('closed')))).toBeUndefined();
  });
});
