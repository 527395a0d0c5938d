/** The published simulated clock, under the name that the tests of the engine's parts call it by. */
export { SimulatedClock as SteppedClock } from '../src/testing/simulated-clock.js';
