/** The reading half of the contract: streams, the whole log, text of every kind, blobs. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { canonicalJson } from '../../src/events/canonical.js';
import type { JsonObject } from '../../src/events/json.js';
import type { ReadAllOptions, StoredFact } from '../../src/log/event-reader.js';
import { Chain, firstFacts } from './chain.js';
import type { EventLog, EventLogHarness, OpenLog } from './event-log.contract.js';

export function readingContract(harness: EventLogHarness): void {
  let opened: OpenLog;
  let log: EventLog;
  const stream = (): string => `run-${randomUUID()}`;

  async function open(): Promise<void> {
    opened = await harness.open();
    log = opened.log;
  }

  async function all(options: ReadAllOptions = {}): Promise<readonly StoredFact[]> {
    const facts: StoredFact[] = [];
    for await (const page of log.readAll(options)) {
      expect(page.length).toBeGreaterThan(0);
      facts.push(...page);
    }
    return facts;
  }

  describe('reading a stream', () => {
    beforeEach(open);
    afterEach(() => opened.close());

    it('finds a missing stream empty, both ways', async () => {
      expect(await log.readStream(stream())).toEqual([]);
      expect(await log.readStream(stream(), { backwards: true, limit: 1 })).toEqual([]);
    });

    it('gives back what was appended, where it stands', async () => {
      const chain = new Chain(stream());
      const facts = chain.next(2, { nested: { list: [1, 'two', null, true, { three: 3 }] } }, { roles: 'operator,viewer' });
      const result = await log.append(chain.stream, 'none', facts);
      const read = await log.readStream(chain.stream);
      expect(read.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }))).toEqual(
        facts.map(({ id, type, data, metadata }) => ({ id, type, data, metadata })),
      );
      expect(read.map((fact) => [fact.stream, fact.revision])).toEqual([[chain.stream, 0], [chain.stream, 1]]);
      expect(read[1]!.position).toBe(result.position);
      for (const fact of read) expect(new Date(fact.recordedAt).toISOString()).toBe(fact.recordedAt);
    });

    it.each<readonly [string, { after?: number; backwards?: boolean; limit?: number }, readonly number[]]>([
      ['all of it', {}, [0, 1, 2, 3, 4]],
      ['what comes after a revision', { after: 2 }, [3, 4]],
      ['nothing after the last', { after: 4 }, []],
      ['nothing from beyond the end', { after: 99 }, []],
      ['the first ones', { limit: 2 }, [0, 1]],
      ['a piece', { after: 0, limit: 3 }, [1, 2, 3]],
      ['all of it backwards', { backwards: true }, [4, 3, 2, 1, 0]],
      ['the last one', { backwards: true, limit: 1 }, [4]],
      ['what comes before a revision, backwards', { backwards: true, after: 3 }, [2, 1, 0]],
      ['a piece backwards', { backwards: true, after: 4, limit: 2 }, [3, 2]],
      ['nothing before the first', { backwards: true, after: 0 }, []],
      ['nothing when nothing is asked for', { limit: 0 }, []],
    ])('reads %s', async (_, options, revisions) => {
      const name = stream();
      await log.append(name, 'none', firstFacts(name, 5));
      await log.append(`${name}-other`, 'none', firstFacts(`${name}-other`, 3));
      expect((await log.readStream(name, options)).map((fact) => fact.revision)).toEqual(revisions);
    });

    it('reads a stream of 1,200 facts in one go', async () => {
      const chain = new Chain(stream());
      for (let index = 0; index < 5; index += 1) {
        const { expected } = chain;
        await log.append(chain.stream, expected, chain.next(240));
      }
      expect((await log.readStream(chain.stream)).map((fact) => fact.revision)).toEqual(Array.from({ length: 1_200 }, (_, index) => index));
    });
  });

  describe('text', () => {
    beforeEach(open);
    afterEach(() => opened.close());

    const ODD_TEXTS: JsonObject = {
      emoji: '👩‍👩‍👧‍👦 🇸🇪 😀',
      rightToLeft: 'مرحبا \u202Eabc\u202C שלום',
      combining: 'e\u0301 is not \u00e9',
      separators: 'a\u2028b\u2029c\u0085d',
      controls: '\b\t\n\f\r\u0001\u001f\u007f',
      quotes: '"\\/\'`${x}',
      bom: '\ufeffx',
      lastOfAll: '\u{10FFFF}\uffff',
      empty: '',
    };

    it('keeps every character as it was', async () => {
      const name = stream();
      const [fact] = firstFacts(name, 1, ODD_TEXTS);
      await log.append(name, 'none', [fact!]);
      const [read] = await log.readStream(name);
      expect(read!.data).toEqual({ number: 0, ...ODD_TEXTS });
      expect(canonicalJson(read!.data)).toBe(fact!.dataText);
    });

    it('keeps every character of metadata, of keys, and of a type', async () => {
      const chain = new Chain(stream());
      const keys = { 'é': 1, 'e\u0301': 2, '😀': 3, '\ufb33': 4, 'a\u2028b': 5, '10': 6, '9': 7, '': 8, constructor: 9 };
      const [fact] = chain.next(1, keys, { actor: 'Åsa 😀 שלום', note: 'a\u2028b' });
      await log.append(chain.stream, 'none', [{ ...fact!, type: 'GrüßeGesendet' }]);
      const [read] = await log.readStream(chain.stream);
      expect(read!.type).toBe('GrüßeGesendet');
      expect(read!.data).toEqual({ number: 0, ...keys });
      expect(canonicalJson(read!.data)).toBe(fact!.dataText);
      expect(read!.metadata).toEqual(fact!.metadata);
      expect(canonicalJson(read!.metadata)).toBe(fact!.metadataText);
    });

    it('keeps numbers to the last bit', async () => {
      const name = stream();
      const numbers = [0, 0.1, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 2 ** 53 - 1, -(2 ** 53) + 1, 333333333.3333333];
      await log.append(name, 'none', firstFacts(name, 1, { numbers }));
      expect((await log.readStream(name))[0]!.data['numbers']).toEqual(numbers);
    });
  });

  describe('reading the whole log', () => {
    beforeEach(open);
    afterEach(() => opened.close());

    /** 30 appends of 1 to 3 facts to streams of these prefixes, turn by turn. */
    async function written(...prefixes: readonly string[]): Promise<{ readonly before: string; readonly streams: readonly string[] }> {
      const before = await log.head();
      const streams: string[] = [];
      for (let index = 0; index < 30; index += 1) {
        const name = `${prefixes[index % prefixes.length]}${randomUUID()}`;
        streams.push(name);
        await log.append(name, 'none', firstFacts(name, (index % 3) + 1));
      }
      return { before, streams };
    }

    it('gives one order, the order of the positions, at every call', async () => {
      const { before, streams } = await written('run-', 'batch-');
      const facts = await all({ after: before });
      expect([...new Set(facts.map((fact) => fact.stream))]).toEqual(streams);
      const positions = facts.map((fact) => fact.position);
      expect([...positions].sort()).toEqual(positions);
      expect(new Set(positions).size).toBe(positions.length);
      expect(await all({ after: before })).toEqual(facts);
    });

    it('knows its head, which is the position of the last fact and compares as a plain string', async () => {
      const { before } = await written('run-');
      const facts = await all({ after: before });
      // More facts than ten: positions pass a power of ten, where unpadded numbers would stop comparing as strings.
      expect(facts.length).toBeGreaterThan(10);
      expect(await log.head()).toBe(facts.at(-1)!.position);
      for (const fact of facts) expect(fact.position > before).toBe(true);
    });

    it('resumes after any position without a gap and without a repeat', async () => {
      const { before } = await written('run-', 'batch-');
      const facts = await all({ after: before });
      for (const [index, fact] of facts.entries()) {
        const rest = await all({ after: fact.position });
        expect(rest.map((each) => each.position)).toEqual(facts.slice(index + 1).map((each) => each.position));
      }
    });

    it('stops at a limit', async () => {
      const { before } = await written('run-');
      const facts = await all({ after: before });
      for (const limit of [0, 1, 7, facts.length, facts.length + 5]) {
        expect(await all({ after: before, limit })).toEqual(facts.slice(0, limit));
      }
    });

    it('gives the streams of a prefix alone, not those of a longer name that begins alike', async () => {
      const { before } = await written('run-', 'runner-', 'ru', 'Run-');
      const facts = await all({ after: before });
      const filtered = await all({ after: before, filter: { prefixes: ['run-'] } });
      expect(filtered.length).toBeGreaterThan(10);
      expect(filtered).toEqual(facts.filter((fact) => fact.stream.startsWith('run-')));
    });

    it('gives the streams of several prefixes in log order', async () => {
      const { before } = await written('run-', 'batch-', 'audit-', '%_*-');
      const facts = await all({ after: before });
      const prefixes = ['audit-', 'run-', '%_*'];
      expect(await all({ after: before, filter: { prefixes } })).toEqual(
        facts.filter((fact) => prefixes.some((prefix) => fact.stream.startsWith(prefix))),
      );
      expect(await all({ after: before, filter: { prefixes: ['nobody-'] } })).toEqual([]);
      expect(await all({ after: before, filter: { prefixes: ['audit-'] }, limit: 3 })).toHaveLength(3);
    });
  });

  describe('blobs', () => {
    beforeEach(open);
    afterEach(() => opened.close());

    const blobOf = (text: string): { readonly sha256: string; readonly text: string } => ({
      sha256: createHash('sha256').update(text, 'utf8').digest('hex'),
      text,
    });

    it('keeps a large one, which is not counted as part of the append', async () => {
      const name = stream();
      const blob = blobOf(JSON.stringify(`${randomUUID()} ${'größer 😀 \u2028 '.repeat(250_000)}`));
      expect(Buffer.byteLength(blob.text)).toBeGreaterThan(4 * 1024 * 1024);
      await log.append(name, 'none', firstFacts(name, 1, { $blob: blob.sha256, bytes: Buffer.byteLength(blob.text) }), [blob]);
      expect(await log.readBlob(blob.sha256)).toBe(blob.text);
    });

    it('keeps one that several facts name', async () => {
      const blob = blobOf(JSON.stringify(randomUUID()));
      const names = [stream(), stream(), stream()];
      await Promise.all(names.map((name) => log.append(name, 'none', firstFacts(name), [blob, blobOf('"other"')])));
      expect(await log.readBlob(blob.sha256)).toBe(blob.text);
    });

    it('does not know one that was never given', async () => {
      expect(await log.readBlob('0'.repeat(64))).toBeUndefined();
    });
  });
}
