/**
 * Gathering: facts that were heard and are not in the rows yet, so that a row which several of them change is written
 * once.
 *
 * Owns: those facts, one wake-up. Does not own: rows, positions (projection host). Lost with the process: the checkpoint
 * says what was taken.
 *
 * 1. Nobody sees that it waits: whoever asks for rows, or for a position, has it taken at once.
 * 2. It is bounded: past a transaction's worth it is taken without waiting.
 */
import type { Clock } from '../clock.js';
import type { StoredFact } from '../log/event-reader.js';

/** About as long as a run of a few steps takes that is not waited for; no more facts than the event loop can be held up by. */
export const GATHER = { most: 1_000, pauseMs: 100 };

export class Gathering {
  private facts: StoredFact[] = [];
  private takeBack: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    /** Facts of a transaction, and how long more are waited for: 0 where what comes was gathered before. */
    private readonly bounds: { readonly most: number; readonly pauseMs: number },
    private readonly take: () => void,
  ) {}

  add(facts: readonly StoredFact[], atOnce: boolean): void {
    for (const fact of facts) this.facts.push(fact);
    const { most, pauseMs } = this.bounds;
    if (atOnce || pauseMs === 0 || this.facts.length >= most) this.take();
    else this.takeBack ??= this.clock.wakeAt(this.clock.now() + pauseMs, this.take);
  }

  /** All of them, in parts that one transaction may hold. */
  *parts(): Generator<readonly StoredFact[]> {
    const { facts, bounds: { most } } = this;
    this.drop();
    for (let at = 0; at < facts.length; at += most) yield facts.slice(at, at + most);
  }

  drop(): void {
    this.takeBack?.();
    this.takeBack = undefined;
    this.facts = [];
  }
}
