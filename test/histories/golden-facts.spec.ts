import { describe, expect, it } from '@jest/globals';
import { storedBatchFact } from '../../src/events/batch.codec.js';
import { batchUpcasting } from '../../src/events/batch.events.js';
import { verifyChain } from '../../src/events/envelope.js';
import { isRunFactType, storedRunFact } from '../../src/events/run.codec.js';
import { runUpcasting } from '../../src/events/run.events.js';
import { storedScheduleFact } from '../../src/events/schedule.codec.js';
import { scheduleUpcasting } from '../../src/events/schedule.events.js';
import { Upcasting } from '../../src/events/upcasting.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { GOLDEN_FACTS, namesIn, read } from './history.js';

const names = namesIn(GOLDEN_FACTS);

/** `RunStarted.v1` and so on: one for every version that a type ever had. */
function shipped<T extends string>(upcasting: Upcasting<T>): readonly string[] {
  return upcasting.types.flatMap((type) => Array.from({ length: upcasting.versionOf(type) }, (_, at) => `${type}.v${at + 1}`));
}

describe('The golden facts', () => {
  it('are one for every version of every type, and no others', () => {
    expect(names).toEqual([...shipped(runUpcasting), ...shipped(batchUpcasting), ...shipped(scheduleUpcasting)].sort());
  });

  it('would be missed for a type that gets another version', () => {
    const lift = (data: unknown): unknown => data;
    const next = new Upcasting({ types: runUpcasting.types, changed: { RunFailed: 2 }, upcasters: [{ type: 'RunFailed', from: 1, to: 2, lift }] });
    expect(shipped(next).filter((name) => !names.includes(name))).toEqual(['RunFailed.v2']);
  });

  it.each(names)('%s is as it was sealed, and its file says what it is', (name) => {
    const fact = read<StoredFact>(GOLDEN_FACTS, name);
    expect(`${fact.type}.v${fact.metadata['schemaVersion']}`).toBe(name);
    expect(verifyChain([fact], { revision: fact.revision, prevHash: fact.metadata['prevHash'] ?? '' })).toMatchObject({ ok: true });
  });

  it.each(names)('%s is read; one of today\'s version word for word', (name) => {
    const fact = read<StoredFact>(GOLDEN_FACTS, name);
    const [decoded, upcasting] = isRunFactType(fact.type)
      ? ([storedRunFact(fact), runUpcasting] as const)
      : fact.stream.startsWith('schedule-') ? ([storedScheduleFact(fact), scheduleUpcasting] as const) : ([storedBatchFact(fact), batchUpcasting] as const);
    expect(decoded).toMatchObject({ type: fact.type });
    if (fact.metadata['schemaVersion'] === String(upcasting.versionOf(fact.type))) expect(decoded.data).toEqual(fact.data);
  });
});
