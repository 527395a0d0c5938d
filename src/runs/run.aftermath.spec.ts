import { describe, expect, it } from '@jest/globals';
import { gate, job, Trial } from '../../test/trial.js';
import type { StepDefinition } from '../events/definition.js';

const undone = (id: string, more = {}): StepDefinition => job(id, { compensate: { job: 'work', params: { undo: id } }, ...more });
const begun = (trial: Trial): unknown[] => trial.facts.filter(({ type }) => type === 'StepDispatched').map(({ data }) => data.stepId);

describe('a run that compensates', () => {
  it('undoes what succeeded, newest first, never the step that failed, and then fails', () => {
    const trial = new Trial({ steps: [undone('a'), job('b'), undone('c'), undone('d')], failurePolicy: 'compensate' });
    trial.start();
    for (const id of ['a', 'b', 'c']) trial.succeed(id);
    expect(trial.fail('d', false)).toEqual(['StepFailed', 'RunFailing', 'CompensationStarted', 'StepDispatched', 'StepStarted']);
    expect([trial.status, trial.last('StepDispatched')]).toMatchObject(['compensating', { stepId: 'c:compensate', kind: 'compensation', params: { undo: 'c' } }]);
    expect(trial.succeed('c:compensate')).toEqual(['StepSucceeded', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('a:compensate')).toEqual(['StepSucceeded', 'RunFailed']);
    expect(trial.last('RunFailed')).toMatchObject({ stepId: 'd' });
    expect(trial.state?.context.counts).toMatchObject({ total: 6, succeeded: 5, failed: 1 });
  });

  it('goes on undoing when something can not be undone, and tries as often as it is told', () => {
    const trial = new Trial({ steps: [undone('a'), job('b', { compensate: { job: 'work', retry: { maxAttempts: 2, backoff: 'none' } } }), job('c')], failurePolicy: 'compensate' });
    trial.start();
    trial.succeed('a');
    trial.succeed('b');
    trial.fail('c', false);
    expect(trial.fail('b:compensate')).toEqual(['StepFailed', 'StepRetryScheduled', 'StepDispatched', 'StepStarted']);
    expect(trial.fail('b:compensate')).toEqual(['StepFailed', 'StepDispatched', 'StepStarted']);
    expect(trial.lose('a:compensate')).toEqual(['StepLost', 'StepRetryScheduled', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('a:compensate')).toEqual(['StepSucceeded', 'RunFailed']);
  });

  it('undoes a group that succeeded as one unit, and what succeeded in one that did not', () => {
    const group = (id: string, ...steps: StepDefinition[]): StepDefinition => ({ id, type: 'parallel', branches: steps.map((step) => ({ steps: [step] })), compensate: { job: 'work' } });
    const whole = new Trial({ steps: [group('g', undone('a'), undone('b')), job('c')], failurePolicy: 'compensate' });
    whole.start();
    for (const id of ['a', 'b']) whole.succeed(id);
    whole.fail('c', false);
    expect(whole.succeed('g:compensate')).toEqual(['StepSucceeded', 'RunFailed']);
    const part = new Trial({ steps: [group('g', undone('a'), job('b'))], failurePolicy: 'compensate' });
    part.start();
    part.succeed('a');
    part.fail('b', false);
    expect(begun(part).at(-1)).toBe('a:compensate');
  });

  it('is failed and compensated by a rejected gate too', () => {
    const trial = new Trial({ steps: [undone('a'), gate()], failurePolicy: 'compensate' });
    trial.start();
    trial.succeed('a');
    expect(trial.decide(false, ['boss'])).toEqual(['GateRejected', 'RunFailing', 'CompensationStarted', 'StepDispatched', 'StepStarted']);
  });

  it('is stopped by a cancel: what runs ends, nothing else is begun', () => {
    const trial = new Trial({ steps: [undone('a'), undone('b'), job('c')], failurePolicy: 'compensate' });
    trial.start();
    trial.succeed('a');
    trial.succeed('b');
    trial.fail('c', false);
    expect(trial.cancel()).toEqual(['CancelRequested', 'StepStopRequested']);
    expect(trial.succeed('b:compensate')).toEqual(['StepSucceeded', 'RunCancelled']);
    expect(begun(trial)).not.toContain('a:compensate');
  });

  it('undoes what succeeded when it is cancelled, if its definition says so', () => {
    const trial = new Trial({ steps: [undone('a'), gate()], compensateOnCancel: true, onFailureSteps: [{ id: 'tell', type: 'job', job: 'work' }] });
    trial.start();
    trial.succeed('a');
    expect(trial.cancel()).toEqual(['CancelRequested', 'GateReleased', 'CompensationStarted', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('a:compensate')).toEqual(['StepSucceeded', 'RunCancelled']);
  });

  it('has nothing to undo, and fails as any other', () => {
    const trial = new Trial({ steps: [undone('a')], failurePolicy: 'compensate' });
    trial.start();
    expect(trial.fail('a', false)).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
  });
});

describe('steps that follow a failure', () => {
  const onFailureSteps = [{ id: 'tell', type: 'job' as const, job: 'work' }, { id: 'page', type: 'job' as const, job: 'work' }];

  it.each(['stop', 'continue', 'compensate'] as const)('run one after the other when the run fails under %s, and none keeps the other from running', (failurePolicy) => {
    const trial = new Trial({ steps: [undone('a'), job('b')], failurePolicy, onFailureSteps });
    trial.start();
    trial.succeed('a');
    trial.fail('b', false);
    if (failurePolicy === 'compensate') trial.succeed('a:compensate');
    expect(begun(trial).at(-1)).toBe('tell');
    expect(trial.fail('tell', false)).toEqual(['StepFailed', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('page')).toEqual(['StepSucceeded', 'RunFailed']);
    expect(trial.last('RunFailed')).toMatchObject({ stepId: 'b' });
  });

  it('do not run when the run completes or is cancelled, and are stopped by a cancel', () => {
    const completed = new Trial({ steps: [job('a')], onFailureSteps });
    completed.start();
    expect(completed.succeed('a')).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(completed.state?.context.counts).toMatchObject({ total: 1, skipped: 0 });
    const cancelled = new Trial({ steps: [job('a')], onFailureSteps });
    cancelled.start();
    cancelled.fail('a', false);
    expect(cancelled.cancel()).toEqual(['CancelRequested', 'StepStopRequested']);
    expect(cancelled.fail('tell')).toEqual(['StepCancelled', 'RunCancelled']);
  });

  it('go on when one can not even begin', () => {
    const trial = new Trial({ steps: [job('a')], onFailureSteps: [{ id: 'tell', type: 'job', job: 'work', params: { x: '{{ outputs.a.absent }}' } }, onFailureSteps[1]!] });
    trial.start();
    expect(trial.fail('a', false)).toEqual(['StepFailed', 'RunFailing', 'StepRefused', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('page')).toEqual(['StepSucceeded', 'RunFailed']);
    expect(trial.state?.context.counts).toMatchObject({ total: 3, failed: 2, succeeded: 1 });
  });
});
