/** The log on EventStoreDB: the contract over the wire double, and what it does when the server is not well. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { verifyChain } from '../../src/events/envelope.js';
import { Streams } from '../../src/events/streams.js';
import type { Delivery, StoredFact } from '../../src/log/event-reader.js';
import { sentEventOf, sizeOf, withHash } from '../../src/log/eventstoredb.codec.js';
import { openEventStoreLog } from '../../src/log/eventstoredb.event-log.js';
import type { EventStoreLog } from '../../src/log/eventstoredb.event-log.js';
import { WAITING_FACTS } from '../../src/log/eventstoredb.listener.js';
import { Conflict, Denied, Gone, LogUnusable, Unavailable } from '../../src/log/log-errors.js';
import { EventStoreDouble } from '../eventstoredb/double.js';
import { Chain, firstFacts } from './chain.js';
import { eventLogContract } from './event-log.contract.js';

// A server in this process: client and server share its one thread.
jest.setTimeout(180_000);

const streams = new Streams();
let double: EventStoreDouble;

beforeAll(async () => {
  double = await new EventStoreDouble().start();
});
afterAll(() => double.kill());

eventLogContract('EventStoreDB, its wire double', {
  open: async () => {
    const log = await openEventStoreLog({ url: double.url, streams });
    return { log, bufferedFacts: () => log.bufferedFacts, close: () => log.close() };
  },
  bufferLimit: WAITING_FACTS,
  bytesOf: (facts) => sizeOf(facts.map(sentEventOf)),
});

describe('the log on EventStoreDB', () => {
  const logs: EventStoreLog[] = [];
  let log: EventStoreLog;
  const stream = (): string => `run-${randomUUID()}`;

  async function open(options: Partial<Parameters<typeof openEventStoreLog>[0]> = {}): Promise<EventStoreLog> {
    const opened = await openEventStoreLog({ url: double.url, streams, ...options });
    logs.push(opened);
    return opened;
  }
  beforeEach(async () => {
    log = await open();
  });
  afterEach(async () => {
    double.thawAll();
    await double.start();
    for (const each of logs.splice(0)) await each.close();
  });

  const refusalOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined, (error: unknown) => error);

  /** Resolves when the server is known to answer. */
  async function heard(): Promise<void> {
    for (let tries = 0; (await refusalOf(log.head())) !== undefined && tries < 200; tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  /** Takes facts until there are so many. */
  async function taken(deliveries: AsyncIterable<Delivery>, count: number): Promise<readonly StoredFact[]> {
    const facts: StoredFact[] = [];
    for await (const delivery of deliveries) {
      if (delivery.kind === 'facts') facts.push(...delivery.facts);
      if (facts.length >= count) break;
    }
    return facts;
  }

  describe('an append whose outcome is not told', () => {
    it.each(['loseAnswer', 'loseRequest', 'notReady', 'notLeader'] as const)('is sent again with the same ids and written once: %s', async (fault) => {
      const chain = new Chain(stream());
      await log.append(chain.stream, 'none', chain.next(1));
      double.failNext(fault);
      const result = await log.append(chain.stream, 0, chain.next(2));
      expect(result).toMatchObject({ revision: 2, duplicate: false });
      expect(await log.readStream(chain.stream)).toHaveLength(3);
      expect(verifyChain(await log.readStream(chain.stream))).toMatchObject({ ok: true });
    });

    it('is sent again with all that are under way, in their order', async () => {
      const chain = new Chain(stream());
      double.failNext('loseAnswer', 'loseRequest', 'loseAnswer');
      const appends = Array.from({ length: 30 }, () => {
        const { expected } = chain;
        return log.append(chain.stream, expected, chain.next(1));
      });
      expect((await Promise.all(appends)).map(({ revision }) => revision)).toEqual(appends.map((_, index) => index));
      expect(verifyChain(await log.readStream(chain.stream))).toMatchObject({ ok: true });
    });

    it('is told to be unknown when no answer comes, and found by who looks', async () => {
      const chain = new Chain(stream());
      double.failNext('neverAnswer');
      const facts = chain.next(1);
      expect(await refusalOf(log.append(chain.stream, 'none', facts))).toBeInstanceOf(Unavailable);
      await heard();
      expect(await log.readStream(chain.stream)).toHaveLength(1);
      expect(await log.append(chain.stream, 'none', facts)).toMatchObject({ revision: 0, duplicate: true });
    }, 240_000);
  });

  describe('the same ids with other facts', () => {
    it('are given the first answer, as what others have stored', async () => {
      const name = stream();
      const [fact] = firstFacts(name);
      const other = { ...firstFacts(name, 1, { other: true })[0]!, id: fact!.id };
      const first = await log.append(name, 'none', [fact!]);
      const beside = await open();
      expect(await beside.append(name, 'none', [other])).toEqual({ ...first, duplicate: true });
      expect((await log.readStream(name)).map(({ data }) => data)).toEqual([fact!.data]);
    });

    it('are no repeat of a part of them', async () => {
      const name = stream();
      const facts = firstFacts(name, 3);
      await log.append(name, 'none', facts);
      const others = firstFacts(name, 3).map((fact, index) => ({ ...fact, id: index < 2 ? facts[index]!.id : fact.id }));
      expect(await refusalOf(log.append(name, 'none', others))).toBeInstanceOf(Conflict);
    });

    it('bear ids on the wire that tell them apart, and that readers do not see', () => {
      const [fact] = firstFacts('run-1');
      const { id, metadata } = fact!;
      expect(withHash(id, metadata['hash'])).not.toBe(id);
      expect(withHash(id, metadata['hash'])).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(withHash(withHash(id, metadata['hash']), metadata['hash'])).toBe(id);
      expect(withHash(id, undefined)).toBe(id);
    });
  });

  describe('a server that is away', () => {
    it('is waited for by what was sent, if it is back soon', async () => {
      const chain = new Chain(stream());
      await log.append(chain.stream, 'none', chain.next(1));
      double.kill();
      const append = log.append(chain.stream, 0, chain.next(1));
      await new Promise((resolve) => setTimeout(resolve, 300));
      await double.start();
      expect(await append).toMatchObject({ revision: 1 });
    }, 240_000);

    it.each<readonly [string, () => void, () => unknown]>([
      ['killed', () => double.kill(), () => double.start()],
      ['stopped', () => double.freeze(), () => double.thawAll()],
    ])('is told to who asks, at once when it is known, and comes back by itself: %s', async (_, away, back) => {
      const chain = new Chain(stream());
      await log.append(chain.stream, 'none', chain.next(1));
      away();
      const facts = chain.next(1);
      expect(await refusalOf(log.append(chain.stream, 0, facts))).toBeInstanceOf(Unavailable);
      const clock = performance.now();
      expect(await refusalOf(log.append(chain.stream, 0, facts))).toBeInstanceOf(Unavailable);
      expect(await refusalOf(log.readStream(chain.stream))).toBeInstanceOf(Unavailable);
      expect(await refusalOf(log.head())).toBeInstanceOf(Unavailable);
      expect(performance.now() - clock).toBeLessThan(400);
      await back();
      await heard();
      expect(await log.append(chain.stream, 0, facts)).toMatchObject({ revision: 1 });
      expect(await log.readStream(chain.stream)).toHaveLength(2);
    }, 180_000);

    it('is told in words at the start, without the password', async () => {
      const error = await refusalOf(open({ url: 'esdb://ann:secret@127.0.0.1:1?tls=false', patienceMs: 300 }));
      expect(error).toBeInstanceOf(LogUnusable);
      expect((error as Error).message).toMatch(/could not be reached.*SLUICE_EVENTS_URL is right/);
      expect((error as Error).message).not.toContain('secret');
    }, 240_000);
  });

  describe('a subscription', () => {
    it.each<readonly [string, () => unknown]>([
      ['was dropped', () => double.dropReads()],
      ['was too slow', () => double.findTooSlow()],
      ['lost its server', async () => {
        double.kill();
        await double.start();
      }],
    ])('goes on without a gap and without a repeat when it %s', async (_, disturb) => {
      const before = await log.head();
      const chain = new Chain(stream());
      const signal = new AbortController();
      const taking = taken(log.subscribe({ after: before, signal: signal.signal }), 60);
      for (let index = 0; index < 60; index += 1) {
        const { expected } = chain;
        await log.append(chain.stream, expected, chain.next(1));
        if (index % 20 === 10) await disturb();
      }
      expect((await taking).map(({ revision }) => revision)).toEqual(Array.from({ length: 60 }, (_, index) => index));
    }, 180_000);

    it('says that it was lost and taken up again', async () => {
      const deliveries = log.subscribe({ after: await log.head(), signal: new AbortController().signal });
      expect((await deliveries.next()).value).toMatchObject({ kind: 'caughtUp' });
      double.dropReads();
      expect((await deliveries.next()).value).toMatchObject({ kind: 'reconnected' });
    });

    it.each<readonly [string, () => unknown]>([
      ['nothing is wrong', () => {}],
      ['reads are dropped', () => double.dropReads()],
      ['the server is lost', async () => {
        double.kill();
        await double.start();
      }],
    ])('is asked for in pages where it was found too slow, and gives everything once, in order: %s', async (_, disturb) => {
      const before = await log.head();
      const chains = Array.from({ length: 8 }, () => new Chain(stream()));
      const deliveries = log.subscribe({ after: before, signal: new AbortController().signal });
      expect((await deliveries.next()).value).toMatchObject({ kind: 'caughtUp' });
      double.findTooSlow();
      const { pages, subscriptions } = double;
      const appending = Promise.all(chains.map(async (chain, at) => {
        for (let turn = 0; turn < 4; turn += 1) {
          const { expected } = chain;
          await log.append(chain.stream, expected, chain.next(60));
          if (at === 0 && turn % 2 === 1) await disturb();
        }
      }));
      const facts: StoredFact[] = [];
      while (facts.length < 8 * 4 * 60) {
        const next = await deliveries.next();
        if (next.done === true) break;
        if (next.value.kind === 'facts') facts.push(...next.value.facts);
      }
      await appending;
      expect(facts.map(({ position }) => position)).toEqual([...new Set(facts.map(({ position }) => position))].sort());
      const stored: StoredFact[] = [];
      for await (const page of log.readAll({ after: before })) stored.push(...page);
      expect(facts).toEqual(stored);
      expect(double.pages - pages).toBeGreaterThan(3);
      // Once few come it is a subscription again.
      for (let tries = 0; double.subscriptions === subscriptions && tries < 300; tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
      expect(double.subscriptions).toBeGreaterThan(subscriptions);
    }, 180_000);

    it('serves every subscriber of a log: the server sees one', async () => {
      const before = double.subscriptions;
      const listeners = Array.from({ length: 3 }, () => log.subscribe({ signal: new AbortController().signal }));
      const name = stream();
      const last = log.append(name, 'none', firstFacts(name));
      for (const listener of listeners) {
        for await (const delivery of listener) if (delivery.kind === 'facts' && delivery.facts.some((fact) => fact.stream === name)) break;
      }
      await last;
      expect(double.subscriptions - before).toBe(1);
    });
  });

  describe('streams', () => {
    it('are found by way of the gossip of a cluster', async () => {
      const discovered = await open({ url: double.discoverUrl });
      const name = stream();
      await discovered.append(name, 'none', firstFacts(name));
      expect(await log.readStream(name)).toHaveLength(1);
    });

    it('that are not ours are not seen', async () => {
      const before = await log.head();
      const event = { id: randomUUID(), type: 'Foreign', contentType: 'application/json', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
      double.store.append('orders-1', 'none', [event]);
      double.store.append('blob-1', 'none', [{ ...event, id: randomUUID() }]);
      expect(await log.head()).toBe(before);
      for await (const page of log.readAll({ after: before })) throw new Error(`gave ${page.length}`);
    });

    it('of another namespace are not ours', async () => {
      const acme = await open({ streams: new Streams('acme') });
      expect(acme.identity).not.toBe(log.identity);
      expect(await acme.head()).toBe('');
      const name = new Streams('acme').prefix('run') + randomUUID();
      const before = await log.head();
      await acme.append(name, 'none', firstFacts(name));
      expect(await log.head()).toBe(before);
      expect(await acme.head()).not.toBe('');
    });

    it('that were deleted for ever are gone', async () => {
      const name = stream();
      await log.append(name, 'none', firstFacts(name));
      double.store.tombstone(name);
      expect(await refusalOf(log.append(name, 0, firstFacts(name)))).toBeInstanceOf(Gone);
      expect(await refusalOf(log.readStream(name))).toBeInstanceOf(Gone);
    });

    it('that were deleted and begun anew are gone too: their numbers would be wrong', async () => {
      const name = stream();
      await log.append(name, 'none', firstFacts(name, 2));
      double.store.delete(name);
      expect(await log.readStream(name)).toEqual([]);
      expect(await refusalOf(log.append(name, 'none', firstFacts(name)))).toBeInstanceOf(Gone);
    });

    it('that this user may not write are refused in words', async () => {
      const name = stream();
      double.failNext('denied');
      const error = await refusalOf(log.append(name, 'none', firstFacts(name)));
      expect(error).toBeInstanceOf(Denied);
      expect((error as Error).message).toMatch(/SLUICE_EVENTS_URL/);
    });

    it('with something in them that nobody sealed show it as such, and what comes after it', async () => {
      const before = await log.head();
      const name = stream();
      const odd = { contentType: 'application/json', data: Buffer.from('{"a":'), metadata: Buffer.from('{}'), type: 'Odd' };
      double.store.append(name, 'none', [
        { ...odd, id: randomUUID() },
        { ...odd, id: randomUUID(), data: Buffer.from('{"a":1}'), metadata: Buffer.from('{"a":{}}') },
        { ...odd, id: randomUUID(), contentType: 'application/octet-stream', data: Buffer.from([1, 2]), metadata: Buffer.alloc(0) },
        { ...odd, id: randomUUID(), data: Buffer.from('{"a":1}'), metadata: Buffer.from('{"b":"c"}') },
      ]);
      const pages: StoredFact[] = [];
      for await (const page of log.readAll({ after: before })) pages.push(...page);
      expect(pages.map(({ revision, type, data, metadata }) => ({ revision, type, data, metadata }))).toEqual([
        ...[0, 1, 2].map((revision) => ({ revision, type: 'Odd', data: {}, metadata: {} })),
        { revision: 3, type: 'Odd', data: { a: 1 }, metadata: { b: 'c' } },
      ]);
    });
  });

  it('says which log it is, the same to everybody and after a restart', async () => {
    const both = await Promise.all([open({ streams: new Streams('fresh') }), open({ streams: new Streams('fresh') })]);
    expect(both[0].identity).toBe(both[1].identity);
    expect(both[0].identity).not.toBe(log.identity);
  });

  it('refuses a position that it never gave out', async () => {
    await expect(log.readAll({ after: '12' }).next()).rejects.toThrow('"12" is not a position of this log.');
    await expect(log.subscribe({ after: 'C:1/P:1', signal: new AbortController().signal }).next()).rejects.toBeInstanceOf(RangeError);
  });

  it('refuses a connection string that says nothing', async () => {
    expect(await refusalOf(open({ url: 'http://127.0.0.1:2113' }))).toBeInstanceOf(LogUnusable);
  });
});
