import { describe, expect, it } from '@jest/globals';
import { from, gate, job, Trial } from '../../test/trial.js';
import type { StepDefinition } from '../events/definition.js';
import { ids } from '../ids.js';
import { AdvanceRun, RetryRun } from './run.commands.js';

const split = (id: string, ...branches: StepDefinition[][]): StepDefinition => ({ id, type: 'parallel', branches: branches.map((steps) => ({ steps })) });
const group = (more: object, ...branches: StepDefinition[][]): StepDefinition => ({ ...split('g', ...branches), ...more });
const begun = (trial: Trial): unknown[] => trial.facts.filter(({ type }) => type === 'StepDispatched').map(({ data }) => data.stepId);
const kept = (trial: Trial): unknown[] => trial.facts.filter(({ type }) => type === 'StepKept').map(({ data }) => data.stepId);

/** a succeeded with a total, b failed for good. */
function failedAtB(more: object = {}): Trial {
  const trial = new Trial({ steps: [job('a'), job('b', { params: { n: '{{ outputs.a.total }}' } }), job('c')], ...more });
  trial.start();
  trial.succeed('a', { total: 7 });
  trial.fail('b', false);
  return trial;
}

describe('a run that tries another one again', () => {
  it('keeps what succeeded, cites it, and goes on from the step that failed with its outputs', () => {
    const original = failedAtB();
    const { trial, said } = original.retry();
    expect(said).toEqual(['RunStarted', 'StepKept', 'StepDispatched', 'StepStarted']);
    expect(trial.facts[0]?.data).toMatchObject({ trigger: { type: 'retry' }, parameters: { day: '2026-01-31' }, starters: ['ann'], retry: { of: original.runId, version: 'original', fromStep: null, keeps: ['a'] } });
    expect(trial.last('StepKept')).toEqual({ stepId: 'a', from: { runId: original.runId, id: ids.execution(original.runId, 'a', 1) }, outputs: { total: 7 } });
    expect(trial.last('StepDispatched')).toMatchObject({ stepId: 'b', attempt: 1, params: { n: 7 } });
    trial.succeed('b');
    expect(trial.succeed('c')).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(trial.state?.context.counts).toMatchObject({ total: 3, succeeded: 3 });
  });

  it('is one: a second one is refused with the first', () => {
    const original = failedAtB();
    const { trial } = original.retry();
    const again = trial.say(new RetryRun(trial.runId, { of: original.runId, fromStep: null, version: 'original', reason: null }, from('zed')));
    expect(again).toBe('not-retryable');
    expect(trial.refusal?.detail).toContain(trial.runId);
  });

  it('is of a run that has failed or was cancelled, and of no other', () => {
    const running = new Trial({ steps: [job('a')] });
    running.start();
    expect(running.retry().said).toBe('not-retryable');
    running.succeed('a');
    expect(running.retry().said).toBe('not-retryable');
    const cancelled = new Trial({ steps: [job('a'), gate()] });
    cancelled.start();
    cancelled.succeed('a');
    cancelled.cancel();
    expect(cancelled.retry().said).toEqual(['RunStarted', 'StepKept', 'GateParked']);
  });

  it('from an earlier step does that again and all that comes after it', () => {
    const { trial } = failedAtB().retry({ fromStep: 'a' });
    expect([kept(trial), begun(trial)]).toEqual([[], ['a']]);
  });

  it('from a later step than it came to still does what is not behind it', () => {
    const { trial } = failedAtB().retry({ fromStep: 'c' });
    expect([kept(trial), begun(trial)]).toEqual([['a'], ['b']]);
  });

  it('keeps what succeeded in the branches beside it, and does again what follows the group', () => {
    const original = new Trial({ steps: [job('s'), split('g', [job('a'), job('a2')], [job('b'), job('b2')]), job('z')] });
    original.start();
    original.succeed('s');
    original.succeed('b');
    original.succeed('b2');
    original.succeed('a');
    original.fail('a2', false);
    expect([kept(original.retry().trial), begun(original.retry().trial)]).toEqual([['s', 'b', 'b2', 'a'], ['a2']]);
    expect(begun(original.retry({ fromStep: 'b2' }).trial)).toEqual(['a2', 'b2']);
    expect(kept(original.retry({ fromStep: 'g' }).trial)).toEqual(['s']);
  });

  it('under continue does the failed step again and what came after it', () => {
    const original = failedAtB({ failurePolicy: 'continue' });
    original.succeed('c');
    const { trial } = original.retry();
    expect([kept(trial), begun(trial)]).toEqual([['a'], ['b']]);
  });

  it('opens rejected gates anew, keeps approved ones, and counts everybody in the chain as a starter', () => {
    const original = new Trial({ steps: [gate({ id: 'first' }), gate({ notTheStarter: true })] });
    original.start();
    original.decide(true, ['boss'], null, 'first');
    original.decide(false, ['boss']);
    const { trial, said } = original.retry({ who: 'rita' });
    expect(said).toEqual(['RunStarted', 'StepKept', 'GateParked']);
    expect(trial.last('StepKept')).toEqual({ stepId: 'first', from: { runId: original.runId, id: ids.approval(original.runId, 'first', 1) } });
    const decide = (run: Trial, who: string) => run.decide(true, ['boss'], null, 'ok', who);
    expect([decide(trial, 'ann'), decide(trial, 'rita')]).toEqual(['forbidden', 'forbidden']);
    trial.cancel();
    const third = trial.retry({ who: 'sam' }).trial;
    expect(third.last('StepKept')).toMatchObject({ from: { runId: original.runId } });
    expect(['ann', 'rita', 'sam'].map((who) => decide(third, who))).toEqual(['forbidden', 'forbidden', 'forbidden']);
    expect(decide(third, 'kim')).toEqual(['GateApproved', 'RunCompleted']);
  });

  it('stays in the branch that was taken, and passes over what was passed over', () => {
    const choice: StepDefinition = { id: 'd', type: 'decision', branches: [{ when: 'run.startedBy == "ann"', steps: [job('x'), job('y')] }, { steps: [job('other')] }] };
    const original = new Trial({ steps: [job('skip', { when: 'run.startedBy != "ann"' }), choice] });
    original.start();
    original.succeed('x');
    original.fail('y', false);
    const { trial, said } = original.retry();
    expect(said).toEqual(['RunStarted', 'StepSkipped', 'DecisionTaken', 'StepKept', 'StepDispatched', 'StepStarted']);
    expect(trial.step('other').status).toBe('skipped');
    expect(original.retry({ fromStep: 'other' }).said).toBe('validation-failed');
    expect(begun(original.retry({ fromStep: 'd' }).trial)).toEqual(['other']);
  });

  it('does again what was undone, and undoes what it kept if it fails too', () => {
    const undone = (id: string): StepDefinition => job(id, { compensate: { job: 'work' } });
    const original = new Trial({ steps: [job('s'), undone('a'), job('b'), job('c')], failurePolicy: 'compensate' });
    original.start();
    for (const id of ['s', 'a', 'b']) original.succeed(id);
    original.fail('c', false);
    original.succeed('a:compensate');
    const { trial } = original.retry();
    expect([kept(trial), begun(trial)]).toEqual([['s'], ['a']]);
    const cancelled = new Trial({ steps: [undone('a'), job('b')], failurePolicy: 'compensate' });
    cancelled.start();
    cancelled.succeed('a');
    cancelled.cancel();
    cancelled.fail('b');
    const second = cancelled.retry().trial;
    expect(second.fail('b', false)).toEqual(['StepFailed', 'RunFailing', 'CompensationStarted', 'StepDispatched', 'StepStarted']);
    expect(second.last('StepDispatched')).toMatchObject({ stepId: 'a:compensate' });
  });

  it('keeps the winner of a race, and leaves its losers alone', () => {
    const original = new Trial({ steps: [group({ join: 'any' }, [job('a')], [job('b')]), job('z')] });
    original.start();
    original.succeed('a');
    original.fail('b');
    original.fail('z', false);
    const { trial, said } = original.retry();
    expect(said).toEqual(['RunStarted', 'StepKept', 'StepSkipped', 'StepDispatched', 'StepStarted']);
    expect([kept(trial), begun(trial)]).toEqual([['a'], ['z']]);
    expect(original.retry({ fromStep: 'b' }).said).toBe('validation-failed');
  });

  it('names what it can not be retried from', () => {
    const original = failedAtB({ onFailureSteps: [job('tell')] });
    original.succeed('tell');
    for (const fromStep of ['nobody', 'tell']) {
      expect(original.retry({ fromStep }).said).toBe('validation-failed');
    }
  });

  it('takes over more than one append holds, before it begins anything', () => {
    const steps = Array.from({ length: 400 }, (_, at) => job(`s${at}`));
    const original = new Trial({ steps });
    original.start();
    for (let at = 0; at < 399; at += 1) original.succeed(`s${at}`, { at });
    original.fail('s399', false);
    const { trial, said } = original.retry();
    expect([said.length, begun(trial)]).toEqual([248, []]);
    expect(trial.claim('s0')).toBe('lost-claim');
    expect(trial.say(new AdvanceRun(trial.runId, from('host'))).slice(-2)).toEqual(['StepDispatched', 'StepStarted']);
    expect([kept(trial).length, begun(trial)]).toEqual([399, ['s399']]);
    const stopped = original.retry().trial;
    expect(stopped.cancel()).toEqual(['CancelRequested', 'RunCancelled']);
  });
});

describe('a retry on the newest version', () => {
  const steps = [job('a'), split('g', [job('x')], [job('y'), job('y2')]), job('c')];
  function failedAtY(): Trial {
    const trial = new Trial({ steps });
    trial.start();
    trial.succeed('a');
    trial.succeed('x');
    trial.fail('y', false);
    return trial;
  }

  it('takes another rest than the run had, where the part behind it is the same', () => {
    const newest = { steps: [job('a'), split('g', [job('x')], [job('fixed'), job('y2', { timeout: '1h' })]), job('new'), job('c')] };
    const { trial, said } = failedAtY().retry({ newest });
    expect(said).toEqual(['RunStarted', 'StepKept', 'StepKept', 'StepDispatched', 'StepStarted']);
    expect([trial.facts[0]?.data.batchVersion, kept(trial), begun(trial)]).toEqual([2, ['a', 'x'], ['fixed']]);
  });

  it.each<[string, StepDefinition[], string, RegExp]>([
    ['a step before', [job('a0'), ...steps], '/steps/0', /Here stood job "a".*now it is job "a0"/],
    ['another job', [job('a', { job: 'other' }), ...steps.slice(1)], '/steps/0/job', /another "job"/],
    ['another condition', [job('a', { when: 'true' }), ...steps.slice(1)], '/steps/0/when', /another "when"/],
    ['a step that is gone', [], '/steps/0', /is gone/],
    ['a step more beside it', [job('a'), split('g', [job('x'), job('x2')], [job('y')])], '/steps/1/branches/0/steps/1', /"x2" is new/],
    ['a branch more', [job('a'), split('g', [job('x')], [job('y')], [job('w')])], '/steps/1/branches', /were 2 branches; now there are 3/],
    ['another join', [job('a'), group({ join: 'any' }, [job('x')], [job('y')])], '/steps/1/join', /another "join"/],
  ])('is refused with the difference for %s', (_, changed, path, message) => {
    const { trial, said } = failedAtY().retry({ newest: { steps: changed } });
    expect(said).toBe('not-retryable');
    expect(trial.refusal?.errors).toEqual([{ path, message: expect.stringMatching(message) }]);
  });

  it('is refused from a step that it no longer has', () => {
    const { trial, said } = failedAtY().retry({ fromStep: 'y', newest: { steps: [job('a'), split('g', [job('x')], [job('fixed')])] } });
    expect([said, trial.refusal?.errors]).toEqual(['not-retryable', [{ path: '/fromStep', message: 'Version 2 has no step "y".' }]]);
  });
});
