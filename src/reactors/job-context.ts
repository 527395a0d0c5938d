/**
 * What a job is given, and what it tells meanwhile: the border where anything may be handed over.
 *
 * 1. Telling never throws into the job: what can't be kept is left out, or said in words.
 * 2. What is kept is bounded, and every store takes it.
 */
import { storableText } from '../events/canonical.js';
import { ids } from '../ids.js';
import type { JobContext } from '../jobs/job.js';
import type { Inputs } from './run-inputs.js';
import type { Attempt } from './worklist.js';

/** What a handler has told so far. */
export interface OpenReport {
  progress?: { done: number; total: number | null };
  readonly log: string[];
}

export interface Given {
  readonly params: JobContext['params'];
  readonly outputs: Inputs['outputs'];
}

const LOG_LINES = 200;
const LOG_BYTES = 16 * 1024;

/** Key, signal and outputs are made when the job looks at them. */
export function contextOf(attempt: Attempt, given: Given, stop: { readonly signal: AbortSignal }, report: OpenReport): JobContext {
  const { runId, stepId, executionId } = attempt;
  let bytes = 0;
  let outputs: JobContext['outputs'] | undefined;
  const line = (level: string) => (message: string, data?: unknown): void => {
    const text = storableText(lineOf(level, message, data), LOG_BYTES);
    report.log.push(text);
    bytes += text.length;
    while (report.log.length > LOG_LINES || (bytes > LOG_BYTES && report.log.length > 1)) bytes -= report.log.shift()?.length ?? 0;
  };
  return {
    runId, stepId, executionId, attempt: attempt.attempt, params: given.params,
    get idempotencyKey() {
      return ids.stepIdempotencyKey(runId, stepId);
    },
    get signal() {
      return stop.signal;
    },
    get outputs() {
      return (outputs ??= given.outputs());
    },
    // What is no number says nothing: what was told before still stands.
    progress: (done, total) => void (isCount(done) && (report.progress = { done, total: isCount(total) ? total : null })),
    log: { info: line('info'), warn: line('warn'), error: line('error') },
  };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function lineOf(level: string, message: unknown, data: unknown): string {
  try {
    return `${level} ${String(message)}${data === undefined ? '' : ` ${JSON.stringify(data)}`}`;
  } catch {
    return `${level} ${typeof message === 'string' ? message : ''} (with something that JSON can not say)`;
  }
}
