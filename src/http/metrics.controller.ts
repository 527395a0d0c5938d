/** The figures of this node for Prometheus: to this machine itself, or to whoever may view. */
import { Get, Inject, Req, Res } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { createParamDecorator } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { isLoopback } from '../config.js';
import { Metrics } from '../telemetry/metrics.js';
import { Does } from './answers.js';
import { Door } from './door.js';
import { hasRole } from './identity.js';
import type { Identify } from './identity.js';
import { Problem } from './problem.js';
import { headerOf } from './request.js';
import type { HttpRequest } from './request.js';
import { IDENTIFY, Open } from './roles.guard.js';

const Context = createParamDecorator((_: unknown, context: ExecutionContext) => context);

@Door('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    @Inject(IDENTIFY) private readonly identify: Identify,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get()
  @Does("Gives the metrics in Prometheus' text format")
  @Open()
  async text(@Context() context: ExecutionContext, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): Promise<string> {
    if (!isDirect(request)) {
      const caller = await this.identify(context);
      if (caller === undefined) throw new Problem('unauthenticated', 'Sign in and try again.', { headers: { 'WWW-Authenticate': 'Bearer realm="sluice"' } });
      if (!hasRole(caller, 'viewer')) throw new Problem('forbidden', `This needs the role viewer; ${caller.actor} does not have it.`);
    }
    this.adapterHost.httpAdapter.setHeader(response, 'Content-Type', this.metrics.contentType);
    return this.metrics.text();
  }
}

/** From this machine, with nobody behind it, and by its own name: a page can have its host's name lead here. */
function isDirect(request: HttpRequest): boolean {
  const { socket, headers } = request;
  const host = (headerOf(request, 'host') ?? '').replace(/:\d{1,5}$/, '');
  return isLoopback(socket.remoteAddress ?? '') && isLoopback(host) && !Object.keys(headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
}
