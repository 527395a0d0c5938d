/** The subscribing half of the contract: catch up, the seam, live, filters, slow consumers, ends. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Delivery, StoredFact, SubscribeOptions } from '../../src/log/event-reader.js';
import { Chain, firstFacts } from './chain.js';
import type { EventLog, EventLogHarness, OpenLog } from './event-log.contract.js';

export function subscribingContract(harness: EventLogHarness): void {
  describe('subscribing', () => {
    let opened: OpenLog;
    let log: EventLog;
    let stop: AbortController;
    const stream = (prefix = 'run-'): string => `${prefix}${randomUUID()}`;

    beforeEach(async () => {
      opened = await harness.open();
      log = opened.log;
      stop = new AbortController();
      setMaxListeners(0, stop.signal);
    });
    afterEach(async () => {
      stop.abort();
      await opened.close();
    });

    const subscribe = (options: Omit<SubscribeOptions, 'signal'> = {}): AsyncIterable<Delivery> =>
      log.subscribe({ ...options, signal: stop.signal });

    async function append(count: number, facts = 1, prefix?: string): Promise<void> {
      for (let index = 0; index < count; index += 1) {
        const name = stream(prefix);
        await log.append(name, 'none', firstFacts(name, facts));
      }
    }

    async function all(after: string): Promise<readonly StoredFact[]> {
      const facts: StoredFact[] = [];
      for await (const page of log.readAll({ after })) facts.push(...page);
      return facts;
    }

    /** Takes deliveries until one says that it is enough. */
    async function take(deliveries: AsyncIterable<Delivery>, enough: (seen: Seen) => boolean): Promise<Seen> {
      const seen: Seen = { facts: [], kinds: [], deliveries: [] };
      for await (const delivery of deliveries) {
        seen.deliveries.push(delivery);
        seen.kinds.push(delivery.kind);
        if (delivery.kind === 'facts') {
          expect(delivery.facts.length).toBeGreaterThan(0);
          seen.facts.push(...delivery.facts);
        }
        if (enough(seen)) break;
      }
      return seen;
    }
    interface Seen {
      readonly facts: StoredFact[];
      readonly kinds: Delivery['kind'][];
      readonly deliveries: Delivery[];
    }
    const caughtUp = (seen: Seen): boolean => seen.kinds.includes('caughtUp');
    const positions = (facts: readonly StoredFact[]): readonly string[] => facts.map((fact) => fact.position);

    it('gives what stands in the log, then says that it has caught up, and where', async () => {
      const before = await log.head();
      await append(20, 3);
      const seen = await take(subscribe({ after: before }), caughtUp);
      expect(seen.facts).toEqual(await all(before));
      expect(seen.kinds.filter((kind) => kind === 'caughtUp')).toHaveLength(1);
      expect(seen.deliveries.at(-1)).toEqual({ kind: 'caughtUp', position: await log.head() });
    });

    it('goes on live after that, in the order of the log', async () => {
      const before = await log.head();
      await append(3);
      const taking = take(subscribe({ after: before }), (seen) => seen.facts.length === 23);
      await append(20);
      const seen = await taking;
      expect(seen.facts).toEqual(await all(before));
      expect(seen.kinds.filter((kind) => kind === 'caughtUp')).toHaveLength(1);
    });

    it('says at once that it has caught up where there is nothing to give', async () => {
      const head = await log.head();
      expect((await take(subscribe({ after: head }), () => true)).deliveries).toEqual([{ kind: 'caughtUp', position: head }]);
    });

    it('resumes after any position without a gap and without a repeat, while appends go on', async () => {
      const before = await log.head();
      await append(40, 2);
      const early = await all(before);
      const total = 80 + 200;
      const resumed = early.filter((_, index) => index % 7 === 0).map((fact, index) => {
        const missing = total - (index * 7 + 1);
        return { fact, taking: take(subscribe({ after: fact.position }), (seen) => seen.facts.length >= missing) };
      });
      const writers = Array.from({ length: 10 }, () => append(10, 2));
      await Promise.all(writers);
      const facts = await all(before);
      expect(facts).toHaveLength(total);
      for (const { fact, taking } of resumed) {
        expect(positions((await taking).facts)).toEqual(positions(facts).filter((position) => position > fact.position));
      }
    });

    it('gives each of several subscribers everything', async () => {
      const before = await log.head();
      const taking = Array.from({ length: 5 }, () => take(subscribe({ after: before }), (seen) => seen.facts.length === 60));
      await Promise.all([append(20), append(20), append(20)]);
      const expected = positions(await all(before));
      for (const seen of await Promise.all(taking)) expect(positions(seen.facts)).toEqual(expected);
    });

    it('gives the streams of its prefixes alone, from the table and live', async () => {
      const before = await log.head();
      const mixed = async (): Promise<void> => {
        for (let index = 0; index < 10; index += 1) await Promise.all([append(1, 1, 'run-'), append(1, 1, 'runner-'), append(1, 1, 'audit-')]);
      };
      await mixed();
      const taking = take(subscribe({ after: before, filter: { prefixes: ['run-', 'audit-'] } }), (seen) => seen.facts.length === 40);
      await mixed();
      const expected = (await all(before)).filter((fact) => /^(run|audit)-/.test(fact.stream));
      expect(positions((await taking).facts)).toEqual(positions(expected));
    });

    it('tells a subscriber whose streams are quiet how far it has looked, so that it need not look again', async () => {
      const before = await log.head();
      const filter = { prefixes: [`quiet${randomUUID()}-`] };
      const chain = new Chain(stream());
      const append250 = (): Promise<unknown> => {
        const { expected } = chain;
        return log.append(chain.stream, expected, chain.next(250));
      };
      for (let index = 0; index < 8; index += 1) await append250();
      const middle = await log.head();
      const told = (seen: Seen, position: string): boolean =>
        seen.deliveries.some((delivery) => delivery.kind === 'checkpoint' && delivery.position >= position);
      const late = await take(subscribe({ after: before, filter }), caughtUp);
      expect(late.facts).toEqual([]);
      expect(late.deliveries.at(-1)).toEqual({ kind: 'caughtUp', position: middle });
      const live = take(subscribe({ after: middle, filter }), (seen) => told(seen, middle));
      for (let index = 0; index < 8; index += 1) await append250();
      expect((await live).facts).toEqual([]);
    });

    it('holds a bounded number of facts for a consumer that does not read, and gives it everything in the end', async () => {
      const before = await log.head();
      const iterator = subscribe({ after: before })[Symbol.asyncIterator]();
      expect((await iterator.next()).value).toMatchObject({ kind: 'caughtUp' });
      let most = 0;
      for (let round = 0; round < 80; round += 1) {
        await Promise.all(Array.from({ length: 10 }, () => append(1, 25)));
        most = Math.max(most, opened.bufferedFacts());
      }
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(harness.bufferLimit);
      const seen = await take({ [Symbol.asyncIterator]: () => iterator }, (each) => each.facts.length >= 20_000);
      expect(positions(seen.facts)).toEqual(positions(await all(before)));
      expect(opened.bufferedFacts()).toBe(0);
    }, 180_000);

    it('keeps up a slow consumer with writers who do not wait for it', async () => {
      const before = await log.head();
      const total = 3_000;
      const consuming = (async () => {
        const facts: StoredFact[] = [];
        for await (const delivery of subscribe({ after: before })) {
          if (delivery.kind === 'facts') facts.push(...delivery.facts);
          if (facts.length >= total) break;
          // Some turns of the event loop for each delivery: the writers are faster.
          for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        }
        return facts;
      })();
      await Promise.all(Array.from({ length: 4 }, () => append(75, 10)));
      expect(positions(await consuming)).toEqual(positions(await all(before)));
    }, 180_000);

    it('ends when its signal is aborted while it waits', async () => {
      const deliveries = subscribe({ after: await log.head() })[Symbol.asyncIterator]();
      expect((await deliveries.next()).value).toMatchObject({ kind: 'caughtUp' });
      const taking = take({ [Symbol.asyncIterator]: () => deliveries }, () => false);
      await append(1);
      stop.abort();
      await taking;
    });

    it('ends when its signal is aborted while it catches up, and at once when it was aborted before', async () => {
      const before = await log.head();
      const chain = new Chain(stream());
      for (let index = 0; index < 8; index += 1) {
        const { expected } = chain;
        await log.append(chain.stream, expected, chain.next(250));
      }
      const ending = new AbortController();
      const facts: StoredFact[] = [];
      for await (const delivery of log.subscribe({ after: before, signal: ending.signal })) {
        if (delivery.kind === 'facts') facts.push(...delivery.facts);
        ending.abort();
      }
      expect(facts.length).toBeLessThan(2_000);
      for await (const delivery of log.subscribe({ after: before, signal: ending.signal })) throw new Error(`gave ${delivery.kind}`);
    });

    it('ends when the log is closed', async () => {
      const deliveries = subscribe({ after: await log.head() })[Symbol.asyncIterator]();
      expect((await deliveries.next()).value).toMatchObject({ kind: 'caughtUp' });
      const taking = take({ [Symbol.asyncIterator]: () => deliveries }, () => false);
      await append(1);
      await opened.close();
      await taking;
    });

    it('holds nothing for a subscriber who has left', async () => {
      await take(subscribe({ after: await log.head() }), caughtUp);
      await append(10);
      expect(opened.bufferedFacts()).toBe(0);
    });

    it('shows an append no later than one that began after its answer', async () => {
      const before = await log.head();
      const first = stream();
      const second = stream();
      const taking = take(subscribe({ after: before }), (seen) => seen.facts.length === 2);
      await log.append(first, 'none', firstFacts(first));
      await log.append(second, 'none', firstFacts(second));
      expect((await taking).facts.map((fact) => fact.stream)).toEqual([first, second]);
    });
  });
}
