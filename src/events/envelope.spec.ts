import { describe, expect, it } from '@jest/globals';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { ids } from '../ids.js';
import { GENESIS_HASH, sealFact, verifyChain, type ChainedFact } from './envelope.js';
import type { JsonObject } from './json.js';

interface Draft {
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Seals drafts into one stream and reads them back from their texts, as a store would. */
function chainOf(drafts: readonly Draft[], stream = 'run-1'): readonly ChainedFact[] {
  let prevHash = GENESIS_HASH;
  return drafts.map((draft, revision) => {
    const sealed = sealFact({ stream, revision, prevHash, id: ids.event(ids.freshCommand(), 0), ...draft });
    prevHash = sealed.metadata.hash;
    return {
      stream,
      revision,
      type: draft.type,
      data: JSON.parse(sealed.dataText) as JsonObject,
      metadata: JSON.parse(sealed.metadataText) as Record<string, string>,
    };
  });
}

function canonicalOrNothing(value: unknown): string | undefined {
  try {
    return canonicalize(value);
  } catch {
    return undefined;
  }
}

/** Any string-keyed object that JSON can say, also with keys like "10", "__proto__" and "hash". */
const keys = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('10', '9', '', '__proto__', 'constructor', 'prevHash', 'hash', 'toString', '"hash":"",'));
const jsonObjects = fc.dictionary(keys, fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<JsonObject>;
const flatMaps = fc.dictionary(keys, fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('"hash":"",')));
const drafts = fc.record({ type: fc.string({ minLength: 1 }), data: jsonObjects, metadata: flatMaps });
const chains = fc.array(drafts, { minLength: 1, maxLength: 6 }).map((list) => chainOf(list));

describe('sealing a fact', () => {
  it('hashes the canonical JSON of the whole fact without its hash, and stores canonical texts', () => {
    fc.assert(
      fc.property(drafts, fc.string(), fc.nat(), (draft, stream, revision) => {
        const sealed = sealFact({ stream, revision, prevHash: GENESIS_HASH, id: ids.event(ids.freshCommand(), 0), ...draft });
        const entries = Object.entries({ ...draft.metadata, prevHash: GENESIS_HASH }).filter(([key]) => key !== 'hash');
        const metadata = Object.fromEntries(entries);
        const naive = canonicalize({ stream, revision: String(revision), type: draft.type, data: draft.data, metadata });
        expect(sealed.metadata.hash).toBe(createHash('sha256').update(naive!, 'utf8').digest('hex'));
        expect(sealed.dataText).toBe(canonicalize(draft.data));
        expect(sealed.metadataText).toBe(canonicalize(Object.fromEntries([...entries, ['hash', sealed.metadata.hash]])));
        expect(canonicalize(sealed.metadata)).toBe(sealed.metadataText);
        expect(sealed.data).toBe(draft.data);
      }),
      { numRuns: 1_000 },
    );
  });

  it('comes to a hash that others come to as well', () => {
    const sealed = sealFact({
      stream: 'run-0b9d7c9e-6c1e-5d2b-9d6e-0f2f3b1c4a55',
      revision: 0,
      prevHash: GENESIS_HASH,
      id: ids.event(ids.freshCommand(), 0),
      type: 'RunStarted',
      data: { b: [1, 2.5, 'å'], a: null },
      metadata: { actor: 'anna', $correlationId: 'c-1' },
    });
    // By hand: printf '%s' '<the canonical text>' | sha256sum
    expect(sealed.metadata.hash).toBe('62fd48a9f7ac312e43b238b1f55ef34a9bd77d0bf2a064297539d1206a82b200');
    expect(sealed.metadataText).toBe(
      `{"$correlationId":"c-1","actor":"anna","hash":"${sealed.metadata.hash}","prevHash":"${GENESIS_HASH}"}`,
    );
  });

  it('leaves what it was given as it was', () => {
    const metadata = Object.freeze({ actor: 'anna', hash: 'old', prevHash: 'older' });
    const sealed = sealFact({ stream: 's', revision: 3, prevHash: 'a'.repeat(64), id: ids.event(ids.freshCommand(), 0), type: 'T', data: {}, metadata });
    expect(sealed.metadata.prevHash).toBe('a'.repeat(64));
    expect(sealed.metadata.hash).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('checking a chain', () => {
  it('passes what was sealed, and tells its head', () => {
    fc.assert(
      fc.property(chains, (facts) => {
        expect(verifyChain(facts)).toEqual({ ok: true, head: facts.at(-1)!.metadata['hash'] });
      }),
    );
  });

  it('passes an empty stream', () => {
    expect(verifyChain([])).toEqual({ ok: true, head: GENESIS_HASH });
  });

  it('passes piece by piece what it passes as a whole', () => {
    fc.assert(
      fc.property(chains, fc.nat({ max: 6 }), (facts, cut) => {
        const first = verifyChain(facts.slice(0, cut));
        const rest = verifyChain(facts.slice(cut), { revision: Math.min(cut, facts.length), prevHash: first.ok ? first.head : '' });
        expect(rest).toEqual(verifyChain(facts));
      }),
    );
  });

  /** Every way to change one character of a fact: [what was changed, the changed fact]. */
  function tampered(fact: ChainedFact, pick: number): readonly (readonly [string, ChainedFact])[] {
    const other = (text: string): string => {
      const at = pick % Math.max(1, text.length);
      return `${text.slice(0, at)}${text[at] === 'x' ? 'y' : 'x'}${text.slice(at + 1)}`;
    };
    const names = Object.keys(fact.metadata);
    const name = names[pick % names.length]!;
    const metadata = Object.fromEntries(Object.entries(fact.metadata).map(([key, value]) => [key, key === name ? other(value) : value]));
    return [
      ['type', { ...fact, type: other(fact.type) }],
      ['stream', { ...fact, stream: other(fact.stream) }],
      ['revision', { ...fact, revision: fact.revision + 1 }],
      [`metadata ${name}`, { ...fact, metadata }],
      ['metadata, one more', { ...fact, metadata: Object.fromEntries([...Object.entries(fact.metadata), ['added', 'x']]) }],
      ['data, one more', { ...fact, data: Object.fromEntries([...Object.entries(fact.data), ['added', null]]) }],
    ];
  }

  it('finds any change of one character in type, stream, revision or metadata, where it is', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat({ max: 1_000 }), (facts, where, pick) => {
        const index = where % facts.length;
        for (const [what, changed] of tampered(facts[index]!, pick)) {
          const verdict = verifyChain(facts.with(index, changed));
          expect([what, verdict]).toEqual([what, expect.objectContaining({ ok: false })]);
          if (!verdict.ok) expect(verdict.revision).toBe(index);
        }
      }),
    );
  });

  it('finds any change of one character in the data', () => {
    fc.assert(
      fc.property(chains, fc.nat(), fc.nat(), fc.constantFrom('x', '1', '"', ' ', 'é', '}'), (facts, where, at, character) => {
        const index = where % facts.length;
        const text = JSON.stringify(facts[index]!.data);
        const place = at % text.length;
        let data: JsonObject;
        try {
          data = JSON.parse(text.slice(0, place) + character + text.slice(place + 1)) as JsonObject;
        } catch {
          return;
        }
        // Blanks between tokens, or the same character again, are the same data.
        if (canonicalOrNothing(data) === canonicalOrNothing(facts[index]!.data)) return;
        expect(verifyChain(facts.with(index, { ...facts[index]!, data }))).toMatchObject({ ok: false, revision: index });
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds a number that was changed into one that JSON can not say', () => {
    const [fact] = chainOf([{ type: 'T', data: { limit: 1e99 }, metadata: {} }]);
    const data = JSON.parse('{"limit":1e999}') as JsonObject;
    expect(verifyChain([{ ...fact!, data }])).toMatchObject({ ok: false, revision: 0 });
  });

  it('finds a fact that was taken out of the middle, also when the rest was numbered anew', () => {
    const facts = chainOf(Array.from({ length: 5 }, (_, index) => ({ type: 'T', data: { index }, metadata: {} })));
    for (const gone of [0, 1, 2, 3]) {
      const rest = facts.filter((_, index) => index !== gone);
      expect(verifyChain(rest)).toMatchObject({ ok: false, revision: gone });
      expect(verifyChain(rest.map((fact, revision) => ({ ...fact, revision })))).toMatchObject({ ok: false, revision: gone });
    }
  });

  it('finds two facts that changed places, and one that stands twice', () => {
    const facts = chainOf(Array.from({ length: 4 }, (_, index) => ({ type: 'T', data: { index }, metadata: {} })));
    const [a, b, c, d] = facts as [ChainedFact, ChainedFact, ChainedFact, ChainedFact];
    expect(verifyChain([a, c, b, d])).toMatchObject({ ok: false, revision: 1 });
    expect(verifyChain([a, { ...c, revision: 1 }, { ...b, revision: 2 }, d])).toMatchObject({ ok: false, revision: 1 });
    expect(verifyChain([a, b, b, c, d])).toMatchObject({ ok: false, revision: 2 });
  });

  it('finds a fact of another stream, however well it is sealed', () => {
    const mine = chainOf([{ type: 'T', data: {}, metadata: {} }, { type: 'T', data: {}, metadata: {} }], 'run-1');
    const theirs = chainOf([{ type: 'T', data: {}, metadata: {} }, { type: 'T', data: {}, metadata: {} }], 'run-2');
    expect(verifyChain([mine[0]!, theirs[1]!])).toMatchObject({ ok: false, revision: 1 });
  });
});
