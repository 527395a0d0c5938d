/** What the server that a browser looks at can run: one batch for each thing that is looked at. */
import { SystemClock } from '../../src/clock.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';

const work = (id: string, params: Record<string, string | number> = {}) => ({ id, type: 'job' as const, job: 'obey', params });

export const jobs = [obedientJob(new SystemClock())];
export const batches: readonly BatchDefinition[] = [
  {
    name: 'asked', title: 'Asked for a day',
    parameters: [
      { name: 'day', kind: 'string', required: true, description: 'business day' }, { name: 'limit', kind: 'integer', default: 10 },
      { name: 'dry', kind: 'boolean' }, { name: 'more', kind: 'object' },
    ],
    steps: [work('only')],
  },
  { name: 'gated', title: 'Release', steps: [work('before'), { id: 'ok', type: 'gate', title: 'Release **it**?', description: 'Look at `before`. <b>No HTML</b>', allowedRoles: ['boss'], show: { sum: '1200 + 34' } }, work('after')] },
  { name: 'two-people', steps: [{ id: 'ok', type: 'gate', title: 'Both of you', allowedRoles: ['boss'], quorum: 2 }] },
  { name: 'stubborn', steps: [{ ...work('deaf', { do: 'stubborn', ms: 3_600_000 }), cancelGrace: '200ms' }, work('after')] },
  { name: 'slow', steps: [work('one', { ms: 1_500 }), work('two', { ms: 1_500 }), work('three')] },
  { name: 'slower', steps: [work('one', { ms: 6_000 }), work('two', { ms: 6_000 }), work('three')] },
  { name: 'yearly', steps: [work('only')], schedule: { cron: '0 0 1 1 *', timeZone: 'Europe/Stockholm' } },
  { name: 'failing', steps: [work('bad', { do: 'fail-terminal' }), work('after')] },
  {
    name: 'tree', title: 'Everything nested', failurePolicy: 'compensate',
    steps: [
      { ...work('first'), compensate: { job: 'obey' } },
      { id: 'both', type: 'parallel', branches: [{ label: 'left', steps: [work('a')] }, { label: 'right', steps: [work('b'), work('c')] }] },
      { id: 'size', type: 'decision', branches: [{ id: 'big', when: '2 > 1', steps: [work('large')] }, { id: 'small', steps: [work('little')] }] },
      work('breaks', { do: 'fail-terminal' }),
    ],
    onFailureSteps: [work('page')],
  },
  // With its groups exactly as many as a definition may have; side by side, so that it is done soon.
  { name: 'thousand', steps: Array.from({ length: 40 }, (_, row) => ({ id: `row-${row + 1}`, type: 'parallel' as const, branches: Array.from({ length: 24 }, (_none, at) => ({ steps: [work(`step-${String(row * 24 + at + 1).padStart(4, '0')}`)] })) })) },
];
