/** Errors of the log, named by what happens next. */

/** The stream is not where the caller thought: read it again and decide again. */
export class Conflict extends Error {
  override readonly name = 'Conflict';
  constructor(readonly stream: string, readonly expected: number | 'none', readonly actual: number | 'none') {
    super(`Stream ${stream} is at ${actual}, not at ${expected}: read it again and decide again.`);
  }
}

/** The append is larger than the log takes: say less, or say it in a blob. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
  constructor(readonly bytes: number, readonly limit: number) {
    super(`An append of ${bytes} bytes is over the limit of ${limit} bytes.`);
  }
}

/** The stream was deleted for ever. */
export class Gone extends Error {
  override readonly name = 'Gone';
  constructor(readonly stream: string) {
    super(`Stream ${stream} was deleted and takes no more facts.`);
  }
}

/** The log does not let us: credentials, a read-only file, a name that is not ours. */
export class Denied extends Error {
  override readonly name = 'Denied';
}

/** The log can't be reached or can't write now. Whether an append was taken is unknown: try again with the same ids. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** The log can't be used at all and a person has to act: locked by another process, not a database, damaged. */
export class LogUnusable extends Error {
  override readonly name = 'LogUnusable';
}

/** Whether the log itself is in trouble: nothing is wrong with what was to be said. */
export function isLogs(error: unknown): boolean {
  return error instanceof Unavailable || error instanceof Denied || error instanceof Gone || error instanceof LogUnusable;
}
