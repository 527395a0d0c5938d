import { describe, expect, it } from '@jest/globals';
import { Streams } from '../events/streams.js';
import { EventStoreBlobs } from './eventstoredb.blobs.js';
import type { EventStoreReader } from './eventstoredb.reader.js';

const BLOB = { sha256: 'a'.repeat(64), text: '"much"' };

/** Nothing is read here. */
const reader = undefined as unknown as EventStoreReader;

describe('A blob that several appends name at once', () => {
  it('is sent once, and nobody goes on before it is there', async () => {
    const sent: string[] = [];
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const blobs = new EventStoreBlobs(new Streams(), reader, async (stream) => (sent.push(stream), arrived));
    let kept = 0;
    const all = [1, 2, 3].map(() => blobs.keep(BLOB).then(() => (kept += 1)));
    await new Promise(setImmediate);
    expect([sent.length, kept]).toEqual([1, 0]);
    arrive();
    await Promise.all(all);
    await blobs.keep(BLOB);
    expect([sent.length, kept]).toEqual([1, 3]);
  });

  it('is sent again after it did not arrive', async () => {
    let sent = 0;
    const blobs = new EventStoreBlobs(new Streams(), reader, async () => {
      if ((sent += 1) === 1) throw new Error('away');
    });
    const first = await Promise.allSettled([blobs.keep(BLOB), blobs.keep(BLOB)]);
    expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await blobs.keep(BLOB);
    expect(sent).toBe(2);
  });
});
