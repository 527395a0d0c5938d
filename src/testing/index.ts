/** The kit for tests of applications. It imports no test runner. */
export { SimulatedClock } from './simulated-clock.js';
export { SluiceTestingModule, type SluiceTestingOptions, type SluiceTrial } from './sluice-testing.module.js';
export { obedientJob, type ObedientParameters } from '../jobs/obedient.job.js';
