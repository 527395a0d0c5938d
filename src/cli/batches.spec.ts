import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, list, problem, StandIn } from '../../test/cli/stand-in.js';

const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
const definition = (name: string): Record<string, unknown> => ({ name, steps: [{ id: 'a', type: 'job', job: 'obey' }] });
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.close();
});

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const saved = (name: string, version: number, warnings: readonly unknown[] = []) => ({
  headers: { etag: `"v${version}"`, 'sluice-position': `00${version}` },
  body: { id: 'b', name, version, position: `00${version}`, warnings },
});

describe('sluice batches apply', () => {
  it('creates what is not there and tells its warnings', async () => {
    const warnings = [{ path: '/steps/0/job', message: 'No job obey is registered.' }];
    server.on('POST /batches', { status: 201, ...saved('one', 1, warnings) });
    const { code, out } = await ask(server.url, ['batches', 'apply', file('one.json', definition('one'))]);
    expect([code, out]).toEqual([0, 'created one, version 1\n  warning: /steps/0/job: No job obey is registered.\n']);
    expect(server.at('POST /batches')[0]?.body).toEqual(definition('one'));
  });

  it('changes what is there by the version that it saw', async () => {
    server.on('GET /batches/one', saved('one', 4)).on('PUT /batches/one', saved('one', 5));
    const { code, out } = await ask(server.url, ['batches', 'apply', file('one.json', definition('one'))]);
    expect([code, out]).toEqual([0, 'updated one, version 5\n']);
    expect(server.at('PUT /batches/one')[0]?.headers).toMatchObject({ 'if-match': '"v4"', 'idempotency-key': expect.anything() });
  });

  it('says so when nothing had to change', async () => {
    server.on('GET /batches/one', saved('one', 4)).on('PUT /batches/one', saved('one', 4));
    expect((await ask(server.url, ['batches', 'apply', file('one.json', definition('one'))])).out).toBe('unchanged one, version 4\n');
  });

  it('changes what somebody else has made meanwhile', async () => {
    server.on('GET /batches/one', [problem('not-found', 404, 'no'), saved('one', 1)]);
    server.on('POST /batches', problem('duplicate-name', 409, 'There is one.')).on('PUT /batches/one', saved('one', 2));
    expect((await ask(server.url, ['batches', 'apply', file('one.json', definition('one'))])).out).toBe('updated one, version 2\n');
  });

  it('does not write over what somebody else has changed meanwhile', async () => {
    server.on('GET /batches/one', saved('one', 4)).on('PUT /batches/one', problem('version-conflict', 412, 'It is at version 5.'));
    const { code, err } = await ask(server.url, ['batches', 'apply', file('one.json', definition('one'))]);
    expect([code, err]).toEqual([1, expect.stringMatching(/version conflict\.\n {2}It is at version 5\.\n$/)]);
    expect(server.asked).toHaveLength(2);
  });

  it('tells all faults of a refused definition with their places in the file, and applies the others', async () => {
    const errors = [{ path: '/steps/0/job', message: 'Give a job.' }, { path: '', message: 'There are no steps.' }];
    server.on('POST /batches', [problem('validation-failed', 400, 'Correct this.', { errors }), { status: 201, ...saved('good', 1) }]);
    const path = file('two.json', [definition('bad'), definition('good')]);
    const { code, out, err } = await ask(server.url, ['batches', 'apply', path]);
    expect([code, out]).toEqual([1, 'created good, version 1\n']);
    expect(err).toBe(`"bad" (${path}#/0) was refused: validation failed.\n  /0/steps/0/job: Give a job.\n  /0: There are no steps.\n`);
  });

  it('gives programs one document', async () => {
    server.on('POST /batches', [problem('validation-failed', 400, 'Correct this.'), { status: 201, ...saved('good', 1) }]);
    const { code, out } = await ask(server.url, ['batches', 'apply', '--json', file('two.json', [definition('bad'), definition('good')])]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      items: [{ name: 'bad', outcome: 'refused', problem: { detail: 'Correct this.' } }, { name: 'good', outcome: 'created', version: 1, warnings: [] }],
    });
  });

  it('sends nothing when one of the files can not be used', async () => {
    const good = file('good.json', definition('good'));
    for (const [bad, message] of [
      [file('broken.json', '{'), /broken\.json is no valid JSON/],
      [file('text.json', '[1]'), /text\.json#\/0 is no batch definition/],
    ] as const) {
      expect(await ask(server.url, ['batches', 'apply', good, bad])).toMatchObject({ code: 2, err: expect.stringMatching(message) });
    }
    expect(server.asked).toEqual([]);
  });

  it('leaves a definition without a usable name to the server to refuse', async () => {
    server.on('POST /batches', problem('validation-failed', 400, '', { errors: [{ path: '/name', message: 'Give a name.' }] }));
    const { err } = await ask(server.url, ['batches', 'apply', file('nameless.json', { ...definition('x'), name: '../x' })]);
    expect(err).toContain('/name: Give a name.');
    expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /batches']);
  });
});

describe('sluice batches', () => {
  it('lists them, and reads what it wrote', async () => {
    const rows = [{ id: 'b', name: 'one', title: 'The one', version: 3, source: 'api', stepCount: 7, schedule: null, updatedAt: '2026-11-24T11:57:00.000Z' }];
    server.on('GET /batches', list(rows));
    const { code, out } = await ask(server.url, ['batches']);
    expect([code, out.split('\n')]).toEqual([
      0,
      ['NAME  TITLE    VERSION  STEPS  SOURCE  SCHEDULE  CHANGED', 'one   The one  3        7      api               3m ago', ''],
    ]);
  });

  it('asks for no less than what was written before', async () => {
    server.on('POST /batches', { status: 201, ...saved('one', 7) });
    const path = file('twice.json', [definition('one'), definition('one')]);
    await ask(server.url, ['batches', 'apply', path]);
    expect(server.at('GET /batches/one').map(({ query }) => query.get('atLeast'))).toEqual([null, '007']);
  });

  it('says what to do when there are none', async () => {
    server.on('GET /batches', list([]));
    expect((await ask(server.url, ['batches'])).out).toMatch(/batches apply/);
  });
});
