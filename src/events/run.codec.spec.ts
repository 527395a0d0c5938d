import { describe, expect, it } from '@jest/globals';
import { checkedRunFact, storedRunFact, UnreadableFact } from './run.codec.js';
import type { RunFactData } from './run.events.js';

const started: RunFactData<'RunStarted'> = {
  runId: '00000000-0000-5000-8000-000000000001', batchId: '00000000-0000-5000-8000-000000000002', batchName: 'b', batchVersion: 1, definitionHash: 'f',
  trigger: { type: 'code' }, parameters: {}, labels: {}, reason: null, stepCount: 1, total: 1, jobDefaults: {},
};

describe('A fact that is about to be written', () => {
  it('is taken when it can be read again', () => {
    expect(checkedRunFact('RunStarted', started, 0, 'ann')).toEqual({ type: 'RunStarted', data: started, revision: 0, actor: 'ann' });
  });

  it('is refused with every place that nobody could read', () => {
    const unreadable = { ...started, labels: JSON.parse('{"a":1}'), reason: JSON.parse('7') };
    expect(() => checkedRunFact('RunStarted', unreadable, 0, 'ann')).toThrow(UnreadableFact);
    expect(() => checkedRunFact('RunStarted', unreadable, 0, 'ann')).toThrow(/\/labels\/a: .*\/reason: /);
  });
});

describe('A stored fact', () => {
  const stored = (data: object, type = 'RunCompleted', revision = 3) => storedRunFact({ type, data, revision, metadata: { actor: 'ann', schemaVersion: '1' } });

  it('is decoded once for all who read it in a while, by its very data', () => {
    const data = {};
    const first = stored(data);
    for (let others = 0; others < 8_000; others += 1) stored({});
    expect(stored(data)).toBe(first);
    expect(stored({})).not.toBe(first);
    expect(stored(data, 'RunCompleted', 4)).toMatchObject({ revision: 4 });
  });

  it('is let go after many others, and is the same again', () => {
    const data = {};
    const first = stored(data);
    for (let others = 0; others < 20_000; others += 1) stored({});
    expect(stored(data)).not.toBe(first);
    expect(stored(data)).toEqual(first);
  });
});
