/**
 * Traffic: what is under way between the nodes of a world and a log that is elsewhere.
 *
 * Owns: calls that are not answered yet, and facts that a subscriber has not been given yet. Does not own: the log.
 *
 * 1. A world's time may go on only when nothing is under way: a network takes real time, which no simulated clock knows.
 */
import type { Delivery, SubscribeOptions } from '../../src/log/event-reader.js';
import type { EngineLog } from '../../src/log/open-log.js';
import { overlaid } from './life.js';

interface Subscriber {
  readonly prefixes: readonly string[];
  /** It asks for more. */
  waiting: boolean;
  /** Undefined until it was told that it has caught up. */
  reached: string | undefined;
  /** The last position that it has to be given. */
  due: string;
}

const LOOK_MS = 1;
const SILENT_MS = 20_000;

export class Traffic {
  readonly log: EngineLog;
  private underWay = 0;
  private readonly newest = new Map<string, string>();
  private readonly subscribers = new Set<Subscriber>();

  constructor(log: EngineLog) {
    this.log = overlaid<EngineLog>(log, {
      readStream: (...asked) => this.counted(log.readStream(...asked)),
      readBlob: (...asked) => this.counted(log.readBlob(...asked)),
      head: () => this.counted(log.head()),
      readAll: (options) => this.pages(log.readAll(options)),
      append: async (...said) => {
        const result = await this.counted(log.append(...said));
        this.appended(said[0], result.position);
        return result;
      },
      subscribe: (options) => this.subscribe(log, options),
    });
  }

  /** @throws Error when something stays under way for 20 seconds */
  async settled(): Promise<void> {
    const began = performance.now();
    while (!this.isStill()) {
      if (performance.now() - began > SILENT_MS) throw new Error(`For 20 s ${this.underWay} calls were not answered, or facts were not delivered: ${JSON.stringify([...this.subscribers])}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  private isStill(): boolean {
    return this.underWay === 0 && [...this.subscribers].every(({ waiting, reached, due }) => !waiting || (reached !== undefined && reached >= due));
  }

  private async counted<T>(answer: Promise<T>): Promise<T> {
    this.underWay += 1;
    try {
      return await answer;
    } finally {
      this.underWay -= 1;
    }
  }

  private appended(stream: string, position: string): void {
    this.newest.set(stream, position);
    for (const one of this.subscribers) if (wants(one, stream) && one.due < position) one.due = position;
  }

  private async *pages<T>(pages: AsyncIterable<T>): AsyncGenerator<T> {
    const source = pages[Symbol.asyncIterator]();
    for (let next = await this.counted(source.next()); next.done !== true; next = await this.counted(source.next())) yield next.value;
  }

  private async *subscribe(log: EngineLog, options: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    const one: Subscriber = { prefixes: options.filter?.prefixes ?? [], waiting: true, reached: undefined, due: '' };
    for (const [stream, position] of this.newest) if (wants(one, stream) && one.due < position) one.due = position;
    this.subscribers.add(one);
    const source = log.subscribe(options)[Symbol.asyncIterator]();
    try {
      for (let next = await source.next(); next.done !== true; next = await source.next()) {
        one.waiting = false;
        const delivery = next.value;
        if (delivery.kind !== 'facts') one.reached ??= '';
        const to = delivery.kind === 'facts' ? delivery.facts.at(-1)!.position : delivery.position;
        if (one.reached !== undefined && one.reached < to) one.reached = to;
        yield delivery;
        one.waiting = true;
      }
    } finally {
      this.subscribers.delete(one);
    }
  }
}

function wants({ prefixes }: Subscriber, stream: string): boolean {
  return prefixes.length === 0 || prefixes.some((prefix) => stream.startsWith(prefix));
}
