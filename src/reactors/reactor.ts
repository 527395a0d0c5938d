/**
 * Reactor: looks at every fact of every run and does what the facts leave to be done.
 *
 * Owns: the worklist, one wake-up for the next due timer, recovery at start, the repair of runs that hang. Does not own:
 * the slots (job runner), any decision (commands are answered by the run). Talks to: the log's reader, the runner, the
 * run by commands.
 *
 * 1. Nothing is run, claimed or fired before the head that was seen at start is reached.
 * 2. An attempt that another incarnation ran is lost. One process works on a log; where a second one begins on it, the
 *    first one's attempts are run again, and what it still reports of them is fenced: the log never forks.
 * 3. A fault at one run quarantines that run, is reported, and stops no other. A fact of a newer version stops this node
 *    instead: a newer one knows what it says.
 * 4. A fact may be seen after its effect was asked for; every command it leads to is named after the fact, so that
 *    asking twice is asking once.
 * 5. A subscription that ends or fails is taken up again after the last fact that was looked at.
 * 6. What this node has appended may be looked at as soon as it is durable. When the log brings it, it changes nothing.
 */
import type { Clock } from '../clock.js';
import { storedRunFact } from '../events/run.codec.js';
import type { Placed } from '../events/run.codec.js';
import type { JsonObject } from '../events/json.js';
import type { RunFact } from '../events/run.events.js';
import type { Streams } from '../events/streams.js';
import { NewerFact } from '../events/upcasting.js';
import { ids, parseId } from '../ids.js';
import type { RunId } from '../ids.js';
import type { Appended, Delivery, EventReader, StoredFact } from '../log/event-reader.js';
import { isLogs, Unavailable } from '../log/log-errors.js';
import { AdvanceRun, ClaimStep, FireTimer } from '../runs/run.commands.js';
import type { AnyRunCommand } from '../runs/run.commands.js';
import { outcomeCommand } from './job-runner.js';
import type { JobRunner, Say } from './job-runner.js';
import { RepairScan } from './repair-scan.js';
import { RunInputs } from './run-inputs.js';
import type { Timer } from './timer-queue.js';
import { Worklist } from './worklist.js';
import type { Attempt } from './worklist.js';

/** Told of what went wrong and stops no more than it has to. */
export type ReportFault = (what: string, error?: unknown) => void;

export interface ReactorParts {
  readonly reader: EventReader;
  readonly streams: Streams;
  readonly runner: JobRunner;
  readonly say: Say;
  /** Asks again for as long as the log can't be reached. */
  readonly outlast: <T>(ask: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly report: ReportFault;
}

/** How long to wait before a subscription that was lost is taken up again. */
const AGAIN_MS = 100;
/** Timers that are fired and not answered: those that are due first are through first, and others have their turn. */
const MOST_FIRING = 256;

export class Reactor {
  private readonly worklist = new Worklist();
  private readonly inputs: RunInputs;
  private readonly scan: RepairScan;
  private readonly asked = new Set<Promise<unknown>>();
  private readonly ending = new AbortController();
  private takeBackWake: (() => void) | undefined;
  private firing = 0;
  private live = false;
  private quiet = false;
  /** Runs that could not be worked on, and why. They are left alone, so that they stop nobody else. */
  readonly quarantined = new Map<RunId, string>();
  private looking: Promise<void> | undefined;

  constructor(private readonly parts: ReactorParts) {
    this.inputs = new RunInputs(parts.reader, parts.streams);
    this.scan = new RepairScan(parts.clock, () => this.worklist.hanging(), (runId, revision) => this.repair(runId, revision));
  }

  /** Runs that hung and were taken up again since the start: 0 as long as all is well. */
  get repairs(): number {
    return this.scan.repairs;
  }

  /** Attempts that wait for a free slot. */
  get waits(): number {
    return this.worklist.waits;
  }

  /** Resolves when everything that stood in the log has been looked at and taken up. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.looking = this.look(resolve).catch((error: unknown) => {
        if (error instanceof NewerFact) this.yieldTo(error);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  /** Takes up nothing new. What runs is still looked after. */
  quiesce(): void {
    this.quiet = true;
    this.takeBackWake?.();
    this.scan.stop();
  }

  /** Resolves when nothing is looked at any more and every command that was said is answered. */
  async stop(): Promise<void> {
    this.quiesce();
    this.ending.abort();
    await this.looking;
    await Promise.all(this.asked);
  }

  /** Facts of a run that this node has appended: what they lead to need not wait until the log brings them. */
  hear({ stream, facts, revision, position }: Appended): void {
    if (!this.live || this.ending.signal.aborted) return;
    for (const [at, { type, data, metadata }] of facts.entries()) this.takeFact({ stream, type, data, metadata, revision: revision + at }, position);
    this.goOn();
  }

  private async look(caughtUp: () => void): Promise<void> {
    const filter = { prefixes: [this.parts.streams.prefix('run')] };
    const { signal } = this.ending;
    let after: string | undefined;
    while (!signal.aborted) {
      try {
        for await (const delivery of this.parts.reader.subscribe({ filter, after, signal })) {
          after = delivery.kind === 'facts' ? delivery.facts.at(-1)!.position : delivery.position;
          this.take(delivery, caughtUp);
          // What was heard early is known until all of it has come: the end of one run stands before facts of another.
          this.worklist.reached(after);
        }
        if (!signal.aborted) throw new Unavailable('The subscription ended.');
      } catch (error) {
        if (!this.live || error instanceof NewerFact) throw error;
        this.parts.report('The log is not heard any more; listening again.', error);
        await this.parts.clock.sleep(AGAIN_MS, signal).catch(() => undefined);
      }
    }
  }

  private take(delivery: Delivery, caughtUp: () => void): void {
    if (delivery.kind === 'facts') for (const fact of delivery.facts) this.takeFact(fact);
    if (delivery.kind === 'caughtUp' && !this.live) {
      this.recover();
      caughtUp();
    }
    if (!this.live) return;
    this.goOn();
    this.scan.notice();
  }

  /** `early`: where its append stands, if the log has not brought it yet. */
  private takeFact(stored: Pick<StoredFact, 'stream' | 'type' | 'data' | 'metadata' | 'revision'>, early?: string): void {
    const runId = parseId<RunId>(this.parts.streams.parse(stored.stream)?.id ?? '');
    if (runId === undefined) return;
    if (this.quarantined.has(runId)) return this.giveBack(stored.data);
    try {
      const fact = storedRunFact(stored);
      if (early === undefined ? this.worklist.apply(runId, fact) : this.worklist.applyEarly(runId, fact, early)) this.react(runId, fact);
    } catch (error) {
      if (error instanceof NewerFact) throw error;
      this.quarantine(runId, error);
    }
  }

  private react(runId: RunId, fact: Placed<RunFact>): void {
    this.inputs.apply(runId, fact);
    if (this.worklist.isParked(runId)) this.inputs.drop(runId);
    if (!this.live) return;
    if (fact.type === 'StepCancelled' || fact.type === 'StepFailed') this.parts.runner.letGo([fact.data.executionId]);
    if (fact.type === 'RunPaused') this.parts.runner.letGo(this.worklist.unclaimedOf(runId));
    if (fact.type === 'StepStarted' && fact.data.worker === this.parts.runner.node) this.run(runId, fact.data.executionId);
    if (fact.type === 'StepStopRequested') this.parts.runner.stop(fact.data.executionId, fact.data.reason);
  }

  private quarantine(runId: RunId, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.quarantined.set(runId, why);
    this.parts.report(`Run ${runId} is left alone from here on: ${why}`, error);
    this.inputs.drop(runId);
    this.parts.runner.letGo(this.worklist.drop(runId));
  }

  /** Commands of people go on in a run that is left alone, and take slots for what nobody runs. */
  private giveBack({ executionId }: JsonObject): void {
    if (typeof executionId === 'string') this.parts.runner.letGo([executionId]);
  }

  private run(runId: RunId, executionId: string): void {
    const attempt = this.worklist.find(runId, executionId);
    if (attempt !== undefined) this.parts.runner.run(attempt, () => this.parts.outlast(() => this.inputs.of(attempt)));
  }

  private recover(): void {
    this.live = true;
    const { runner } = this.parts;
    this.scan.start();
    runner.start({ onFree: () => this.goOn(), onFault: (runId, error) => this.fault(runId, error) });
    for (const attempt of [...this.worklist.attempts()]) {
      if (attempt.worker !== null && attempt.worker !== runner.node) void this.ask(outcomeCommand(attempt, { kind: 'lost', reason: 'crash' }, runner.node));
    }
  }

  /** Claims what waits as far as there are slots, and arms the next timer. */
  private goOn(): void {
    if (this.quiet) return;
    for (const attempt of this.worklist.waiting()) {
      if (this.parts.runner.free <= 0) break;
      if (this.parts.runner.reserve(attempt.executionId)) this.claim(attempt);
    }
    this.fireDue();
  }

  /** Its slot is held until a fact says what came of the claim, or paused its run: that may be seen after the answer. */
  private claim({ runId, executionId, stepId }: Attempt): void {
    const { node } = this.parts.runner;
    const origin = { actor: `node:${node}`, roles: [], via: 'runner', commandId: ids.claimCommand(executionId, node) } as const;
    void this.ask(new ClaimStep(runId, executionId, stepId, node, origin)).then((refused) => {
      if (refused === undefined || refused === 'run-paused') return;
      this.worklist.passOver(executionId);
      this.parts.runner.letGo([executionId]);
    });
  }

  private fireDue(): void {
    this.takeBackWake?.();
    if (this.quiet) return;
    const nowMs = this.parts.clock.now();
    for (let timer = this.worklist.nextTimer(); timer !== undefined && this.firing < MOST_FIRING; timer = this.worklist.nextTimer()) {
      if (timer.dueAtMs > nowMs) {
        this.takeBackWake = this.parts.clock.wakeAt(timer.dueAtMs, () => this.fireDue());
        return;
      }
      this.worklist.fired(timer);
      this.fire(timer);
    }
  }

  private fire({ runId, stepId, kind, generation }: Timer): void {
    const commandId = ids.timerCommand(runId, `${kind}:${stepId}`, generation);
    this.firing += 1;
    void this.ask(new FireTimer(runId, kind, stepId, generation, { actor: 'timekeeper', roles: [], via: 'timer', commandId })).then(() => {
      // Not after each: what is due is looked at for many at once.
      if ((this.firing -= 1) === MOST_FIRING / 2) this.fireDue();
    });
  }

  private repair(runId: RunId, revision: number): void {
    this.parts.report(`Run ${runId} hung after its fact ${revision} and is taken up again.`);
    const origin = { actor: 'repair', roles: [], via: 'repair', commandId: ids.derivedCommand('repair', runId, revision) } as const;
    void this.ask(new AdvanceRun(runId, origin));
  }

  /** Never rejects. Gives the slug of a refusal. */
  private ask(command: AnyRunCommand): Promise<string | undefined> {
    const answer = this.parts.say(command).catch((error: unknown) => {
      this.fault(command.runId, error);
      return 'faulty';
    });
    const settled = answer.finally(() => this.asked.delete(settled));
    this.asked.add(settled);
    return answer;
  }

  private yieldTo(newer: NewerFact): void {
    this.quiesce();
    this.ending.abort();
    this.parts.runner.close();
    this.parts.report('This node takes no more work.', newer);
  }

  /** A log that can't be reached any more is no fault of the run: it is taken up at the next start. */
  private fault(runId: RunId, error: unknown): void {
    if (error instanceof NewerFact) this.yieldTo(error);
    else if (!isLogs(error) && !this.quarantined.has(runId)) this.quarantine(runId, error);
  }
}
