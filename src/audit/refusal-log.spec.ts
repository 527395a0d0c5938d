import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SteppedClock } from '../../test/stepped-clock.js';
import { isKept, REFUSED_BY_ROLE_OR_STATE } from '../actors/refusals.js';
import type { Refusal } from '../actors/refusals.js';
import { storedAuditFact } from '../events/audit.codec.js';
import { verifyChain } from '../events/envelope.js';
import { Streams } from '../events/streams.js';
import { PROBLEMS } from '../http/problem.js';
import { ids } from '../ids.js';
import type { EventWriter } from '../log/event-writer.js';
import { Conflict, Unavailable } from '../log/log-errors.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import type { SqliteEventLog } from '../log/sqlite.event-log.js';
import { RefusalLog } from './refusal-log.js';

const streams = new Streams();
let clock: SteppedClock;
let log: SqliteEventLog;
beforeEach(() => {
  clock = new SteppedClock();
  log = openSqliteLog({ directory: ':memory:', clock });
});
afterEach(() => log.close());

function opened(append: (write: EventWriter['append']) => EventWriter['append'] = (write) => write) {
  const incarnation = ids.freshIncarnation();
  const reports: string[] = [];
  const stream = streams.audit(incarnation);
  const write: EventWriter['append'] = (...asked) => log.append(...asked);
  const refusals = new RefusalLog({ writer: { append: append(write) }, stream, incarnation, clock, report: (what) => void reports.push(what) });
  const facts = async () => (await log.readStream(stream)).map(storedAuditFact);
  return { refusals, reports, facts, stored: () => log.readStream(stream) };
}

const runId = ids.runOf(ids.freshCommand());
const refusal = (actor = 'ann', more: Partial<Refusal> = {}): Refusal => ({
  stream: streams.run(runId), slug: 'gate-already-decided', reason: 'The gate was approved before.', about: { command: 'DecideGate', runId, stepId: 'ok' },
  origin: { actor, roles: ['boss'], via: 'rest', commandId: ids.freshCommand() }, ...more,
});

describe('the refusal log', () => {
  it('has a refusal in the log before it is answered, sealed into a whole chain', async () => {
    const { refusals, stored, facts } = opened();
    await refusals.refused(refusal());
    expect(await facts()).toEqual([
      { type: 'CommandRefused', data: { runId, stepId: 'ok', actor: 'ann', roles: ['boss'], door: null, command: 'DecideGate', slug: 'gate-already-decided', reason: 'The gate was approved before.' } },
    ]);
    await Promise.all(Array.from({ length: 20 }, (_, at) => refusals.refused(refusal(`actor${at}`))));
    expect(await facts()).toHaveLength(21);
    expect(verifyChain(await stored())).toMatchObject({ ok: true });
    expect((await stored())[0]?.metadata).toMatchObject({ actor: 'ann', roles: 'boss', via: 'rest', schemaVersion: '1' });
  });

  it('records who was turned away at a door', async () => {
    const { refusals, facts } = opened();
    await refusals.callers.refused({ actor: 'vic', roles: ['viewer'], door: 'POST /batches', reason: 'This needs the role author.' });
    expect(await facts()).toEqual([{ type: 'CommandRefused', data: { actor: 'vic', roles: ['viewer'], door: 'POST /batches', command: null, slug: 'forbidden', reason: 'This needs the role author.' } }]);
  });

  it('records what a fenced attempt said', async () => {
    const { refusals, facts } = opened();
    const executionId = ids.execution(runId, 'a', 1);
    const origin = { actor: 'node:n', roles: [], via: 'runner', commandId: ids.freshCommand() } as const;
    await refusals.refused(refusal('', { slug: 'fenced', reason: 'It had ended.', origin, about: { command: 'ReportOutcome', runId, stepId: 'a', executionId, outcome: 'succeeded' } }));
    expect(await facts()).toEqual([{ type: 'OutcomeFenced', data: { runId, stepId: 'a', executionId, node: 'node:n', outcome: 'succeeded', reason: 'It had ended.' } }]);
  });

  it('writes sixty refusals of one actor in a minute and counts the others', async () => {
    const { refusals, facts } = opened();
    const from = new Date(clock.now()).toISOString();
    for (let at = 0; at < 100; at += 1) await refusals.refused(refusal('mallory'));
    await refusals.refused(refusal('ann'));
    expect((await facts()).filter(({ data }) => 'actor' in data && data.actor === 'mallory')).toHaveLength(60);
    expect((await facts()).filter(({ data }) => 'actor' in data && data.actor === 'ann')).toHaveLength(1);
    await clock.advance(60_000);
    expect((await facts()).slice(61)).toEqual([{ type: 'RefusalsSuppressed', data: { actor: 'mallory', count: 40, from, until: new Date(clock.now()).toISOString() } }]);
    await refusals.refused(refusal('mallory'));
    expect((await facts()).at(-1)).toMatchObject({ type: 'CommandRefused', data: { actor: 'mallory' } });
    await clock.advance(120_000);
    expect(await facts()).toHaveLength(63);
    expect(clock.pending).toBe(0);
  });

  it('writes what it counted when it is closed within the minute', async () => {
    const { refusals, facts } = opened();
    for (let at = 0; at < 61; at += 1) await refusals.refused(refusal());
    await refusals.close();
    expect((await facts()).at(-1)).toMatchObject({ type: 'RefusalsSuppressed', data: { actor: 'ann', count: 1 } });
    expect(clock.pending).toBe(0);
  });

  it('does not count fenced outcomes against anybody', async () => {
    const { refusals, facts } = opened();
    const origin = { actor: 'node:n', roles: [], via: 'runner', commandId: ids.freshCommand() } as const;
    await Promise.all(Array.from({ length: 200 }, () => refusals.refused(refusal('', { slug: 'fenced', origin }))));
    expect(await facts()).toHaveLength(200);
  });

  it.each(['before', 'after'] as const)('lets the answer go out when the log is away, and writes it once when it is back: away %s the write', async (when) => {
    let away = true;
    const { refusals, facts, stored, reports } = opened((write) => async (...asked) => {
      if (away && when === 'before') throw new Unavailable('away');
      const result = await write(...asked);
      if (away) throw new Unavailable('away');
      return result;
    });
    await refusals.refused(refusal('first'));
    await refusals.refused(refusal('second'));
    expect(reports).toHaveLength(2);
    away = false;
    await refusals.refused(refusal('third'));
    expect((await facts()).map(({ data }) => 'actor' in data && data.actor)).toEqual(['first', 'second', 'third']);
    expect(verifyChain(await stored())).toMatchObject({ ok: true });
  });

  it('never rejects: what can not be written is reported', async () => {
    const { refusals, reports, facts } = opened((write) => (stream, expected, facts) => (facts.length > 0 && reports.length === 0 ? Promise.reject(new Conflict(stream, expected, 9)) : write(stream, expected, facts)));
    await refusals.refused(refusal());
    await refusals.refused(refusal('odd', { about: { command: 'DecideGate', runId: 'no uuid' } }));
    expect(reports).toHaveLength(2);
    await refusals.refused(refusal('\0\ud800', { reason: '\0\ud800' }));
    expect(await facts()).toMatchObject([{ data: { actor: '\uFFFD\uFFFD', reason: '\uFFFD\uFFFD' } }]);
  });
});

describe('a refusal is kept', () => {
  it('if its slug stands for 403 or 409', () => {
    const statuses: Readonly<Record<string, { readonly status: number }>> = PROBLEMS;
    const kept = Object.entries(REFUSED_BY_ROLE_OR_STATE).filter(([slug]) => slug in statuses);
    expect(kept.length).toBeGreaterThan(10);
    expect(kept).toEqual(kept.map(([slug]) => [slug, [403, 409].includes(statuses[slug]!.status)]));
  });

  it('if a person or a program said it, or a runner was fenced', () => {
    expect([isKept('forbidden', 'rest'), isKept('forbidden', 'code'), isKept('fenced', 'runner')]).toEqual([true, true, true]);
    expect([isKept('forbidden', 'timer'), isKept('lost-claim', 'runner'), isKept('not-found', 'rest'), isKept('validation-failed', 'code')]).toEqual([false, false, false, false]);
  });
});
