/** What stands in every row and envelope: the keys as the contract lists them, in a list of its own here. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { gate, type House, type Json, keysOf, type Listed, objectOf, onBoth, work } from './house.js';

const keys = (list: string): string[] => list.split(' ').sort();
const ENVELOPE = keys('items nextCursor total totalIs asOf');
const RUN = keys(
  'id batchId batchName batchVersion status paused trigger parameters labels startedAt endedAt durationMs startedBy reason stepCount counts error retryOf retriedBy position',
);
const COUNTS = keys('total pending dispatched running retrying waiting succeeded failed cancelled skipped');
const STATUSES = keys('running parked failing compensating cancelling completed failed cancelled');
const DETAIL = [...RUN, 'steps', 'approvals', 'waitingFor', 'allowedActions'].sort();
const STEP = keys('id type status attempts startedAt endedAt params outputs error executionIds');
const EXECUTION = keys('id runId batchId batchName stepId kind job attempt status worker queuedAt startedAt endedAt params outputs error progress log');
const ERROR = keys('kind code message retryable');
const APPROVAL = keys(
  'id runId batchId batchName stepId state title description data digest allowedRoles quorum given since deadline overdue outcome decidedBy decidedAt note',
);
const BATCH = keys('id name title description labels version source schedule stepCount createdAt createdBy updatedAt updatedBy');
const FACT = keys('stream revision type data metadata id position recordedAt');
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

interface Step {
  readonly id: string;
  readonly type: string;
  readonly status: string;
  readonly attempts: number;
  readonly executionIds: readonly string[];
  readonly approvalId?: string;
  readonly outputs: unknown;
  readonly error: object | null;
  readonly branches?: readonly { readonly id: string | null; readonly steps: readonly Step[] }[];
}

const NESTED = {
  name: 'nested',
  title: 'Nested',
  parameters: [{ name: 'day', kind: 'string', default: 'monday' }],
  steps: [
    work('first', { failTimes: 1, outputs: { n: 7 } }, { retry: { maxAttempts: 3, backoff: 'fixed', initialDelay: 1, jitter: false } }),
    {
      id: 'outer', type: 'parallel', branches: [
        { id: 'left', steps: [work('l1'), { id: 'inner', type: 'parallel', branches: [{ steps: [work('i1')] }, { steps: [gate('sign', { title: 'For {{ params.day }}', show: { n: 'outputs.first.n' } })] }] }] },
        { id: 'right', steps: [work('r1')] },
      ],
    },
    work('last'),
  ],
};

onBoth('What rows hold', (house) => {
  let h: House;
  let parkedId = '';
  let failedId = '';
  beforeAll(async () => {
    h = house();
    await h.define(NESTED);
    await h.define({ name: 'bad', steps: [work('only', { do: 'fail-terminal' }), work('never')] });
    parkedId = (await h.runOf('nested', { labels: { team: 'finance' }, reason: 'because' })).id;
    failedId = (await h.runOf('bad')).id;
  });

  async function list<T = Json>(path: string): Promise<readonly T[]> {
    const answer = await h.read<Listed<T>>(path);
    expect(keysOf(answer)).toEqual(ENVELOPE);
    expect(keysOf(answer.asOf)).toEqual(['lagMs', 'position']);
    expect(answer).toMatchObject({ nextCursor: null, totalIs: 'exact', total: answer.items.length, asOf: { lagMs: expect.any(Number), position: expect.stringMatching(/^\d+$/) } });
    expect(answer.items.length).toBeGreaterThan(0);
    return answer.items;
  }

  it('a run row', async () => {
    for (const row of await list('/runs')) {
      expect(keysOf(row)).toEqual(RUN);
      expect(keysOf(objectOf(row.counts))).toEqual(COUNTS);
    }
    const [failed, parked] = await list('/runs');
    expect(parked).toMatchObject({
      id: parkedId, batchId: expect.stringMatching(UUID), batchName: 'nested', batchVersion: 1, status: 'parked', paused: false, trigger: { type: 'api' }, parameters: { day: 'monday' },
      labels: { team: 'finance' }, startedAt: expect.stringMatching(TIME), endedAt: null, durationMs: null, startedBy: 'dev', reason: 'because', stepCount: 6,
      counts: { total: 6, pending: 1, dispatched: 0, running: 0, retrying: 0, waiting: 1, succeeded: 4, failed: 0, cancelled: 0, skipped: 0 }, error: null, retryOf: null, retriedBy: null,
    });
    expect(failed).toMatchObject({
      id: failedId, status: 'failed', endedAt: expect.stringMatching(TIME), durationMs: expect.any(Number), error: { kind: 'terminal', code: 'obeyed', retryable: false },
      counts: { total: 2, failed: 1, skipped: 1 },
    });
    expect(keysOf(objectOf(failed?.error))).toEqual(ERROR);
    expect(Date.parse(String(failed?.endedAt)) - Date.parse(String(failed?.startedAt))).toBe(failed?.durationMs);
  });

  it('the counts of runs, with every status', async () => {
    const counts = await h.read('/runs/counts');
    expect(keysOf(counts)).toEqual(['asOf', 'byStatus', 'total']);
    expect(keysOf(objectOf(counts.byStatus))).toEqual(STATUSES);
    expect(counts).toMatchObject({ total: 2, byStatus: { parked: 1, failed: 1, completed: 0 } });
  });

  it('the detail of a run: its row, and its steps as the definition nests them', async () => {
    const run = await h.read<Json & { readonly steps: readonly Step[] }>(`/runs/${parkedId}`);
    expect(keysOf(run)).toEqual(DETAIL);
    const [row] = (await list('/runs')).slice(1);
    expect(run).toMatchObject(objectOf(row));
    const [first, outer, last] = run.steps;
    const [left, right] = outer?.branches ?? [];
    const inner = left?.steps[1];
    const sign = inner?.branches?.[1]?.steps[0];
    for (const step of [first, last, left?.steps[0], right?.steps[0]]) expect(keysOf(objectOf(step))).toEqual(STEP);
    for (const group of [outer, inner]) expect(keysOf(objectOf(group))).toEqual([...STEP, 'branches'].sort());
    expect(keysOf(objectOf(sign))).toEqual([...STEP, 'approvalId'].sort());
    expect(first).toMatchObject({ id: 'first', type: 'job', status: 'succeeded', attempts: 2, outputs: { n: 7 }, params: { failTimes: 1, outputs: { n: 7 } }, error: null });
    expect(new Set(first?.executionIds).size).toBe(2);
    expect([left?.id, right?.id, inner?.branches?.[0]?.id]).toEqual(['left', 'right', null]);
    expect([outer, inner, sign, last, right?.steps[0]].map((step) => [step?.id, step?.type, step?.status])).toEqual([
      ['outer', 'parallel', 'waiting'], ['inner', 'parallel', 'waiting'], ['sign', 'gate', 'waiting'], ['last', 'job', 'pending'], ['r1', 'job', 'succeeded'],
    ]);
    expect(last).toMatchObject({ attempts: 0, executionIds: [], startedAt: null, endedAt: null, params: null, outputs: null, error: null });
  });

  it('a step that failed tells of its error, the one after it that it was left out', async () => {
    const { steps } = await h.read<{ readonly steps: readonly Step[] }>(`/runs/${failedId}`);
    expect(keysOf(objectOf(steps[0]?.error))).toEqual(ERROR);
    expect(steps.map(({ status }) => status)).toEqual(['failed', 'skipped']);
  });

  it('what a run waits for and what its caller may do', async () => {
    const { waitingFor, allowedActions, approvals } = await h.read<{ waitingFor: object[]; allowedActions: object[]; approvals: Json[] }>(`/runs/${parkedId}`, { roles: 'operator,boss' });
    expect(waitingFor.map(keysOf)).toEqual([keys('what stepId since who text')]);
    expect(waitingFor).toEqual([{ what: 'approval', stepId: 'sign', since: expect.stringMatching(TIME), who: ['boss'], text: expect.stringContaining('boss') }]);
    const id = String(approvals[0]?.id);
    expect(allowedActions).toEqual([
      { action: 'cancel', href: `/runs/${parkedId}/cancel`, method: 'POST' },
      { action: 'pause', href: `/runs/${parkedId}/pause`, method: 'POST' },
      { action: 'approve', href: `/approvals/${id}/approve`, method: 'POST', stepId: 'sign' },
      { action: 'reject', href: `/approvals/${id}/reject`, method: 'POST', stepId: 'sign' },
    ]);
  });

  it('an execution row, in the list and alone', async () => {
    const rows = await list('/executions');
    for (const row of rows) expect(keysOf(row)).toEqual(EXECUTION);
    expect(rows).toHaveLength(6);
    const retried = rows.filter(({ stepId }) => stepId === 'first');
    expect(retried.map(({ attempt, status }) => [attempt, status]).sort()).toEqual([[1, 'failed'], [2, 'succeeded']]);
    const one = await h.read(`/executions/${String(retried.find(({ attempt }) => attempt === 1)?.id)}`);
    expect(keysOf(one)).toEqual(EXECUTION);
    expect(keysOf(objectOf(one.error))).toEqual(ERROR);
    expect(one).toMatchObject({
      runId: parkedId, batchName: 'nested', stepId: 'first', kind: 'step', job: 'obey', attempt: 1, status: 'failed', worker: expect.stringMatching(UUID),
      queuedAt: expect.stringMatching(TIME), startedAt: expect.stringMatching(TIME), endedAt: expect.stringMatching(TIME), outputs: null, error: { kind: 'error', code: 'obeyed', retryable: true },
    });
  });

  it('an approval row, in the list, alone and in its run', async () => {
    const [row] = await list('/approvals');
    expect(keysOf(objectOf(row))).toEqual(APPROVAL);
    expect(row).toEqual({
      id: expect.stringMatching(UUID), runId: parkedId, batchId: expect.stringMatching(UUID), batchName: 'nested', stepId: 'sign', state: 'pending', title: 'For monday', description: null,
      data: { n: 7 }, digest: expect.stringMatching(/^[0-9a-f]{64}$/), allowedRoles: ['boss'], quorum: 1, given: 0, since: expect.stringMatching(TIME), deadline: null, overdue: false,
      outcome: null, decidedBy: null, decidedAt: null, note: null,
    });
    expect(await h.read(`/approvals/${String(row?.id)}`)).toEqual(row);
    expect((await h.read<{ approvals: object[] }>(`/runs/${parkedId}`)).approvals).toEqual([row]);
  });

  it('a batch row, and its detail with the definition that PUT takes', async () => {
    for (const row of await list('/batches')) expect(keysOf(row)).toEqual(BATCH);
    const detail = await h.read('/batches/nested');
    expect(keysOf(detail)).toEqual([...BATCH, 'definition'].sort());
    expect(detail).toMatchObject({ name: 'nested', title: 'Nested', description: null, labels: {}, version: 1, source: 'api', schedule: null, stepCount: 6, createdBy: 'dev', updatedBy: 'dev' });
    expect(detail.definition).toEqual(NESTED);
    const { definition: _definition, ...row } = detail;
    expect(await list('/batches')).toContainEqual(row);
  });

  it('a fact', async () => {
    const facts = await list<Json & { readonly metadata: object }>(`/runs/${failedId}/events`);
    for (const fact of facts) expect(keysOf(fact)).toEqual(FACT);
    expect(facts[0]).toMatchObject({ stream: expect.stringMatching(new RegExp(`(^|\\.)run-${failedId}$`)), revision: '0', type: 'RunStarted', id: expect.stringMatching(UUID), position: expect.any(String), recordedAt: expect.stringMatching(TIME) });
    expect(keysOf(facts[0]?.metadata ?? {})).toEqual(keys('$causationId $correlationId actor at commandId hash machine prevHash roles schemaVersion via'));
  });

  it('a job, with its parameters as JSON Schema', async () => {
    const [job] = await list('/jobs');
    expect(job).toMatchObject({ name: 'obey', parameters: { type: 'object', properties: { do: { enum: expect.arrayContaining(['hang', 'crash']) } } } });
    expect(await h.read('/jobs/obey')).toEqual(job);
  });

  describe('and small answers:', () => {
    it('who I am', async () => {
      expect(await h.read('/me', { as: 'ada', roles: 'viewer,risk' })).toEqual({ actor: 'ada', roles: ['viewer', 'risk'], auth: 'dev' });
    });

    it('a start and a cancel, with their headers', async () => {
      const started = await h.post('/batches/nested/runs');
      expect(started.status).toBe(202);
      expect(started.body).toEqual({ runId: expect.stringMatching(UUID), position: started.headers.get('sluice-position') });
      expect(started.headers.get('location')).toBe(`/runs/${String(started.body.runId)}`);
      const cancelled = await h.post(`/runs/${String(started.body.runId)}/cancel`);
      expect(cancelled.status).toBe(202);
      expect(cancelled.body).toEqual({ status: expect.stringMatching(/^cancel(ling|led)$/), position: cancelled.headers.get('sluice-position') });
      expect(String(cancelled.body.position) > String(started.body.position)).toBe(true);
    });
  });
});
