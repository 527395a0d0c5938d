import { describe, expect, it } from '@jest/globals';
import type { RunFact, StepCounts } from '../src/events/run.events.js';
import { countsAfter, statusAfter } from './run-counts.js';

const none: StepCounts = {
  pending: 2, dispatched: 0, running: 0, retrying: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0, total: 2,
};
const timedOut: RunFact = { type: 'GateTimedOut', data: { stepId: 'ask', approvalId: 'a' } };
const cancelled: RunFact = { type: 'RunCancelled', data: { orphaned: [] } };
const completed: RunFact = { type: 'RunCompleted', data: {} };
const started: RunFact = { type: 'StepStarted', data: { stepId: 's', executionId: 'e', attempt: 1, worker: 'w', timeoutAt: null } };

describe('run counts', () => {
  it('moves one step from state to state', () => {
    expect(countsAfter({ ...none, pending: 1, dispatched: 1 }, started)).toEqual({ ...none, pending: 1, running: 1 });
    expect(countsAfter({ ...none, pending: 1, waiting: 1 }, timedOut)).toEqual({ ...none, pending: 1, failed: 1 });
  });

  it('turns what is pending into skipped, or into cancelled if the run was', () => {
    expect(countsAfter(none, completed)).toEqual({ ...none, pending: 0, skipped: 2 });
    expect(countsAfter(none, cancelled)).toEqual({ ...none, pending: 0, cancelled: 2 });
  });

  it('is parked only while a gate waits and nothing else is under way', () => {
    expect(statusAfter('running', { ...none, pending: 1, waiting: 1 }, started)).toBe('parked');
    expect(statusAfter('parked', { ...none, pending: 0, waiting: 1, retrying: 1 }, started)).toBe('running');
    expect(statusAfter('cancelling', { ...none, pending: 1, waiting: 1 }, started)).toBe('cancelling');
  });
});
