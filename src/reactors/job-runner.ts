/**
 * JobRunner: runs attempts that the log says are this node's.
 *
 * Owns: the slots of this node, the handlers under way and their signals. Does not own: whether an attempt may run (the
 * run decides), when a time-out or a grace is over (timekeeper). Talks to: the run, by commands; the jobs.
 *
 * 1. A handler is called only after a stored `StepStarted` that names this incarnation.
 * 2. Every handler's end is reported once, by a command whose id is the execution's: saying it again changes nothing.
 * 3. A stubborn handler keeps its slot until it returns, whatever the run has gone on to.
 * 4. Never are more handlers at work than there are slots: where the log was silent about a claim, its slot may be another's already.
 * 5. Once the drain has begun nothing is begun: an attempt whose claim was under way is given back as lost.
 */
import { refuseUnstorableText, storableText } from '../events/canonical.js';
import { DEFINITION_LIMITS, isJsonValue } from '../events/definition.js';
import { isJsonObject, parseJson } from '../events/json.js';
import type { JsonFault, JsonValue } from '../events/json.js';
import type { RunError } from '../events/run.events.js';
import { NewerFact } from '../events/upcasting.js';
import { ids } from '../ids.js';
import type { Incarnation, RunId } from '../ids.js';
import { jobFailureOf, MAX_MESSAGE } from '../jobs/job-errors.js';
import type { JobRegistry } from '../jobs/job-registry.js';
import { isLogs, Unavailable } from '../log/log-errors.js';
import { ReportOutcome } from '../runs/run.commands.js';
import type { AnyRunCommand, Outcome, Report } from '../runs/run.commands.js';
import { contextOf } from './job-context.js';
import type { OpenReport } from './job-context.js';
import type { Inputs } from './run-inputs.js';
import type { Attempt } from './worklist.js';

/** Says a command until it is answered. Gives the slug of a refusal. @throws Unavailable once the engine closes */
export type Say = (command: AnyRunCommand) => Promise<string | undefined>;

/** Who is told what no fact says. */
export interface RunnerEars {
  /** A slot has become free: an orphan's end leaves no fact that would say so. */
  onFree(): void;
  /** An outcome could not be said. */
  onFault(runId: RunId, error: unknown): void;
}

/** What asks a handler to stop. Its signal is made when the handler looks for it: most never do. */
class Stop {
  private controller: AbortController | undefined;
  private reason: Error | undefined;

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.reason !== undefined) this.controller.abort(this.reason);
    }
    return this.controller.signal;
  }

  /** The first word counts. */
  for(reason: Error): void {
    this.reason ??= reason;
    this.controller?.abort(this.reason);
  }

  get asked(): Error | undefined {
    return this.reason;
  }

  was(reason: Error): boolean {
    return this.reason === reason;
  }
}

const MOST_OUTPUT_BYTES = 256 * 1024;

export class JobRunner {
  /** Executions that hold a slot: being claimed, or running. */
  private readonly held = new Set<string>();
  private readonly running = new Map<string, { readonly stop: Stop; readonly report: OpenReport }>();
  private working = 0;
  /** Woken when a slot has become free, or something is to end. */
  private readonly waiting: (() => void)[] = [];
  private open = false;
  private ears: RunnerEars | undefined;

  constructor(
    readonly node: Incarnation,
    readonly slots: number,
    private readonly jobs: JobRegistry,
    private readonly say: Say,
  ) {}

  /** Takes claims from now on. */
  start(ears: RunnerEars): void {
    this.open = true;
    this.ears = ears;
  }

  /** Slots that are held: being claimed, or running. */
  get taken(): number {
    return this.held.size;
  }

  get free(): number {
    return this.open ? this.slots - this.held.size : 0;
  }

  /** Handlers at work: those that have not returned. */
  get handlers(): number {
    return this.working;
  }

  /** A slot for an attempt that is about to be claimed, if there is one and its parameters fit; else somebody claims it later. */
  claim(job: string, executionId: string, params: JsonValue): Incarnation | undefined {
    if (this.free <= 0 || this.held.has(executionId) || !this.jobs.has(job)) return undefined;
    if (!this.fitsAtOnce(job, params)) return undefined;
    this.held.add(executionId);
    return this.node;
  }

  /** A schema that throws, or takes its time, is asked again when the attempt begins: there it has a step to fail. */
  private fitsAtOnce(job: string, params: JsonValue): boolean {
    try {
      const valid = this.jobs.validateParameters(job, params);
      if (!(valid instanceof Promise)) return valid.ok;
      valid.catch(() => undefined);
    } catch {
      // Told by the attempt.
    }
    return false;
  }

  /** A slot for an attempt that is about to be claimed by a command of its own. False if it has one. */
  reserve(executionId: string): boolean {
    if (this.held.has(executionId)) return false;
    this.held.add(executionId);
    return true;
  }

  /** Attempts that will not be run here after all. */
  letGo(executionIds: readonly string[]): void {
    const freed = executionIds.filter((id) => !this.running.has(id) && this.held.delete(id));
    if (freed.length > 0) this.freed();
  }

  /** The log says that this attempt is ours. Once the drain has begun it is given back. */
  run(attempt: Attempt, inputs: () => Promise<Inputs>): void {
    if (this.running.has(attempt.executionId)) return;
    this.held.add(attempt.executionId);
    const stop = new Stop();
    const report: OpenReport = { log: [] };
    this.running.set(attempt.executionId, { stop, report });
    void (this.open ? this.perform(attempt, inputs, stop, report) : this.report(attempt, LOST))
      .catch((error: unknown) => this.ears?.onFault(attempt.runId, error))
      .finally(() => {
        this.running.delete(attempt.executionId);
        this.held.delete(attempt.executionId);
        this.freed();
      });
  }

  stop(executionId: string, reason: string): void {
    this.running.get(executionId)?.stop.for(new Error(reason));
    this.wake();
  }

  /** What an attempt that runs here has told so far. It is nowhere else until the attempt ends. */
  reportOf(executionId: string): Report | undefined {
    return this.running.get(executionId)?.report;
  }

  /** Takes no claims from now on. */
  close(): void {
    this.open = false;
    this.wake();
  }

  /** Ends what runs: first by waiting, then by its signal. Resolves when no slot is held any more, or `graceOver` does. */
  async drain(drained: Promise<void>, graceOver: Promise<void>): Promise<void> {
    this.close();
    await Promise.race([drained, this.empty()]);
    for (const { stop } of this.running.values()) stop.for(SHUTDOWN);
    await Promise.race([graceOver, this.empty()]);
  }

  private async empty(): Promise<void> {
    while (this.held.size > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }

  private freed(): void {
    this.wake();
    if (this.open) this.ears?.onFree();
  }

  private async perform(attempt: Attempt, inputs: () => Promise<Inputs>, stop: Stop, report: OpenReport): Promise<void> {
    while (this.open && this.working >= this.slots && stop.asked === undefined) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (!this.open) return this.report(attempt, LOST);
    // It was to stop before there was room for it.
    if (stop.asked !== undefined) return this.report(attempt, { kind: 'failed', error: jobFailureOf(stop.asked).error, report });
    this.working += 1;
    const outcome = await this.outcomeOf(attempt, inputs, stop, report).finally(() => (this.working -= 1));
    const cut = stop.was(SHUTDOWN) && outcome.kind !== 'succeeded';
    await this.report(attempt, cut ? LOST : outcome);
  }

  /** An outcome that can not be written is told as a failure of its own: a run must not wait for ever for what came to an end. */
  private async report(attempt: Attempt, outcome: Outcome): Promise<void> {
    try {
      await this.say(outcomeCommand(attempt, outcome, this.node));
    } catch (error) {
      if (isLogs(error) || error instanceof NewerFact || outcome.kind === 'lost') throw error;
      await this.say(outcomeCommand(attempt, unwritten(error), this.node)).catch(() => {
        throw error;
      });
    }
  }

  private async outcomeOf(attempt: Attempt, inputs: () => Promise<Inputs>, stop: Stop, report: OpenReport): Promise<Outcome> {
    let given: Inputs | undefined;
    try {
      given = await inputs();
      const params = await this.jobs.validateParameters(attempt.job, given.params);
      if (!params.ok) return invalid('parameters', attempt.job, params.issues, report);
      const job = this.jobs.get(attempt.job);
      if (job === undefined) throw new Error(`Job ${attempt.job} is not registered on this node.`);
      const handler = await job.resolveHandler(attempt);
      const result = await handler.run(contextOf(attempt, { params: params.value, outputs: given.outputs }, stop, report));
      const outputs = await this.jobs.validateOutputs(attempt.job, result ?? {});
      if (!outputs.ok) return invalid('outputs', attempt.job, outputs.issues, report);
      const text = JSON.stringify(outputs.value ?? {});
      const value = parseJson(text);
      const faults = outputFaults(text, value);
      if (faults.length > 0) return invalid('outputs', attempt.job, faults, report);
      return { kind: 'succeeded', outputs: isJsonObject(value) ? value : { value }, report };
    } catch (thrown) {
      // Nothing was begun, and the log is away for good: the next start finds the attempt lost.
      if (given === undefined && thrown instanceof Unavailable) throw thrown;
      const { error, retryAfterMs } = jobFailureOf(thrown);
      return { kind: 'failed', error, ...(retryAfterMs !== undefined && { retryAfterMs }), report };
    }
  }
}

const SHUTDOWN = new Error('shutdown');
const LOST: Outcome = { kind: 'lost', reason: 'shutdown' };

export function outcomeCommand(attempt: Attempt, outcome: Outcome, node: Incarnation): ReportOutcome {
  const runId = attempt.runId;
  const commandId = ids.outcomeCommand(attempt.executionId);
  return new ReportOutcome(runId, attempt.executionId, attempt.stepId, outcome, { actor: `node:${node}`, roles: [], via: 'runner', commandId });
}

function unwritten(why: unknown): Outcome {
  const message = `What the attempt came to could not be written: ${jobFailureOf(why).error.message}`;
  return { kind: 'failed', error: { kind: 'error', code: 'outcome-not-written', message: storableText(message, MAX_MESSAGE), retryable: false }, report: {} };
}

function invalid(what: 'parameters' | 'outputs', job: string, found: readonly JsonFault[], report: Report): Outcome {
  const issues = found.map(({ path, message }) => `${path || '/'}: ${message}`).join('; ');
  const error: RunError = { kind: 'validation', code: `invalid-${what}`, message: storableText(`The ${what} do not fit job ${job}: ${issues}`, MAX_MESSAGE), retryable: false };
  return { kind: 'failed', error, report };
}

/** What no store keeps, or not every one. */
function outputFaults(text: string, value: JsonValue): readonly JsonFault[] {
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_OUTPUT_BYTES) return [{ path: '', message: `They are ${bytes} bytes, and at most ${MOST_OUTPUT_BYTES} are kept. Keep the data elsewhere and give its place.` }];
  if (!isJsonValue(value)) return [{ path: '', message: `They are nested deeper than ${DEFINITION_LIMITS.maxJsonDepth} levels. Give a flatter object, or a text.` }];
  return refuseUnstorableText(value).map((path) => ({ path, message: 'Text with NUL or half of a surrogate pair can not be kept.' }));
}
