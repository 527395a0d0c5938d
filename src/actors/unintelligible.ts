/** Streams that hold facts, but not a story: changed, damaged, or written by what was not Sluice. */
import { NewerFact } from '../events/upcasting.js';
import { LogUnusable, Unavailable } from '../log/log-errors.js';
import type { Rejected } from './actor.js';

/** The facts of a stream do not fold: nothing is decided about it. */
export class Unintelligible extends Error {
  override readonly name = 'Unintelligible';
  constructor(readonly stream: string, cause: unknown) {
    super(cause instanceof Error ? cause.message.replace(/\s+/g, ' ').slice(0, 500) : String(cause), { cause });
  }
}

/** @throws Unintelligible for whatever goes wrong with the facts themselves; what is wrong with the log or this node stays what it is */
export async function understood<T>(stream: string, fold: () => Promise<T>): Promise<T> {
  try {
    return await fold();
  } catch (error) {
    if (error instanceof Unavailable || error instanceof LogUnusable || error instanceof NewerFact) throw error;
    throw new Unintelligible(stream, error);
  }
}

export function quarantined({ stream, message }: Unintelligible): Rejected {
  return {
    rejected: 'quarantined',
    detail: `Nothing was done, because stream ${stream} can not be understood: ${message} It is left alone until somebody has looked: check the log with "sluice verify", and restore it from a backup if it was changed.`,
  };
}
