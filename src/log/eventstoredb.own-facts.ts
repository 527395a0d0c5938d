/**
 * Facts that this process has sent of late: the log gives them back, and they need not be read from bytes again.
 *
 * Owns: a bounded memory of them, by the id that they bear on the wire. That id holds the hash of the fact, so what bears
 * it is that fact. Only for what is heard: who reads a stream, or proves the log, gets what stands there.
 */
import { LRUCache } from 'lru-cache';
import { isoTime } from '../events/json.js';
import type { StoredFact } from './event-reader.js';
import type { NewFact } from './event-writer.js';
import { factOf } from './eventstoredb.codec.js';
import type { RecordedEvent, SentEvent } from './eventstoredb.codec.js';

const KEPT_BYTES = 16 * 1024 * 1024;
const BYTES_BESIDE = 300;

interface Own {
  readonly stream: string;
  readonly fact: NewFact;
}

export class OwnFacts {
  private readonly sent = new LRUCache<string, Own>({ maxSize: KEPT_BYTES, sizeCalculation: ({ fact }) => fact.dataText.length + fact.metadataText.length + BYTES_BESIDE });

  remember(stream: string, events: readonly SentEvent[], facts: readonly NewFact[]): void {
    facts.forEach((fact, index) => this.sent.set(events[index]!.id, { stream, fact }));
  }

  /** As `factOf` gives it. It is asked for once. */
  readonly factOf = (event: RecordedEvent): StoredFact => {
    const own = this.sent.get(event.id);
    if (own === undefined || own.stream !== event.stream || own.fact.type !== event.type) return factOf(event);
    this.sent.delete(event.id);
    const { stream, revision, position, recordedAtMs } = event;
    const { id, type, data, metadata } = own.fact;
    return { stream, revision, type, data, metadata, id, position, recordedAt: isoTime(recordedAtMs) };
  };
}
