import { describe, expect, it } from '@jest/globals';
import { isoTime, timeOf } from './json.js';

describe('A time that was written a moment ago', () => {
  it('is read as it stands there: whole milliseconds', () => {
    for (const ms of [1_500.7, -0.5, 1_500]) {
      const text = isoTime(ms);
      expect([text, timeOf(text)]).toEqual([new Date(ms).toISOString(), Date.parse(text)]);
    }
  });
});
