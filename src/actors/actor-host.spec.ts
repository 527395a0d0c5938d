import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '../clock.js';
import { verifyChain } from '../events/envelope.js';
import { ids } from '../ids.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import type { EventWriter } from '../log/event-writer.js';
import { Conflict, Unavailable } from '../log/log-errors.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import { ActorHost } from './actor-host.js';
import type { ActorCommand, ActorKind, Answer } from './actor-kind.js';
import { isRejected } from './actor.js';
import type { Origin, Rejected } from './actor.js';
import type { KeptAnswer, KeptAnswers } from './kept-answers.js';
import type { Refusal } from './refusals.js';

interface Add extends ActorCommand {
  readonly counter: string;
  readonly by: number;
  readonly note?: string;
}

/** The smallest actor: it adds up, up to a hundred. */
const counter: ActorKind<number, Add> = {
  machine: 'counter@1',
  schemaVersionOf: () => 1,
  streamOf: (command) => `run-${command.counter}`,
  payloadField: () => 'note',
  fold: (facts) => Promise.resolve(facts.reduce((sum, fact) => sum + Number(fact.data.by), 0)),
  decider: (command) =>
    Promise.resolve((sum = 0) => {
      if (sum + command.by > 100) return { rejected: 'validation-failed', detail: 'Over a hundred.' };
      if (command.by === 0) return { facts: [], state: sum };
      return { facts: [{ type: 'Added', data: { by: command.by, note: { text: command.note ?? '' } } }], state: sum + command.by };
    }),
  keep: (sum) => sum < 90,
};

const add = (by: number, origin: Partial<Origin> = {}, note?: string): Add => ({
  counter: 'c', by, ...(note !== undefined && { note }), origin: { actor: 'ann', roles: ['operator'], via: 'rest', commandId: ids.freshCommand(), ...origin },
});

function house(wrap: (log: EventReader & EventWriter) => EventWriter = (log) => log) {
  const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
  const host = (): ActorHost<number, Add> => new ActorHost(counter, log, wrap(log), new SystemClock());
  return { log, host: host(), another: host, stream: () => log.readStream('run-c') };
}

function accepted(answer: Answer | Rejected): Answer {
  if (isRejected(answer)) throw new Error(answer.detail);
  return answer;
}

const readerOf = (log: EventReader): EventReader => ({
  readStream: (...read) => log.readStream(...read), readAll: (...read) => log.readAll(...read), subscribe: (...asked) => log.subscribe(...asked), head: () => log.head(), readBlob: (sha256) => log.readBlob(sha256),
});
const sum = (facts: readonly StoredFact[]): number => facts.reduce((total, fact) => total + Number(fact.data.by), 0);

describe('the actor host', () => {
  it('appends what was decided, sealed into a whole chain, with who said it', async () => {
    const { host, stream } = house();
    await host.execute(add(1));
    await host.execute(add(2));
    const facts = await stream();
    expect(facts.map((fact) => [fact.revision, fact.type, fact.metadata.actor, fact.metadata.machine])).toEqual([[0, 'Added', 'ann', 'counter@1'], [1, 'Added', 'ann', 'counter@1']]);
    expect(verifyChain(facts)).toMatchObject({ ok: true });
  });

  it('writes nothing for a command that is refused or says nothing new', async () => {
    const { host, stream } = house();
    expect(await host.execute(add(101))).toMatchObject({ rejected: 'validation-failed' });
    expect(accepted(await host.execute(add(0))).facts).toEqual([]);
    expect(await stream()).toEqual([]);
  });

  it('gives the first answer to a command that is said again with its key, and none to another body', async () => {
    const { host, another, stream } = house();
    const keyed = { commandId: ids.keyedCommand('ann', 'POST', '/x', 'key'), requestHash: 'a' };
    const first = accepted(await host.execute(add(5, keyed)));
    await host.execute(add(1));
    for (const node of [host, another()]) {
      expect(await node.execute(add(5, keyed))).toMatchObject({ position: first.position, replayed: true, facts: [{ data: { by: 5 } }] });
      expect(await node.execute(add(6, { ...keyed, requestHash: 'b' }))).toMatchObject({ rejected: 'idempotency-key-reused' });
    }
    expect(sum(await stream())).toBe(6);
  });

  it('gives the first answer again where there was nothing to do, from what the stream held then', async () => {
    const { log, stream } = house();
    const kept = new Map<string, KeptAnswer>();
    const answers: KeptAnswers = {
      of: ({ commandId }) => Promise.resolve(kept.get(commandId)),
      keep: ({ commandId, requestHash }, answer) => {
        const first = kept.get(commandId) ?? { ...answer, requestHash };
        return Promise.resolve(kept.set(commandId, first).get(commandId)!);
      },
    };
    const capped: ActorKind<number, Add> = { ...counter, decider: ({ by }) => Promise.resolve((sum = 0) => (sum >= 5 ? { facts: [], state: sum } : { facts: [{ type: 'Added', data: { by } }], state: sum + by })) };
    const node = (kind: ActorKind<number, Add>): ActorHost<number, Add> => new ActorHost(kind, log, log, new SystemClock(), { answers });
    const keyed = { commandId: ids.keyedCommand('ann', 'POST', '/x', 'key'), requestHash: 'a' };
    const { position } = accepted(await node(capped).execute(add(5)));
    expect(await node(capped).execute(add(1, keyed))).toEqual({ facts: [], state: 5, position, replayed: false });
    await node(counter).execute(add(2));
    for (const kind of [counter, { ...counter, keep: () => false }]) {
      expect(await node(kind).execute(add(1, keyed))).toEqual({ facts: [], state: 5, position, replayed: true });
      expect(await node(kind).execute(add(2, { ...keyed, requestHash: 'b' }))).toMatchObject({ rejected: 'idempotency-key-reused' });
    }
    expect(sum(await stream())).toBe(7);
    // What has no key is not kept, nor what did something.
    await node(capped).execute(add(1));
    await node(counter).execute(add(1, { commandId: ids.keyedCommand('ann', 'POST', '/x', 'other'), requestHash: 'a' }));
    expect(kept.size).toBe(1);
  });

  it('begins without looking, and what stands there already still counts', async () => {
    let reads = 0;
    const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
    const reader: EventReader = { ...readerOf(log), readStream: (...read) => ((reads += 1), log.readStream(...read)) };
    const appended: boolean[] = [];
    const beginning: ActorKind<number, Add> = { ...counter, begins: () => true, keep: () => false, settle: (_, it) => void appended.push(it) };
    const node = (): ActorHost<number, Add> => new ActorHost(beginning, reader, log, new SystemClock());
    const keyed = { commandId: ids.keyedCommand('ann', 'POST', '/x', 'key'), requestHash: 'a' };
    const first = accepted(await node().execute(add(5, keyed)));
    expect(reads).toBe(0);
    expect(await node().execute(add(5, keyed))).toMatchObject({ position: first.position, replayed: true, facts: [{ data: { by: 5 } }] });
    expect(await node().execute(add(6, { ...keyed, requestHash: 'b' }))).toMatchObject({ rejected: 'idempotency-key-reused' });
    // What would be refused by itself is not, if it was taken before.
    expect(await node().execute(add(101, keyed))).toMatchObject({ replayed: true });
    // What was decided for nothing is given back: only the first one stands in the log as it was decided.
    expect(appended.filter(Boolean)).toHaveLength(1);
    await node().execute(add(2));
    expect(sum(await log.readStream('run-c'))).toBe(7);
  });

  it('decides again on what another host wrote meanwhile, and never breaks the chain', async () => {
    const { host, another, stream } = house();
    const hosts = [host, another(), another()];
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => hosts[at % 3]!.execute(add(2)).catch((error: unknown) => error)));
    const taken = answers.filter((answer): answer is Answer => typeof answer === 'object' && answer !== null && 'facts' in answer);
    const facts = await stream();
    expect(sum(facts)).toBe(taken.length * 2);
    expect(sum(facts)).toBeLessThanOrEqual(100);
    expect(verifyChain(facts)).toMatchObject({ ok: true });
  });

  describe('with commands that may go together', () => {
    const together: ActorKind<number, Add> = { ...counter, together: () => true };
    const counting = (log: EventReader & EventWriter, appends: number[]): EventWriter => ({ append: (...append) => (appends.push(append[2].length), log.append(...append)) });
    const opened = (wrap?: (log: EventReader & EventWriter) => EventWriter) => {
      const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
      const appends: number[] = [];
      return { log, appends, host: new ActorHost(together, log, wrap?.(log) ?? counting(log, appends), new SystemClock()) };
    };

    it('decides those that wait on each other, in one append, and answers each for itself', async () => {
      const { host, log, appends } = opened();
      await host.execute(add(1));
      const answers = await Promise.all([add(2), add(200), add(0), add(3), add(94), add(1)].map((command) => host.execute(command)));
      expect(answers.map((answer) => (isRejected(answer) ? answer.rejected : answer.state))).toEqual([3, 'validation-failed', 3, 6, 100, 'validation-failed']);
      const facts = await log.readStream('run-c');
      expect([appends, sum(facts), new Set(facts.map(({ metadata }) => metadata.commandId)).size]).toEqual([[1, 1, 2], 100, 4]);
      expect(verifyChain(facts)).toMatchObject({ ok: true });
    });

    it('tells whoever wants to know of every append that is durable, alone or together, before it is answered', async () => {
      const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
      const told: unknown[] = [];
      const host = new ActorHost({ ...together, onAppended: ({ stream, facts, revision, position }) => void told.push([stream, facts.map(({ data }) => data['by']), revision, Number(position)]) }, log, log, new SystemClock());
      const key = { commandId: ids.freshCommand(), requestHash: 'h' };
      await host.execute(add(1, key)).then(() => told.push('answered'));
      await host.execute(add(1, key));
      await Promise.all([add(2), add(3), add(4), add(101)].map((command) => host.execute(command)));
      expect(told).toEqual([['run-c', [1], 0, 1], 'answered', ['run-c', [2], 1, 2], ['run-c', [3, 4], 2, 4]]);
    });

    it('lets what an answer leads to share the append of those that wait', async () => {
      const { host, appends } = opened();
      await host.execute(add(1));
      await Promise.all([host.execute(add(1)).then(() => host.execute(add(2))), host.execute(add(3))]);
      expect(appends).toEqual([1, 1, 2]);
    });

    it('takes no more than one append holds, and loses nobody', async () => {
      const small = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
      const appends: number[] = [];
      const many: ActorKind<number, Add> = { ...together, keep: () => true, decider: () => Promise.resolve((so = 0) => ({ facts: [{ type: 'Added', data: { by: 1 } }], state: so + 1 })) };
      const host = new ActorHost(many, small, counting(small, appends), new SystemClock());
      await Promise.all(Array.from({ length: 600 }, () => host.execute(add(1))));
      expect([sum(await small.readStream('run-c')), appends]).toEqual([600, [1, 256, 256, 87]]);
    });

    it('lets each look for itself when nobody knows what became of the append', async () => {
      let failing = 0;
      const { host, log } = opened((inner) => ({
        append: async (...append) => {
          const result = await inner.append(...append);
          failing += 1;
          if (failing !== 2) return result;
          throw new Unavailable('The answer was lost.');
        },
      }));
      await host.execute(add(1));
      const [, ...answers] = await Promise.all([add(2), add(3), add(4), add(5)].map((command) => host.execute(command)));
      expect(answers.map((answer) => accepted(answer).facts.length)).toEqual([1, 1, 1]);
      expect(sum(await log.readStream('run-c'))).toBe(15);
    });

    it('settles also the command that it added itself when the append was not taken', async () => {
      const settled: (readonly [Add, boolean])[] = [];
      const following: ActorKind<number, Add> = {
        ...together, settle: (command, appended) => void settled.push([command, appended]), goOn: () => add(50),
        decider: (command, state, followed) => counter.decider(command, state).then((decide) => (...given) => ({ ...decide(...given), ...(followed === true && { more: true }) })),
      };
      const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
      let appends = 0;
      const host = new ActorHost(following, log, { append: (...append) => ((appends += 1) === 3 ? Promise.reject(new Unavailable('gone')) : log.append(...append)) }, new SystemClock());
      await host.execute(add(1));
      await Promise.all([add(2), add(3), add(4)].map((command) => host.execute(command)));
      expect(settled.filter(([{ by }]) => by === 50)).toEqual([[expect.anything(), false]]);
      expect(sum(await log.readStream('run-c'))).toBe(10);
    });

    it('decides each alone when somebody else was faster', async () => {
      const { host, log } = opened();
      const other = new ActorHost(together, log, log, new SystemClock());
      await host.execute(add(1));
      await other.execute(add(10));
      await Promise.all([add(2), add(3), add(4)].map((command) => host.execute(command)));
      const facts = await log.readStream('run-c');
      expect([sum(facts), verifyChain(facts)]).toMatchObject([20, { ok: true }]);
    });
  });

  it('finds its own command in the log when an append was taken but its answer was lost', async () => {
    let lose = true;
    const { host, stream } = house((log) => ({
      append: async (...append) => {
        const result = await log.append(...append);
        if (!lose) return result;
        lose = false;
        throw new Unavailable('The answer was lost.');
      },
    }));
    expect(await host.execute(add(7))).toMatchObject({ replayed: true, facts: [{ type: 'Added' }] });
    expect(sum(await stream())).toBe(7);
    await host.execute(add(1));
    expect(sum(await stream())).toBe(8);
  });

  it('says Unavailable when an append was not taken, and goes on when the log is back', async () => {
    let down = true;
    const { host, stream } = house((log) => ({ append: (...append) => (down ? Promise.reject(new Unavailable('Down.')) : log.append(...append)) }));
    await expect(host.execute(add(7))).rejects.toThrow(Unavailable);
    down = false;
    await host.execute(add(1));
    expect(sum(await stream())).toBe(1);
  });

  it('gives up on a stream that is always a step ahead', async () => {
    const { host } = house(() => ({ append: () => Promise.reject(new Conflict('run-c', 'none', 3)) }));
    await expect(host.execute(add(1))).rejects.toThrow(/8 times in a row/);
  });

  it('keeps a large payload outside its fact and folds it back', async () => {
    const { host, another, log, stream } = house();
    const note = 'x'.repeat(100_000);
    await host.execute(add(1, {}, note));
    const [fact] = await stream();
    expect(fact?.data.note).toMatchObject({ bytes: note.length + '{"text":""}'.length });
    const { $blob } = fact?.data.note as { readonly $blob: string };
    expect(await log.readBlob($blob)).toBe(JSON.stringify({ text: note }));
    await another().execute(add(1));
    expect(verifyChain(await stream())).toMatchObject({ ok: true });
  });

  it('answers a refusal only when it is recorded, and keeps nobody else waiting for that', async () => {
    const forbidding: ActorKind<number, Add> = { ...counter, about: ({ by }) => ({ command: `add ${by}` }), decider: () => Promise.resolve((sum = 0) => (sum > 0 ? { rejected: 'forbidden', detail: 'Enough.' } : { facts: [{ type: 'Added', data: { by: 1 } }], state: 1 })) };
    const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
    const told: Refusal[] = [];
    let recorded: () => void = () => undefined;
    const refused = (refusal: Refusal): Promise<void> => (told.push(refusal) === 1 ? new Promise((resolve) => (recorded = resolve)) : Promise.resolve());
    const host = new ActorHost(forbidding, log, log, new SystemClock(), { refusals: { refused } });
    await host.execute(add(1));
    const order: string[] = [];
    const first = host.execute(add(2)).then(() => order.push('first'));
    await host.execute(add(3)).then(() => order.push('second'));
    recorded();
    await first;
    expect(order).toEqual(['second', 'first']);
    expect(told).toMatchObject([{ stream: 'run-c', slug: 'forbidden', reason: 'Enough.', about: { command: 'add 2' }, origin: { actor: 'ann' } }, { about: { command: 'add 3' } }]);
  });

  it('lets go of what a decision had taken when the decision breaks', async () => {
    const settled: boolean[] = [];
    const breaking: ActorKind<number, Add> = { ...counter, settle: (_, appended) => void settled.push(appended), decider: () => Promise.resolve(() => { throw new TypeError('broken'); }) };
    const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
    await expect(new ActorHost(breaking, log, log, new SystemClock()).execute(add(1))).rejects.toThrow('broken');
    expect(settled).toEqual([false]);
  });
});
