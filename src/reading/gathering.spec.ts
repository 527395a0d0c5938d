import { describe, expect, it } from '@jest/globals';
import type { StoredFact } from '../log/event-reader.js';
import { SimulatedClock } from '../testing/simulated-clock.js';
import { Gathering } from './gathering.js';

const fact = (position: number): StoredFact => ({ stream: 'run-a', revision: position, type: 'Noted', data: {}, metadata: {}, id: `${position}`, position: `${position}`, recordedAt: '2026-01-01T00:00:00.000Z' });
const facts = (from: number, to: number): StoredFact[] => Array.from({ length: to - from + 1 }, (_, at) => fact(from + at));

function gathering() {
  const clock = new SimulatedClock();
  const taken: string[][] = [];
  const gathered: Gathering = new Gathering(clock, { most: 4, pauseMs: 100 }, () => {
    for (const part of gathered.parts()) taken.push(part.map(({ position }) => position));
  });
  return { clock, gathered, taken };
}

describe('gathering', () => {
  it('waits a moment, so that what comes together is taken together', async () => {
    const { clock, gathered, taken } = gathering();
    gathered.add(facts(1, 1), false);
    gathered.add(facts(2, 3), false);
    expect(taken).toEqual([]);
    await clock.advance(100);
    expect(taken).toEqual([['1', '2', '3']]);
  });

  it('does not wait for whoever asks, nor past what one transaction may hold', async () => {
    const { clock, gathered, taken } = gathering();
    gathered.add(facts(1, 1), true);
    gathered.add(facts(2, 6), false);
    expect(taken).toEqual([['1'], ['2', '3', '4', '5'], ['6']]);
    await clock.advance(1_000);
    expect(taken).toHaveLength(3);
  });

  it('forgets what it is told to drop', async () => {
    const { clock, gathered, taken } = gathering();
    gathered.add(facts(1, 2), false);
    gathered.drop();
    await clock.advance(1_000);
    expect(taken).toEqual([]);
  });
});
