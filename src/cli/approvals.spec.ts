import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, list, problem, StandIn } from '../../test/cli/stand-in.js';

const RUN = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
const GATE = '7d4df3de-0fb5-5f3c-8a6f-3c1f5a1e9b02';
const pending = {
  id: GATE, runId: RUN, batchId: 'b', batchName: 'nightly', stepId: 'ok', state: 'pending', title: 'Is it right?', allowedRoles: ['risk', 'cfo'],
  quorum: 2, given: 1, since: '2026-11-24T11:00:00.000Z', deadline: '2026-11-26T11:00:00.000Z', overdue: false, outcome: null,
};
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

describe('sluice approvals', () => {
  it('lists what waits, for whom and until when', async () => {
    server.on('GET /approvals', list([pending]));
    const { code, out } = await ask(server.url, ['approvals']);
    expect([code, server.asked[0]?.query.get('state')]).toEqual([0, 'pending']);
    expect(out).toMatch(new RegExp(`^${GATE}  pending  Is it right\\?  risk or cfo  1/2    1h ago  2026-11-26 11:00:00Z  nightly  ${RUN}$`, 'm'));
  });

  it('lists those that are decided too, by whom, when and with which words, when all are asked for', async () => {
    server.on('GET /approvals', list([{ ...pending, given: 2, state: 'decided', outcome: 'approved', decidedBy: 'ann', decidedAt: '2026-11-24T11:30:00.000Z', note: 'looks right' }, { ...pending, overdue: true }]));
    const { out } = await ask(server.url, ['approvals', '--all', '--mine']);
    expect(server.asked[0]?.query.toString()).toBe('mine=true&limit=50');
    expect(out).toMatch(/ approved .* 2\/2 +1h ago +2026-11-24 11:30:00Z +ann +looks right [^]* overdue /);
  });
});

describe('sluice approve and reject', () => {
  it('say what came of it', async () => {
    server.on(`POST /approvals/${GATE}/approve`, [{ body: { outcome: null, given: 1, quorum: 2, position: '1' } }, { body: { outcome: 'approved', given: 2, quorum: 2, position: '2' } }]);
    server.on(`POST /approvals/${GATE}/reject`, { body: { outcome: 'rejected', given: 0, quorum: 2, position: '3' } });
    expect(await ask(server.url, ['approve', GATE, '-m', 'looks right', '--user', 'ann'])).toMatchObject({
      code: 0,
      out: 'Your approval is taken: 1 of 2 given; it waits for 1 more person.\n',
    });
    expect((await ask(server.url, ['approve', GATE, '--digest', 'abc'])).out).toBe(`Approval ${GATE} is approved.\n`);
    expect((await ask(server.url, ['reject', GATE, '-m', 'wrong'])).out).toBe(`Approval ${GATE} is rejected.\n`);
    expect(server.asked.map(({ body }) => body)).toEqual([{ note: 'looks right' }, { digest: 'abc' }, { reason: 'wrong' }]);
  });

  it('end with 1 when the server says no', async () => {
    server.on(`POST /approvals/${GATE}/approve`, problem('forbidden', 403, 'Needs one of risk, cfo.'));
    expect(await ask(server.url, ['approve', GATE])).toEqual({ code: 1, out: '', err: 'forbidden.\n  Needs one of risk, cfo.\n' });
  });
});
