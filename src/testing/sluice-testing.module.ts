/**
 * SluiceTestingModule: the whole runtime in memory, on a clock that stands still until the test moves it.
 *
 * Owns: the simulated time, and knowing when nothing is left to do. Does not own: any part of the runtime: it is the
 * one that applications run. Talks to: the engine, by looking only.
 *
 * 1. Nothing happens by itself because time goes by: time goes by when the test says so.
 * 2. Everything due on the way is fired in due order, and has had all its consequences before the next one.
 */
import { Module } from '@nestjs/common';
import type { DynamicModule, INestApplicationContext, ModuleMetadata, OnModuleDestroy } from '@nestjs/common';
import { ModuleRef, NestFactory } from '@nestjs/core';
import { SystemClock } from '../clock.js';
import type { BatchDefinition, Duration } from '../events/definition.js';
import { durationMs } from '../events/duration.js';
import type { JobDefinition } from '../jobs/job.js';
import { obedientJob } from '../jobs/obedient.job.js';
import type { SluiceEngine } from '../sluice.js';
import { ENGINE, SluiceModule } from '../sluice.module.js';
import { Sluice } from '../sluice.service.js';
import { SimulatedClock, turns } from './simulated-clock.js';

/** What a trial runs. The job `obey` is there without being named. */
export interface SluiceTestingOptions {
  readonly jobs?: readonly JobDefinition[];
  readonly batches?: readonly BatchDefinition[];
  /** Jobs at once; 8 unless given. */
  readonly slots?: number;
  /** Where the clock begins, in milliseconds since the epoch; the first of January 2026 unless given. */
  readonly startAtMs?: number;
}

/** A trial that stands alone, without a testing module round it. */
export interface SluiceTrial {
  readonly sluice: Sluice;
  readonly clock: SimulatedClock;
  /** Moves the time, as {@link SluiceTestingModule.advance} does. */
  advance(duration: Duration): Promise<void>;
  /** Resolves when nothing is left to do now. */
  idle(): Promise<void>;
  /** A provider of the application that was made. */
  readonly app: INestApplicationContext;
  close(): Promise<void>;
}

/** How long, in real time, a trial may be busy before it is said that it will never be idle. */
const PATIENCE_MS = 10_000;
const QUIET_TURNS = 3;

/**
 * Import it in place of `SluiceModule`: an in-memory log, the job `obey`, and a clock that the test moves. Works with
 * any test runner, and imports none.
 *
 * @example
 * const module = await Test.createTestingModule({ imports: [SluiceTestingModule.forRoot({ batches: [close] })] }).compile();
 * await module.init();
 * const { runId } = await module.get(Sluice).start(close, {}, { actor: 'ann' });
 * await module.get(SluiceTestingModule).advance('30d');
 */
@Module({})
export class SluiceTestingModule implements OnModuleDestroy {
  constructor(
    private readonly modules: ModuleRef,
    private readonly clock: SimulatedClock,
  ) {}

  /** The module for somebody's testing module. It is global, so that every provider gets at `Sluice`. */
  static forRoot({ jobs = [], batches = [], slots, startAtMs }: SluiceTestingOptions = {}): DynamicModule {
    const clock = new SimulatedClock(startAtMs);
    const options = { directory: ':memory:', clock, jobs: [obedientJob(clock), ...jobs], batches, drainMs: 0, ...(slots !== undefined && { slots }) };
    return {
      module: SluiceTestingModule,
      global: true,
      imports: [SluiceModule.forRoot({ ...options, isGlobal: true })],
      providers: [{ provide: SimulatedClock, useValue: clock }],
      exports: [SimulatedClock],
    };
  }

  /** A whole application in memory, started: for tests without a testing module. */
  static async start(options: SluiceTestingOptions = {}, { imports = [], providers = [] }: Pick<ModuleMetadata, 'imports' | 'providers'> = {}): Promise<SluiceTrial> {
    const root: DynamicModule = { module: TrialModule, imports: [SluiceTestingModule.forRoot(options), ...imports], providers };
    const app = await NestFactory.createApplicationContext(root, { logger: ['error', 'warn'], abortOnError: false });
    const testing = app.get(SluiceTestingModule, { strict: false });
    return {
      app, clock: testing.clock, sluice: app.get(Sluice, { strict: false }),
      advance: (duration) => testing.advance(duration), idle: () => testing.idle(), close: () => app.close(),
    };
  }

  /**
   * Moves the time on. Everything that falls due on the way happens in due order, each with all its consequences;
   * afterwards nothing is left to do now.
   *
   * @param duration like `"30d"` or `"250ms"`, or whole milliseconds
   */
  async advance(duration: Duration): Promise<void> {
    const endMs = this.clock.now() + durationMs(duration);
    await this.idle();
    while (this.clock.wakeNext(endMs)) await this.idle();
    this.clock.moveTo(endMs);
    await this.idle();
  }

  /**
   * Resolves when nothing is left to do now: no command under way, rows caught up, nothing due, and every job that runs
   * sleeps on the simulated clock.
   *
   * @throws Error after 10 seconds of real time, with what is still busy
   */
  async idle(): Promise<void> {
    const engine = this.modules.get<SluiceEngine>(ENGINE, { strict: false });
    const real = new SystemClock();
    const since = real.elapsed();
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      await turns(1);
      // Rows are gathered for a moment, which would not go by here.
      engine.read.host.settle();
      const busy = (await this.busyWith(engine)) ?? (this.clock.wakeNext(this.clock.now()) ? 'a timer that is due' : undefined);
      quiet = busy === undefined ? quiet + 1 : 0;
      if (busy !== undefined && real.elapsed() - since > PATIENCE_MS) throw new Error(`Still busy after ${PATIENCE_MS / 1_000} s of real time with ${busy}.`);
    }
  }

  onModuleDestroy(): void {
    this.clock.end();
  }

  private async busyWith({ runs, batches, schedules, timekeeper, log, read, runner }: SluiceEngine): Promise<string | undefined> {
    if (runs.underWay + batches.underWay + schedules.underWay + timekeeper.busy > 0) return 'commands that are not answered';
    if (log.bufferedFacts > 0) return 'facts that nobody has looked at';
    if (read.host.position() !== (await log.head())) return 'rows that are behind the log';
    if (runner.handlers > this.clock.sleeping) return `${runner.handlers} jobs, of which ${this.clock.sleeping} sleep on the simulated clock; a job that waits for its signal sleeps on it too, like clock.sleep(Infinity, signal)`;
    return undefined;
  }
}

@Module({})
class TrialModule {}
