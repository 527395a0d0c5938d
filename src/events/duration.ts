/** Lengths of time, as people write them. */
import ms from 'ms';
import { z } from 'zod';

const DURATION_TEXT =
  /^(?:\d+(?:\.\d+)?|\.\d+) *(?:milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)?$/i;
/** A hundred years: nothing that runs is planned for longer, and sums of two stay exact. */
export const MAX_DURATION_MS = 100 * 366 * 24 * 60 * 60 * 1000;

function isDurationText(text: string): text is ms.StringValue {
  return text.length <= 100 && DURATION_TEXT.test(text);
}

function durationOrNaN(value: string | number): number {
  if (typeof value === 'number') return value;
  return isDurationText(value) ? Math.round(ms(value)) : Number.NaN;
}

/**
 * A length of time: a text of the `ms` package (`"250ms"`, `"30s"`, `"15m"`, `"2h"`, `"7d"`) or whole milliseconds,
 * never negative, at most a hundred years.
 */
export const durationSchema = z
  .union([z.string(), z.number()], 'Give a duration like "30s", "15m" or "2h", or whole milliseconds.')
  .refine(
    (value) => {
      const duration = durationOrNaN(value);
      return Number.isInteger(duration) && duration >= 0 && duration <= MAX_DURATION_MS;
    },
    'Give a duration like "30s", "15m" or "2h", or whole milliseconds from 0; it may be a hundred years at most.',
  );
export type Duration = z.infer<typeof durationSchema>;

/**
 * The milliseconds of a duration that the schema accepted.
 *
 * @throws RangeError if it is none
 * @example durationMs('1m') === 60_000
 */
export function durationMs(value: Duration): number {
  const duration = durationOrNaN(value);
  if (!(duration >= 0)) throw new RangeError(`${JSON.stringify(value)} is not a duration`);
  return duration;
}
