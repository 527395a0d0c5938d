/** What one subscriber to EventStoreDB has not taken yet: bounded, in log order. */
import type { Delivery, StoredFact, StreamFilter } from './event-reader.js';

/** The most that waits for one listener. */
export const WAITING_FACTS = 2_000;
/** After so many facts of other streams a listener is told where it stands. */
const CHECKPOINT_EVERY = 1_000;

export class Listener {
  waitingFacts = 0;
  /** Read from `first` on: taking from the front of a long array is slow. */
  private waiting: Delivery[] = [];
  private first = 0;
  private unseen = 0;
  private ended = false;
  private wake: (() => void) | undefined;

  constructor(private readonly filter: StreamFilter | undefined) {}

  wants(stream: string): boolean {
    const prefixes = this.filter?.prefixes ?? [];
    return prefixes.length === 0 || prefixes.some((prefix) => stream.startsWith(prefix));
  }

  /** False if it was too much: the listener is to catch up by pages. */
  take(delivery: Delivery): boolean {
    if (delivery.kind !== 'facts') {
      this.push(delivery, 0);
      return true;
    }
    const facts = delivery.facts.filter(({ stream }) => this.wants(stream));
    if (facts.length > 0) {
      this.unseen = 0;
      this.push({ kind: 'facts', facts }, facts.length);
    } else {
      this.unseen += delivery.facts.length;
      if (this.unseen >= CHECKPOINT_EVERY) {
        this.unseen = 0;
        this.push({ kind: 'checkpoint', position: delivery.facts.at(-1)!.position }, 0);
      }
    }
    const tooMuch = this.waitingFacts > WAITING_FACTS;
    if (tooMuch) this.end();
    return !tooMuch;
  }

  /** What waits is dropped: who listens again begins after what it has seen. */
  end(): void {
    this.ended = true;
    this.waiting = [];
    this.first = 0;
    this.waitingFacts = 0;
    this.wake?.();
  }

  /** What lies after the position, until it is ended. Gives the last position that was given out. */
  async *deliveries(from: string): AsyncGenerator<Delivery, string, void> {
    let position = from;
    for (;;) {
      const next = after(await this.next(), position);
      if (next === 'end') return position;
      if (next === undefined) continue;
      position = next.kind === 'facts' ? next.facts.at(-1)!.position : next.position;
      yield next;
    }
  }

  private async next(): Promise<Delivery | 'end'> {
    while (!this.ended && this.first === this.waiting.length) await new Promise<void>((resolve) => (this.wake = resolve));
    const delivery = this.waiting[this.first];
    if (delivery === undefined) return 'end';
    this.first += 1;
    if (delivery.kind === 'facts') this.waitingFacts -= delivery.facts.length;
    if (this.first === this.waiting.length) {
      this.waiting = [];
      this.first = 0;
    }
    return delivery;
  }

  private push(delivery: Delivery, facts: number): void {
    const moves = delivery.kind === 'checkpoint' && this.waiting.length > this.first && this.waiting.at(-1)?.kind === 'checkpoint';
    if (moves) this.waiting.pop();
    this.waiting.push(delivery);
    this.waitingFacts += facts;
    this.wake?.();
  }
}

/** What of a delivery lies after a position; nothing where that is nothing. */
function after(delivery: Delivery | 'end', position: string): Delivery | 'end' | undefined {
  if (delivery === 'end') return delivery;
  if (delivery.kind !== 'facts') return delivery.position < position ? { ...delivery, position } : delivery;
  const facts: readonly StoredFact[] = delivery.facts[0]!.position > position ? delivery.facts : delivery.facts.filter((fact) => fact.position > position);
  return facts.length === 0 ? undefined : { kind: 'facts', facts };
}
