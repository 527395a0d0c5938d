/**
 * The server: configuration, sign-in, stores, doors, demo; and the end of all that on a signal.
 *
 * Owns: the process: its signals, its exit code, what it prints. Does not own: anything that an application would want.
 *
 * 1. What is wrong with the configuration or the stores is said in words, and nothing is started.
 * 2. The first signal drains, the second one ends.
 */
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { versionOf } from './about.js';
import { SystemClock } from './clock.js';
import { ConfigError, readConfig } from './config.js';
import type { Config } from './config.js';
import { UnusableBatch } from './definitions.js';
import { seedDemo } from './demo.js';
import type { Seeded } from './demo.js';
import { fastifyAdapter, takeJsonBodies } from './http/fastify.js';
import { serveOpenApi } from './http/openapi.js';
import { JobModuleError, loadJobModules } from './jobs/load-jobs.js';
import { obedientJob } from './jobs/obedient.job.js';
import { LogUnusable } from './log/log-errors.js';
import { ReadStoreUnusable } from './reading/read-errors.js';
import { ServerModule } from './server.module.js';
import type { Brought } from './server.module.js';
import { ServerLog } from './telemetry/server-log.js';

const started = new SystemClock().elapsed();

async function boot(): Promise<void> {
  const config = readConfig(process.env);
  const app = await NestFactory.create<NestFastifyApplication>(ServerModule.of(config, await broughtBy(config)), fastifyAdapter(), {
    logger: new ServerLog(config.logLevel),
    abortOnError: false,
  });
  takeJsonBodies(app);
  serveOpenApi(app, versionOf());
  endOnSignals(app);
  await app.init();
  const seeded = config.demo ? await seedDemo(app) : undefined;
  await app.listen(config.port, config.host);
  process.stdout.write(screen(config, `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${portOf(app)}`, seeded));
}

async function broughtBy({ jobs: specifiers, demo }: Config): Promise<Brought> {
  const loaded = await loadJobModules(specifiers.join(','));
  const brought = { jobs: loaded.flatMap(({ jobs }) => jobs), batches: loaded.flatMap(({ batches }) => batches) };
  if (!demo) return brought;
  const { jobs, batches } = await import('../examples/index.js');
  return { jobs: [...brought.jobs, ...jobs, obedientJob(new SystemClock())], batches: [...brought.batches, ...batches] };
}

function endOnSignals(app: NestFastifyApplication): void {
  let ending = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (ending) process.exit(1);
      ending = true;
      app.close().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    });
  }
}

function portOf(app: NestFastifyApplication): number {
  const address = app.getHttpServer().address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function screen(config: Config, url: string, seeded: Seeded | undefined): string {
  const seconds = ((new SystemClock().elapsed() - started) / 1_000).toFixed(1);
  const lines = [
    `Sluice ${versionOf()} · listening on ${url}`,
    '',
    `  Dashboard ${url}/dashboard`,
    ...(config.eventsUrl === 'sqlite:' ? [`  Data      ${config.dataDir} (log.db is the truth; read.db can be made anew)`] : [`  Facts     EventStoreDB at ${placeIn(config.eventsUrl)}`, `  Data      ${config.dataDir} (rows, which can be made anew from the facts)`]),
    `  Sign-in   ${config.auth}: whoever asks from this machine is let in`,
    `  API       ${url}/docs (${url}/openapi.json)`,
    ...(seeded === undefined ? [] : ['', ...seeded.lines.map((line) => `  ${line}`)]),
    '',
    '  Try',
    `    curl -s ${url}/runs`,
    `    curl -s '${url}/approvals?state=pending'`,
    `    curl -s ${url}/batches`,
    '',
    `  Ready after ${seconds} s. Ctrl+C ends it; what runs is given ${config.drainMs / 1_000} s.`,
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** Host and port: the rest may be a secret. */
function placeIn(connectionString: string): string {
  return connectionString.replace(/^[^:]+:\/\/([^@/]*@)?/, '').replace(/[/?].*$/, '');
}

/** What a person can mend is told in words; the rest with all that is known of it. */
function fail(error: unknown): never {
  const told = error instanceof ConfigError || error instanceof LogUnusable || error instanceof ReadStoreUnusable || error instanceof JobModuleError || error instanceof UnusableBatch;
  const text = isAddressFault(error) ? `${error.message}. Take another address or port (SLUICE_HOST, SLUICE_PORT), or stop who has it.` : error instanceof Error ? (told ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

function isAddressFault(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL');
}

boot().catch(fail);
