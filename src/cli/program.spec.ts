import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, list, problem, StandIn } from '../../test/cli/stand-in.js';

const RUN = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

describe('The command line', () => {
  it('says what there is, and ends with 0', async () => {
    const { code, out, err } = await ask(server.url, ['--help']);
    expect([code, err]).toEqual([0, '']);
    for (const command of ['start', 'batches', 'run', 'runs', 'show', 'cancel', 'approvals', 'approve', 'reject', 'events', 'jobs', 'counts']) {
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
  });

  it('starts the server in this process', async () => {
    let served = 0;
    const serve = async (): Promise<void> => void (served += 1);
    expect(await ask(server.url, ['start'], { serve })).toEqual({ code: 0, out: '', err: '' });
    expect(served).toBe(1);
  });

  it('says its version', async () => {
    expect(await ask(server.url, ['--version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' });
  });

  it.each([
    [['fly'], /unknown command 'fly'/],
    [[], /Usage: sluice/],
    [['show'], /missing required argument 'run'/],
    [['cancel', RUN], /required option '-m, --reason <text>'/],
    [['reject', RUN, '-m', ' '], /must say something/],
    [['runs', '--status', 'sleeping'], /one of running, parked/],
    [['runs', '--limit', '501'], /from 1 to 500/],
    [['run', 'b', '-p', 'novalue'], /name=value/],
    [['run', 'b', '--params', 'not-there.json'], /not-there\.json can not be read/],
    [['show', '..'], /neither a name nor an id/],
    [['runs', '--url', 'localhost'], /no URL of a server/],
    [['runs', '--url', 'http://me:secret@127.0.0.1'], /--token/],
    [['runs', '--user', 'zoë'], /printable ASCII/],
    [['run', 'b', '--key', 'k\ny'], /printable ASCII/],
  ])('ends with 2 and sends nothing when it is asked wrongly: %j', async (args, message) => {
    const { code, out, err } = await ask(server.url, args);
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: expect.stringMatching(message) });
    expect(server.asked).toEqual([]);
  });

  it('tells a refusal with every fault and its place, and ends with 1', async () => {
    const errors = [{ path: '/parameters/day', message: 'is required' }, { path: '/parameters/limit', message: 'must be a number' }];
    server.on('POST /batches/nightly/runs', problem('validation-failed', 400, 'Correct this.', { errors }));
    const { code, out, err } = await ask(server.url, ['run', 'nightly']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toBe('validation failed.\n  /parameters/day: is required\n  /parameters/limit: must be a number\n');
  });

  it('tells what a refused command could do instead', async () => {
    const allowedActions = [{ action: 'retry', method: 'POST', href: `/runs/${RUN}/retry` }];
    server.on(`POST /runs/${RUN}/cancel`, problem('run-already-ended', 409, 'The run has failed.', { allowedActions }));
    const { code, err } = await ask(server.url, ['cancel', RUN, '-m', 'why not']);
    expect([code, err]).toEqual([1, 'run already ended.\n  The run has failed.\n  Allowed now: retry\n']);
  });

  it('gives programs the refusal as it was sent', async () => {
    server.on(`GET /runs/${RUN}`, problem('not-found', 404, 'There is no such run.'));
    const { code, out, err } = await ask(server.url, ['show', RUN, '--json']);
    expect([code, out]).toEqual([1, '']);
    expect(JSON.parse(err)).toMatchObject({ type: 'urn:sluice:not-found', status: 404, detail: 'There is no such run.' });
  });

  it('says what to do when no server is there', async () => {
    const gone = await StandIn.open();
    const { url } = gone;
    await gone.close();
    const { code, err } = await ask(url, ['runs']);
    expect([code, err]).toEqual([1, expect.stringMatching(/^No server answers at http:.* \(ECONNREFUSED\)\. Start one with "sluice start", or .*--url or SLUICE_URL\.\n$/)]);
  });

  it('says so when something else is there', async () => {
    server.on('GET /runs', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'));
    server.on('GET /jobs', (response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'));
    expect(await ask(server.url, ['runs'])).toMatchObject({ code: 1, err: expect.stringMatching(/is not understood.*--url/) });
    expect(await ask(server.url, ['jobs'])).toMatchObject({ code: 1, err: expect.stringMatching(/HTTP 502.*--url/) });
  });

  it('takes the server and the caller from options before the environment', async () => {
    server.on('GET /runs', list([]));
    const env = { SLUICE_URL: 'http://127.0.0.1:1', SLUICE_TOKEN: 'from-env' };
    await ask(server.url, ['runs', '--url', `${server.url}/`, '--user', 'ann', '--roles', 'viewer,cfo'], { env });
    await ask(server.url, ['--url', server.url, '--token', 'given', 'runs'], { env });
    expect(server.asked.map(({ headers }) => [headers.authorization, headers['x-dev-user'], headers['x-dev-roles']])).toEqual([
      ['Bearer from-env', 'ann', 'viewer,cfo'],
      ['Bearer given', undefined, undefined],
    ]);
  });

  it('keeps a path before the doors', async () => {
    server.on('GET /sluice/runs', list([]));
    expect((await ask(`${server.url}/sluice/`, ['runs'])).code).toBe(0);
  });
});

const started = { status: 202, body: { runId: RUN, position: '007' } };

describe('A broken connection', () => {
  it('is tried again with the same key, so that nothing is done twice', async () => {
    server.on('POST /batches/nightly/runs', ['break', 'break', started]);
    const { code, out } = await ask(server.url, ['run', 'nightly']);
    expect([code, out]).toEqual([0, expect.stringContaining(RUN)]);
    const keys = server.asked.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0], keys[0]]);
    expect(server.asked.map(({ body }) => body)).toEqual([{ parameters: {} }, { parameters: {} }, { parameters: {} }]);
  });

  it('in the middle of an answer is one too', async () => {
    server.on('GET /runs', [(response) => void response.writeHead(200, { 'content-length': '100' }).write('{"items"', () => response.destroy()), list([])]);
    expect(await ask(server.url, ['runs'])).toMatchObject({ code: 0, out: 'There are no such runs.\n' });
  });

  it('that stays broken is told, with the doubt that it leaves', async () => {
    server.on('POST /batches/nightly/runs', 'break').on('GET /runs', 'break');
    expect(await ask(server.url, ['run', 'nightly'])).toMatchObject({ code: 1, err: expect.stringMatching(/broke \(.+\).*may have been done/) });
    expect(server.asked).toHaveLength(3);
    expect((await ask(server.url, ['runs'])).err).not.toMatch(/may have been done/);
  });

  it('does not change the key that the caller gave', async () => {
    server.on('POST /batches/nightly/runs', ['break', { ...started, headers: { 'idempotent-replayed': 'true' } }]);
    const { out } = await ask(server.url, ['run', 'nightly', '--key', 'today']);
    expect(out).toMatch(/was started with this key before/);
    expect(server.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['today', 'today']);
  });
});

describe('A server that has too much to do', () => {
  const busy = { ...problem('too-many-requests', 429, 'Too much waits.'), headers: { 'retry-after': '1' } };

  it('is asked again when it says so, with the same key', async () => {
    server.on('POST /batches/nightly/runs', [busy, busy, started]);
    expect((await ask(server.url, ['run', 'nightly'])).code).toBe(0);
    expect(new Set(server.asked.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(server.asked).toHaveLength(3);
  });

  it('is given up on in the end', async () => {
    server.on('POST /batches/nightly/runs', busy);
    expect(await ask(server.url, ['run', 'nightly'])).toMatchObject({ code: 1, err: expect.stringContaining('Too much waits.') });
    expect(server.asked).toHaveLength(5);
  });
});

describe('A read side that is behind', () => {
  it('is asked again when it says so', async () => {
    const behind = { ...problem('not-caught-up', 503, 'The read side is behind.'), headers: { 'retry-after': '1' } };
    server.on('GET /runs', [behind, behind, list([])]);
    expect((await ask(server.url, ['runs'])).code).toBe(0);
    expect(server.asked).toHaveLength(3);
  });

  it('is given up on in the end', async () => {
    server.on('GET /runs', problem('not-caught-up', 503, 'The read side is behind.'));
    expect(await ask(server.url, ['runs'])).toMatchObject({ code: 1, err: expect.stringContaining('The read side is behind.') });
    expect(server.asked).toHaveLength(5);
  });
});
