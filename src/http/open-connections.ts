/** Connections at the end of a server: one on which nothing was ever asked, as browsers keep them, does not hold it back. */
import { Server } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CLOCK } from '../clock.js';
import type { Clock } from '../clock.js';

/** For answers that are under way when the engine has ended. */
const LAST_ANSWERS_MS = 1_000;

@Injectable()
export class OpenConnections implements BeforeApplicationShutdown, OnApplicationShutdown {
  private letThem: () => void = () => undefined;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Node takes a connection that has sent nothing for a request that is still to come, and waits a minute for it. */
  beforeApplicationShutdown(): void {
    const server: unknown = this.adapterHost.httpAdapter.getHttpServer();
    if (server instanceof Server) this.letThem = this.clock.wakeAt(this.clock.now() + LAST_ANSWERS_MS, () => server.closeAllConnections());
  }

  onApplicationShutdown(): void {
    this.letThem();
  }
}
