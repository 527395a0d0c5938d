import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseJson, type JsonValue } from '../events/json.js';
import { checkDefinition } from './check-definition.js';

const anyJob = { jobs: () => true };
const job = (id: string, more: object = {}): object => ({ id, type: 'job', job: 'obey', ...more });
const gate = (id: string, more: object = {}): object => ({ id, type: 'gate', allowedRoles: ['*'], timeout: '1d', ...more });
const batch = (more: object = {}, ...steps: unknown[]): object => ({ name: 'b', steps: steps.length === 0 ? [job('a')] : steps, ...more });
const scheduled = (more: object, parameters: object[] = []): object => batch({ schedule: { cron: '0 2 * * *', ...more }, parameters });
const parsed = (text: string): JsonValue => parseJson(text);

/** What is refused, and the whole answer: every place with the sentence that stands there. */
const REFUSED: readonly [string, unknown, Record<string, string>][] = [
  ['nothing', undefined, { '': 'Give the definition as JSON of at most 80 levels.' }],
  ['null', null, { '': 'Give an object here.' }],
  ['a list', [], { '': 'Give an object here.' }],
  ['an empty object', {}, {
    '/name': '"name" is needed here. Give a text here.',
    '/steps': '"steps" is needed here. Give a list here.',
  }],
  ['a name with capitals', batch({ name: 'Nightly' }), { '/name': 'A name has 1 to 100 lower-case letters, digits, ".", "_" or "-", and begins with a letter or digit.' }],
  ['a name like an id', batch({ name: '0b6ad1f0-6f43-4d7e-9a37-1f2e3d4c5b6a' }), { '/name': 'A name may not look like a UUID, because batches are also found by their id.' }],
  ['a field that is none', batch({ stpes: [] }), { '/stpes': 'There is no field "stpes" here.' }],
  ['a field with a slash', batch({ 'a/b~c': 1 }), { '/a~1b~0c': 'There is no field "a/b~c" here.' }],
  ['an own __proto__', parsed('{"name":"b","steps":[{"id":"a","type":"job","job":"x"}],"__proto__":{}}'), { '/__proto__': 'There is no field "__proto__" here.' }],
  ['a label called __proto__', parsed('{"name":"b","steps":[{"id":"a","type":"job","job":"x"}],"labels":{"__proto__":"1"}}'), { '/labels/__proto__': 'Nothing can be called "__proto__" here.' }],
  ['a label with a colon', batch({ labels: { 'a:b': 'c' } }), { '/labels/a:b': 'A label is named by 1 to 63 letters, digits, ".", "_", "/" or "-".' }],
  ['a label that is a number', batch({ labels: { a: 1 } }), { '/labels/a': 'Give a text here.' }],
  ['a policy of its own', batch({ failurePolicy: 'ignore' }), { '/failurePolicy': 'Give one of "stop", "continue", "compensate".' }],
  ['a negative duration', batch({ timeout: '-1s' }), { '/timeout': 'Give a duration like "30s", "15m" or "2h", or whole milliseconds from 0; it may be a hundred years at most.' }],
  ['half a millisecond', batch({ timeout: 0.5 }), { '/timeout': 'Give a duration like "30s", "15m" or "2h", or whole milliseconds from 0; it may be a hundred years at most.' }],
  ['a duration of truth', batch({ timeout: true }), { '/timeout': 'Give a duration like "30s", "15m" or "2h", or whole milliseconds.' }],
  ['a step without type', batch({}, { id: 'a' }), { '/steps/0/type': '"type" is needed here. Give one of "job", "gate", "parallel", "decision".' }],
  ['a step of no known type', batch({}, { id: 'a', type: 'loop' }), { '/steps/0/type': 'Give one of "job", "gate", "parallel", "decision".' }],
  ['a step that is null', batch({}, null), { '/steps/0': 'Give an object here.' }],
  ['a job step without job', batch({}, { id: 'a', type: 'job' }), { '/steps/0/job': '"job" is needed here. Give a text here.' }],
  ['an empty id', batch({}, job('')), { '/steps/0/id': 'An id has 1 to 64 letters, digits, "_" or "-", and begins with a letter or digit.' }],
  ['an id with a colon', batch({}, job('a:compensate')), { '/steps/0/id': 'An id has 1 to 64 letters, digits, "_" or "-", and begins with a letter or digit.' }],
  ['an id of a gate that a failure step takes', batch({ onFailureSteps: [job('g')] }, gate('g')), { '/onFailureSteps/0/id': 'The id "g" is taken by /steps/0; ids are unique in the whole definition.' }],
  ['a gate among the failure steps', batch({ onFailureSteps: [gate('g')] }), {
    '/onFailureSteps/0/type': 'Give "job".',
    '/onFailureSteps/0/job': '"job" is needed here. Give a text here.',
    '/onFailureSteps/0/allowedRoles': 'There is no field "allowedRoles" here.',
  }],
  ['no attempt at all', batch({}, job('a', { retry: { maxAttempts: 0 } })), { '/steps/0/retry/maxAttempts': 'maxAttempts counts the first attempt, so it is at least 1.' }],
  ['a retry that is unknown', batch({}, job('a', { retry: { attempts: 3 } })), { '/steps/0/retry/attempts': 'There is no field "attempts" here.' }],
  ['parameters that are a list', batch({}, job('a', { params: [] })), { '/steps/0/params': 'Give a JSON object of at most 32 levels.' }],
  ['a decision without branches', batch({}, { id: 'd', type: 'decision', branches: [] }), { '/steps/0/branches': 'A decision needs at least one branch.' }],
  ['two else branches', batch({}, { id: 'd', type: 'decision', branches: [{ steps: [] }, { steps: [] }] }), { '/steps/0/branches/0': 'A branch without "when" is the else, and must be the last.' }],
  ['a when in a parallel branch', batch({}, { id: 'p', type: 'parallel', branches: [{ when: 'true', steps: [job('a')] }] }), { '/steps/0/branches/0/when': 'There is no field "when" here.' }],
  ['a role with a space', batch({}, gate('g', { allowedRoles: ['risk team'] })), { '/steps/0/allowedRoles/0': 'A role is "*" or a name of at most 100 characters without spaces and commas.' }],
  ['something shown that is called __proto__', batch({}, gate('g', { show: parsed('{"__proto__":"1"}') })), { '/steps/0/show/__proto__': 'Nothing can be called "__proto__" here.' }],
  ['a compensation without job', batch({}, job('a', { compensate: {} })), { '/steps/0/compensate/job': '"job" is needed here. Give a text here.' }],
  ['a kind that is none', batch({ parameters: [{ name: 'n', kind: 'int' }] }), { '/parameters/0/kind': 'Give one of "string", "integer", "number", "boolean", "datetime", "object", "secret".' }],
  ['a parameter that begins with a digit', batch({ parameters: [{ name: '1', kind: 'string' }] }), { '/parameters/0/name': 'A parameter is named by 1 to 64 letters, digits, "_" or "-", a letter first.' }],
  ['a required parameter with a default', batch({ parameters: [{ name: 'n', kind: 'string', required: true, default: 'x' }] }), { '/parameters/0/required': 'The parameter "n" has a default, so nobody has to give it: leave one of the two out.' }],
  ['a default that is a secret itself', batch({ parameters: [{ name: 'n', kind: 'secret', default: 'hunter2' }] }), { '/parameters/0/default': 'Give the name of a secret, {"$secret": "name"}; the secret itself is never stored.' }],
  ['NUL in a key', batch({}, job('a', { params: { 'x\0': 1 } })), { '/steps/0/params/x\ufffd': 'A text may hold neither NUL nor half a character.' }],
  ['an outcome of a hyphen', batch({}, job('fraud-review'), job('b', { when: 'outputs.fraud-review.hits > 0' })), { '/steps/1/when': 'Unknown variable: review (at character 15). If "fraud-review" is one name, write outputs["fraud-review"].' }],
  ['a hyphen before a number', batch({}, job('step-1'), job('b', { when: 'outputs.step-1 > 0' })), { '/steps/1/when': 'No job or gate has the id "step"; for "step-1" write outputs["step-1"] (at character 1).' }],
  ['a parameter that nobody declares, inside a text', batch({}, gate('g', { title: 'Of {{ params.day }}' })), { '/steps/0/title': 'The definition declares no parameter "day" (at character 7).' }],
  ['a number for a condition', batch({}, job('a', { when: 'size("abc")' })), { '/steps/0/when': 'The expression must give true or false.' }],
  ['a cron rule of four fields', scheduled({ cron: '0 2 * *' }), { '/schedule/cron': 'Give a cron rule of 5 fields, or of 6 with seconds first, like "30 2 * * 1-5"; this one has 4.' }],
  ['a cron rule with a year', scheduled({ cron: '0 0 2 * * 1 2030' }), { '/schedule/cron': 'Give a cron rule of 5 fields, or of 6 with seconds first, like "30 2 * * 1-5"; this one has 7.' }],
  ['a cron rule of 25 o\'clock', scheduled({ cron: '0 25 * * *' }), { '/schedule/cron': 'Field 2 of the cron rule, the hour, does not parse: "25".' }],
  ['a cron rule of seconds that are none', scheduled({ cron: 'x 0 2 * * *' }), { '/schedule/cron': 'Field 1 of the cron rule, the second, does not parse: "x".' }],
  ['a cron name', scheduled({ cron: '@reboot' }), { '/schedule/cron': 'There is no "@reboot"; the names are @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly.' }],
  ['a zone that is an offset', scheduled({ timeZone: '+01:00' }), { '/schedule/timeZone': '"+01:00" is not an IANA time zone, like "Europe/Stockholm" or "UTC".' }],
  ['moments that no clock reaches', scheduled({ startAt: '1969-12-31T00:00:00Z', endAt: '9999-12-31T23:59:00Z' }), { '/schedule/startAt': 'Give a time between 1970 and 9000.', '/schedule/endAt': 'Give a time between 1970 and 9000.' }],
  ['a way to catch up that is none', scheduled({ catchUp: 'some' }), { '/schedule/catchUp': 'Give one of "skip", "latest", "all".' }],
  ['a queue of none', scheduled({ queueLimit: 0 }), { '/schedule/queueLimit': 'queueLimit is at least 1.' }],
  ['a start without zone', scheduled({ startAt: '2026-01-01T00:00:00' }), { '/schedule/startAt': 'Give a time as ISO 8601 with its zone, like "2026-01-31T00:00:00Z".' }],
  ['an end before the start', scheduled({ startAt: '2026-02-01T00:00:00Z', endAt: '2026-01-01T00:00:00Z' }), { '/schedule/endAt': 'The schedule ends before it starts.' }],
  ['a schedule that gives what does not fit', scheduled({ parameters: { n: 'x' } }, [{ name: 'n', kind: 'number' }]), { '/schedule/parameters/n': 'Give a number.' }],
  ['a schedule that gives too little', scheduled({}, [{ name: 'day', kind: 'string', required: true }]), { '/schedule/parameters': 'The parameter "day" is required, so the schedule must give it.' }],
  ['a schedule that looks into a run', scheduled({ parameters: { n: '{{ run.id }}' } }, [{ name: 'n', kind: 'string' }]), { '/schedule/parameters/n': 'A schedule knows its occurrence only, not run (at character 4).' }],
];

describe('a definition is refused, and told why, for', () => {
  it.each(REFUSED)('%s', (_, input, expected) => {
    const { definition, errors, warnings } = checkDefinition(input, anyJob);
    expect(Object.fromEntries(errors.map(({ path, message }) => [path, message]))).toEqual(expected);
    expect(errors).toHaveLength(Object.keys(expected).length);
    expect([definition, warnings]).toEqual([undefined, []]);
  });
});

describe('all faults of a definition', () => {
  it('are listed at once, of its shape and of what its parts say about each other', () => {
    const input = batch(
      { nope: 1, timeout: 'soon', parameters: [{ name: 'n', kind: 'number', default: 'x' }, { name: 'm', kind: 'wrong' }], schedule: { cron: '99 * * * *', catchUp: 'no' } },
      job('a', { when: 'params.ghost', retry: { maxAttempts: 0 } }),
      null,
      { id: 'odd', type: 'loop', steps: [] },
      job('a', { params: { x: '{{ outputs.later.x }}', y: '{{ outputs.odd.x }}' } }),
      gate('later', { allowedRoles: [], onTimeout: 'approve', timeout: undefined }),
    );
    const { errors } = checkDefinition(JSON.parse(JSON.stringify(input)), anyJob);
    expect(errors.map(({ path }) => path).sort()).toEqual([
      '/nope', '/parameters/0/default', '/parameters/1/kind', '/schedule/catchUp', '/schedule/cron', '/steps/0/retry/maxAttempts', '/steps/0/when',
      '/steps/1', '/steps/2/type', '/steps/3/id', '/steps/3/params/x', '/steps/4/allowedRoles', '/steps/4/onTimeout', '/timeout',
    ]);
  });

  it('are found in any JSON without a crash, and what is accepted is what was given', () => {
    const piece = fc.oneof(fc.constantFrom<unknown>('a', 'b', 'job', 'gate', 'parallel', 'decision', 1, null, true, [], {}, 'params.a', '{{ outputs.a }}'), fc.jsonValue({ maxDepth: 2 }));
    const record = (keys: string[]): fc.Arbitrary<object> => fc.dictionary(fc.constantFrom(...keys, 'extra'), piece, { maxKeys: 6 });
    const perhaps = (keys: string[]): fc.Arbitrary<object> => fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, record(keys));
    const step = fc.letrec((tie) => ({
      step: fc.oneof(
        { maxDepth: 3 },
        record(['id', 'type', 'job', 'when', 'params', 'retry', 'timeout', 'compensate', 'allowedRoles', 'show', 'title', 'branches']),
        fc.tuple(fc.constantFrom('a', 'b', 'c', ''), perhaps(['when', 'params', 'title'])).map(([id, more]) => job(id, more)),
        fc.tuple(fc.constantFrom('p', 'd'), fc.constantFrom('parallel', 'decision'), fc.array(fc.tuple(perhaps(['id', 'when']), fc.array(tie('step'), { maxLength: 2 })), { maxLength: 3 })).map(
          ([id, type, branches]) => ({ id, type, branches: branches.map(([more, steps]) => ({ ...more, steps })) }),
        ),
      ),
    })).step;
    const definition = fc.tuple(fc.array(step, { maxLength: 4 }), perhaps(['title', 'parameters', 'labels', 'schedule', 'timeout', 'onFailureSteps'])).map(([steps, more]) => ({ name: 'b', steps, ...more }));
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(definition, fc.jsonValue()), (given) => {
        const input: unknown = JSON.parse(JSON.stringify(given));
        const check = checkDefinition(input, anyJob);
        expect(check.definition === undefined).toBe(check.errors.length > 0);
        if (check.definition !== undefined) {
          accepted++;
          expect(check.definition).toBe(input);
        }
        for (const { path, message } of check.errors) {
          expect(path).toMatch(/^(\/|$)/);
          expect(message).toMatch(/^.{5,}\.$/s);
          expect(message).not.toContain('Invalid input');
          expect(path + message).not.toContain('stand-in');
        }
      }),
      { numRuns: 1_000 },
    );
    expect(accepted).toBeGreaterThan(10);
  });
});

const decision = (...conditions: (string | undefined)[]) =>
  batch({ parameters: [{ name: 'a', kind: 'number' }] }, { id: 'd', type: 'decision', branches: conditions.map((when, at) => ({ ...(when !== undefined && { when }), steps: [job(`s${at}`)] })) });

describe('a definition is refused for', () => {
  it.each<[string, object, string, RegExp]>([
    ['a condition that fails in every run', batch({}, job('a', { when: '1 / 0 > 1' })), '/steps/0/when', /fails: .*zero/i],
    ['a branch whose condition fails in every run', decision('[1][3] == 1'), '/steps/0/branches/0/when', /the same in every run, and fails/],
  ])('%s', (_, input, path, words) => {
    expect(checkDefinition(input, anyJob).errors).toEqual([{ path, message: expect.stringMatching(words) }]);
  });
});

describe('a definition is accepted with a warning for', () => {
  it.each<[string, object, string, RegExp]>([
    ['a rule that is never due', scheduled({ cron: '0 0 30 2 *' }), '/schedule/cron', /never due/],
    ['a window without an occurrence', scheduled({ cron: '0 0 29 2 *', startAt: '2026-01-01T00:00:00Z', endAt: '2027-01-01T00:00:00Z' }), '/schedule/endAt', /before it is due/],
    ['a gate that waits for ever', batch({}, { id: 'g', type: 'gate', allowedRoles: ['*'] }), '/steps/0', /no timeout/],
    ['a gate that stays open', batch({}, gate('g', { onTimeout: 'hold' })), '/steps/0/onTimeout', /stays open/],
    ['a gate that outlasts the run', batch({ timeout: '1d' }, gate('g')), '/steps/0/timeout', /the run as a whole/i],
    ['a step that never runs', batch({}, job('a', { when: '1 > 2' })), '/steps/0/when', /"a" never runs/],
    ['a group that never runs', batch({}, { id: 'p', type: 'parallel', when: 'false', branches: [{ steps: [gate('g')] }] }), '/steps/0/when', /"p" and what is in it never run/],
    ['a branch behind one that always fits', decision('true', 'params.a == 1'), '/steps/0/branches/1', /branch 1 before it always fits/],
    ['a branch that never fits', decision('false', undefined), '/steps/0/branches/0', /never true/],
    ['a branch with the condition of another', decision('params.a == 1', 'params.a == 1'), '/steps/0/branches/1', /branch 1 before it has the same condition/],
    ['a compensation that never runs', batch({}, job('a', { compensate: { job: 'undo' } })), '/steps/0/compensate', /never runs.*"stop"/],
    ['undoing nothing', batch({ compensateOnCancel: true }, job('a')), '/compensateOnCancel', /No step says/],
    ['a step after the failure that never runs', batch({ onFailureSteps: [job('tell', { when: 'false' })] }, job('a')), '/onFailureSteps/0/when', /never runs/],
  ])('%s', (_, input, path, words) => {
    const { definition, errors, warnings } = checkDefinition(input, anyJob);
    expect([errors, definition]).toEqual([[], input]);
    expect(warnings).toEqual([{ path, message: expect.stringMatching(words) }]);
  });

  it('none for a leap day, which is due though rarely', () => {
    expect(checkDefinition(scheduled({ cron: '0 0 29 2 *', timeZone: 'Europe/Stockholm' }), anyJob)).toMatchObject({ errors: [], warnings: [] });
  });
});

describe('a group', () => {
  it('is undone with what ran inside it', () => {
    const group = { id: 'p', type: 'parallel', branches: [{ steps: [job('a')] }], compensate: { job: 'undo', params: { what: '{{ outputs.a.id }}' } } };
    expect(checkDefinition(batch({}, group), anyJob).errors).toEqual([]);
  });
});
