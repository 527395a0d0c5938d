/**
 * Bounds the time of an expression that loops: two macros over a list of 100,000 elements would hold the process for
 * hours. CEL's own limits count the source, not the work; node's script time-out interrupts any code that the script
 * calls, and no catch inside can swallow it. It costs some 50 us, so only expressions with macros pay it.
 * Those of one check or one decision share a time too, so that many of them hold the process no longer than a few.
 */
import { Script, createContext } from 'node:vm';
import { SystemClock } from '../clock.js';

const LIMIT_MS = 200;
/** Twice: a machine that slept through the first try must not fail somebody's run. */
const TRIES = 2;

const SHARED_MS = 1_000;

export class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/** What the process is held for is real, also where time is simulated. */
const clock = new SystemClock();
let task: () => void = () => undefined;
const sandbox = createContext({ perform: () => task() });
const script = new Script('perform()');

/** What is left for all expressions of the piece of work that is under way. */
let sharedMs: number | undefined;

/** Expressions evaluated inside of `work`, which is synchronous, have a time together. */
export function sharingTime<T>(work: () => T): T {
  if (sharedMs !== undefined) return work();
  sharedMs = SHARED_MS;
  try {
    return work();
  } finally {
    sharedMs = undefined;
  }
}

/** @throws OutOfTime, or what `work` throws */
export function withinTime<T>(work: () => T): T {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const limitMs = Math.min(LIMIT_MS, Math.ceil(sharedMs ?? LIMIT_MS));
    if (limitMs <= 0) throw new OutOfTime(`with the expressions before it, it takes longer than ${SHARED_MS} ms`);
    const startedMs = clock.elapsed();
    try {
      const done = attemptOnce(work, limitMs);
      if (done !== undefined) return done.value;
    } finally {
      if (sharedMs !== undefined) sharedMs -= clock.elapsed() - startedMs;
    }
  }
  throw new OutOfTime(`it takes longer than ${LIMIT_MS} ms`);
}

function attemptOnce<T>(work: () => T, limitMs: number): { readonly value: T } | undefined {
  let done: { readonly value: T } | undefined;
  task = () => {
    done = { value: work() };
  };
  try {
    script.runInContext(sandbox, { timeout: limitMs });
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
