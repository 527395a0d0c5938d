/**
 * Bounds the time of an expression that loops: two macros over a list of 100,000 elements would hold the process for
 * hours. CEL's own limits count the source, not the work; node's script time-out interrupts any code that the script
 * calls, and no catch inside can swallow it. It costs some 50 us, so only expressions with macros pay it.
 */
import { Script, createContext } from 'node:vm';

const LIMIT_MS = 200;
/** Twice: a machine that slept through the first try must not fail somebody's run. */
const TRIES = 2;

export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

let task: () => void = () => undefined;
const sandbox = createContext({ perform: () => task() });
const script = new Script('perform()');

/** @throws OutOfTime, or what `work` throws */
export function withinTime<T>(work: () => T): T {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const done = attemptOnce(work);
    if (done !== undefined) return done.value;
  }
  throw new OutOfTime(`it takes longer than ${LIMIT_MS} ms`);
}

function attemptOnce<T>(work: () => T): { readonly value: T } | undefined {
  let done: { readonly value: T } | undefined;
  task = () => {
    done = { value: work() };
  };
  try {
    script.runInContext(sandbox, { timeout: LIMIT_MS });
  } catch (error) {
    if (!isTimeout(error)) throw error;
  } finally {
    task = () => undefined;
  }
  return done;
}

function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
