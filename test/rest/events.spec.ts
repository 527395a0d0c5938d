/** A run's stream as it stands in the log: pages of it, and its chain of hashes. */
import { createHash } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import { expectProblem, gate, type House, type Listed, onBoth, work } from './house.js';

interface Fact {
  readonly stream: string;
  readonly revision: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly id: string;
  readonly position: string;
}

onBoth('The events of a run', (house) => {
  let h: House;
  let runId = '';
  let all: readonly Fact[] = [];
  beforeAll(async () => {
    h = house();
    const note = 'å "quoted" \u2028 text';
    await h.define({ name: 'gated', steps: [work('a', { outputs: { note, big: 'x'.repeat(100_000), n: 1e21, small: 0.1 } }), gate('ok'), work('b', { failTimes: 1 }, { retry: { maxAttempts: 2, backoff: 'none' } })] });
    const run = await h.runOf('gated', { reason: note });
    runId = run.id;
    await h.post(`/approvals/${run.approvals[0]?.id}/approve`, { note }, { roles: 'boss', as: 'kim' });
    await h.runIn(runId, 'completed');
    all = (await h.read<Listed<Fact>>(`/runs/${runId}/events?limit=500`)).items;
  });

  it('come oldest first, with revisions as decimal strings', () => {
    expect(all.map(({ revision }) => revision)).toEqual(all.map((_, at) => String(at)));
    expect(all.map(({ position }) => position)).toEqual(all.map(({ position }) => position).sort());
    expect(all.map(({ type }) => type)).toEqual([
      'RunStarted', 'StepDispatched', 'StepStarted', 'StepSucceeded', 'GateParked', 'GateApproved', 'StepDispatched', 'StepStarted', 'StepFailed', 'StepRetryScheduled', 'StepDispatched', 'StepStarted', 'StepSucceeded', 'RunCompleted',
    ]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('carry the step, and the approval, in their data', () => {
    for (const { type, data } of all) {
      if (/^(Step|Gate)/.test(type)) expect(typeof data.stepId).toBe('string');
      if (/^Gate/.test(type)) expect(typeof data.approvalId).toBe('string');
      if (/^Step(Dispatched|Started|Succeeded|Failed)/.test(type)) expect(typeof data.executionId).toBe('string');
    }
    expect(all.find(({ type }) => type === 'GateApproved')?.metadata).toMatchObject({ actor: 'kim', via: 'rest', roles: 'boss' });
  });

  it('are a chain: each hash is that of the fact, and the next one names it', () => {
    let prevHash = '0'.repeat(64);
    for (const { stream, revision, type, data, metadata } of all) {
      const { hash, ...rest } = metadata;
      expect(metadata.prevHash).toBe(prevHash);
      expect(createHash('sha256').update(canonicalize({ stream, revision, type, data, metadata: rest }) ?? '').digest('hex')).toBe(hash);
      prevHash = hash ?? '';
    }
  });

  it.each([1, 2, 5, 13, 14, 15])('pages of %d hold each once', async (limit) => {
    const walked: Fact[] = [];
    let after = '';
    for (let more = true; more; ) {
      const page: Listed<Fact> = await h.read(`/runs/${runId}/events?limit=${limit}${after}`);
      expect(page).toMatchObject({ total: all.length, totalIs: 'exact' });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      walked.push(...page.items);
      more = page.nextCursor !== null;
      if (more) expect(page.nextCursor).toBe(page.items.at(-1)?.revision);
      after = `&after=${page.nextCursor}`;
    }
    expect(walked).toEqual(all);
  });

  it('after a revision begin with the next', async () => {
    expect((await h.read<Listed<Fact>>(`/runs/${runId}/events?after=3`)).items).toEqual(all.slice(4));
    expect(await h.read(`/runs/${runId}/events?after=13`)).toMatchObject({ items: [], nextCursor: null });
    expect(await h.read(`/runs/${runId}/events?after=999`)).toMatchObject({ items: [], nextCursor: null });
  });

  it.each(['after=-1', 'after=x', 'after=', 'after=1.5', 'limit=0', 'limit=501', 'cursor=1'])('with %s are refused', async (query) => {
    expectProblem(await h.get(`/runs/${runId}/events?${query}`), 'validation-failed');
  });

  it('that hold a large payload name it by its hash', () => {
    const outputs = all.find(({ type }) => type === 'StepSucceeded')?.data.outputs;
    expect(JSON.stringify(outputs)).toMatch(/^\{"\$blob":"[0-9a-f]{64}"/);
  });

  it('beside it the execution shows the payload whole', async () => {
    const { items } = await h.read<Listed<{ id: string; stepId: string }>>(`/executions?run=${runId}`);
    const one = await h.read<{ outputs: { big: string; n: number } }>(`/executions/${items.find(({ stepId }) => stepId === 'a')?.id}`);
    expect([one.outputs.big.length, one.outputs.n]).toEqual([100_000, 1e21]);
  });
});
