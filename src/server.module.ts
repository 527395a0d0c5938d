/** The standalone server: the library with its doors at the root, dev sign-in, and problems also for paths that nobody has. */
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { CLOCK, SystemClock } from './clock.js';
import type { Config } from './config.js';
import type { BatchDefinition } from './events/definition.js';
import { identifyDev } from './http/identity.js';
import { OpenConnections } from './http/open-connections.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RouteTable } from './http/route-table.js';
import type { JobDefinition } from './jobs/job.js';
import { SluiceModule } from './sluice.module.js';

export interface Brought {
  readonly jobs: readonly JobDefinition[];
  readonly batches: readonly BatchDefinition[];
}

@Module({})
export class ServerModule {
  static of({ dataDir, eventsUrl, slots, namespace, readWaitMs, drainMs, queueLimit, rateLimit, auth }: Config, { jobs, batches }: Brought): DynamicModule {
    return {
      module: ServerModule,
      imports: [SluiceModule.forRoot({ directory: dataDir, events: eventsUrl, slots, namespace, readWaitMs, drainMs, mostWaiting: queueLimit, changesPerSecond: rateLimit, jobs, batches, identify: identifyDev, auth, rest: true, dashboard: true, path: '' })],
      providers: [RouteTable, OpenConnections, { provide: CLOCK, useValue: new SystemClock() }, { provide: APP_FILTER, useClass: ProblemFilter }],
    };
  }
}
