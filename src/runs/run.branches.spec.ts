import { describe, expect, it } from '@jest/globals';
import { gate, job, Trial } from '../../test/trial.js';
import type { StepDefinition } from '../events/definition.js';

const size = (more = {}): StepDefinition => ({
  id: 'size', type: 'decision',
  branches: [{ id: 'big', when: 'outputs.a.total > 10', steps: [job('audit'), job('sign')] }, { id: 'odd', when: 'outputs.a.total == 3', steps: [] }, { id: 'small', steps: [job('file')] }], ...more,
});

describe('a decision', () => {
  it('takes the first branch that fits and skips the others', () => {
    const trial = new Trial({ steps: [job('a'), size(), job('z')] });
    trial.start();
    expect(trial.succeed('a', { total: 11 })).toEqual(['StepSucceeded', 'DecisionTaken', 'StepDispatched', 'StepStarted']);
    expect(trial.last('DecisionTaken')).toEqual({ stepId: 'size', branch: 0, branchId: 'big', count: 1 });
    trial.succeed('audit');
    trial.succeed('sign');
    trial.succeed('z');
    expect([trial.status, trial.step('file').status]).toEqual(['completed', 'skipped']);
  });

  it('goes on where its branch is empty, and where none fits', () => {
    const empty = new Trial({ steps: [job('a'), size(), job('z')] });
    empty.start();
    expect(empty.succeed('a', { total: 3 })).toEqual(['StepSucceeded', 'DecisionTaken', 'StepDispatched', 'StepStarted']);
    expect(empty.step('z').status).toBe('running');
    const none = new Trial({ steps: [{ id: 'd', type: 'decision', branches: [{ when: 'false', steps: [job('a')] }] }, job('z')] });
    none.start();
    expect(none.last('DecisionTaken')).toEqual({ stepId: 'd', branch: null, branchId: null, count: 1 });
    expect(none.step('a').status).toBe('skipped');
  });

  it('fails as one unit when a condition can not be judged', () => {
    const trial = new Trial({ steps: [job('a'), size(), job('z')] });
    trial.start();
    expect(trial.succeed('a', {})).toEqual(['StepSucceeded', 'StepRefused', 'RunFailing', 'RunFailed']);
    expect(trial.last('RunFailed')).toMatchObject({ stepId: 'size', error: { kind: 'expression' } });
    expect(['audit', 'file', 'z'].map((id) => trial.step(id).status)).toEqual(['skipped', 'skipped', 'skipped']);
  });
});

describe('a condition', () => {
  it.each<[string, StepDefinition]>([
    ['job', job('a', { when: 'false' })],
    ['gate', { id: 'a', type: 'gate', allowedRoles: ['boss'], when: 'false' }],
    ['group', { id: 'g', type: 'parallel', when: 'false', branches: [{ steps: [job('a')] }, { steps: [job('b')] }] }],
    ['decision', size({ when: 'false' })],
  ])('that is false skips a %s as one unit', (_, step) => {
    const trial = new Trial({ steps: [step, job('z')] });
    expect(trial.start()).toEqual(['RunStarted', 'StepSkipped', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('z')).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(trial.state?.context.counts.pending).toBe(0);
  });

  it('that is true lets a group begin, and is not asked again', () => {
    const trial = new Trial({ steps: [job('a'), { id: 'g', type: 'parallel', when: 'outputs.a.go', branches: [{ steps: [job('b')] }, { steps: [job('c')] }] }] });
    trial.start();
    trial.succeed('a', { go: true });
    trial.succeed('b');
    expect(trial.succeed('c')).toEqual(['StepSucceeded', 'RunCompleted']);
  });

  it('that gives neither true nor false fails the step and says so', () => {
    const trial = new Trial({ steps: [job('a'), job('b', { when: 'outputs.a.total' })] });
    trial.start();
    trial.succeed('a', { total: 1 });
    expect(trial.last('StepRefused')).toMatchObject({ stepId: 'b', error: { code: 'not-a-condition' } });
  });
});

const race = (join: 'any' | 'majority', ...branches: StepDefinition[][]): StepDefinition => ({ id: 'race', type: 'parallel', join, branches: branches.map((steps) => ({ steps })) });

describe('a group that does not need all of its branches', () => {
  it('is won by the first, and the losers are stopped, released and skipped', () => {
    const trial = new Trial({ steps: [race('any', [job('a')], [job('b'), job('c')], [gate()]), job('z')] });
    trial.start();
    expect(trial.succeed('a')).toEqual(['StepSucceeded', 'StepStopRequested', 'StepSkipped', 'GateReleased', 'StepDispatched', 'StepStarted']);
    expect(trial.last('StepSkipped')).toEqual({ stepId: 'race', branches: [1], reason: 'lostBranch', count: 1 });
    trial.succeed('z');
    expect(trial.status).toBe('running');
    expect(trial.fail('b')).toEqual(['StepCancelled', 'RunCompleted']);
    expect(trial.step('ok').gate?.outcome).toBe('cancelled');
  });

  it('goes on when a branch fails that it does not need', () => {
    const trial = new Trial({ steps: [race('any', [job('a'), job('a2')], [job('b')]), job('z')] });
    trial.start();
    expect(trial.fail('a', false)).toEqual(['StepFailed', 'StepSkipped']);
    expect(trial.status).toBe('running');
    trial.succeed('b');
    expect(trial.succeed('z')).toEqual(['StepSucceeded', 'RunCompleted']);
  });

  it('fails when nobody can win any more, with the first failure', () => {
    const trial = new Trial({ steps: [race('majority', [job('a')], [job('b')], [job('c')])] });
    trial.start();
    trial.fail('b', false);
    expect(trial.fail('a', false)).toEqual(['StepFailed', 'RunFailing', 'StepStopRequested']);
    expect(trial.last('RunFailing')).toMatchObject({ stepId: 'b' });
    expect(trial.succeed('c')).toEqual(['StepSucceeded', 'RunFailed']);
  });

  it('under continue counts as failed and stops what can not help any more', () => {
    const trial = new Trial({ steps: [race('majority', [job('a')], [job('b')], [job('c')]), job('z')], failurePolicy: 'continue' });
    trial.start();
    trial.fail('a', false);
    expect(trial.fail('b', false)).toEqual(['StepFailed', 'StepStopRequested', 'StepDispatched', 'StepStarted']);
    trial.succeed('z');
    expect(trial.fail('c')).toEqual(['StepCancelled', 'RunFailed']);
  });

  it('is failed at once by a rejected gate, whatever the join', () => {
    const trial = new Trial({ steps: [race('any', [job('a')], [gate()])] });
    trial.start();
    expect(trial.decide(false, ['boss'])).toEqual(['GateRejected', 'RunFailing', 'StepStopRequested']);
  });

  it('does not try a branch again that lost while its attempt ran out of time', () => {
    const trial = new Trial({ steps: [race('any', [job('a', { timeout: '1m', retry: { maxAttempts: 3, backoff: 'fixed', initialDelay: '1s', jitter: false } })], [job('b')])] });
    trial.start();
    trial.fire('timeout', 'a');
    trial.succeed('b');
    expect(trial.fail('a')).toEqual(['StepFailed', 'StepRetryScheduled', 'StepCancelled', 'RunCompleted']);
  });
});

describe('a gate of several', () => {
  it('is decided when enough different people have approved', () => {
    const trial = new Trial({ steps: [gate({ quorum: 2 })] });
    trial.start();
    expect(trial.decide(true, ['boss'], null, 'ok', 'kim')).toEqual(['GateApprovalGiven']);
    expect(trial.decide(true, ['boss'], null, 'ok', 'kim')).toEqual([]);
    expect(trial.decide(true, ['boss'], null, 'ok', 'lee')).toEqual(['GateApproved', 'RunCompleted']);
    expect(trial.last('GateApproved')).toMatchObject({ given: 2, quorum: 2, by: 'lee' });
  });

  it('may be closed to whoever started the run', () => {
    const trial = new Trial({ steps: [gate({ notTheStarter: true })] });
    trial.start();
    expect(trial.decide(true, ['boss'], null, 'ok', 'ann')).toBe('forbidden');
    expect(trial.decide(true, ['boss'], null, 'ok', 'kim')).toEqual(['GateApproved', 'RunCompleted']);
  });
});
