/** Definitions of every kind of step, nested, and what may happen to their runs: for whoever tries all of it. */
import fc from 'fast-check';
import type { BatchDefinition, JobStep, StepDefinition } from '../../src/events/definition.js';

export type Definition = Omit<BatchDefinition, 'name'>;

/** The last one can not be judged: that is found when it is its turn. */
const conditions = fc.constantFrom(undefined, undefined, 'true', 'false', 'params.day == "2026-01-31"', 'run.startedBy == "rita"', 'int(params.day) > 0');
const jobs = fc.record({
  type: fc.constant('job'), job: fc.constant('work'), when: conditions,
  retry: fc.constantFrom(undefined, { maxAttempts: 2, backoff: 'none' }, { maxAttempts: 3, backoff: 'fixed', initialDelay: '1m', jitter: false }, { maxLosses: 1 }),
  timeout: fc.constantFrom(undefined, '1h'), compensate: fc.constantFrom(undefined, { job: 'work' }),
});
const gates = fc.record({
  type: fc.constant('gate'), allowedRoles: fc.constantFrom(['boss'], ['boss', 'cfo'], ['*']), when: conditions, quorum: fc.constantFrom(undefined, 2), notTheStarter: fc.constantFrom(undefined, true),
  timeout: fc.constant('1m'), onTimeout: fc.constantFrom('fail', 'approve', 'hold'),
});

const steps = fc.letrec<{ sequence: unknown[]; step: unknown }>((tie) => ({
  sequence: fc.array(tie('step'), { minLength: 1, maxLength: 3, depthIdentifier: 'steps' }),
  step: fc.oneof(
    { depthIdentifier: 'steps', maxDepth: 4 },
    jobs,
    gates,
    fc.record({
      type: fc.constant('parallel'), join: fc.constantFrom('all', 'any', 'majority'), compensate: fc.constantFrom(undefined, undefined, { job: 'work' }), when: conditions,
      branches: fc.array(fc.record({ steps: tie('sequence') }), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      type: fc.constant('decision'), when: conditions, compensate: fc.constantFrom(undefined, undefined, { job: 'work' }),
      branches: fc.array(fc.record({ when: fc.constantFrom('true', 'false', 'params.day == "x"'), steps: fc.oneof(fc.constant([]), tie('sequence')) }), { minLength: 1, maxLength: 3 }),
    }),
  ),
})).sequence;

/** The same with every step's id, `s0` and on. */
function named(sequence: readonly unknown[], next = { id: 0 }): StepDefinition[] {
  return JSON.parse(JSON.stringify(sequence), (_, value: unknown) => (typeof value === 'object' && value !== null && 'type' in value ? { id: `s${next.id++}`, ...value } : value)) as StepDefinition[];
}

const tell: JobStep[] = [{ id: 'tell', type: 'job', job: 'work' }, { id: 'page', type: 'job', job: 'work', when: 'false' }];

export const definitions: fc.Arbitrary<Definition> = fc
  .record({
    steps, failurePolicy: fc.constantFrom('stop' as const, 'continue' as const, 'compensate' as const), compensateOnCancel: fc.boolean(),
    onFailureSteps: fc.boolean(), timeout: fc.constantFrom(undefined, '1d'),
  })
  .map(({ steps: sequence, onFailureSteps, timeout, ...policy }) => ({ steps: named(sequence), ...policy, ...(onFailureSteps && { onFailureSteps: tell }), ...(timeout !== undefined && { timeout }) }));

/** The same with everything in one group, and each group in need of all its branches. */
export const allNeeded: fc.Arbitrary<Definition> = definitions.map((definition) => {
  const branches = definition.steps.map((step) => ({ steps: [JSON.parse(JSON.stringify(step), (key, value: unknown) => (key === 'join' ? 'all' : value)) as StepDefinition] }));
  return { ...definition, steps: [{ id: 'top', type: 'parallel', join: 'all', branches }] };
});

/** What may happen to a run; `at` says to which of its steps. */
export interface Act {
  readonly what: 'succeed' | 'fail' | 'failForGood' | 'lose' | 'claim' | 'fire' | 'approve' | 'approveToo' | 'reject' | 'cancel' | 'pause' | 'resume' | 'cancelExecution' | 'runTimeout';
  readonly at: number;
}

const likely = { succeed: 6, claim: 2, fail: 2, failForGood: 1, lose: 2, fire: 3, approve: 3, approveToo: 2, reject: 1, cancel: 1, pause: 1, resume: 2, cancelExecution: 1, runTimeout: 1 } as const;
const what = fc.oneof(...Object.entries(likely).map(([act, weight]) => ({ weight, arbitrary: fc.constant(act as Act['what']) })));

export const histories: fc.Arbitrary<Act[]> = fc.array(fc.record({ what, at: fc.nat(50) }), { maxLength: 40 });

/** Every kind of step, four deep: a group in a branch of a decision in a branch of a group, with gates, races and each kind passed over in it. */
export const FOUR_DEEP: Definition = {
  failurePolicy: 'compensate', compensateOnCancel: true, onFailureSteps: tell,
  steps: [
    { id: 'begin', type: 'job', job: 'work', compensate: { job: 'work' } },
    {
      id: 'outer', type: 'parallel', branches: [
        {
          steps: [
            {
              id: 'choice', type: 'decision', when: 'true', branches: [
                { id: 'never', when: 'false', steps: [{ id: 'not-taken', type: 'job', job: 'work' }] },
                {
                  id: 'taken', steps: [
                    {
                      id: 'race', type: 'parallel', join: 'any', branches: [
                        { steps: [{ id: 'deep', type: 'parallel', join: 'majority', compensate: { job: 'work' }, branches: ['x', 'y', 'z'].map((id) => ({ steps: [{ id, type: 'job' as const, job: 'work', compensate: { job: 'work' } }] })) }, { id: 'sign', type: 'gate', allowedRoles: ['boss'], quorum: 2, timeout: '1m', onTimeout: 'hold' }] },
                        { steps: [{ id: 'slow', type: 'job', job: 'work', retry: { maxAttempts: 2, backoff: 'fixed', initialDelay: '1m', jitter: false } }, { id: 'skipped', type: 'job', job: 'work', when: 'false' }] },
                      ],
                    },
                    { id: 'unasked', type: 'decision', when: 'false', branches: [{ id: 'there', steps: [{ id: 'unheard', type: 'gate', allowedRoles: ['boss'], timeout: '1m' }] }] },
                    { id: 'after-race', type: 'job', job: 'work', compensate: { job: 'work' } },
                  ],
                },
              ],
            },
          ],
        },
        { steps: [{ id: 'waived', type: 'gate', when: 'false', allowedRoles: ['boss'], timeout: '1m' }, { id: 'unwanted', type: 'parallel', when: 'false', branches: [{ steps: [{ id: 'unused', type: 'job', job: 'work' }] }] }] },
        { steps: [{ id: 'release', type: 'gate', allowedRoles: ['boss'], notTheStarter: true, timeout: '1m', onTimeout: 'fail' }, { id: 'beside', type: 'job', job: 'work', timeout: '1h', compensate: { job: 'work' } }] },
      ],
    },
    { id: 'end', type: 'job', job: 'work' },
  ],
};
