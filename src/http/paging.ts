/** Pages of lists: how much, from where, and the envelope that every list comes in. */
import { z } from 'zod';
import { invalid } from './problem.js';

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 500;
const MAX_CURSOR = 2_048;

/** `limit` and `cursor` of a list's query; spread its shape into a door's own query schema. */
export const pageQuery = z.object({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
    .transform(Number)
    .pipe(z.number().min(1, `must be at least 1`).max(MAX_LIMIT, `must be at most ${MAX_LIMIT}`))
    .default(DEFAULT_LIMIT),
  cursor: z.string().min(1).max(MAX_CURSOR).optional(),
});
export type PageQuery = z.infer<typeof pageQuery>;

/** How fresh an answer is. */
export interface AsOf {
  readonly position: string;
  readonly lagMs: number;
}

/** Every list's answer. `total` is exact, or `totalIs` says that there are at least so many. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
  readonly total: number;
  readonly totalIs: 'exact' | 'atLeast';
  readonly asOf: AsOf;
}

/** An opaque cursor for what the next page starts after. */
export function encodeCursor(place: unknown): string {
  return Buffer.from(JSON.stringify(place), 'utf8').toString('base64url');
}

/**
 * The place that a cursor names.
 *
 * @throws Problem validation-failed for one that this list did not give out
 */
export function decodeCursor<S extends z.ZodType>(cursor: string, place: S): z.output<S> {
  const parsed = place.safeParse(jsonOf(cursor));
  if (!parsed.success) throw invalid([{ path: '/cursor', message: 'is no cursor of this list: take nextCursor from an answer, or leave it out' }]);
  return parsed.data;
}

function jsonOf(cursor: string): unknown {
  if (cursor.length > MAX_CURSOR || !/^[A-Za-z0-9_-]+$/.test(cursor)) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
