/** Problems: how every refusal is told to a caller (RFC 9457). */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { pointer } from '../events/json.js';
import type { JsonFault } from '../events/json.js';

interface Kind {
  readonly status: number;
  readonly title: string;
}

/** Every kind of refusal that the doors know, with its HTTP status. */
export const PROBLEMS = {
  'validation-failed': { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'Not signed in' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'not-acceptable': { status: 406, title: 'Not acceptable' },
  'run-already-ended': { status: 409, title: 'The run has ended' },
  'gate-already-decided': { status: 409, title: 'The gate is decided' },
  'approval-stale': { status: 409, title: 'The approval has changed' },
  'not-retryable': { status: 409, title: 'The run can not be retried' },
  'duplicate-name': { status: 409, title: 'The name is taken' },
  'code-defined': { status: 409, title: 'The batch is defined in code' },
  'batch-deleted': { status: 409, title: 'The batch is deleted' },
  quarantined: { status: 409, title: 'The stream can not be understood' },
  'version-conflict': { status: 412, title: 'Somebody else was faster' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key is used' },
  'precondition-required': { status: 428, title: 'A precondition is required' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Something broke' },
  'not-supported-yet': { status: 501, title: 'Not supported yet' },
  'not-caught-up': { status: 503, title: 'The read side is behind' },
  'log-unavailable': { status: 503, title: 'The event log is unavailable' },
  'read-store-unavailable': { status: 503, title: 'The read store is unavailable' },
} as const satisfies Readonly<Record<string, Kind>>;

export type ProblemSlug = keyof typeof PROBLEMS;

/** What a problem may say beside its sentence. */
export interface ProblemExtras {
  readonly errors?: readonly JsonFault[];
  /** What the caller could do instead, for a command that the machine refused. */
  readonly allowedActions?: readonly unknown[];
  /** The run that retries this one already. */
  readonly retriedBy?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of a refusal, as it is sent. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly errors?: readonly JsonFault[];
  readonly allowedActions?: readonly unknown[];
  readonly retriedBy?: string;
}

/**
 * A refusal. Thrown by doors, guards and pipes; the problem filter turns it into the answer.
 *
 * @param detail a sentence a person can act on
 */
export class Problem extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly slug: ProblemSlug,
    readonly detail: string,
    private readonly extras: ProblemExtras = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = PROBLEMS[slug].status;
    this.headers = extras.headers ?? {};
  }

  body(): ProblemBody {
    const { errors, allowedActions, retriedBy } = this.extras;
    return {
      type: `urn:sluice:${this.slug}`,
      ...PROBLEMS[this.slug],
      detail: this.detail,
      ...(errors === undefined ? {} : { errors }),
      ...(allowedActions === undefined ? {} : { allowedActions }),
      ...(retriedBy === undefined ? {} : { retriedBy }),
    };
  }
}

/** Bad input, with every fault. */
export function invalid(errors: readonly JsonFault[]): Problem {
  const places = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const more = places.length > 3 ? ` (and ${places.length - 3} more)` : '';
  return new Problem('validation-failed', `Correct this and send it again: ${places.slice(0, 3).join('; ')}${more}`, { errors });
}

/** Standard Schema's issues as faults; for `new StandardSchemaValidationPipe({ exceptionFactory: invalidInput })`. */
export function invalidInput(issues: readonly StandardSchemaV1.Issue[]): Problem {
  return invalid(issues.map(({ path = [], message }) => ({ path: placeOf(path), message: inOurWords(message) })));
}

/** Where an issue of Standard Schema stands. */
function placeOf(path: NonNullable<StandardSchemaV1.Issue['path']>): string {
  return pointer('', ...path.map((part) => (typeof part === 'object' ? part.key : part)));
}

const KINDS: Readonly<Record<string, string>> = { string: 'a text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list', object: 'an object', record: 'an object' };

/** What is to be given where a schema expects this kind of value. */
export function wordsOfKind(expected: string): string {
  return KINDS[expected] ?? 'another value';
}

const BOUNDS: Readonly<Record<string, string>> = { '<=': 'at most', '<': 'less than', '>=': 'at least', '>': 'more than' };

function unitOf(count: string | undefined, units: string): string {
  return count === '1' ? units.replace(/s$/, '') : units;
}

/** @param keys quoted, and with commas between them */
export function wordsOfUnknown(keys: string): string {
  return `${keys} ${keys.includes('", "') ? 'are' : 'is'} not known here`;
}

/** What zod says where a schema has no words of its own; a schema's own words stay as they are. */
function inOurWords(message: string): string {
  const kind = /^Invalid input: expected (\w+)/.exec(message)?.[1];
  if (kind !== undefined) return `Give ${wordsOfKind(kind)}.`;
  const options = /^Invalid option: expected one of (.+)$/.exec(message)?.[1];
  if (options !== undefined) return `Give one of ${options.replaceAll('|', ', ')}.`;
  const bound = /^Too (?:big|small): expected \w+ to (?:have|be) (<=?|>=?)(\S+)( \w+)?$/.exec(message);
  if (bound !== null) return `Give ${BOUNDS[bound[1] ?? '']} ${bound[2]}${unitOf(bound[2], bound[3] ?? '')}.`;
  const keys = /^Unrecognized keys?: (.+)$/.exec(message)?.[1];
  return keys === undefined ? message : `${wordsOfUnknown(keys)}.`;
}
