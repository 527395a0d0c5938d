/** Sealed facts for tests of the log: a chain grows one stream, as the actor host does. */
import { GENESIS_HASH, sealFact } from '../../src/events/envelope.js';
import type { JsonObject } from '../../src/events/json.js';
import { ids } from '../../src/ids.js';
import type { ExpectedRevision, NewFact } from '../../src/log/event-writer.js';

export class Chain {
  #revision = -1;
  #prevHash = GENESIS_HASH;

  constructor(readonly stream: string) {}

  /** What an append of the next facts expects. */
  get expected(): ExpectedRevision {
    return this.#revision === -1 ? 'none' : this.#revision;
  }

  /** The next `count` facts; each call is one command. */
  next(count: number, data: JsonObject = {}, metadata: Readonly<Record<string, string>> = {}): readonly NewFact[] {
    const command = ids.freshCommand();
    return Array.from({ length: count }, (_, index) => {
      this.#revision += 1;
      const fact = sealFact({
        stream: this.stream,
        revision: this.#revision,
        prevHash: this.#prevHash,
        id: ids.event(command, index),
        type: 'SomethingHappened',
        data: { number: this.#revision, ...data },
        metadata: { commandId: command, actor: 'anna', at: '2026-01-31T00:00:00.000Z', ...metadata },
      });
      this.#prevHash = fact.metadata.hash;
      return fact;
    });
  }
}

/** `count` facts that begin a stream of their own. */
export function firstFacts(stream: string, count = 1, data: JsonObject = {}): readonly NewFact[] {
  return new Chain(stream).next(count, data);
}
