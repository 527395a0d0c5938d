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

/** About as long as a run of a few steps takes that is not waited for. */
const PAUSE_MS = 100;

export class Gathering {
  private facts: StoredFact[] = [];
  private takeBack: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly most: number,
    private readonly take: () => void,
  ) {}

  add(facts: readonly StoredFact[], atOnce: boolean): void {
    for (const fact of facts) this.facts.push(fact);
    if (atOnce || this.facts.length >= this.most) this.take();
    else this.takeBack ??= this.clock.wakeAt(this.clock.now() + PAUSE_MS, this.take);
  }

  /** All of them, in parts that one transaction may hold. */
  *parts(): Generator<readonly StoredFact[]> {
    const { facts } = this;
    this.drop();
    for (let at = 0; at < facts.length; at += this.most) yield facts.slice(at, at + this.most);
  }

  drop(): void {
    this.takeBack?.();
    this.takeBack = undefined;
    this.facts = [];
  }
}
