/**
 * What befalls a node at its borders: every hook stands where a real process may die, wait, or be told that a disk failed.
 * A hook that kills the life it is told of need not do more: what belongs to a dead life never goes on.
 */
import type { NewFact } from '../../src/log/event-writer.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import type { Life } from './life.js';

export interface Append {
  readonly life: Life;
  /** Counted over all lives, from 1. */
  readonly number: number;
  readonly stream: string;
  readonly facts: readonly NewFact[];
}

export interface Fate {
  /** The facts are about to go to the disk. @throws Unavailable: they do not get there */
  appending?(append: Append): Promise<void> | void;
  /** They are on the disk, and nobody was told. @throws Unavailable: nobody will be */
  appended?(append: Append): Promise<void> | void;
  /** A subscriber is about to be given facts, whose appends were answered. */
  delivering?(to: Subscriber, facts: readonly StoredFact[]): Promise<void> | void;
  /** It has done with them what it does at once. */
  delivered?(to: Subscriber, facts: readonly StoredFact[]): Promise<void> | void;
  /** A job's handler has returned or thrown; nobody knows yet. */
  returned?(life: Life, executionId: string): Promise<void> | void;
  /** Inside of the transaction of rows, before one checkpoint is moved. @throws: the transaction comes to nothing */
  moving?(life: Life, to: string): void;
}

/** `reactor` hears of runs alone, `rows` of everything. */
export interface Subscriber {
  readonly life: Life;
  readonly name: 'reactor' | 'rows';
}

/** Several fates one after the other. */
export function both(...fates: readonly Fate[]): Fate {
  return {
    appending: async (append) => { for (const fate of fates) await fate.appending?.(append); },
    appended: async (append) => { for (const fate of fates) await fate.appended?.(append); },
    delivering: async (to, facts) => { for (const fate of fates) await fate.delivering?.(to, facts); },
    delivered: async (to, facts) => { for (const fate of fates) await fate.delivered?.(to, facts); },
    returned: async (life, executionId) => { for (const fate of fates) await fate.returned?.(life, executionId); },
    moving: (life, to) => { for (const fate of fates) fate.moving?.(life, to); },
  };
}
