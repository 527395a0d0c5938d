/**
 * SluiceModule: the library in somebody's NestJS application, and all that the standalone server is made of.
 *
 * Owns: providers, their wiring, start and stop. Does not own: signals, the process, the application's own routes.
 *
 * 1. It starts when the application has, and drains before it shuts down.
 * 2. Guards, filters and pipes are bound to our doors alone.
 * 3. Each of our commands has exactly one handler: anything else stops the start.
 */
import 'reflect-metadata';
import { availableParallelism } from 'node:os';
import { ConfigurableModuleBuilder, Inject, Logger, Module } from '@nestjs/common';
import type { BeforeApplicationShutdown, ConfigurableModuleAsyncOptions, DynamicModule, OnApplicationBootstrap, OnModuleInit, Provider, Type } from '@nestjs/common';
import { ApplicationConfig, DiscoveryModule, DiscoveryService, RouterModule } from '@nestjs/core';
import { CommandBus, CqrsModule, QueryBus } from '@nestjs/cqrs';
import { COMMAND_KEYS } from '../projections/command-keys.js';
import { BATCH_HOST, batchCommandHandlers } from './batches/batch.handlers.js';
import { GetBatchHandler, GetBatchRowHandler, GetBatchVersionsHandler, ListBatchesHandler } from './batches/batch.queries.js';
import { BatchAuthorsController, KNOWN_JOBS } from './batches/batch-authors.controller.js';
import { BatchesController } from './batches/batches.controller.js';
import { JobRunsController } from './batches/job-runs.controller.js';
import { CLOCK, SystemClock } from './clock.js';
import type { Clock } from './clock.js';
import type { BatchDefinition } from './events/definition.js';
import { Streams } from './events/streams.js';
import { GetApprovalHandler, ListApprovalsHandler } from './gates/approval.queries.js';
import { ApprovalsController } from './gates/approvals.controller.js';
import { ABOUT, AboutController } from './http/about.controller.js';
import { awaitAtLeast } from './http/at-least.js';
import { DASHBOARD_FILES, DashboardController, FrontController } from './http/dashboard.controller.js';
import { dashboardFiles } from './http/dashboard-files.js';
import { DocsController } from './http/docs.controller.js';
import { HealthController, READINESS } from './http/health.controller.js';
import type { Identify } from './http/identity.js';
import { KeyLedger } from './http/key-ledger.js';
import { Links } from './http/links.js';
import { AUTH, MeController } from './http/me.controller.js';
import { MetricsController } from './http/metrics.controller.js';
import { NotBuiltController } from './http/not-built.controller.js';
import { OpenApiPlace } from './http/openapi.js';
import { Problem } from './http/problem.js';
import { ProjectionsController } from './http/projections.controller.js';
import { Rates } from './http/rates.js';
import { IDENTIFY, REFUSED_CALLERS } from './http/roles.guard.js';
import { RouteTable } from './http/route-table.js';
import type { JobDefinition } from './jobs/job.js';
import { JobDiscovery } from './jobs/job-discovery.js';
import { JobRegistry } from './jobs/job-registry.js';
import { JobsController } from './jobs/jobs.controller.js';
import { LOG_READER } from './log/event-reader.js';
import { EMBEDDED, openLog } from './log/open-log.js';
import { ReadSide } from './reading/read-side.js';
import { is, rowsOf } from './reading/selection.js';
import { ExecutionsController } from './runs/executions.controller.js';
import { GetExecutionHandler, ListExecutionsHandler, RUNNING_REPORTS } from './runs/execution.queries.js';
import { LiveController } from './runs/live.controller.js';
import { LiveFeed } from './runs/live-feed.js';
import { LiveMessages } from './runs/live.messages.js';
import { RunControlController } from './runs/run-control.controller.js';
import { RunEventsController } from './runs/run-events.controller.js';
import { RUN_HOST, runCommandHandlers } from './runs/run.handlers.js';
import { GetRunHandler, PLANS, QUARANTINED } from './runs/run-detail.queries.js';
import { BatchScheduleController } from './schedules/batch-schedule.controller.js';
import { GetOccurrencesHandler, GetSlotsHandler } from './schedules/occurrence.queries.js';
import { SCHEDULE_HOST, scheduleCommandHandlers } from './schedules/schedule.handlers.js';
import { GetBackfillHandler, GetScheduleHandler, ListSchedulesHandler } from './schedules/schedule.queries.js';
import { SchedulesController } from './schedules/schedules.controller.js';
import { CountRunsHandler, GetRunRowHandler, ListRunsHandler } from './runs/run.queries.js';
import { RunStatsHandler } from './runs/run-stats.queries.js';
import { OverviewController } from './runs/overview.controller.js';
import { RunsController } from './runs/runs.controller.js';
import { WORKERS, WorkersController } from './runs/workers.controller.js';
import { aboutOf } from './about.js';
import { measuredOf } from './measured.js';
import { openSluice } from './sluice.js';
import type { SluiceEngine } from './sluice.js';
import { SluiceHealth } from './sluice.health.js';
import { Sluice } from './sluice.service.js';
import { Metrics } from './telemetry/metrics.js';

/** What the runtime is told. */
export interface SluiceModuleOptions {
  /** The data directory, or `:memory:` for one that ends with the process. */
  readonly directory: string;
  /** Where the facts are: `sqlite:` (in the data directory) unless given, or an EventStoreDB connection string. */
  readonly events?: string;
  /** Jobs as plain objects; providers with `@Job` are found by themselves. */
  readonly jobs?: readonly JobDefinition[];
  /** Defined at every start; a changed one is a new version. */
  readonly batches?: readonly BatchDefinition[];
  /** Jobs at once on this node; 8 unless given. */
  readonly slots?: number;
  /** Put before stream names, for a log that is shared. */
  readonly namespace?: string | undefined;
  /** How long a query waits for the position that it asks for, in milliseconds; 2,000 unless given. */
  readonly readWaitMs?: number;
  /** Steps that may wait for a free slot before further starts are refused as `too-many-requests`; 100,000 unless given. */
  readonly mostWaiting?: number;
  /** Changes that one actor may ask of the doors in a second; 1,000 unless given, 0 for no limit. */
  readonly changesPerSecond?: number;
  /** How long running jobs may go on when the application shuts down, in milliseconds; 10,000 unless given. */
  readonly drainMs?: number;
  /** Says who asks, and under which roles. Without it every door is shut. */
  readonly identify?: Identify;
  /** How callers sign in, as `GET /me` says it. */
  readonly auth?: string;
  /** Another source of time, for tests. */
  readonly clock?: Clock;
}

/** What has to be known before the options are. */
export interface SluiceModuleExtras {
  /** Gives `Sluice` to every module without an import. */
  readonly isGlobal?: boolean;
  /** Opens the REST doors. */
  readonly rest?: boolean;
  /** Opens the dashboard under `<path>/dashboard`, and with it the REST doors that it asks. */
  readonly dashboard?: boolean;
  /** Where the doors are; `/sluice` unless given. */
  readonly path?: string;
}

/** Jobs and batches that a feature of the application brings. */
export interface SluiceFeature {
  readonly jobs?: readonly JobDefinition[];
  readonly batches?: readonly BatchDefinition[];
}

/** Express asks them in this order: `runs/stats` comes before `runs/:runId`. */
const DOORS: readonly Type[] = [
  NotBuiltController, MeController, AboutController, JobsController, JobRunsController, RunsController, OverviewController, RunControlController, RunEventsController, LiveController, ExecutionsController, ApprovalsController, BatchesController,
  SchedulesController, BatchScheduleController, BatchAuthorsController, ProjectionsController, WorkersController, HealthController, MetricsController, DocsController,
];
const QUERIES: readonly Type[] = [
  ListRunsHandler, CountRunsHandler, GetRunRowHandler, GetRunHandler, RunStatsHandler, ListExecutionsHandler, GetExecutionHandler, ListApprovalsHandler, GetApprovalHandler,
  ListBatchesHandler, GetBatchHandler, GetBatchRowHandler, GetBatchVersionsHandler, ListSchedulesHandler, GetScheduleHandler, GetBackfillHandler, GetOccurrencesHandler, GetSlotsHandler,
];

/** Under which the engine is given inside of the module. */
export const ENGINE = Symbol('engine');
const SLOTS = 8;
const CHANGES_PER_SECOND = 1_000;
const DRAIN_MS = 10_000;
const GRACE_MS = 2_000;

class Feature {
  constructor(readonly brought: SluiceFeature) {}
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<SluiceModuleOptions>({ moduleName: 'Sluice' })
  .setClassMethodName('forRoot')
  .setExtras<SluiceModuleExtras>({ isGlobal: false, rest: false, dashboard: false, path: '/sluice' }, (module, { isGlobal = false, rest = false, dashboard = false, path = '/sluice' }) => ({
    ...module,
    global: isGlobal,
    imports: [...(module.imports ?? []), CqrsModule, DiscoveryModule, ...((rest || dashboard) && path !== '' ? [RouterModule.register([{ path, module: module.module }])] : [])],
    controllers: [...(rest || dashboard ? DOORS : []), ...(dashboard ? [FrontController, DashboardController] : [])],
    providers: [...(module.providers ?? []), { provide: Links, useFactory: (application: ApplicationConfig) => new Links(path, () => application.getGlobalPrefix()), inject: [ApplicationConfig] }, ...(dashboard ? [{ provide: DASHBOARD_FILES, useFactory: dashboardFiles }] : []), ...providers()],
    exports: [...(module.exports ?? []), Sluice, SluiceHealth, CqrsModule],
  }))
  .build();

function providers(): Provider[] {
  const of = <T>(token: symbol | Type, pick: (engine: SluiceEngine) => T): Provider => ({ provide: token, useFactory: pick, inject: [ENGINE] });
  return [
    JobRegistry, JobDiscovery, RouteTable, SluiceHealth, OpenApiPlace, LiveMessages, LiveFeed,
    { provide: CLOCK, useFactory: ({ clock }: SluiceModuleOptions) => clock ?? new SystemClock(), inject: [MODULE_OPTIONS_TOKEN] },
    { provide: ENGINE, useFactory: engineOf, inject: [MODULE_OPTIONS_TOKEN, JobRegistry, CLOCK] },
    of(RUN_HOST, ({ runs }) => runs),
    of(BATCH_HOST, ({ batches }) => batches),
    of(SCHEDULE_HOST, ({ schedules }) => schedules),
    of(LOG_READER, ({ log }) => log),
    of(Streams, ({ streams }) => streams),
    of(ReadSide, ({ read }) => read),
    of(PLANS, ({ definitions }) => definitions),
    of(QUARANTINED, ({ quarantined }) => quarantined),
    of(RUNNING_REPORTS, ({ runner }) => runner),
    of(WORKERS, ({ runner }) => [runner]),
    of(REFUSED_CALLERS, ({ refusals }) => refusals.callers),
    { provide: Rates, useFactory: ({ changesPerSecond = CHANGES_PER_SECOND }: SluiceModuleOptions, clock: Clock) => new Rates(changesPerSecond, clock), inject: [MODULE_OPTIONS_TOKEN, CLOCK] },
    of(READINESS, readinessOf),
    { provide: ABOUT, useFactory: (engine: SluiceEngine, { auth = 'application', directory }: SluiceModuleOptions, clock: Clock) => aboutOf(engine, { auth, directory, startedAt: new Date(clock.now()).toISOString() }), inject: [ENGINE, MODULE_OPTIONS_TOKEN, CLOCK] },
    of(Metrics, (engine) => new Metrics(measuredOf(engine))),
    of(KeyLedger, keyLedgerOf),
    { provide: KNOWN_JOBS, useExisting: JobRegistry },
    { provide: IDENTIFY, useFactory: ({ identify }: SluiceModuleOptions) => identify ?? (() => undefined), inject: [MODULE_OPTIONS_TOKEN] },
    { provide: AUTH, useFactory: ({ auth }: SluiceModuleOptions) => auth ?? 'application', inject: [MODULE_OPTIONS_TOKEN] },
    { provide: Sluice, useFactory: (commands: CommandBus, queries: QueryBus, read: ReadSide, clock: Clock) => new Sluice(commands, queries, read, clock), inject: [CommandBus, QueryBus, ReadSide, CLOCK] },
    ...QUERIES, ...runCommandHandlers, ...batchCommandHandlers, ...scheduleCommandHandlers,
  ];
}

async function engineOf(options: SluiceModuleOptions, jobs: JobRegistry, clock: Clock): Promise<SluiceEngine> {
  const logger = new Logger('Sluice');
  const { directory, events = EMBEDDED, slots = SLOTS, namespace, readWaitMs, mostWaiting } = options;
  const log = await openLog({ url: events, directory, streams: new Streams(namespace), clock });
  return openSluice({
    directory, log, clock, jobs, slots, namespace, rowsBeside: rowsMayBeBeside(options) ? events : undefined, ...(readWaitMs !== undefined && { readWaitMs }), ...(mostWaiting !== undefined && { mostWaiting }),
    report: (what, error) => logger.warn(error instanceof Error ? `${what} ${error.message}` : what),
  });
}

/** A second core, a data directory, time that both threads have; and code that is built, since a thread does not load sources. */
function rowsMayBeBeside({ directory, clock }: SluiceModuleOptions): boolean {
  return availableParallelism() > 1 && directory !== ':memory:' && clock === undefined && import.meta.url.endsWith('.js');
}

function keyLedgerOf({ read, log }: SluiceEngine): KeyLedger {
  return new KeyLedger({
    requestHashOf: async (commandId) => {
      await awaitAtLeast(read.host, await log.head(), read.waitMs);
      const [used] = await rowsOf(read.db, COMMAND_KEYS, [is(COMMAND_KEYS, 'commandId', commandId)]);
      return used?.requestHash;
    },
  });
}

function readinessOf({ log, read }: SluiceEngine): { whyNotReady(): Promise<Problem | undefined> } {
  return {
    whyNotReady: async () => {
      try {
        await log.head();
      } catch {
        return new Problem('log-unavailable', 'The event log can not be read now. Try again in a moment.');
      }
      return read.host.caughtUp ? undefined : new Problem('not-caught-up', `The read side is at ${read.host.position() || 'the beginning'} and on its way.`, { headers: { 'Retry-After': '1' } });
    },
  };
}

/**
 * The runtime in an application, and with `rest: true` its doors. It starts when the application has started and drains
 * before it shuts down; it installs no signal handlers: `app.enableShutdownHooks()` or `app.close()` is the application's.
 *
 * @example
 * SluiceModule.forRoot({ directory: './data', batches: [nightlyClose], identify }, { rest: true, path: '/sluice' })
 */
@Module({})
export class SluiceModule extends ConfigurableModuleClass implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly batches: BatchDefinition[] = [];

  constructor(
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: SluiceModuleOptions,
    @Inject(ENGINE) private readonly engine: SluiceEngine,
    private readonly jobs: JobRegistry,
    private readonly discovery: DiscoveryService,
  ) {
    super();
  }

  /**
   * The runtime with these options. Extras may also stand among the options.
   *
   * The application's start throws, and nothing has run:
   * @throws UnusableBatch a batch of the code can't be meant; every fault is in the message
   * @throws DuplicateJobError, InvalidJobError two jobs of one name, or one that can't be registered
   * @throws LogUnusable, ReadStoreUnusable another process holds the data, or a newer Sluice has written it
   */
  static override forRoot(options: SluiceModuleOptions & SluiceModuleExtras, extras: SluiceModuleExtras = {}): DynamicModule {
    return super.forRoot({ ...options, ...extras });
  }

  /** The same with options that come later: `useFactory`, `useClass` or `useExisting` (with a method `create`). */
  static override forRootAsync(options: ConfigurableModuleAsyncOptions<SluiceModuleOptions> & SluiceModuleExtras, extras: SluiceModuleExtras = {}): DynamicModule {
    return super.forRootAsync({ ...options, ...extras });
  }

  /** Jobs and batches that belong to one part of the application. */
  static forFeature(feature: SluiceFeature): DynamicModule {
    return { module: SluiceFeatureModule, providers: [{ provide: Symbol('sluice feature'), useValue: new Feature(feature) }] };
  }

  onModuleInit(): void {
    const features = this.discovery.getProviders().flatMap(({ instance }): SluiceFeature[] => (instance instanceof Feature ? [instance.brought] : []));
    for (const { jobs = [], batches = [] } of [this.options, ...features]) {
      for (const job of jobs) this.jobs.register(job);
      this.batches.push(...batches);
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    this.checkHandlers();
    await this.engine.start(this.batches);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.engine.close(this.options.drainMs ?? DRAIN_MS, GRACE_MS);
  }

  /** The bus itself only warns, and takes the last one. */
  private checkHandlers(): void {
    for (const handler of [...runCommandHandlers, ...batchCommandHandlers, ...scheduleCommandHandlers]) {
      const command: unknown = Reflect.getMetadata('__commandHandler__', handler);
      const handlers = this.discovery.getProviders().filter(({ metatype }) => typeof metatype === 'function' && Reflect.getMetadata('__commandHandler__', metatype) === command);
      if (handlers.length !== 1) throw new Error(`${handlers.map(({ name }) => String(name)).join(' and ')} handle the same command. Take away all but the one of Sluice.`);
    }
  }
}

@Module({})
class SluiceFeatureModule {}
