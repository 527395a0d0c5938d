/** What Prometheus is told. */
import { expect, it } from '@jest/globals';
import { gate, onBoth, work } from './house.js';

onBoth('The figures of a node', (house) => {
  it('agree with what there is, and are for this machine or those who may view', async () => {
    const h = house();
    await h.define({ name: 'measured', steps: [work('a'), gate('ok')] });
    await h.runOf('measured');
    const { status, headers, text } = await h.get('/metrics');
    expect([status, headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/plain; version=/)]);
    expect(text).toMatch(/^sluice_runs\{status="parked"\} 1$/m);
    expect(text).toMatch(/^sluice_runs\{status="failed"\} 0$/m);
    expect(text).toMatch(/^sluice_executions\{status="succeeded"\} 1$/m);
    expect(text).toMatch(/^sluice_approvals_pending 1$/m);
    expect(text).toMatch(/^sluice_slots\{state="held"\} 0$/m);
    expect(text).toMatch(/^sluice_repairs_total 0$/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect((await h.get('/metrics', { headers: { 'x-forwarded-for': '10.0.0.1' } })).status).toBe(401);
  });
});
