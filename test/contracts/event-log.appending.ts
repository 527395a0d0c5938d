/** The appending half of the contract: expected revisions, repeats, all or nothing, races, limits. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { AppendResult, ExpectedRevision, NewFact } from '../../src/log/event-writer.js';
import { Conflict, TooLarge } from '../../src/log/log-errors.js';
import { Chain, firstFacts } from './chain.js';
import type { EventLog, EventLogHarness, OpenLog } from './event-log.contract.js';

const MIB = 1024 * 1024;

export function appendingContract(harness: EventLogHarness): void {
  describe('appending', () => {
    let opened: OpenLog;
    let log: EventLog;
    const stream = (): string => `run-${randomUUID()}`;

    beforeEach(async () => {
      opened = await harness.open();
      log = opened.log;
    });
    afterEach(() => opened.close());

    async function streamOf(length: number): Promise<Chain> {
      const chain = new Chain(stream());
      if (length > 0) await log.append(chain.stream, 'none', chain.next(length));
      return chain;
    }

    describe('expects a revision', () => {
      // [what the caller expects, facts in the stream, what the log says]
      const matrix: readonly (readonly [ExpectedRevision, number, 'taken' | { actual: number | 'none' }])[] = [
        ['none', 0, 'taken'],
        ['none', 1, { actual: 0 }],
        ['none', 5, { actual: 4 }],
        [0, 0, { actual: 'none' }],
        [2, 0, { actual: 'none' }],
        [2, 1, { actual: 0 }],
        [2, 2, { actual: 1 }],
        [2, 3, 'taken'],
        [2, 4, { actual: 3 }],
        [2, 9, { actual: 8 }],
      ];
      it.each(matrix)('%p, where the stream holds %p facts: %p', async (expected, length, outcome) => {
        const { stream: name } = await streamOf(length);
        const append = log.append(name, expected, firstFacts(name, 2));
        if (outcome === 'taken') {
          expect(await append).toMatchObject({ revision: length + 1, duplicate: false });
          expect(await log.readStream(name)).toHaveLength(length + 2);
        } else {
          const error = await append.then(() => undefined, (reason: unknown) => reason);
          expect(error).toBeInstanceOf(Conflict);
          expect(error).toMatchObject({ stream: name, expected, ...outcome });
          expect(await log.readStream(name)).toHaveLength(length);
        }
      });

      it('takes an append after a conflict as if there had been none', async () => {
        const chain = await streamOf(1);
        await expect(log.append(chain.stream, 'none', firstFacts(chain.stream))).rejects.toBeInstanceOf(Conflict);
        expect(await log.append(chain.stream, 0, chain.next(1))).toMatchObject({ revision: 1, duplicate: false });
      });

      it('keeps the order of appends to one stream that were not awaited', async () => {
        const chain = new Chain(stream());
        const appends: Promise<AppendResult>[] = [];
        for (let index = 0; index < 50; index += 1) {
          const { expected } = chain;
          appends.push(log.append(chain.stream, expected, chain.next(1)));
        }
        expect((await Promise.all(appends)).map((result) => result.revision)).toEqual(Array.from({ length: 50 }, (_, index) => index));
        const read = await log.readStream(chain.stream);
        expect(read.map((fact) => fact.data['number'])).toEqual(Array.from({ length: 50 }, (_, index) => index));
      });
    });

    describe('repeats', () => {
      it('answers a repeated append like the first time and writes nothing', async () => {
        const chain = await streamOf(2);
        const facts = chain.next(3);
        const first = await log.append(chain.stream, 1, facts);
        const again = await log.append(chain.stream, 1, facts);
        expect(again).toEqual({ ...first, duplicate: true });
        expect(await log.readStream(chain.stream)).toHaveLength(5);
      });

      it('answers it also when the stream has moved on', async () => {
        const chain = await streamOf(2);
        const facts = chain.next(3);
        const first = await log.append(chain.stream, 1, facts);
        await log.append(chain.stream, 4, chain.next(4));
        expect(await log.append(chain.stream, 1, facts)).toEqual({ ...first, duplicate: true });
        expect(await log.readStream(chain.stream)).toHaveLength(9);
      });

      it('answers it also for the append that made the stream', async () => {
        const chain = new Chain(stream());
        const facts = chain.next(2);
        const first = await log.append(chain.stream, 'none', facts);
        expect(await log.append(chain.stream, 'none', facts)).toEqual({ ...first, duplicate: true });
        await log.append(chain.stream, 1, chain.next(1));
        expect(await log.append(chain.stream, 'none', facts)).toEqual({ ...first, duplicate: true });
        expect(await log.readStream(chain.stream)).toHaveLength(3);
      });

      it('writes once what is appended twice at the same moment', async () => {
        const chain = new Chain(stream());
        const facts = chain.next(2);
        const [one, two] = await Promise.all([log.append(chain.stream, 'none', facts), log.append(chain.stream, 'none', facts)]);
        expect([one.duplicate, two.duplicate].sort()).toEqual([false, true]);
        expect(one.position).toBe(two.position);
        expect(await log.readStream(chain.stream)).toHaveLength(2);
      });

      it.each<readonly [string, (facts: readonly NewFact[], other: NewFact) => readonly NewFact[]]>([
        ['one fact more', (facts, other) => [...facts, other]],
        ['another last fact', (facts, other) => [facts[0]!, facts[1]!, other]],
        ['another first fact', (facts, other) => [other, facts[1]!, facts[2]!]],
        ['another order', (facts) => [facts[1]!, facts[0]!, facts[2]!]],
      ])('calls a repeat with %s a conflict', async (_, change) => {
        const chain = await streamOf(1);
        const facts = chain.next(3);
        await log.append(chain.stream, 0, facts);
        const changed = change(facts, firstFacts(chain.stream)[0]!);
        await expect(log.append(chain.stream, 0, changed)).rejects.toBeInstanceOf(Conflict);
        expect((await log.readStream(chain.stream)).slice(1).map((fact) => fact.id)).toEqual(facts.map((fact) => fact.id));
      });

      it('calls the same facts at another place a conflict', async () => {
        const chain = await streamOf(1);
        const facts = chain.next(2);
        await log.append(chain.stream, 0, facts);
        await log.append(chain.stream, 2, chain.next(2));
        await expect(log.append(chain.stream, 1, facts)).rejects.toBeInstanceOf(Conflict);
      });
    });

    describe('at the same moment', () => {
      it('refuses alone the one append of a group that is in conflict', async () => {
        const taken = await streamOf(1);
        const chains = Array.from({ length: 10 }, () => new Chain(stream()));
        const outcomes = await Promise.allSettled(
          chains.map((chain, index) => (index === 4 ? log.append(taken.stream, 'none', firstFacts(taken.stream)) : log.append(chain.stream, 'none', chain.next(2)))),
        );
        expect(outcomes.map((outcome) => outcome.status)).toEqual(chains.map((_, index) => (index === 4 ? 'rejected' : 'fulfilled')));
        const lengths = await Promise.all(chains.map(async (chain) => (await log.readStream(chain.stream)).length));
        expect(lengths).toEqual(chains.map((_, index) => (index === 4 ? 0 : 2)));
        expect(await log.readStream(taken.stream)).toHaveLength(1);
      });

      it('lets one of 64 racing appends win and shows the others where the stream is', async () => {
        const chain = await streamOf(1);
        const racers = Array.from({ length: 64 }, () => firstFacts(chain.stream, 2));
        const outcomes = await Promise.allSettled(racers.map((facts) => log.append(chain.stream, 0, facts)));
        const winners = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index] : []));
        expect(winners).toHaveLength(1);
        const losers = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
        for (const reason of losers) {
          expect(reason).toBeInstanceOf(Conflict);
          expect(reason).toMatchObject({ expected: 0, actual: 2 });
        }
        const ids = (await log.readStream(chain.stream)).slice(1).map((fact) => fact.id);
        expect(ids).toEqual(racers[winners[0]!]!.map((fact) => fact.id));
      });

      it('makes one stream of 64 racing beginnings', async () => {
        const name = stream();
        const outcomes = await Promise.allSettled(Array.from({ length: 64 }, () => log.append(name, 'none', firstFacts(name))));
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
        expect(await log.readStream(name)).toHaveLength(1);
      });
    });

    describe('limits', () => {
      /** Facts whose texts have exactly so many bytes, of characters that take one, two, three and four. */
      function factsOf(name: string, bytes: number): readonly NewFact[] {
        const texts = (facts: readonly NewFact[]): number =>
          facts.reduce((sum, fact) => sum + Buffer.byteLength(fact.dataText) + Buffer.byteLength(fact.metadataText), 0);
        const size = harness.bytesOf ?? texts;
        const colourful = 'aé–😀'.repeat(30_000);
        const frame = size(firstFacts(name, 2, { text: colourful, fill: '' }));
        // Each of the two facts carries the same filling, so an odd byte goes into the type of neither.
        const missing = bytes - frame;
        const [one, two] = [firstFacts(name, 2, { text: colourful, fill: 'x'.repeat(Math.floor(missing / 2)) }), missing % 2];
        const odd = two === 0 ? one : [one[0]!, { ...one[1]!, dataText: `${one[1]!.dataText} ` }];
        expect(size(odd)).toBe(bytes);
        return odd;
      }

      it('takes an append of exactly 1 MiB', async () => {
        const name = stream();
        const facts = factsOf(name, MIB);
        await log.append(name, 'none', facts);
        expect((await log.readStream(name)).map((fact) => fact.data)).toEqual(facts.map((fact) => fact.data));
      });

      it('refuses an append of one byte more, in words, and writes none of it', async () => {
        const name = stream();
        const error = await log.append(name, 'none', factsOf(name, MIB + 1)).then(() => undefined, (reason: unknown) => reason);
        expect(error).toBeInstanceOf(TooLarge);
        expect(error).toMatchObject({ bytes: MIB + 1, limit: MIB });
        expect(await log.readStream(name)).toEqual([]);
        expect(await log.append(name, 'none', firstFacts(name))).toMatchObject({ revision: 0 });
      });

      it('takes an append of 256 facts at once', async () => {
        const chain = new Chain(stream());
        expect(await log.append(chain.stream, 'none', chain.next(256))).toMatchObject({ revision: 255 });
        expect((await log.readStream(chain.stream)).map((fact) => fact.revision)).toEqual(Array.from({ length: 256 }, (_, index) => index));
      });

      it('does not let a programmer append nothing, to no stream, or after no revision', async () => {
        const name = stream();
        await expect(log.append(name, 'none', [])).rejects.toBeInstanceOf(RangeError);
        await expect(log.append('', 'none', firstFacts(name))).rejects.toBeInstanceOf(RangeError);
        await expect(log.append(name, -1, firstFacts(name))).rejects.toBeInstanceOf(RangeError);
        await expect(log.append(name, 0.5, firstFacts(name))).rejects.toBeInstanceOf(RangeError);
        await expect(log.append(name, 'none', [{ ...firstFacts(name)[0]!, type: '' }])).rejects.toBeInstanceOf(RangeError);
        expect(await log.readStream(name)).toEqual([]);
      });
    });
  });
}
