import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, list, problem, StandIn } from '../../test/cli/stand-in.js';

let server: StandIn;
beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

const row = { name: 'run_history', version: 3, build: 1, state: 'live', position: '0000000000000042', rate: 0, fault: null, parked: 2, lagMs: 1_500 };

describe('sluice projections', () => {
  it('lists them with their version, state, lag and what they left out', async () => {
    server.on('GET /projections', list([row, { ...row, name: 'approvals', parked: 0, lagMs: 0, fault: 'A bad note.' }]));
    const { code, out } = await ask(server.url, ['projections']);
    expect(code).toBe(0);
    expect(out).toMatch(/^run_history +3 +1 +live +0000000000000042 +2s +2 streams$/m);
    expect(out).toMatch(/approvals came to nothing: A bad note\./);
  });
});

describe('sluice rebuild', () => {
  const building = { ...row, build: 2, state: 'building', position: '', parked: 0 };

  it('begins one and says where to look', async () => {
    server.on('POST /projections/run_history/rebuild', { status: 202, body: building });
    expect(await ask(server.url, ['rebuild', 'run_history'])).toMatchObject({ code: 0, out: expect.stringMatching(/^Build 2 of run_history is under way/) });
  });

  it('with --watch ends when the new rows answer, or with 1 when they came to nothing', async () => {
    server.on('POST /projections/run_history/rebuild', { status: 202, body: building });
    server.on('GET /projections', [list([row, { ...building, position: '7', rate: 12 }]), list([{ ...row, build: 2 }])]);
    expect(await ask(server.url, ['rebuild', 'run_history', '--watch'])).toMatchObject({ code: 0, out: expect.stringMatching(/at 7, 12 facts a second\n.*build 2 answers/) });
    server.on('GET /projections', list([{ ...row, fault: 'A bad note.' }]));
    expect(await ask(server.url, ['rebuild', 'run_history', '--watch'])).toMatchObject({ code: 1, out: expect.stringMatching(/came to nothing: A bad note\./) });
  });

  it('tells what the server refuses', async () => {
    server.on('POST /projections/nothing/rebuild', problem('not-found', 404, 'There is no projection nothing.'));
    expect(await ask(server.url, ['rebuild', 'nothing'])).toMatchObject({ code: 1, err: expect.stringContaining('There is no projection nothing.') });
  });
});
