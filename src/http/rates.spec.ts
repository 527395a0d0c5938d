import { describe, expect, it } from '@jest/globals';
import { Problem } from './problem.js';
import { Rates } from './rates.js';

describe('Rates', () => {
  let nowMs = 0;
  const taken = (rates: Rates, actor: string): string => {
    try {
      rates.take(actor);
      return 'taken';
    } catch (error) {
      return error instanceof Problem ? `again in ${error.headers['Retry-After']} s` : 'broken';
    }
  };

  it('give a second\'s worth at once, and then one at a time, to each actor for itself', () => {
    const rates = new Rates(2, { elapsed: () => nowMs });
    expect(['ann', 'ann', 'ann', 'bob'].map((actor) => taken(rates, actor))).toEqual(['taken', 'taken', 'again in 1 s', 'taken']);
    nowMs += 500;
    expect(['ann', 'ann'].map((actor) => taken(rates, actor))).toEqual(['taken', 'again in 1 s']);
    nowMs += 3_600_000;
    expect(['ann', 'ann', 'ann'].map((actor) => taken(rates, actor))).toEqual(['taken', 'taken', 'again in 1 s']);
  });

  it('are none where none is set', () => {
    const rates = new Rates(0, { elapsed: () => nowMs });
    expect(Array.from({ length: 5_000 }, () => taken(rates, 'ann')).every((answer) => answer === 'taken')).toBe(true);
  });
});
