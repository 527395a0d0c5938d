import { describe, expect, it } from '@jest/globals';
import { fingerprint } from '../../src/batches/batch.actor.js';
import { storedBatchFact } from '../../src/events/batch.codec.js';
import { verifyChain } from '../../src/events/envelope.js';
import { FoldViolation } from '../../src/actors/fold.js';
import { replayRun, runEvent, runFold } from '../../src/runs/run.replay.js';
import { endOf, HISTORIES, namesIn, planOf, read } from './history.js';
import type { History } from './history.js';
import { SCENARIOS } from './scenarios.js';

const names = namesIn(HISTORIES);

describe('What was recorded', () => {
  it('holds every scenario that ever shipped', () => {
    expect(names).toEqual(Object.keys(SCENARIOS).sort());
  });

  it.each(names)('%s: the run folds to the end that it had', (name) => {
    const history = read<History>(HISTORIES, name);
    expect(endOf(replayRun(planOf(history), history.run))).toEqual(history.end);
  });

  it.each(names)('%s: the counts add up after every fact', (name) => {
    const { batch, run } = read<History>(HISTORIES, name);
    let state = runFold.initial(planOf({ batch, run }));
    for (const fact of run) {
      state = runFold.next(state, runEvent(fact));
      const { total, ...byStatus } = state.context.counts;
      expect(Object.values(byStatus).reduce((sum, count) => sum + count, 0)).toBe(total);
    }
    expect(state.status).toBe('done');
  });

  it.each(names)('%s: both chains are whole, and no word can be changed', (name) => {
    const { batch, run } = read<History>(HISTORIES, name);
    expect(verifyChain(batch)).toMatchObject({ ok: true });
    expect(verifyChain(run)).toMatchObject({ ok: true });
    run.forEach((fact, revision) => {
      const changed = run.with(revision, { ...fact, data: { ...fact.data, told: 'otherwise' } });
      expect(verifyChain(changed)).toMatchObject({ ok: false, revision });
    });
  });

  it.each(names)('%s: the definition is the one whose hash the run names', (name) => {
    const { batch, run } = read<History>(HISTORIES, name);
    const defined = batch.map(storedBatchFact).flatMap(({ type, data }) => (type === 'BatchDefined' ? [data] : []));
    expect(defined.map(({ definition }) => fingerprint(definition))).toEqual(defined.map(({ definitionHash, stepCount }) => ({ definitionHash, stepCount })));
    expect(run[0]?.data['definitionHash']).toBe(defined.at(-1)?.definitionHash);
  });

  it.each(names)('%s: does not fold with its last fact twice', (name) => {
    const history = read<History>(HISTORIES, name);
    expect(() => replayRun(planOf(history), [...history.run, history.run.at(-1)!])).toThrow(FoldViolation);
  });
});
