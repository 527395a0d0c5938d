/**
 * Rates: how many changes one actor may ask for in a second.
 *
 * Owns: one small record for each of the actors that asked last. Does not own: who asks, what is refused besides. Local to
 * the node: where several serve one log, each counts for itself.
 *
 * 1. Who was quiet may ask for a second's worth at once; from then on the rate holds.
 * 2. Reading is not counted.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { Problem } from './problem.js';

const KNOWN_ACTORS = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

export class Rates {
  private readonly buckets = new LRUCache<string, Bucket>({ max: KNOWN_ACTORS });

  /** @param perSecond 0: as many as they like */
  constructor(
    private readonly perSecond: number,
    private readonly clock: Pick<Clock, 'elapsed'>,
  ) {}

  /** @throws Problem too-many-requests, with the time after which the next one is taken */
  take(actor: string): void {
    if (this.perSecond === 0) return;
    const nowMs = this.clock.elapsed();
    const { left, atMs } = this.buckets.get(actor) ?? { left: this.perSecond, atMs: nowMs };
    const filled = Math.min(this.perSecond, left + ((nowMs - atMs) / 1_000) * this.perSecond);
    this.buckets.set(actor, { left: filled < 1 ? filled : filled - 1, atMs: nowMs });
    if (filled >= 1) return;
    const seconds = String(Math.max(1, Math.ceil((1 - filled) / this.perSecond)));
    throw new Problem('too-many-requests', `${actor} has asked for more than ${this.perSecond} changes a second. Ask more slowly, or try again with the same Idempotency-Key.`, { headers: { 'Retry-After': seconds } });
  }
}
