import { expect, it } from '@jest/globals';
import { SimulatedClock } from '../testing/simulated-clock.js';
import { Throughput } from './throughput.js';

it('tells the facts of the newest ten seconds', async () => {
  const clock = new SimulatedClock(0);
  const meter = new Throughput(clock);
  expect(meter.rate()).toBe(0);
  meter.took(30);
  await clock.advance(2_000);
  expect(meter.rate()).toBe(15);
  await clock.advance(4_000);
  meter.took(70);
  await clock.advance(3_999);
  expect(meter.rate()).toBeCloseTo(10, 1);
  await clock.advance(1);
  expect(meter.rate()).toBe(7);
  await clock.advance(6_000);
  expect(meter.rate()).toBe(0);
});
