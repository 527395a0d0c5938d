/** What counts for a join: branches that were skipped as a whole take no part in it. */
import { describe, expect, it } from '@jest/globals';
import { gate, job, Trial } from '../../test/trial.js';
import type { JoinPolicy, StepDefinition } from '../events/definition.js';

const off = (id: string): StepDefinition => job(id, { when: 'false' });
const group = (join: JoinPolicy, ...branches: StepDefinition[][]) => ({ id: 'g', type: 'parallel' as const, join, branches: branches.map((steps) => ({ steps })) });

describe('a branch that was skipped as a whole', () => {
  it('does not win a race', () => {
    const trial = new Trial({ steps: [group('any', [off('a')], [job('b')]), job('z')] });
    trial.start();
    expect([trial.step('b').status, trial.step('z').status]).toEqual(['running', 'pending']);
    expect(trial.succeed('b')).toEqual(['StepSucceeded', 'StepDispatched', 'StepStarted']);
  });

  it('does not save a race that everybody else has lost', () => {
    const trial = new Trial({ steps: [group('any', [off('a')], [job('b')])] });
    trial.start();
    expect(trial.fail('b', false)).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
  });

  it('makes a majority one of those that are left', () => {
    const trial = new Trial({ steps: [group('majority', [off('a'), off('a2')], [off('b')], [job('c')], [job('d')], [job('e')]), job('z')] });
    trial.start();
    trial.succeed('c');
    expect(trial.step('z').status).toBe('pending');
    expect(trial.succeed('d')).toEqual(['StepSucceeded', 'StepStopRequested', 'StepDispatched', 'StepStarted']);
  });

  it('does not count where its decision takes no branch, or an empty one', () => {
    const none: StepDefinition = { id: 'd', type: 'decision', branches: [{ when: 'false', steps: [job('x')] }] };
    const empty: StepDefinition = { id: 'e', type: 'decision', branches: [{ steps: [] }] };
    const trial = new Trial({ steps: [group('any', [none], [empty], [job('b')]), job('z')] });
    trial.start();
    expect([trial.step('b').status, trial.step('z').status]).toEqual(['running', 'pending']);
  });

  it('leaves a group that has no other one skipped, and the run goes on', () => {
    const inner = { ...group('majority', [off('a')], [off('b')], [off('c')]), id: 'inner' };
    const trial = new Trial({ steps: [group('any', [inner], [off('d')]), job('z')] });
    trial.start();
    expect(trial.step('z').status).toBe('running');
    expect(trial.succeed('z')).toEqual(['StepSucceeded', 'RunCompleted']);
  });

  it('is undone by nobody: a group without a branch that ran has not succeeded', () => {
    const trial = new Trial({ steps: [{ ...group('any', [off('a')], [off('b')]), compensate: { job: 'work' } }, job('z')], failurePolicy: 'compensate' });
    trial.start();
    expect(trial.fail('z', false)).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
  });

  it('is one that ran if a single step of it did', () => {
    const trial = new Trial({ steps: [group('any', [off('a'), job('a2')], [gate()]), job('z')] });
    trial.start();
    expect(trial.succeed('a2')).toEqual(['StepSucceeded', 'GateReleased', 'StepDispatched', 'StepStarted']);
  });
});

describe('a step that can not begin while others are at work', () => {
  it('stops a job beside it at once', () => {
    const unsound: StepDefinition = { id: 'd', type: 'decision', branches: [{ when: 'outputs.b.nothing > 1', steps: [job('x')] }] };
    const trial = new Trial({ steps: [group('all', [job('a')], [job('b'), unsound])] });
    trial.start();
    expect(trial.succeed('b', {})).toEqual(['StepSucceeded', 'StepRefused', 'RunFailing', 'StepStopRequested']);
  });

  it('lets a gate beside it go', () => {
    const unsound: StepDefinition = { ...group('all', [job('x')]), id: 'h', when: 'outputs.b.nothing > 1' };
    const trial = new Trial({ steps: [group('all', [gate()], [job('b'), unsound])] });
    trial.start();
    expect(trial.succeed('b', {})).toEqual(['StepSucceeded', 'StepRefused', 'RunFailing', 'GateReleased', 'RunFailed']);
  });
});

describe('outcomes that share an append', () => {
  it('leave the next step of a branch where it is, once another branch has decided the group', () => {
    const trial = new Trial({ steps: [group('any', [job('a'), job('a2')], [job('b')]), job('z')] });
    trial.start();
    expect(trial.succeedTogether('a', 'b')).toEqual(['StepSkipped', 'StepDispatched', 'StepStarted']);
    expect([trial.step('a2').status, trial.step('z').status]).toEqual(['skipped', 'running']);
  });
});

describe('a group whose other branch is still at work', () => {
  it('takes a decision that no step waits for', () => {
    const empty: StepDefinition = { id: 'd', type: 'decision', branches: [{ steps: [] }] };
    const trial = new Trial({ steps: [group('all', [job('a')], [job('b'), empty])] });
    trial.start();
    expect(trial.succeed('b')).toEqual(['StepSucceeded', 'DecisionTaken']);
  });
});
