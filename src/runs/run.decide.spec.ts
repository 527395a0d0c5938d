import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { transition } from 'xstate';
import { from, gate, job, RUN, Trial } from '../../test/trial.js';
import { FoldViolation } from '../actors/fold.js';
import { decodeRunFact } from '../events/run.codec.js';
import { ids } from '../ids.js';
import { runFold } from './run.replay.js';
import { AdvanceRun, ClaimStep, StartRun } from './run.commands.js';
import type { TimerKind } from './run.commands.js';
import type { RunSnapshot } from './run.draft.js';
import { runMachine } from './run.machine.js';

describe('a run of jobs', () => {
  it('dispatches and claims a step in the append that ended the one before', () => {
    const trial = new Trial({ steps: [job('a'), job('b')] });
    expect(trial.start()).toEqual(['RunStarted', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('a')).toEqual(['StepSucceeded', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('b')).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(trial.status).toBe('completed');
  });

  it('waits to be claimed where no slot is free, and gives a claim to one node alone', () => {
    const trial = new Trial({ steps: [job('a')] }, false);
    expect(trial.start()).toEqual(['RunStarted', 'StepDispatched']);
    const claim = (worker: string) => trial.say(new ClaimStep(RUN, ids.execution(RUN, 'a', 1), 'a', worker, from(worker)));
    expect(claim('node-2')).toEqual(['StepStarted']);
    expect(claim('node-2')).toEqual([]);
    expect(claim('node-3')).toBe('lost-claim');
  });

  it('passes the run parameters that the job declares, and the step\'s own over them', () => {
    const trial = new Trial({ steps: [job('a'), job('b', { params: { day: 'x', total: '{{ outputs.a.total + 1 }}' } })] });
    trial.start();
    expect(trial.last('StepDispatched').params).toEqual({ day: '2026-01-31' });
    trial.succeed('a', { total: 2 });
    expect(trial.last('StepDispatched').params).toEqual({ day: 'x', total: 3 });
  });

  it('fails a step whose parameters can not be made, and says why', () => {
    const trial = new Trial({ steps: [job('a'), job('b', { params: { total: '{{ outputs.a.absent }}' } })] });
    trial.start();
    expect(trial.succeed('a')).toEqual(['StepSucceeded', 'StepRefused', 'RunFailing', 'RunFailed']);
    expect(trial.last('RunFailed')).toMatchObject({ stepId: 'b', error: { kind: 'expression' } });
  });

  it.each([
    ['a title', { ...gate('ok'), title: '{{ outputs.a.text }} {{ outputs.a.text }}' }],
    ['a description', { ...gate('ok'), description: '{{ outputs.a.text }} {{ outputs.a.text }}' }],
    ['what is shown', { ...gate('ok'), show: { one: 'outputs.a', two: 'outputs.a' } }],
    ['parameters', job('b', { params: { texts: ['{{ outputs.a.text }}', '{{ outputs.a.text }}'] } })],
    ['thousands of parameters', job('b', { params: { texts: Array<string>(3_000).fill('{{ outputs.a.text }}') } })],
    ['parts of a text', job('b', { params: { text: '{{ outputs.a.text }} '.repeat(3_000) } })],
  ])('refuses a step for which %s would be more than the log takes', (_what, step) => {
    const trial = new Trial({ steps: [job('a'), step] });
    trial.start();
    expect(trial.succeed('a', { text: 'z'.repeat(200 * 1024) })).toEqual(['StepSucceeded', 'StepRefused', 'RunFailing', 'RunFailed']);
    expect(trial.last('RunFailed')).toMatchObject({ stepId: step.id, error: { kind: 'expression', message: expect.stringMatching(/384|393216|1 MiB/) } });
  });

  it('says in few words what a condition gave that is none', () => {
    const trial = new Trial({ steps: [job('a'), job('b', { when: 'outputs.a.text' })] });
    trial.start();
    trial.succeed('a', { text: 'z'.repeat(200 * 1024) });
    expect(JSON.stringify(trial.last('RunFailed')).length).toBeLessThan(2_000);
  });

  it('begins no more steps in one append than the log takes', () => {
    const steps = [0, 1, 2, 3].map((at) => ({ steps: [job(`s${at}`, { params: { text: '{{ outputs.a.text }}' } })] }));
    const trial = new Trial({ steps: [job('a'), { id: 'all', type: 'parallel', branches: steps }] });
    trial.start();
    trial.succeed('a', { text: '\u20ac'.repeat(80 * 1024) });
    expect(trial.facts.filter((fact) => fact.type === 'StepDispatched').length).toBeLessThan(4);
  });

  it('begins and fails with the fault, where a schedule could not begin it as it was meant', () => {
    const trial = new Trial({ steps: [job('a')] });
    const occurrence = { due: '2026-01-01T00:00:00.000Z', date: '2026-01-01', time: '00:00', timeZone: 'UTC', previous: null };
    const start = { batch: 'trial', parameters: {}, labels: {}, reason: null, trigger: { type: 'schedule' as const }, scheduled: { version: 1, occurrence, begins: true, fault: 'over the limit' } };
    expect(trial.say(new StartRun(RUN, start, from('schedule')))).toEqual(['RunStarted', 'RunFailed']);
    expect(trial.last('RunFailed').error).toMatchObject({ kind: 'validation', message: 'over the limit' });
  });

  it('does not hear an outcome twice, nor one of an attempt that is over', () => {
    const trial = new Trial({ steps: [job('a', { retry: { maxAttempts: 2, backoff: 'none' } }), job('b')] });
    trial.start();
    trial.fail('a');
    expect(trial.report('a', { kind: 'succeeded', outputs: {}, report: {} }, 1)).toBe('fenced');
    trial.succeed('a');
    expect(trial.succeed('a')).toBe('fenced');
  });
});

describe('a failing attempt', () => {
  it('is tried again after its delay, as often as the policy says', () => {
    const trial = new Trial({ steps: [job('a', { retry: { maxAttempts: 2, backoff: 'fixed', initialDelay: '2s', jitter: false } })] });
    trial.start();
    expect(trial.fail('a')).toEqual(['StepFailed', 'StepRetryScheduled']);
    expect(trial.last('StepRetryScheduled')).toMatchObject({ nextAttempt: 2, retryAt: '2026-01-31T12:00:02.000Z' });
    expect(trial.fire('retry', 'a', 0)).toEqual([]);
    expect(trial.fire('retry', 'a')).toEqual(['StepDispatched', 'StepStarted']);
    expect(trial.fail('a')).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
  });

  it('is not tried again when the error says so', () => {
    const trial = new Trial({ steps: [job('a', { retry: { maxAttempts: 9 } })] });
    trial.start();
    expect(trial.fail('a', false)).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
  });

  it('that is lost is tried again even at one attempt, until it was lost too often in a row', () => {
    const trial = new Trial({ steps: [job('a')] }, true, { maxLosses: 3 });
    trial.start();
    expect(trial.lose('a')).toEqual(['StepLost', 'StepRetryScheduled', 'StepDispatched', 'StepStarted']);
    trial.lose('a');
    expect(trial.lose('a')).toEqual(['StepLost', 'RunFailing', 'RunFailed']);
  });

  it('that ran too long is stopped, and what it says in its grace is a time-out', () => {
    const trial = new Trial({ steps: [job('a', { timeout: '10s', cancelGrace: '3s' })] });
    trial.start();
    expect(trial.last('StepStarted').timeoutAt).toBe('2026-01-31T12:00:10.000Z');
    expect(trial.fire('timeout', 'a')).toEqual(['StepStopRequested']);
    expect(trial.fire('timeout', 'a')).toEqual([]);
    expect(trial.succeed('a')).toEqual(['StepFailed', 'RunFailing', 'RunFailed']);
    expect(trial.last('StepFailed')).toMatchObject({ timedOut: true, orphaned: false });
  });

  it('stops its running siblings, and the run fails when they have ended', () => {
    const trial = new Trial({ steps: [{ id: 'both', type: 'parallel', branches: [{ steps: [job('a')] }, { steps: [job('b')] }] }, job('c')] });
    trial.start();
    expect(trial.fail('a')).toEqual(['StepFailed', 'RunFailing', 'StepStopRequested']);
    expect(trial.status).toBe('failing');
    expect(trial.fire('grace', 'b')).toEqual(['StepCancelled', 'RunFailed']);
    expect(trial.last('RunFailed')).toMatchObject({ stepId: 'a', orphaned: [ids.execution(RUN, 'b', 1)] });
    expect(trial.state?.context.counts).toMatchObject({ failed: 1, cancelled: 1, skipped: 1 });
  });

  it('under continue lets the sequence go on, and the run fails at its end', () => {
    const trial = new Trial({ failurePolicy: 'continue', steps: [job('a'), job('b')] });
    trial.start();
    expect(trial.fail('a')).toEqual(['StepFailed', 'StepDispatched', 'StepStarted']);
    expect(trial.succeed('b')).toEqual(['StepSucceeded', 'RunFailed']);
  });
});

describe('a gate', () => {
  const gated = (more = {}, policy: 'stop' | 'continue' = 'stop') => new Trial({ failurePolicy: policy, steps: [job('a'), gate({ title: 'Release {{ outputs.a.total }}', show: { total: 'outputs.a.total' }, ...more }), job('z')] });
  const parked = (more = {}, policy: 'stop' | 'continue' = 'stop') => {
    const trial = gated(more, policy);
    trial.start();
    expect(trial.succeed('a', { total: 7 })).toEqual(['StepSucceeded', 'GateParked']);
    expect(trial.status).toBe('parked');
    return trial;
  };

  it('parks the run with what its approver is to see', () => {
    expect(parked().last('GateParked')).toMatchObject({ title: 'Release 7', data: { total: 7 }, deadline: null });
  });

  it('is decided by its roles and no others', () => {
    const trial = parked();
    expect(trial.decide(true, ['admin', 'operator'])).toBe('forbidden');
    expect(trial.decide(true, ['boss'], 'something else')).toBe('approval-stale');
    expect(trial.decide(true, ['boss'])).toEqual(['GateApproved', 'StepDispatched', 'StepStarted']);
    expect(trial.decide(false, ['boss'])).toBe('gate-already-decided');
    expect(trial.succeed('z')).toEqual(['StepSucceeded', 'RunCompleted']);
  });

  it.each(['stop', 'continue'] as const)('that is rejected fails the run at once under %s', (policy) => {
    const trial = parked({}, policy);
    expect(trial.decide(false, ['boss'])).toEqual(['GateRejected', 'RunFailing', 'RunFailed']);
    expect(trial.last('RunFailed')).toMatchObject({ error: { kind: 'rejected' } });
  });

  it('that nobody decides in time fails, approves or holds', () => {
    expect(parked({ timeout: '1m' }).fire('gate', 'ok')).toEqual(['GateTimedOut', 'RunFailing', 'RunFailed']);
    expect(parked({ timeout: '1m', onTimeout: 'approve' }).fire('gate', 'ok')).toEqual(['GateApproved', 'StepDispatched', 'StepStarted']);
    const held = parked({ timeout: '1m', onTimeout: 'hold' });
    expect(held.fire('gate', 'ok')).toEqual(['GateOverdue']);
    expect(held.fire('gate', 'ok')).toEqual([]);
    expect(held.decide(true, ['boss'])).toEqual(['GateApproved', 'StepDispatched', 'StepStarted']);
  });

  it('is released by a cancel that has none of its roles', () => {
    const trial = parked();
    expect(trial.cancel()).toEqual(['CancelRequested', 'GateReleased', 'RunCancelled']);
    expect(trial.decide(true, ['boss'])).toBe('gate-already-decided');
    expect(trial.cancel()).toEqual([]);
    expect(trial.state?.context.counts).toMatchObject({ succeeded: 1, cancelled: 2, total: 3 });
  });
});

describe('a cancel', () => {
  it('asks the running job to stop and ends when it has', () => {
    const trial = new Trial({ steps: [job('a'), job('b')] });
    trial.start();
    expect(trial.cancel()).toEqual(['CancelRequested', 'StepStopRequested']);
    expect(trial.cancel()).toEqual([]);
    expect(trial.fail('a')).toEqual(['StepCancelled', 'RunCancelled']);
  });

  it('does not wait for a stubborn job longer than its grace, and hears it no more', () => {
    const trial = new Trial({ steps: [job('a')] });
    trial.start();
    trial.cancel();
    expect(trial.fire('grace', 'a')).toEqual(['StepCancelled', 'RunCancelled']);
    expect(trial.last('RunCancelled').orphaned).toEqual([ids.execution(RUN, 'a', 1)]);
    expect(trial.succeed('a')).toBe('fenced');
  });

  it('comes too late for a run that has ended', () => {
    const trial = new Trial({ steps: [job('a')] });
    trial.start();
    trial.succeed('a');
    expect(trial.cancel()).toBe('run-already-ended');
  });
});

describe('a group larger than an append', () => {
  it('is begun in parts by saying AdvanceRun until there is nothing left', () => {
    const trial = new Trial({ steps: [{ id: 'all', type: 'parallel', branches: Array.from({ length: 600 }, (_, at) => ({ steps: [job(`s${at}`)] })) }] });
    trial.start();
    while (trial.say(new AdvanceRun(RUN, from('host'))).length > 0);
    expect(trial.state?.context.counts.running).toBe(600);
    for (let at = 0; at < 600; at += 1) trial.succeed(`s${at}`);
    expect(trial.status).toBe('completed');
  });
});

describe('a fact that can not happen to this run', () => {
  it.each([
    ['StepStarted', { stepId: 'a', executionId: ids.execution(RUN, 'a', 1), attempt: 1, worker: 'node-2', timeoutAt: null }],
    ['StepSucceeded', { stepId: 'a', executionId: ids.execution(RUN, 'a', 2), attempt: 2, outputs: {} }],
    ['StepCancelled', { stepId: 'b', executionId: ids.execution(RUN, 'b', 1), attempt: 1, was: 'running', reason: 'cancel', orphaned: false }],
    ['RunCompleted', {}],
    ['RunCancelled', { orphaned: [] }],
  ])('is a violation of the fold: %s', (type, data) => {
    const trial = new Trial({ steps: [job('a'), job('b')] });
    trial.start();
    expect(() => runFold.next(trial.state!, decodeRunFact(type, data, 3, 'ann'))).toThrow(FoldViolation);
  });
});

describe('any history', () => {
  const definition = {
    steps: [
      { id: 'both', type: 'parallel' as const, branches: [{ steps: [job('a', { retry: { maxAttempts: 2, backoff: 'none' as const } }), gate({ timeout: '1m' })] }, { steps: [job('b', { timeout: '1m' })] }] },
      job('c'),
    ],
  };
  const act = fc.record({ what: fc.constantFrom('succeed', 'fail', 'lose', 'fire', 'cancel', 'approve', 'reject', 'advance'), step: fc.constantFrom('a', 'b', 'c', 'ok') });

  it('folds the same by the public transition, and deciding again says nothing new', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 25 }), fc.boolean(), (acts, claims) => {
        const trial = new Trial(definition, claims);
        trial.start();
        for (const { what, step } of acts) perform(trial, what, step);
        expect(trial.say(new AdvanceRun(RUN, from('host')))).toEqual([]);
        const plan = trial.state!.context.plan;
        let publicly: RunSnapshot = runFold.initial(plan);
        trial.facts.forEach((fact, revision) => {
          [publicly] = transition(runMachine, publicly, decodeRunFact(fact.type, fact.data, revision, 'ann'));
        });
        const { value, context, status, output } = trial.state!;
        expect(publicly).toMatchObject({ value, context, status, output });
      }),
      { numRuns: 300 },
    );
  });
});

function perform(trial: Trial, what: string, step: string): void {
  if (what === 'cancel') trial.cancel();
  else if (what === 'advance') trial.say(new AdvanceRun(RUN, from('host')));
  else if (what === 'approve' || what === 'reject') trial.decide(what === 'approve', ['boss']);
  else if (what === 'fire') ['retry', 'timeout', 'grace', 'gate'].forEach((timer) => trial.fire(timer as TimerKind, step));
  else if (trial.step(step).attempt > 0 && step !== 'ok') (what === 'succeed' ? trial.succeed : what === 'fail' ? trial.fail : trial.lose)(step);
}
