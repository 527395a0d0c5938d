/** Facts that one thread has heard, for another. As JSON: a text is copied from thread to thread, an object is taken apart. */
import type { StoredFact } from '../log/event-reader.js';

export interface Handed {
  /** Nothing lies between this position and these facts. */
  readonly after: string;
  /** That of the last of them. */
  readonly to: string;
  readonly facts: string;
}

/** Those after a position. */
export function factsIn({ to, facts }: Handed, after: string): readonly StoredFact[] {
  if (to <= after) return [];
  // Written by `HandOver`.
  return (JSON.parse(facts) as readonly StoredFact[]).filter(({ position }) => position > after);
}
