/**
 * Life: one incarnation of a node on stores that outlive it.
 *
 * Owns: the borders of its engine: a clock, a log and rows that stop when it dies. Does not own: the stores, the time,
 * what befalls it (fate). Talks to: the engine, as applications do.
 *
 * 1. After its death nothing of it goes on: no promise of its borders resolves, no wake-up comes, no row is written.
 * 2. A subscriber gets facts a turn after they were appended, so that whoever appended them had the answer first.
 */
import type { Clock } from '../../src/clock.js';
import { sleepOn } from '../../src/clock.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import type { JobContext } from '../../src/jobs/job.js';
import { obedientJob } from '../../src/jobs/obedient.job.js';
import type { Delivery, SubscribeOptions } from '../../src/log/event-reader.js';
import type { EventWriter } from '../../src/log/event-writer.js';
import type { ReadStore } from '../../src/reading/read-store.js';
import { openSluice } from '../../src/sluice.js';
import type { EngineLog } from '../../src/log/open-log.js';
import type { SluiceEngine } from '../../src/sluice.js';
import { turns } from '../../src/testing/simulated-clock.js';
import type { Fate, Subscriber } from './fate.js';
import type { World } from './world.js';

export class Died extends Error {}

export class Life {
  alive = true;
  started = false;
  readonly engine: SluiceEngine;
  /** Resolves when it dies. */
  readonly death: Promise<undefined>;
  private die: () => void = () => undefined;
  private readonly wakes = new Set<() => void>();
  private unanswered = 0;
  private working = 0;

  constructor(readonly world: World, readonly number: number, readonly fate: Fate, readonly slots: number) {
    this.death = new Promise((resolve) => (this.die = () => resolve(undefined)));
    const clock = this.clockOf(world.clock);
    const jobs = new JobRegistry();
    const job = obedientJob(clock);
    jobs.register({ ...job, retry: { initialDelay: 500, jitter: false }, run: (context: Parameters<typeof job.run>[0]) => this.perform(context, () => job.run(context)) });
    const stores = world.spoilt({ log: this.logOf(world.log), rows: this.rowsOf(world.rows) }, this);
    this.engine = openSluice({
      directory: 'simulated', stores, clock, jobs, slots, namespace: world.options.elsewhere?.namespace,
      report: (what, error) => this.alive && world.reported(error instanceof Error ? `${what} ${error.message}` : what),
    });
  }

  get node(): string {
    return this.engine.runner.node;
  }

  start(batches: readonly BatchDefinition[]): void {
    this.engine.start(batches).then(
      () => {
        this.started = true;
        this.world.stir();
      },
      (error: unknown) => {
        // Whoever watches the process starts it again.
        if (this.alive) this.world.reported(`The node did not start: ${String(error)}`);
        this.kill();
      },
    );
  }

  kill(): void {
    if (!this.alive) return;
    this.end();
    this.world.buried(this);
  }

  /** Stops it without anybody to come after it. */
  end(): void {
    this.alive = false;
    for (const takeBack of this.wakes) takeBack();
    this.die();
  }

  /** Never resolves once the life is over. */
  going(): Promise<void> {
    this.world.stir();
    return this.alive ? Promise.resolve() : new Promise(() => undefined);
  }

  private clockOf(time: Clock): Clock {
    const clock: Clock = {
      now: () => time.now(),
      elapsed: () => time.elapsed(),
      wakeAt: (atMs, wake) => {
        if (!this.alive) return () => undefined;
        const takeBack = time.wakeAt(atMs, () => {
          this.wakes.delete(takeBack);
          this.world.stir();
          wake();
        });
        this.wakes.add(takeBack);
        return () => {
          this.wakes.delete(takeBack);
          takeBack();
        };
      },
      sleep: (ms, signal) => sleepOn(clock, ms, signal),
    };
    return clock;
  }

  private logOf(log: EngineLog): EngineLog {
    const still = async <T>(answer: Promise<T>): Promise<T> => {
      await this.going();
      const told = await answer;
      await this.going();
      return told;
    };
    return {
      identity: log.identity,
      deliversLate: this.world.options.late ?? false,
      get bufferedFacts() { return log.bufferedFacts; },
      readStream: (...asked) => still(log.readStream(...asked)),
      readBlob: (...asked) => still(log.readBlob(...asked)),
      head: () => still(log.head()),
      readAll: (options) => log.readAll(options),
      append: (...said) => this.append(log, said),
      subscribe: (options) => this.subscribe(log, options),
      close: async () => undefined,
    };
  }

  private async append(log: EngineLog, said: Parameters<EventWriter['append']>) {
    await this.going();
    const append = { life: this, number: this.world.counted(), stream: said[0], facts: said[2] };
    await this.fate.appending?.(append);
    await this.going();
    this.unanswered += 1;
    try {
      const result = await log.append(...said);
      await this.fate.appended?.(append);
      await this.going();
      return result;
    } finally {
      this.unanswered -= 1;
    }
  }

  private async *subscribe(log: EngineLog, options: SubscribeOptions): AsyncGenerator<Delivery, void, void> {
    const to: Subscriber = { life: this, name: options.filter === undefined ? 'rows' : 'reactor' };
    for await (const delivery of log.subscribe(options)) {
      do await turns(1);
      while (this.isAnswering());
      await this.going();
      if (delivery.kind === 'facts') await this.fate.delivering?.(to, delivery.facts);
      await this.going();
      yield delivery;
      if (delivery.kind === 'facts') await this.fate.delivered?.(to, delivery.facts);
      await this.going();
    }
  }

  /** Over a network facts may be delivered before whoever appended them is answered. */
  private isAnswering(): boolean {
    return this.world.options.elsewhere !== undefined && (this.world.life?.unanswered ?? 0) > 0;
  }

  private rowsOf(rows: ReadStore): ReadStore {
    const change: Partial<ReadStore> = {
      transaction: (work) => {
        if (!this.alive) throw new Died();
        return rows.transaction(work);
      },
      advance: (build, to) => {
        this.fate.moving?.(this, to);
        if (!this.alive) throw new Died();
        return rows.advance(build, to);
      },
      close: () => undefined,
    };
    return overlaid(rows, change);
  }

  /** Calls the handler, having looked whether its claim stands in the log. */
  private async perform<O>(context: Pick<JobContext, 'runId' | 'executionId' | 'attempt' | 'stepId'>, call: () => Promise<O>): Promise<O> {
    const { runId, executionId, attempt, stepId } = context;
    const facts = await this.world.log.readStream(this.world.streams.run(runId as never));
    await this.going();
    const claim = facts.find(({ type, data }) => type === 'StepStarted' && data['executionId'] === executionId);
    if ((this.working += 1) > this.slots) this.world.odd.push(`Life ${this.number} has ${this.working} handlers at work on ${this.slots} slots.`);
    this.world.calls.push({ life: this.number, runId, stepId, executionId, attempt, claimedBy: claim === undefined ? null : claim.data['worker'] === this.node ? 'this life' : 'another' });
    try {
      return await call();
    } finally {
      this.working -= 1;
      await this.going();
      await this.fate.returned?.(this, executionId);
      await this.going();
    }
  }
}

/** The object with some of its methods changed. */
export function overlaid<T extends object>(whole: T, change: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, name) => {
      if (name in change) return change[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
