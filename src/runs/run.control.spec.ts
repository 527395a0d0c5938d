import { describe, expect, it } from '@jest/globals';
import { from, gate, job, RUN, Trial } from '../../test/trial.js';
import { CancelExecution, PauseRun, ResumeRun } from './run.commands.js';
import { ids } from '../ids.js';

const pause = (trial: Trial) => trial.say(new PauseRun(RUN, 'look first', from('olga')));
const resume = (trial: Trial) => trial.say(new ResumeRun(RUN, null, from('olga')));

describe('a paused run', () => {
  it('takes outcomes and decisions, begins nothing, and goes on where it was when it is resumed', () => {
    const trial = new Trial({ steps: [job('a'), gate(), job('b')] });
    trial.start();
    expect(pause(trial)).toEqual(['RunPaused']);
    expect(pause(trial)).toEqual([]);
    expect(trial.succeed('a')).toEqual(['StepSucceeded']);
    expect(resume(trial)).toEqual(['RunResumed', 'GateParked']);
    pause(trial);
    expect(trial.decide(true, ['boss'])).toEqual(['GateApproved']);
    expect(resume(trial)).toEqual(['RunResumed', 'StepDispatched', 'StepStarted']);
    expect(resume(trial)).toEqual([]);
    expect(trial.succeed('b')).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(resume(trial)).toBe('run-already-ended');
  });

  it('lets no node claim what was dispatched before, until it is resumed', () => {
    const trial = new Trial({ steps: [job('a')] }, false);
    trial.start();
    pause(trial);
    expect(trial.claim('a')).toBe('run-paused');
    resume(trial);
    expect(trial.claim('a')).toEqual(['StepStarted']);
  });

  it('tries again after it is resumed what came due meanwhile, and leaves the rest to its timer', () => {
    const retry = (initialDelay: string) => ({ retry: { maxAttempts: 2, backoff: 'fixed', initialDelay, jitter: false } });
    const trial = new Trial({ steps: [{ id: 'p', type: 'parallel', branches: [{ steps: [job('a', retry('1s'))] }, { steps: [job('b', retry('1h'))] }, { steps: [job('c')] }] }] });
    trial.start();
    trial.fail('a');
    trial.fail('b');
    pause(trial);
    trial.nowMs += 30_000;
    expect(trial.fire('retry', 'a')).toEqual([]);
    expect(trial.lose('c')).toEqual(['StepLost', 'StepRetryScheduled']);
    expect(resume(trial)).toEqual(['RunResumed', 'StepDispatched', 'StepStarted', 'StepDispatched', 'StepStarted']);
    expect(trial.step('b').status).toBe('retrying');
    expect(trial.fire('retry', 'b')).toEqual(['StepDispatched', 'StepStarted']);
  });

  it('is cancelled as any other, and fails by its policy', () => {
    const cancelled = new Trial({ steps: [job('a'), job('b')] });
    cancelled.start();
    pause(cancelled);
    expect(cancelled.cancel()).toEqual(['CancelRequested', 'StepStopRequested']);
    expect(cancelled.fail('a')).toEqual(['StepCancelled', 'RunCancelled']);
    const failed = new Trial({ steps: [job('a'), job('b')] });
    failed.start();
    pause(failed);
    expect(failed.fail('a', false)).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
  });
});

describe('a run that is out of time', () => {
  it('fails as a whole, and what runs is stopped', () => {
    const trial = new Trial({ steps: [{ id: 'p', type: 'parallel', branches: [{ steps: [job('a')] }, { steps: [gate()] }] }], timeout: '1h' });
    trial.start();
    expect(trial.last('RunStarted')).toMatchObject({ timeoutAt: '2026-01-31T13:00:00.000Z' });
    expect(trial.fire('run', 'a')).toEqual(['RunFailing', 'StepStopRequested', 'GateReleased']);
    expect(trial.last('RunFailing')).toMatchObject({ stepId: null, cause: 'timeout', error: { code: 'run-timed-out' } });
    expect(trial.fire('run', 'a')).toEqual([]);
    expect(trial.succeed('a')).toEqual(['StepSucceeded', 'RunFailed']);
  });
});

describe('one attempt that is cancelled', () => {
  const retried = job('a', { retry: { maxAttempts: 3, backoff: 'none' } });
  const cancel = (trial: Trial, attempt = 1) => trial.say(new CancelExecution(RUN, ids.execution(RUN, 'a', attempt), 'a', from('olga')));

  it('is stopped, and its step fails without another one', () => {
    const trial = new Trial({ steps: [retried, job('b')], failurePolicy: 'continue' });
    trial.start();
    expect(cancel(trial)).toEqual(['StepStopRequested']);
    expect(cancel(trial)).toEqual([]);
    expect(trial.fail('a')).toEqual(['StepFailed', 'StepDispatched', 'StepStarted']);
    expect(trial.last('StepFailed')).toMatchObject({ final: true, error: { code: 'execution-cancelled' } });
    expect(cancel(trial)).toBe('run-already-ended');
    expect(trial.step('b').status).toBe('running');
  });

  it('is orphaned when it does not stop in its grace, and stands when it succeeds in it', () => {
    const stubborn = new Trial({ steps: [retried] });
    stubborn.start();
    cancel(stubborn);
    expect(stubborn.fire('grace', 'a')).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
    expect(stubborn.last('RunFailed').orphaned).toHaveLength(1);
    const quick = new Trial({ steps: [retried] });
    quick.start();
    cancel(quick);
    expect(quick.succeed('a')).toEqual(['StepSucceeded', 'RunCompleted']);
  });

  it('never begins when nobody had claimed it', () => {
    const trial = new Trial({ steps: [retried] }, false);
    trial.start();
    expect(cancel(trial)).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
    expect(cancel(trial, 2)).toBe('run-already-ended');
  });
});

describe('a paused run that fails', () => {
  it('is not held up any more: what undoes it is tried again', () => {
    const retry = { maxAttempts: 2, backoff: 'fixed' as const, initialDelay: '1s', jitter: false };
    const trial = new Trial({ steps: [job('a', { compensate: { job: 'work', retry } }), job('b')], failurePolicy: 'compensate' });
    trial.start();
    trial.succeed('a');
    trial.say(new PauseRun(RUN, null, from('olga')));
    expect(trial.fail('b', false)).toEqual(['StepFailed', 'RunFailing', 'CompensationStarted', 'StepDispatched', 'StepStarted']);
    expect(trial.state?.context.paused).toBe(false);
    trial.fail('a:compensate');
    expect(trial.fire('retry', 'a:compensate')).toEqual(['StepDispatched', 'StepStarted']);
    expect(trial.succeed('a:compensate')).toEqual(['StepSucceeded', 'RunFailed']);
  });
});
