/** What the server that is killed can run: one batch for each way a run may go. */
import { SystemClock } from '../../src/clock.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';

/** However often its node is killed, a step is tried again. */
const retry = { maxAttempts: 4, backoff: 'fixed' as const, initialDelay: 40, jitter: false, maxLosses: 1_000 };
const work = (id: string, params: Record<string, string | number> = {}) => ({ id, type: 'job' as const, job: 'obey', params, retry });

export const jobs = [obedientJob(new SystemClock())];
export const batches: readonly BatchDefinition[] = [
  { name: 'three', steps: [work('a'), work('b', { ms: 5 }), work('c')] },
  { name: 'flaky', steps: [work('a', { failTimes: 2 })] },
  { name: 'wide', steps: [{ id: 'all', type: 'parallel', branches: [{ steps: [work('x', { ms: 60 })] }, { steps: [work('y', { ms: 30 }), work('z')] }] }] },
  { name: 'gated', steps: [work('a'), { id: 'ok', type: 'gate', title: 'Release?', allowedRoles: ['boss'] }, work('b')] },
  { name: 'timed', steps: [{ id: 'ok', type: 'gate', title: 'Nobody comes?', allowedRoles: ['boss'], timeout: 300, onTimeout: 'approve' }, work('b')] },
  { name: 'hanging', steps: [work('a', { do: 'hang' })] },
  { name: 'long', steps: [work('a', { ms: 2_000 })] },
];
