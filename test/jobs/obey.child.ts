/** Obeys an order to crash, for obedient.job.spec.ts. What it prints last shows how far it came. */
import { SystemClock } from '../../src/clock.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';

const ignore = (): void => undefined;
process.stdout.write('started\n');
await obedientJob(new SystemClock()).run({
  runId: 'run', stepId: 'step', executionId: 'execution', attempt: 1, idempotencyKey: 'key',
  params: { do: 'crash', ms: 0, failTimes: 0, outputs: {} },
  outputs: {}, signal: new AbortController().signal, progress: ignore, log: { info: ignore, warn: ignore, error: ignore },
});
process.stdout.write('survived\n');
