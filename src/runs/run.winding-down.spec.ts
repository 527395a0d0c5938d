/** A run that takes several appends to wind down: between them nothing is begun, tried again, expired or decided. */
import { describe, expect, it } from '@jest/globals';
import { from, gate, job, RUN, Trial } from '../../test/trial.js';
import type { StepDefinition } from '../events/definition.js';
import { AdvanceRun } from './run.commands.js';

const WIDTH = 300;
const retry = { maxAttempts: 3, backoff: 'fixed' as const, initialDelay: '1s', jitter: false };
const many = (steps: (at: number) => StepDefinition[]): StepDefinition => ({ id: 'g', type: 'parallel', branches: Array.from({ length: WIDTH }, (_, at) => ({ steps: steps(at) })) });

/** The run, all of whose branches have begun. */
function begun(step: StepDefinition, claims: boolean): Trial {
  const trial = new Trial({ steps: [step] }, claims);
  trial.start();
  while (trial.say(new AdvanceRun(RUN, from('host'))).length > 0);
  return trial;
}

const LAST = `j${WIDTH - 1}`;

describe('a run that is cancelled in several appends', () => {
  it('begins no attempt that is still to be let go', () => {
    const trial = begun(many((at) => [job(`j${at}`)]), false);
    expect(trial.cancel()).toHaveLength(248);
    expect([trial.status, trial.step(LAST).status]).toEqual(['cancelling', 'dispatched']);
    expect(trial.claim(LAST)).toBe('lost-claim');
    expect(trial.say(new AdvanceRun(RUN, from('host')))).toContain('RunCancelled');
    expect(trial.step(LAST).status).toBe('cancelled');
  });

  it('tries nothing again that waited for its time', () => {
    const trial = begun(many((at) => [job(`j${at}`, { retry })]), true);
    for (let at = 0; at < WIDTH; at += 1) trial.fail(`j${at}`);
    trial.cancel();
    expect(trial.step(LAST).status).toBe('retrying');
    expect(trial.fire('retry', LAST)).toEqual([]);
  });

  it('lets no gate be decided or expire that is still to be released', () => {
    const trial = begun(many((at) => [{ ...gate({ timeout: '1h', onTimeout: 'approve' }), id: `j${at}` }]), true);
    trial.cancel();
    expect(trial.step(LAST).status).toBe('waiting');
    expect(trial.decide(true, ['boss'], null, LAST)).toBe('gate-already-decided');
    expect(trial.decide(false, ['boss'], null, LAST)).toBe('gate-already-decided');
    expect(trial.fire('gate', LAST)).toEqual([]);
    expect(trial.say(new AdvanceRun(RUN, from('host')))).toContain('RunCancelled');
    expect(trial.step(LAST).gate?.outcome).toBe('cancelled');
  });
});

describe('a branch that lost', () => {
  it('is not tried again in the same breath, though its attempt was lost with its node', () => {
    const trial = new Trial({ steps: [{ id: 'g', type: 'parallel', join: 'any', branches: [{ steps: [job('a', { timeout: '1m', retry: { maxAttempts: 2, backoff: 'none' } })] }, { steps: [job('b')] }] }] });
    trial.start();
    trial.fire('timeout', 'a');
    trial.succeed('b');
    expect(trial.lose('a')).toEqual(['StepFailed', 'StepRetryScheduled', 'StepCancelled', 'RunCompleted']);
  });
});
