/** What a command with a key was answered when there was nothing to do: said again, it is answered so and not done. */
import type { Origin } from './actor.js';
import type { Refusals } from './refusals.js';

export interface KeptAnswer {
  /** The stream that it was said to, and the revision that it was answered from. */
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly requestHash: string;
}

/** Of an {@link Origin} what an answer is kept under. */
export type KeyedOrigin = Origin & { readonly requestHash: string };

export interface KeptAnswers {
  /** Undefined if the command was not said before, or has done something. */
  of(origin: KeyedOrigin): Promise<KeptAnswer | undefined>;
  /** Resolves when it is durable, with the answer that stands: another node may have been quicker. @throws Unavailable */
  keep(origin: KeyedOrigin, answer: Omit<KeptAnswer, 'requestHash'>): Promise<KeptAnswer>;
}

/** Where an actor host puts what moves no actor. Without them it is not kept. */
export interface Records {
  readonly refusals?: Refusals;
  readonly answers?: KeptAnswers;
}

export function isKeyed(origin: Origin): origin is KeyedOrigin {
  return origin.requestHash !== undefined;
}
