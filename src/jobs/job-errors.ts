import { durationMs, type Duration } from '../events/definition.js';
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
const MAX_MESSAGE = 4_000;

/**
 * Says what a thrown value, of whatever kind, means: error kind, code, message and whether another attempt makes sense.
 * Texts are cut to 4,000 characters and made storable; stack traces stay out.
 *
 * @example jobFailureOf(new TerminalError('no such account')).error.retryable === false
 */
export function jobFailureOf(thrown: unknown): JobFailure {
  const next = property(thrown, NEXT);
  const code = property(thrown, 'code');
  const name = thrown instanceof Error ? thrown.name : 'thrown';
  const error: RunError = {
    kind: next === 'terminal' ? 'terminal' : 'error',
    code: textOf(typeof code === 'string' && code !== '' ? code : name, MAX_CODE),
    message: textOf(messageOf(thrown), MAX_MESSAGE),
    retryable: next !== 'terminal',
  };
  const retryAfterMs = property(thrown, 'retryAfterMs');
  return next === 'retryable' && typeof retryAfterMs === 'number' ? { error, retryAfterMs } : { error };
}

function property(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string' && thrown !== '') return thrown;
  const message = property(thrown, 'message');
  if (typeof message === 'string' && message !== '') return message;
  return thrown instanceof Error ? thrown.name : 'The job threw something that is not an error.';
}

/** NUL and lone surrogates are not kept by every store. */
function textOf(text: string, limit: number): string {
  return text.slice(0, limit).replaceAll('\0', '\uFFFD').toWellFormed();
}
