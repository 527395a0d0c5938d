/**
 * Reactor: looks at every fact of every run and does what the facts leave to be done.
 *
 * Owns: the worklist, one wake-up for the next due timer, recovery at start. Does not own: the slots (job runner), any
 * decision (commands are answered by the run). Talks to: the log's reader, the runner, the run by commands.
 *
 * 1. Nothing is run, claimed or fired before the head that was seen at start is reached.
 * 2. An attempt that another incarnation ran is lost: on an embedded log there is never a second node.
 * 3. A fact that no run knows quarantines its run and stops no other. One of a newer version stops this node instead:
 *    a newer one knows what it says.
 * 4. A fact may be seen after its effect was asked for; every command it leads to is named after the fact, so that
 *    asking twice is asking once.
 */
import type { Clock } from '../clock.js';
import { storedRunFact } from '../events/run.codec.js';
import type { Placed } from '../events/run.codec.js';
import type { RunFact } from '../events/run.events.js';
import type { Streams } from '../events/streams.js';
import { NewerFact } from '../events/upcasting.js';
import { ids, parseId } from '../ids.js';
import type { RunId } from '../ids.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import { ClaimStep, FireTimer } from '../runs/run.commands.js';
import { outcomeCommand } from './job-runner.js';
import type { JobRunner, Say } from './job-runner.js';
import { RunInputs } from './run-inputs.js';
import type { Timer } from './timer-queue.js';
import { Worklist } from './worklist.js';
import type { Attempt } from './worklist.js';

export class Reactor {
  private readonly worklist = new Worklist();
  private readonly inputs: RunInputs;
  private readonly claiming = new Set<string>();
  private readonly ending = new AbortController();
  private takeBackWake: (() => void) | undefined;
  private live = false;
  /** Runs whose stream holds what no run knows, and why. They are left alone, so that they stop nobody else. */
  readonly quarantined = new Map<RunId, string>();
  private looking: Promise<void> | undefined;

  constructor(
    private readonly reader: EventReader,
    private readonly streams: Streams,
    private readonly runner: JobRunner,
    private readonly say: Say,
    private readonly clock: Clock,
  ) {
    this.inputs = new RunInputs(reader, streams);
  }

  /** Resolves when everything that stood in the log has been looked at and taken up. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.looking = this.look(resolve);
      this.looking.catch(reject);
    });
  }

  async stop(): Promise<void> {
    this.takeBackWake?.();
    this.ending.abort();
    await this.looking;
  }

  private async look(caughtUp: () => void): Promise<void> {
    const filter = { prefixes: [this.streams.prefix('run')] };
    for await (const delivery of this.reader.subscribe({ filter, signal: this.ending.signal })) {
      if (delivery.kind === 'facts') for (const fact of delivery.facts) this.take(fact);
      if (delivery.kind === 'caughtUp' && !this.live) {
        this.recover();
        caughtUp();
      }
      if (this.live) this.goOn();
    }
  }

  private take(stored: StoredFact): void {
    const runId = parseId<RunId>(this.streams.parse(stored.stream)?.id ?? '');
    if (runId === undefined || this.quarantined.has(runId)) return;
    const fact = this.decoded(runId, stored);
    if (fact === undefined) return;
    this.worklist.apply(runId, fact);
    this.inputs.apply(runId, fact);
    if (!this.live) return;
    if (fact.type === 'StepStarted' && fact.data.worker === this.runner.node) this.run(runId, fact.data.executionId);
    if (fact.type === 'StepStopRequested') this.runner.stop(fact.data.executionId, fact.data.reason);
  }

  private decoded(runId: RunId, stored: StoredFact): Placed<RunFact> | undefined {
    try {
      return storedRunFact(stored);
    } catch (error) {
      if (error instanceof NewerFact) throw error;
      this.quarantined.set(runId, error instanceof Error ? error.message : String(error));
      this.worklist.drop(runId);
      this.inputs.drop(runId);
      return undefined;
    }
  }

  private run(runId: RunId, executionId: string): void {
    this.claiming.delete(executionId);
    const attempt = this.worklist.find(runId, executionId);
    if (attempt !== undefined) this.runner.run(attempt, () => this.inputs.of(attempt));
  }

  private recover(): void {
    this.live = true;
    this.runner.start(() => this.goOn());
    for (const attempt of [...this.worklist.attempts()]) {
      if (attempt.worker !== null && attempt.worker !== this.runner.node) void this.say(outcomeCommand(attempt, { kind: 'lost', reason: 'crash' }, this.runner.node));
    }
  }

  /** Claims what waits as far as there are slots, and arms the next timer. */
  private goOn(): void {
    for (const attempt of this.worklist.waiting()) {
      if (this.runner.free - this.claiming.size <= 0) break;
      if (!this.claiming.has(attempt.executionId)) this.claim(attempt);
    }
    this.fireDue();
  }

  private claim(attempt: Attempt): void {
    this.claiming.add(attempt.executionId);
    const { runId } = attempt;
    const commandId = ids.claimCommand(attempt.executionId, this.runner.node);
    const origin = { actor: `node:${this.runner.node}`, roles: [], via: 'runner', commandId } as const;
    void this.say(new ClaimStep(runId, attempt.executionId, attempt.stepId, this.runner.node, origin)).finally(() => this.claiming.delete(attempt.executionId));
  }

  private fireDue(): void {
    this.takeBackWake?.();
    const nowMs = this.clock.now();
    for (let timer = this.worklist.nextTimer(); timer !== undefined; timer = this.worklist.nextTimer()) {
      if (timer.dueAtMs > nowMs) {
        this.takeBackWake = this.clock.wakeAt(timer.dueAtMs, () => this.fireDue());
        return;
      }
      this.worklist.fired(timer);
      this.fire(timer);
    }
  }

  private fire({ runId, stepId, kind, generation }: Timer): void {
    const commandId = ids.timerCommand(runId, `${kind}:${stepId}`, generation);
    void this.say(new FireTimer(runId, kind, stepId, generation, { actor: 'timekeeper', roles: [], via: 'timer', commandId }));
  }
}
