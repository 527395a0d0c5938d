/** What people look at is there as itself, however large it is; and a run that is left alone says so. */
import { expect, it } from '@jest/globals';
import { QUARANTINED } from '../../src/runs/run-detail.queries.js';
import type { ApprovalRow } from '../../src/gates/approval.queries.js';
import { gate, type Listed, onBoth, work } from './house.js';

onBoth('What is shown of a run', (house) => {
  it('holds parameters, outputs and what a gate shows as themselves, also over 64 KiB', async () => {
    const text = 'x'.repeat(100_000);
    await house().define({ name: 'heavy', steps: [work('large', { outputs: { text } }), gate('ok', { show: { text: 'outputs.large.text' } }), work('take', { outputs: { text: '{{ outputs.large.text }}' } })] });
    const run = await house().runOf('heavy');
    expect([run.status, run.steps[0]?.outputs, run.approvals[0]?.data]).toEqual(['parked', { text }, { text }]);
    const { items: [approval] } = await house().read<Listed<ApprovalRow>>(`/approvals?run=${run.id}`);
    expect(approval?.data).toEqual({ text });
    await house().post(`/approvals/${approval?.id}/approve`, {}, { roles: 'boss' });
    expect((await house().runIn(run.id, 'completed')).steps[2]).toMatchObject({ params: { outputs: { text } }, outputs: { text } });
  });

  it('says of a run whose stream can not be understood that it is left alone, and why', async () => {
    await house().define({ name: 'alone', steps: [gate('ok')] });
    const { id } = await house().runOf('alone');
    house().app.get<Map<string, string>>(QUARANTINED, { strict: false }).set(id, 'Fact 3 is of no type that there is.');
    expect((await house().runIn(id, 'parked')).waitingFor).toEqual([{ what: 'maintainer', since: expect.any(String), who: ['admin'], text: expect.stringContaining('Fact 3 is of no type') }]);
  });
});
