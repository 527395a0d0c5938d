/** The job for trials: it does what it is told, so that every way a job can end can be seen on purpose. */
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { isJsonValue } from '../events/definition.js';
import type { JsonObject, JsonValue } from '../events/json.js';
import { defineJob, type JobContext, type JobDefinition } from './job.js';
import { TerminalError } from './job-errors.js';

const parameters = z.strictObject({
  /** How it ends. `hang` waits for its signal, `stubborn` ignores it, `crash` ends the process. */
  do: z.enum(['succeed', 'fail', 'fail-terminal', 'hang', 'stubborn', 'crash']).default('succeed'),
  /** Waited for first. */
  ms: z.int().min(0).default(0),
  /** The first so many attempts fail, whatever `do` says. */
  failTimes: z.int().min(0).default(0),
  outputs: z.record(z.string(), z.custom<JsonValue>((value) => isJsonValue(value), 'Give a JSON value.')).default({}),
});

const A_LONG_TIME_MS = 365 * 24 * 60 * 60 * 1_000;

export type ObedientParameters = z.output<typeof parameters>;

/**
 * The job `obey`.
 *
 * @example registry.register(obedientJob(new SystemClock()))
 */
export function obedientJob(clock: Pick<Clock, 'sleep'>): JobDefinition<ObedientParameters, JsonObject> {
  return defineJob({
    name: 'obey',
    description: 'Does what it is told: succeeds, fails, hangs, ignores its signal or ends the process. For trials.',
    tags: ['trial'],
    parameters,
    run: (ctx: JobContext<ObedientParameters>): Promise<JsonObject> => obey(clock, ctx),
  });
}

async function obey(clock: Pick<Clock, 'sleep'>, { params, attempt, signal }: JobContext<ObedientParameters>): Promise<JsonObject> {
  const heeded = params.do === 'stubborn' ? undefined : signal;
  heeded?.throwIfAborted();
  if (params.ms > 0) await clock.sleep(params.ms, heeded);
  if (attempt <= params.failTimes) throw new ObedientError(`told to fail the first ${params.failTimes} attempts; this was attempt ${attempt}`);
  switch (params.do) {
    case 'succeed':
    case 'stubborn':
      return params.outputs;
    case 'fail':
      throw new ObedientError('told to fail');
    case 'fail-terminal':
      throw new TerminalError('told to fail for good', { code: 'obeyed' });
    case 'hang':
      return hang(clock, signal);
    case 'crash':
      process.kill(process.pid, 'SIGKILL');
      return never();
  }
}

class ObedientError extends Error {
  readonly code = 'obeyed';
  override readonly name = 'ObedientError';
}

/** Waits on the clock, so that a simulated one knows that nothing more will come of it. */
async function hang(clock: Pick<Clock, 'sleep'>, signal: AbortSignal): Promise<never> {
  for (;;) await clock.sleep(A_LONG_TIME_MS, signal);
}

/** The process ends before anybody could wait for it. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}
