/**
 * A client that takes no silence for an answer: it asks again, with the same key, whichever server is there by then.
 * It only ever believes what it was answered.
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Ask {
  readonly body?: object;
  readonly key?: string;
  readonly roles?: string;
  /** The version that is changed. */
  readonly ifMatch?: string;
}

export interface Told {
  readonly status: number;
  readonly replayed: boolean;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Longer than several starts take on a machine that has much else to do; beyond it something hangs. */
const PATIENCE_MS = 240_000;

export class CarefulClient {
  /** Where the server is now; undefined while there is none. */
  url: string | undefined;
  /** Nobody will answer any more. */
  closed = false;
  /** Questions that a server was given and has not answered yet. */
  open = 0;
  /** Whole answers. */
  answers = 0;
  /** Questions that were given to a server and got no whole answer, or none but "not now". */
  repeats = 0;

  async ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, { body, key, ifMatch, roles = 'viewer,operator' }: Ask = {}): Promise<Told> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      if (this.url !== undefined) {
        this.open += 1;
        const told = await once(`${this.url}${path}`, {
          method,
          headers: { 'x-dev-user': 'ann', 'x-dev-roles': roles, ...(body && { 'content-type': 'application/json' }), ...(key && { 'idempotency-key': key }), ...(ifMatch && { 'if-match': ifMatch }) },
          ...(body && { body: JSON.stringify(body) }),
        });
        this.open -= 1;
        if (told !== undefined && told.status !== 503) {
          this.answers += 1;
          return told;
        }
        this.repeats += 1;
      }
      if (this.closed || Date.now() > until) throw new Error(`${method} ${path} was not answered in ${PATIENCE_MS} ms, or the test has ended.`);
      await sleep(15);
    }
  }
}

/** Undefined: there was no whole answer, and nobody knows what was done. */
async function once(url: string, init: RequestInit): Promise<Told | undefined> {
  try {
    const response = await fetch(url, init);
    const json: unknown = response.status === 204 ? {} : await response.json();
    return { status: response.status, replayed: response.headers.get('idempotent-replayed') === 'true', json: { ...(json as object) } };
  } catch {
    return undefined;
  }
}

/** The parts of a list that have the same key, in their order. */
export function groupedBy<T>(items: Iterable<T>, keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** The same numbers in [0, 1) for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
