/** The read side as queries see it: the rows, and how far they are. */
import type { Kysely } from 'kysely';
import { isBlobRef, parseJson } from '../events/json.js';
import type { JsonValue } from '../events/json.js';
import type { EventReader } from '../log/event-reader.js';
import type { RowKeeper } from './row-keeper.js';

/** Payloads from blobs in one answer. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

export interface ReadSideOptions {
  readonly host: RowKeeper;
  /** Questions to the rows as they are now. */
  readonly queries: () => Kysely<unknown>;
  readonly reader: EventReader;
  /** How long a query waits for the position that it asks for. */
  readonly waitMs: number;
}

export class ReadSide {
  readonly host: RowKeeper;
  readonly waitMs: number;

  constructor(private readonly options: ReadSideOptions) {
    this.host = options.host;
    this.waitMs = options.waitMs;
  }

  /** Questions to the rows. Where they are made in this thread they hold by now all that was heard. */
  get db(): Kysely<unknown> {
    this.host.settle();
    return this.options.queries();
  }

  /** Waits for what stands in the log now: for whoever looks for what was said a moment ago. */
  async settled(): Promise<void> {
    await this.host.waitFor(await this.options.reader.head(), this.waitMs);
  }

  /** A payload that stands in a blob, in its place; any other as it is. */
  async whole(payload: JsonValue): Promise<JsonValue> {
    if (!isBlobRef(payload)) return payload;
    const text = await this.options.reader.readBlob(payload.$blob);
    if (text === undefined) throw new Error(`The log does not have blob ${payload.$blob}.`);
    return parseJson(text);
  }

  /** The same for an answer that holds many: those that come first, as far as it stays readable; the others keep naming their blobs. */
  wholes(most = MOST_ANSWER_BYTES): (payload: JsonValue) => Promise<JsonValue> {
    let left = most;
    return async (payload) => {
      if (!isBlobRef(payload) || payload.bytes > left) return payload;
      left -= payload.bytes;
      return this.whole(payload);
    };
  }

  /** How fresh an answer is. What is asked in the same turn is of this position, not of one that was written on asking. */
  asOf(): { readonly position: string; readonly lagMs: number } {
    this.host.settle();
    return { position: this.host.position(), lagMs: this.host.lagMs() };
  }
}
