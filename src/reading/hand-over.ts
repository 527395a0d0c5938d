/**
 * HandOver: what this thread has heard of a log, for the thread that makes rows of it.
 *
 * Owns: what was gathered, and how much is on the way. Does not own: when it is sent (`RowsThread`).
 *
 * 1. What is on the way is bounded. Past the bound it is only said that there is something new, and the other thread
 *    reads it by a connection of its own.
 */
import type { StoredFact } from '../log/event-reader.js';
import type { Handed } from './handed.codec.js';

export const MOST_CHARACTERS = 4 * 1024 * 1024;

export class HandOver {
  private texts: string[] = [];
  private characters = 0;
  private onTheWay = 0;
  private missed = false;
  /** The last fact before those that were gathered, and the last one of them. */
  private after: string;
  private newest: string;

  /** `from`: where listening began. */
  constructor(from: string, private readonly most = MOST_CHARACTERS) {
    this.after = this.newest = from;
  }

  add(facts: readonly StoredFact[]): void {
    this.newest = facts.at(-1)?.position ?? this.newest;
    if (this.missed) return;
    const text = JSON.stringify(facts).slice(1, -1);
    this.texts.push(text);
    this.characters += text.length;
    if (this.onTheWay + this.characters <= this.most) return;
    this.missed = true;
    this.texts = [];
    this.characters = 0;
  }

  /** All that was gathered; 'news' where that was too much. */
  take(): Handed | 'news' | undefined {
    const { after, newest: to, missed } = this;
    if (to <= after) return undefined;
    const facts = `[${this.texts.join(',')}]`;
    this.texts = [];
    this.characters = 0;
    this.missed = false;
    this.after = to;
    if (missed) return 'news';
    this.onTheWay += facts.length;
    return { after, to, facts };
  }

  took(characters: number): void {
    this.onTheWay = Math.max(0, this.onTheWay - characters);
  }

  /** The thread that all of it was for is gone. */
  forget(): void {
    this.onTheWay = 0;
  }
}
