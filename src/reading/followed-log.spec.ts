import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '../clock.js';
import type { StoredFact } from '../log/event-reader.js';
import { Unavailable } from '../log/log-errors.js';
import { FollowedLog } from './followed-log.js';
import { HandOver } from './hand-over.js';

const fact = (position: string): StoredFact => ({ stream: 's', revision: 0, type: 'T', data: {}, metadata: {}, id: position, position, recordedAt: '2026-01-31T00:00:00.000Z' });
const some = (...positions: readonly string[]): readonly StoredFact[] => positions.map(fact);
const facts = (...positions: readonly string[]) => ({ kind: 'facts', facts: some(...positions) });

/** A log of which `stored` is what can be read, and how often it was read. */
function followed(...stored: string[]) {
  const log = { stored, reads: 0, away: 0, taken: 0 };
  const follower = new FollowedLog({
    clock: new SystemClock(),
    most: 100,
    took: ({ facts: { length } }) => (log.taken += length),
    reader: {
      readStream: async () => [],
      readBlob: async () => undefined,
      head: async () => {
        if (log.away-- > 0) throw new Unavailable('It is away.');
        return log.stored.at(-1) ?? '';
      },
      async *readAll({ after = '' } = {}) {
        log.reads += 1;
        const page = log.stored.filter((position) => position > after).map(fact);
        if (page.length > 0) yield page;
      },
    },
  });
  const ending = new AbortController();
  const deliveries = follower.subscribe({ signal: ending.signal });
  return { log, follower, next: async () => (await deliveries.next()).value, end: () => ending.abort() };
}

describe('A log that is followed', () => {
  it('gives what was handed over where it follows, without reading', async () => {
    const { log, follower, next } = followed('1', '2');
    expect([await next(), await next()]).toEqual([facts('1', '2'), { kind: 'caughtUp', position: '2' }]);
    const over = new HandOver('2');
    over.add(some('3', '4'));
    const handed = over.take();
    if (handed === undefined || handed === 'news') throw new Error('Nothing was handed over.');
    follower.hand(handed);
    expect(await next()).toEqual(facts('3', '4'));
    expect(log).toMatchObject({ reads: 1, taken: handed.facts.length });
  });

  it('reads what lies between, and gives nothing twice', async () => {
    const { log, follower, next } = followed('1');
    await next();
    await next();
    log.stored.push('2', '3', '4');
    follower.hand({ after: '2', to: '3', facts: JSON.stringify([fact('3')]) });
    follower.hand({ after: '3', to: '5', facts: JSON.stringify([fact('4'), fact('5')]) });
    expect([await next(), await next()]).toEqual([facts('2', '3', '4'), facts('5')]);
  });

  it('waits for a log that does not hold yet what was heard, and for one that is away', async () => {
    const { log, follower, next } = followed('1');
    await next();
    await next();
    log.away = 1;
    follower.hand({ after: '2', to: '3', facts: JSON.stringify([fact('3')]) });
    const coming = next();
    while (log.reads < 2) await new Promise((resolve) => setImmediate(resolve));
    log.stored.push('2');
    expect([await coming, await next()]).toEqual([facts('2'), facts('3')]);
  });

  it('ends when it waits', async () => {
    const { next, end } = followed();
    expect(await next()).toEqual({ kind: 'caughtUp', position: '' });
    const last = next();
    end();
    expect(await last).toBeUndefined();
  });
});

describe('What is handed over', () => {
  it('is bounded: past that it is said that there is something new, until enough was taken', () => {
    const size = JSON.stringify([fact('1')]).length;
    const over = new HandOver('0', 2 * size);
    over.add(some('1'));
    expect(over.take()).toMatchObject({ after: '0', to: '1' });
    over.add(some('2', '3'));
    over.add(some('4'));
    expect(over.take()).toBe('news');
    over.took(size);
    over.add(some('5'));
    expect(over.take()).toEqual({ after: '4', to: '5', facts: JSON.stringify([fact('5')]) });
  });

  it('is said once', () => {
    const over = new HandOver('0');
    expect(over.take()).toBeUndefined();
    over.add(some('1'));
    expect(over.take()).toMatchObject({ after: '0', to: '1' });
    expect(over.take()).toBeUndefined();
  });
});
