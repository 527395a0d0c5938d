/** What went wrong at EventStoreDB, in the words of our ports. By shape: the driver's classes differ from case to case. */
import { Denied, Gone, Unavailable } from './log-errors.js';

/** As a caller of a read gets it. */
export function readError(error: unknown, stream: string): Error {
  if (error instanceof Unavailable || error instanceof RangeError) return error;
  const exception = exceptionOf(error);
  if (exception === 'stream-deleted') return new Gone(stream);
  if (exception === 'access-denied' || codeOf(error) === UNAUTHENTICATED || codeOf(error) === PERMISSION_DENIED) return denied(`read ${stream}`);
  return new Unavailable(`EventStoreDB can't be read: ${whyOf(error)}.`, { cause: error });
}

export function denied(what: string): Denied {
  return new Denied(`EventStoreDB does not let this user ${what}: give the user of the connection string (SLUICE_EVENTS_URL) that right.`);
}

/** Whether asking again can't help, because somebody has to give us the right. */
export function isDenied(error: unknown): boolean {
  return error instanceof Denied || exceptionOf(error) === 'access-denied' || codeOf(error) === UNAUTHENTICATED || codeOf(error) === PERMISSION_DENIED;
}

export function whyOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, ' ').replace(/[.\s]+$/, '').slice(0, 200) || 'no reason was given';
}

const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

function codeOf(error: unknown): number | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** The name that the server gives what went wrong, in the trailers of the call. */
function exceptionOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const metadata: unknown = 'metadata' in error ? error.metadata : undefined;
  if (!isMetadata(metadata)) return '';
  const found = metadata.get('exception');
  return Array.isArray(found) ? String(found[0] ?? '') : '';
}

function isMetadata(value: unknown): value is { get(name: string): unknown } {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function';
}
