/** What Prometheus is told. */
import { request } from 'node:http';
import { expect, it } from '@jest/globals';
import { gate, onBoth, work } from './house.js';

/** The status of a door that is asked for under another name: `fetch` sends its own. */
function statusAt(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject).end();
  });
}

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
    expect([await statusAt(`${h.url}/metrics`, 'evil.example'), await statusAt(`${h.url}/metrics`, 'localhost:9464')]).toEqual([401, 200]);
  });
});
