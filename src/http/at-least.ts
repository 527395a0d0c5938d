/** Reading one's own writes: a query may ask that the read side has got to a position first. */
import { z } from 'zod';
import { asked } from './asking.js';
import { Problem } from './problem.js';

/** How far the read side is, as the doors see it. */
export interface ReadProgress {
  /** True once everything up to the position is in the rows; false after `timeoutMs`. */
  waitFor(position: string, timeoutMs: number): Promise<boolean>;
  /** Resolves when the rows hold what was heard of until now, or are too far behind to be waited for. */
  taken(): Promise<void>;
  position(): string;
  lagMs(): number;
}

/** `atLeast` of a query; spread its shape into a door's own query schema. */
export const atLeastQuery = z.object({
  atLeast: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'must be a position that an answer of this server carried')
    .optional(),
});

/** Of a door that takes nothing else. */
export const atLeastOnly = asked(atLeastQuery.shape);
export type AtLeastOnly = z.output<typeof atLeastOnly>;

/**
 * Waits until the read side has got to `atLeast` if that was asked for, else for what was said a moment ago.
 *
 * @throws Problem not-caught-up, with Retry-After
 */
export async function awaitAtLeast(progress: ReadProgress, atLeast: string | undefined, timeoutMs: number): Promise<void> {
  if (atLeast === undefined) return progress.taken();
  if (await progress.waitFor(atLeast, timeoutMs)) return;
  const seconds = Math.min(30, Math.max(1, Math.ceil(progress.lagMs() / 1_000)));
  throw new Problem('not-caught-up', `The read side has not got to ${atLeast} yet; it is at ${progress.position()}. Ask again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
  });
}

/** The freshness that an answer carries. */
export function asOf(progress: ReadProgress): { readonly position: string; readonly lagMs: number } {
  return { position: progress.position(), lagMs: progress.lagMs() };
}
