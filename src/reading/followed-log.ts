/** A log that another thread writes: read here, and followed by its word that there is something new. */
import type { Delivery, EventReader, StoredFact, SubscribeOptions } from '../log/event-reader.js';

export type LogFile = Omit<EventReader, 'subscribe'>;

export class FollowedLog implements EventReader {
  readonly readStream: EventReader['readStream'];
  readonly readAll: EventReader['readAll'];
  readonly head: EventReader['head'];
  readonly readBlob: EventReader['readBlob'];
  /** Called when something new was told of. */
  private readonly waiting = new Set<() => void>();
  private told = 0;

  /** `most`: facts that are delivered together. */
  constructor({ readStream, readAll, head, readBlob }: LogFile, private readonly most: number) {
    this.readStream = readStream;
    this.readAll = readAll;
    this.head = head;
    this.readBlob = readBlob;
  }

  /** There may be something new. */
  news(): void {
    this.told += 1;
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  async *subscribe({ after = '', filter, signal }: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    let position = after;
    for (let first = true; !signal.aborted; first = false) {
      const { told } = this;
      let facts: StoredFact[] = [];
      for await (const page of this.readAll({ after: position || undefined, ...(filter && { filter }) })) {
        facts = facts.concat(page);
        position = facts.at(-1)?.position ?? position;
        if (facts.length < this.most) continue;
        yield { kind: 'facts', facts };
        if (signal.aborted) return;
        facts = [];
      }
      if (facts.length > 0) yield { kind: 'facts', facts };
      if (signal.aborted) return;
      if (first) yield { kind: 'caughtUp', position };
      if (told === this.told) await this.somethingNew(signal);
    }
  }

  private somethingNew(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.waiting.delete(wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
