import { storableText } from '../events/canonical.js';
import { durationMs, MAX_DURATION_MS, type Duration } from '../events/duration.js';
import type { RunError } from '../events/run.events.js';

/**
 * Marks our errors. A registered symbol, because the application's jobs and the server may each have loaded
 * a copy of this package, and `instanceof` would not know the other copy's classes.
 */
const NEXT = Symbol.for('sluice.job-error');

/** What a {@link TerminalError} may say beside its message. */
export interface TerminalErrorOptions {
  /** For programs; `terminal` unless given. */
  readonly code?: string;
  readonly cause?: unknown;
}

/**
 * Thrown by a job when no other attempt could succeed: the step fails at once, whatever its retry policy says.
 *
 * @example
 * if (row.amount < 0) throw new TerminalError(`row ${row.number}: a negative amount`, { code: 'bad-row' });
 */
export class TerminalError extends Error {
  readonly [NEXT] = 'terminal';
  readonly code: string;

  constructor(message: string, options: TerminalErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TerminalError';
    this.code = options.code ?? 'terminal';
  }
}

/** What a {@link RetryableError} may say beside its message. */
export interface RetryableErrorOptions extends TerminalErrorOptions {
  /** The next attempt starts no earlier than this after the failure; takes the place of the policy's delay. */
  readonly retryAfter?: Duration;
}

/**
 * Thrown by a job that knows when to try again. It is counted like any failure: after `maxAttempts` the step fails.
 * (Any other error is retried as well, after the policy's own delay.)
 *
 * @throws RangeError if `retryAfter` is no duration
 * @example
 * throw new RetryableError('the bank is closed', { code: 'closed', retryAfter: '15m' });
 */
export class RetryableError extends Error {
  readonly [NEXT] = 'retryable';
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: RetryableErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RetryableError';
    this.code = options.code ?? 'retryable';
    this.retryAfterMs = options.retryAfter === undefined ? undefined : durationMs(options.retryAfter);
  }
}

/** What a thrown value means for the step. */
export interface JobFailure {
  readonly error: RunError;
  /** Asked for by a {@link RetryableError}; otherwise the policy's delay counts. */
  readonly retryAfterMs?: number;
}

const MAX_CODE = 100;
export const MAX_MESSAGE = 4_000;

/**
 * Says what a thrown value, of whatever kind, means: error kind, code, message and whether another attempt makes sense.
 * Texts are cut to 4,000 characters and made storable; stack traces stay out. Never throws, whatever the value does
 * when it is looked at.
 *
 * @example jobFailureOf(new TerminalError('no such account')).error.retryable === false
 */
export function jobFailureOf(thrown: unknown): JobFailure {
  const next = property(thrown, NEXT);
  const name = isError(thrown) ? (textIn(thrown, 'name') ?? 'Error') : 'thrown';
  const message = (typeof thrown === 'string' && thrown !== '' ? thrown : textIn(thrown, 'message')) ?? (name === 'thrown' ? NO_ERROR : name);
  const error: RunError = {
    kind: next === 'terminal' ? 'terminal' : 'error',
    code: storableText(textIn(thrown, 'code') ?? name, MAX_CODE),
    message: storableText(message, MAX_MESSAGE),
    retryable: next !== 'terminal',
  };
  const retryAfterMs = next === 'retryable' ? delayOf(property(thrown, 'retryAfterMs')) : undefined;
  return retryAfterMs === undefined ? { error } : { error, retryAfterMs };
}

const NO_ERROR = 'The job threw something that is not an error.';

/** What another copy of the package, or a job of its own accord, says. Longer than a duration may be is as long as it may be. */
function delayOf(ms: unknown): number | undefined {
  return typeof ms === 'number' && ms >= 0 ? Math.min(Math.round(ms), MAX_DURATION_MS) : undefined;
}

function isError(value: unknown): boolean {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

function textIn(value: unknown, key: string): string | undefined {
  const text = property(value, key);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

/** A getter or a proxy may throw. */
function property(value: unknown, key: PropertyKey): unknown {
  try {
    return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  } catch {
    return undefined;
  }
}
