import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineBatch } from '../batches/define-batch.js';
import { defineJob } from '../jobs/job.js';
import { approve, cancel, decisionsOf, expire, fail, lose, reject, start, succeed } from './decisions.js';

const extract = defineJob({ name: 'extract', parameters: z.object({ day: z.string() }), run: async () => ({ rows: 3 }) });
const close = defineBatch({
  name: 'close',
  parameters: [{ name: 'day', kind: 'string', required: true }],
  steps: [
    { id: 'extract', type: 'job', job: 'extract', retry: { maxAttempts: 2, jitter: false } },
    { id: 'release', type: 'gate', title: 'Release {{ outputs.extract.rows }} rows?', allowedRoles: ['cfo'], notTheStarter: true, timeout: '30d' },
  ],
});
const run = decisionsOf(close, [extract]);
const kim = { actor: 'kim', roles: ['cfo'] };
const parked = run.given().when(start({ day: '2026-01-31' }), succeed('extract', { rows: 3 })).facts;

describe('given, when, then', () => {
  it('shows what a start leads to, with as much of the data as matters', () => {
    run.given().when(start({ day: '2026-01-31' })).then(['RunStarted', { type: 'StepDispatched', data: { job: 'extract', params: { day: '2026-01-31' } } }, 'StepStarted']);
  });

  it('goes on from facts', () => {
    run.given().when(start({ day: 'x' }), succeed('extract', { rows: 3 })).then(['StepSucceeded', { type: 'GateParked', data: { title: 'Release 3 rows?' } }]);
    run.given(parked).when(approve('release', kim)).then(['GateApproved', 'RunCompleted']);
    run.given(parked).when(reject('release', { ...kim, reason: 'wrong' })).then([{ type: 'GateRejected', data: { reason: 'wrong' } }, 'RunFailing', 'RunFailed']);
    run.given(parked).when(expire('release')).then(['GateTimedOut', 'RunFailing', 'RunFailed']);
    run.given(parked).when(cancel('olga')).then(['CancelRequested', 'GateReleased', 'RunCancelled']);
  });

  it('tries again what failed or was lost', () => {
    run.given().when(start({ day: 'x' }), fail('extract')).then(['StepFailed', 'StepRetryScheduled']);
    run.given().when(start({ day: 'x' }), fail('extract'), expire('extract', 'retry')).then([{ type: 'StepDispatched', data: { attempt: 2 } }, 'StepStarted']);
    expect(run.given().when(start({ day: 'x' }), lose('extract')).facts.map(({ type }) => type)).toContain('StepLost');
  });

  it('knows who started the run, and refusals by their code', () => {
    run.given(parked).when(approve('release', { actor: 'ann', roles: ['cfo'] })).thenRejected('forbidden');
    run.given(parked).when(approve('release', { actor: 'kim', roles: ['clerk'] })).thenRejected('forbidden');
    run.given().when(start({})).thenRejected('validation-failed');
    run.given(parked).when(cancel(), cancel()).thenNothing();
    run.given(parked).when(approve('release', kim), cancel()).thenRejected('run-already-ended');
    run.given(parked).when(expire('release', 'timeout')).thenNothing();
  });

  it('fails where the facts are others, or something was refused', () => {
    const approved = run.given(parked).when(approve('release', kim));
    expect(() => approved.then(['GateApproved'])).toThrow(/RunCompleted/);
    expect(() => approved.then([{ type: 'GateApproved', data: { stepId: 'other' } }, 'RunCompleted'])).toThrow(/other/);
    expect(() => approved.thenRejected('forbidden')).toThrow(/accepted/);
    expect(() => approved.thenNothing()).toThrow();
    expect(() => run.given().when(start({})).then([])).toThrow(/validation-failed/);
    expect(() => run.given().when(start({}), succeed('extract'))).toThrow(/validation-failed/);
  });

  it('says what is wrong with a batch', () => {
    expect(() => decisionsOf({ name: 'bad', steps: [] })).toThrow(/can't be defined/);
  });
});
