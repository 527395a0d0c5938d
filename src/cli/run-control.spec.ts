import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, StandIn } from '../../test/cli/stand-in.js';

const RUN = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
const AGAIN = '7d4df3de-0fb5-5f3c-8a6f-3c1f5a1e9b02';
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

describe('sluice retry', () => {
  it('says what is done again, and names the new run', async () => {
    server.on(`POST /runs/${RUN}/retry`, { status: 202, headers: { 'sluice-position': '7' }, body: { runId: AGAIN, position: '7' } });
    const { code, out } = await ask(server.url, ['retry', RUN, '--from', 'post', '--newest', '-m', 'mended', '--key', 'once']);
    expect([code, out]).toEqual([0, `Run ${AGAIN} tries it again.\n  sluice show ${AGAIN}\n`]);
    expect([server.asked[0]?.body, server.asked[0]?.headers['idempotency-key']]).toEqual([{ fromStep: 'post', version: 'newest', reason: 'mended' }, 'once']);
  });

  it('leaves it to the server where to begin', async () => {
    server.on(`POST /runs/${RUN}/retry`, { status: 202, body: { runId: AGAIN, position: '7' } });
    const { code, out } = await ask(server.url, ['retry', RUN, '--json']);
    expect([code, JSON.parse(out)]).toEqual([0, { runId: AGAIN, position: '7' }]);
    expect(server.asked[0]?.body).toEqual({});
  });

  it('tells what two versions differ in', async () => {
    const problem = { type: 'urn:sluice:not-retryable', title: 'The run can not be retried', status: 409, detail: 'Version 2 does not agree.', errors: [{ path: '/steps/0', message: 'Here stood job "a".' }] };
    server.on(`POST /runs/${RUN}/retry`, { status: 409, headers: { 'content-type': 'application/problem+json' }, body: problem });
    const { code, err } = await ask(server.url, ['retry', RUN, '--newest']);
    expect([code, err]).toEqual([1, expect.stringMatching(/does not agree[^]*\/steps\/0[^]*Here stood job "a"/)]);
  });
});

describe('sluice cancel-execution', () => {
  it('stops one attempt', async () => {
    server.on(`POST /executions/${AGAIN}/cancel`, { status: 202, body: { status: 'running', position: '8' } });
    const { code, out } = await ask(server.url, ['cancel-execution', AGAIN, '-m', 'it hangs']);
    expect([code, out]).toEqual([0, `Execution ${AGAIN} is being stopped; its run is running.\n`]);
    expect(server.asked[0]?.body).toEqual({ reason: 'it hangs' });
  });
});

describe('sluice show', () => {
  const step = (id: string, status: string, more: object = {}): object => ({ id, type: 'job', status, attempts: 1, startedAt: null, endedAt: null, ...more });
  const run = { id: RUN, status: 'compensating', batchName: 'close', batchVersion: 1, retryOf: AGAIN, counts: { total: 2, succeeded: 2 } };

  it('draws what was kept, the branches that were not taken, and what was undone in a part of its own', async () => {
    const branches = [{ id: 'big', taken: false, steps: [step('audit', 'skipped')] }, { id: 'small', taken: true, steps: [step('post', 'running', { executionIds: ['e-1'] })] }];
    const steps = [step('extract', 'succeeded', { keptFrom: AGAIN }), step('size', 'running', { type: 'decision', branches }), step('extract:compensate', 'running', { kind: 'compensation' }), step('page', 'pending', { kind: 'onFailure' })];
    server.on(`GET /runs/${RUN}`, { body: { ...run, steps } });
    const { out } = await ask(server.url, ['show', RUN], { width: 160 });
    const lines = out.split('\n').map((line) => line.trimEnd());
    const place = (text: RegExp): number => lines.findIndex((line) => text.test(line));
    const order = [/retry of +7d4df3de/, /^extract .*kept of run 7d4df3de/, /├─ big +not taken/, /audit/, /└─ small +taken/, /post .*e-1$/, /^\(undone\)/, /^extract:compensate/, /^\(after the failure\)/, /^page/].map(place);
    expect(order).toEqual([...order].sort((one, other) => one - other));
    expect(order).not.toContain(-1);
  });
});
