/**
 * Blobs in EventStoreDB: a stream for each, in chunks that fit an append.
 *
 * 1. The ids of the chunks follow from the hash: writing a blob again, from anywhere, changes nothing.
 * 2. A blob is whole when its bytes have the hash that is its name: a part of one is none.
 * 3. One that is on its way is not sent again: of two equal appends at once the server may leave one unanswered for seconds.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Streams } from '../events/streams.js';
import { uuidOf } from '../ids.js';
import type { Blob } from './event-writer.js';
import type { SentEvent } from './eventstoredb.codec.js';
import type { EventStoreReader } from './eventstoredb.reader.js';

const CHUNK_BYTES = 512 * 1024;
const NOTHING = new Uint8Array();
const MOST_KNOWN = 1_000;

export class EventStoreBlobs {
  /** Blobs that stand in the log. */
  private readonly known = new LRUCache<string, true>({ max: MOST_KNOWN });
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly streams: Streams,
    private readonly reader: EventStoreReader,
    private readonly append: (stream: string, expected: number | 'none', events: readonly SentEvent[]) => Promise<unknown>,
  ) {}

  async keep(blob: Blob): Promise<void> {
    if (this.known.has(blob.sha256)) return;
    let kept = this.underWay.get(blob.sha256);
    if (kept === undefined) this.underWay.set(blob.sha256, (kept = this.send(blob).finally(() => this.underWay.delete(blob.sha256))));
    await kept;
  }

  async read(sha256: string): Promise<string | undefined> {
    const chunks = await this.reader.stream(this.streams.blob(sha256), undefined, false);
    const bytes = Buffer.concat(chunks.map(({ data }) => data));
    return chunks.length > 0 && hash('sha256', bytes, 'hex') === sha256 ? bytes.toString('utf8') : undefined;
  }

  private async send({ sha256, text }: Blob): Promise<void> {
    const bytes = Buffer.from(text);
    for (let chunk = 0; chunk === 0 || chunk * CHUNK_BYTES < bytes.length; chunk += 1) {
      const data = bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES);
      await this.append(this.streams.blob(sha256), chunk === 0 ? 'none' : chunk - 1, [{ id: uuidOf('blob', sha256, chunk), type: 'BlobChunk', json: false, data, metadata: NOTHING }]);
    }
    this.known.set(sha256, true);
  }
}
