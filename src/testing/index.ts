/** The kit for tests of applications. It imports no test runner. */
export {
  approve, cancel, decisionsOf, expire, fail, lose, reject, start, succeed,
  type DecidedRun, type Decider, type GivenRun, type RunFactExpected, type RunFactGiven, type RunSaying,
} from './decisions.js';
export { SimulatedClock } from './simulated-clock.js';
export { SluiceTestingModule, type SluiceTestingOptions, type SluiceTrial } from './sluice-testing.module.js';
export { obedientJob, type ObedientParameters } from '../jobs/obedient.job.js';
