import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, openStream, problem, StandIn, stream } from '../../test/cli/stand-in.js';

const RUN = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
const GATE = '7d4df3de-0fb5-5f3c-8a6f-3c1f5a1e9b02';
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => {
  server.forget();
  server.on('POST /batches/nightly/runs', { status: 202, headers: { 'sluice-position': '10' }, body: { runId: RUN, position: '10' } });
});
afterAll(() => server.close());

const run = (status: string, position: string, steps: readonly object[] = [], more: object = {}) => ({
  body: { id: RUN, batchName: 'nightly', status, position, durationMs: status === 'completed' ? 3_000 : null, steps, ...more },
});
const step = (id: string, status: string, attempts = 1, type = 'job'): object => ({ id, type, status, attempts });
const execution = (stepId: string, status: string, attempt = 1, more: object = {}) => ['execution', { id: 'e', runId: RUN, stepId, status, attempt, ...more }] as const;
const row = (status: string, position: string) => ['run', { id: RUN, status, position }, position] as const;

describe('sluice run --watch', () => {
  it('tells each change of a step once and ends with 0 when the run has completed', async () => {
    server.on(`GET /runs/${RUN}`, [run('running', '11', [step('a', 'running'), step('b', 'pending', 0)]), run('completed', '20', [step('a', 'succeeded'), step('b', 'succeeded', 2), step('c', 'skipped', 0)])]);
    server.on('GET /live', stream(
      execution('a', 'running'),
      execution('a', 'succeeded'),
      execution('b', 'queued'),
      execution('b', 'failed', 1, { error: { code: 'oops', message: 'it fell' } }),
      execution('b', 'queued', 2),
      execution('b', 'succeeded', 2),
      ['execution', { id: 'e', runId: 'another', stepId: 'z', status: 'failed', attempt: 1 }],
      row('completed', '20'),
    ));
    const { code, out } = await ask(server.url, ['run', 'nightly', '--watch']);
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.replace(/ +/g, ' '))).toEqual([
      `Run ${RUN} has started.`,
      '12:00:00 a running',
      '12:00:00 a succeeded',
      '12:00:00 b dispatched',
      '12:00:00 b failed oops: it fell',
      '12:00:00 b dispatched attempt 2',
      '12:00:00 b succeeded attempt 2',
      '12:00:00 c skipped',
      `Run ${RUN} completed after 3s.`,
      '',
    ]);
  });

  it.each(['failed', 'cancelled'])('ends with 1 when the run has %s', async (status) => {
    server.on(`GET /runs/${RUN}`, run(status, '11', [], { error: { code: 'oops', message: 'it fell' } }));
    const { code, out } = await ask(server.url, ['run', 'nightly', '--watch']);
    expect([code, out]).toEqual([1, expect.stringContaining(`Run ${RUN} ${status}: oops: it fell`)]);
  });

  it('says who is waited for and goes on watching', async () => {
    const waitingFor = [{ what: 'approval', stepId: 'ok', since: '2026-11-24T11:58:00.000Z', who: ['risk', 'cfo'], text: 'Somebody with the role risk or cfo has to decide.' }, { what: 'job', stepId: 'x', who: ['node'], text: 'a job' }];
    const approvals = [{ id: GATE, runId: RUN, stepId: 'ok', state: 'pending', title: 'Is it right?' }];
    server.on(`GET /runs/${RUN}`, [
      run('running', '11', [step('ok', 'pending', 0, 'gate')]),
      run('parked', '12', [step('ok', 'waiting', 0, 'gate')], { waitingFor, approvals }),
      run('parked', '12', [step('ok', 'waiting', 0, 'gate')], { waitingFor, approvals }),
      run('completed', '14', [step('ok', 'succeeded', 0, 'gate')]),
    ]);
    const decided = { ...approvals[0], state: 'decided', outcome: 'approved', decidedBy: 'carl', note: 'fine' };
    server.on('GET /live', [stream(row('parked', '12')), stream(), stream(['approval', decided], row('running', '13'))]);
    const { code, out } = await ask(server.url, ['run', 'nightly', '--watch']);
    expect(code).toBe(0);
    expect(out.match(/waits for approval ok: Somebody with the role risk or cfo has to decide\./g)).toHaveLength(1);
    expect(out).not.toContain('a job');
    expect(out).toContain(`sluice approve ${GATE}\n`);
    expect(out).toMatch(/ok +approved +by carl, fine\n/);
  });

  it('reads no less than what it wrote, and resumes the stream where it broke', async () => {
    server.on(`GET /runs/${RUN}`, [run('running', '11'), run('running', '15'), run('completed', '20')]);
    server.on('GET /live', [stream(['execution', { id: 'e', runId: RUN, stepId: 'a', status: 'running', attempt: 1 }, '15']), stream(row('completed', '20'))]);
    expect((await ask(server.url, ['run', 'nightly', '--watch'])).code).toBe(0);
    expect(server.at(`GET /runs/${RUN}`).map(({ query }) => query.get('atLeast'))).toEqual(['10', '15', '20']);
    expect(server.at('GET /live').map(({ query, headers }) => [query.get('run'), query.get('after'), headers['last-event-id']])).toEqual([
      [RUN, '11', undefined],
      [RUN, null, '15'],
    ]);
  });

  it('reads everything anew after a reset', async () => {
    server.on(`GET /runs/${RUN}`, [run('running', '11'), run('running', '30'), run('completed', '31')]);
    server.on('GET /live', [openStream(['execution', { id: 'e', runId: RUN, stepId: 'a', status: 'running', attempt: 1 }, '12'], ['reset', {}, '25']), stream(row('completed', '31'))]);
    expect((await ask(server.url, ['run', 'nightly', '--watch'])).code).toBe(0);
    expect(server.at('GET /live').map(({ query, headers }) => [query.get('after'), headers['last-event-id']])).toEqual([['11', undefined], [null, '25']]);
    expect(server.at(`GET /runs/${RUN}`)[1]?.query.get('atLeast')).toBe('25');
  });

  it('looks again and again where there is no stream', async () => {
    server.on('GET /live', problem('not-supported-yet', 501, 'No stream.'));
    server.on(`GET /runs/${RUN}`, [run('running', '11', [step('a', 'running')]), run('running', '11', [step('a', 'running')]), run('completed', '12', [step('a', 'succeeded')])]);
    const { code, out } = await ask(server.url, ['run', 'nightly', '--watch']);
    expect([code, out.match(/ a +\w+/g)?.map((line) => line.replace(/ +/g, ' '))]).toEqual([0, [' a running', ' a succeeded']]);
  });

  it('waits for a server that is gone for a while', async () => {
    server.on(`GET /runs/${RUN}`, [run('running', '11'), 'break', 'break', 'break', 'break', 'break', 'break', run('completed', '12')]);
    server.on('GET /live', 'break');
    const { code, err } = await ask(server.url, ['run', 'nightly', '--watch']);
    expect(code).toBe(0);
    expect(err).toMatch(/^The connection to .* broke .*Trying again for 60 s.*\nThe server answers again\.\n$/);
  });

  it('gives up on one that stays away, with 1', async () => {
    server.on(`GET /runs/${RUN}`, [run('running', '11'), 'break']).on('GET /live', 'break');
    expect(await ask(server.url, ['run', 'nightly', '--watch'])).toMatchObject({ code: 1, err: expect.stringMatching(/broke/) });
  });

  it('does not go on when it may not look', async () => {
    server.on(`GET /runs/${RUN}`, problem('forbidden', 403, 'Needs viewer.'));
    expect(await ask(server.url, ['run', 'nightly', '--watch'])).toMatchObject({ code: 1, err: 'forbidden.\n  Needs viewer.\n' });
  });

  it('gives programs one document a line, the last one the run as it ended', async () => {
    server.on(`GET /runs/${RUN}`, [run('running', '11'), run('completed', '20')]);
    server.on('GET /live', stream(execution('a', 'running'), row('completed', '20')));
    const { out } = await ask(server.url, ['run', 'nightly', '--watch', '--json']);
    const lines: unknown[] = out.trimEnd().split('\n').map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { event: 'started', data: { runId: RUN } },
      { event: 'run', data: { status: 'running' } },
      { event: 'execution', data: { stepId: 'a', status: 'running' } },
      { event: 'run', data: { status: 'completed' } },
    ]);
  });
});

describe('sluice cancel --watch', () => {
  it.each([['cancelled', 0], ['completed', 1]])('of a run that %s ends with %i', async (status, expected) => {
    server.on(`POST /runs/${RUN}/cancel`, { status: 202, body: { status: 'cancelling', position: '10' } });
    server.on(`GET /runs/${RUN}`, [run('cancelling', '10'), run(status, '12')]).on('GET /live', stream(row(status, '12')));
    expect((await ask(server.url, ['cancel', RUN, '-m', 'wrong day', '--watch'])).code).toBe(expected);
  });
});
