import { expect, it } from '@jest/globals';
import { SimulatedClock } from '../testing/simulated-clock.js';
import { RefusalCount } from './refusal-count.js';

const MINUTE_MS = 60_000;

it('takes the minutes of others for over when the clock was set back', () => {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 1));
  let behindMs = 0;
  const count = new RefusalCount({ now: () => clock.now() - behindMs, elapsed: () => clock.elapsed(), wakeAt: () => () => undefined, sleep: () => Promise.resolve() }, () => undefined);
  count.take('zoe');
  behindMs = 60 * MINUTE_MS;
  const taken = Array.from({ length: 30 }, () => {
    clock.moveTo(clock.now() + MINUTE_MS);
    return Array.from({ length: 10 }, () => count.take('ann'));
  });
  expect(taken.flat()).not.toContain(false);
});
