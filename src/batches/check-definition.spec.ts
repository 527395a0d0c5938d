import { describe, expect, it } from '@jest/globals';
import type { BatchDefinition } from '../events/definition.js';
import { checkDefinition, notSupportedYet } from './check-definition.js';

const anyJob = { jobs: () => true };
const job = (id: string, more: object = {}): object => ({ id, type: 'job', job: 'obey', ...more });
const gate = (id: string, more: object = {}): object => ({ id, type: 'gate', allowedRoles: ['*'], timeout: '1d', ...more });
const parallel = (id: string, ...branches: object[][]): object => ({ id, type: 'parallel', branches: branches.map((steps) => ({ steps })) });
const decision = (id: string, ...branches: object[]): object => ({ id, type: 'decision', branches });
const batch = (steps: object[], more: object = {}): object => ({ name: 'b', steps, ...more });
const faults = (input: unknown): string[] => checkDefinition(input, anyJob).errors.map(({ path }) => path);

/** What the public contract shows. */
const NIGHTLY_CLOSE = {
  name: 'nightly-close', title: 'Nightly close', description: 'Closes the books of the day', labels: { team: 'finance' },
  parameters: [
    { name: 'day', kind: 'string', required: true, description: 'business day, YYYY-MM-DD' },
    { name: 'limit', kind: 'number', default: 1000 },
    { name: 'dryRun', kind: 'boolean', default: false },
  ],
  steps: [
    {
      id: 'extract', type: 'job', job: 'extract-ledger', params: { source: 'erp' },
      retry: { maxAttempts: 4, backoff: 'exponential', initialDelay: '1s', maxDelay: '1m', jitter: true },
      timeout: '10m', cancelGrace: '5s', compensate: { job: 'delete-extract' },
    },
    {
      id: 'checks', type: 'parallel', join: 'all',
      branches: [
        { steps: [{ id: 'balance', type: 'job', job: 'check-balance' }] },
        {
          steps: [
            { id: 'fraud', type: 'job', job: 'check-fraud' },
            { id: 'fraudReview', type: 'gate', title: 'Fraud review of {{ params.day }}', allowedRoles: ['risk'], show: { hits: 'outputs.fraud.hits' } },
          ],
        },
      ],
    },
    {
      id: 'size', type: 'decision',
      branches: [
        {
          id: 'big', label: 'over the limit', when: 'outputs.balance.total > params.limit',
          steps: [{ id: 'cfo', type: 'gate', title: 'CFO signs', allowedRoles: ['cfo'], quorum: 1, notTheStarter: true, timeout: '2d', onTimeout: 'fail' }],
        },
        { id: 'small', steps: [] },
      ],
    },
    { id: 'post', type: 'job', job: 'post-ledger', when: '!params.dryRun' },
  ],
  failurePolicy: 'compensate', compensateOnCancel: false, onFailureSteps: [{ id: 'page', type: 'job', job: 'notify' }], timeout: '6h',
  schedule: {
    cron: '30 2 * * 1-5', timeZone: 'Europe/Stockholm', catchUp: 'latest', catchUpWindow: '4h', catchUpLimit: 100, overlap: 'skip', queueLimit: 1,
    jitter: '0s', startAt: null, endAt: null, parameters: { day: '{{ occurrence.date }}' }, paused: false,
  },
};

describe('the definition that the public contract shows', () => {
  it('is sound and stays as it is written', () => {
    const { definition, errors, warnings } = checkDefinition(NIGHTLY_CLOSE, anyJob);
    expect(errors).toEqual([]);
    expect(definition).toEqual(NIGHTLY_CLOSE);
    expect(warnings.map(({ path }) => path)).toEqual(['/steps/1/branches/1/steps/1', '/steps/2/branches/0/steps/0/timeout']);
  });

  it('warns of jobs that nobody registered', () => {
    const { errors, warnings } = checkDefinition(NIGHTLY_CLOSE, { jobs: (name) => name.startsWith('check-') });
    expect(errors).toEqual([]);
    expect(warnings.map(({ path }) => path)).toEqual([
      '/steps/0/job', '/steps/0/compensate/job', '/steps/3/job', '/onFailureSteps/0/job', '/steps/1/branches/1/steps/1', '/steps/2/branches/0/steps/0/timeout',
    ]);
  });

  it('asks for nothing that is not supported yet', () => {
    const { definition } = checkDefinition(NIGHTLY_CLOSE, anyJob);
    expect(definition && notSupportedYet(definition).map(({ path }) => path).sort()).toEqual([]);
  });
});

describe('a definition', () => {
  it.each<[string, unknown, string[]]>([
    ['is no object', 'text', ['']],
    ['has an unknown field and a wrong one', batch([job('a', { jbo: 1, timeout: 'soon' })]), ['/steps/0/timeout', '/steps/0/jbo']],
    ['has no steps', batch([]), ['/steps']],
    ['has an empty parallel branch', batch([parallel('p', [])]), ['/steps/0/branches/0/steps']],
    ['has a gate without roles', batch([gate('g', { allowedRoles: [] })]), ['/steps/0/allowedRoles']],
    ['has a quorum of none', batch([gate('g', { quorum: 0 })]), ['/steps/0/quorum']],
    ['has an id twice', batch([job('a'), parallel('p', [job('a')])], { onFailureSteps: [job('p')] }), ['/steps/1/branches/0/steps/0/id', '/onFailureSteps/0/id']],
    ['has its else branch first', batch([decision('d', { steps: [] }, { when: 'true', steps: [] })]), ['/steps/0/branches/0']],
    ['has two branches of one id', batch([decision('d', { id: 'x', when: 'true', steps: [] }, { id: 'x', steps: [] })]), ['/steps/0/branches/1/id']],
    ['approves at no time', batch([{ id: 'g', type: 'gate', allowedRoles: ['*'], onTimeout: 'approve' }]), ['/steps/0/onTimeout']],
    ['wants a majority of two', batch([{ ...parallel('p', [job('a')], [job('b')]), join: 'majority' }]), ['/steps/0/join']],
    ['has a default of another kind', batch([job('a')], { parameters: [{ name: 'n', kind: 'integer', default: 1.5 }] }), ['/parameters/0/default']],
    ['has a parameter twice', batch([job('a')], { parameters: [{ name: 'n', kind: 'string' }, { name: 'n', kind: 'number' }] }), ['/parameters/1/name']],
    ['has half a character', batch([job('a', { params: { text: '\ud800' } })]), ['/steps/0/params/text']],
    ['has a cron rule of 7 fields, and no such zone', batch([job('a')], { schedule: { cron: '0 0 2 * * 1 2030', timeZone: 'Europe/Nowhere' } }), ['/schedule/cron', '/schedule/timeZone']],
    ['has a cron rule out of range', batch([job('a')], { schedule: { cron: '61 2 * * *' } }), ['/schedule/cron']],
    ['schedules what is not declared', batch([job('a')], { schedule: { cron: '* * * * * *', parameters: { x: '{{ params.day }}' } } }), ['/schedule/parameters/x', '/schedule/parameters/x']],
    ['has more than 1,000 steps', batch(Array.from({ length: 1_001 }, (_, index) => job(`s${index}`))), ['/steps']],
    ['is larger than 1 MiB', batch([job('a', { params: { text: 'x'.repeat(1024 * 1024) } })]), ['']],
  ])('is refused if it %s', (_, input, expected) => {
    expect(faults(input)).toEqual(expected);
  });

  it('is nested 8 levels deep at most', () => {
    const nested = (levels: number): object => (levels === 1 ? job('leaf') : parallel(`p${levels}`, [nested(levels - 1)]));
    expect(faults(batch([nested(8)]))).toEqual([]);
    expect(faults(batch([nested(9)]))).toHaveLength(1);
  });

  it('is judged soon, however many empty branches it has', () => {
    const empty = Array.from({ length: 40_000 }, () => ({ when: 'true', steps: [] }));
    expect(faults(batch([...Array.from({ length: 900 }, (_, index) => job(`s${index}`)), decision('d', ...empty.slice(0, 20_000))]))).toEqual([]);
  });
});

describe('an expression of a definition', () => {
  const uses = (id: string, ...named: string[]): object => job(id, { params: Object.fromEntries(named.map((name) => [name, `{{ outputs.${name}.x }}`])) });

  it.each<[string, unknown, string[]]>([
    ['does not compile', batch([job('a', { when: '1 +' }), gate('g', { title: 'Of {{ params.x', show: { 'a/b': '(' } })]), ['/steps/0/when', '/steps/1/title', '/steps/1/show/a~1b']],
    ['is no condition', batch([job('a', { when: '"text"' })]), ['/steps/0/when']],
    ['names an undeclared parameter', batch([job('a', { when: 'params.n > 1' })], { parameters: [{ name: 'm', kind: 'number' }] }), ['/steps/0/when']],
    ['names a step that is not there', batch([uses('a', 'ghost')]), ['/steps/0/params/ghost']],
    ['names its own step, or a later one', batch([uses('a', 'a', 'b'), job('b')]), ['/steps/0/params/a', '/steps/0/params/b']],
    ['names a step of a sibling branch', batch([parallel('p', [job('a')], [uses('b', 'a')])]), ['/steps/0/branches/1/steps/0/params/a']],
    ['names a group', batch([parallel('p', [job('a')]), uses('b', 'p')]), ['/steps/1/params/p']],
    ['names an occurrence in a step', batch([job('a', { when: 'occurrence.date == "x"' })]), ['/steps/0/when']],
    ['hangs the process', batch([job('a', { when: '"aaaa".matches("(a+)+$")' })]), ['/steps/0/when']],
  ])('is refused if it %s', (_, input, expected) => {
    expect(faults(input)).toEqual(expected);
  });

  it('may name what stands before it, in the enclosing lists and in what is nested in those', () => {
    const steps = [job('a'), parallel('p', [job('b'), uses('c', 'a', 'b')], [uses('d', 'a')]), uses('e', 'a', 'b', 'c', 'd')];
    expect(faults(batch(steps, { onFailureSteps: [uses('f', 'a', 'e'), uses('g', 'f')] }))).toEqual([]);
  });

  it('may name its own step where it undoes it', () => {
    expect(faults(batch([job('a', { compensate: { job: 'undo', params: { what: '{{ outputs.a.id }}' } } })]))).toEqual([]);
  });
});

describe('conditions that loop', () => {
  it('are judged in a time that they have together', () => {
    const list = `[${Array.from({ length: 60 }, (_, at) => at).join()}]`;
    const when = `${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, a + b + c + d >= 0))))`;
    const steps = Array.from({ length: 20 }, (_, at) => job(`s${at}`, { when }));
    const { errors } = checkDefinition(batch(steps), { jobs: () => true });
    expect(errors).toHaveLength(20);
    expect(errors.filter(({ message }) => message.includes('longer than 200 ms')).length).toBeLessThan(5);
    expect(errors.at(-1)?.message).toContain('with the expressions before it, it takes longer than 1000 ms');
  });
});

describe('what is not supported yet', () => {
  const plain: BatchDefinition = { name: 'b', steps: [{ id: 'a', type: 'job', job: 'obey' }, { id: 'g', type: 'gate', allowedRoles: ['*'], quorum: 1 }] };

  it('is nothing in a plain definition', () => {
    expect(notSupportedYet({ ...plain, failurePolicy: 'continue', compensateOnCancel: false, onFailureSteps: [], schedule: null })).toEqual([]);
  });

  it('is a secret, by its place', () => {
    expect(notSupportedYet({ ...plain, parameters: [{ name: 'key', kind: 'secret' }] }).map((problem) => problem.path)).toEqual(['/parameters/0/kind']);
  });
});
