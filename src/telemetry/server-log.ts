/** The server's log: one JSON line an entry, on standard error, so that standard output is for people. */
import type { LoggerService } from '@nestjs/common';
import { pino } from 'pino';
import type { Logger } from 'pino';

/** What Nest tells about its own start. It is of use to those who look for it. */
const CHATTER = new Set(['InstanceLoader', 'NestFactory', 'RouterExplorer', 'RoutesResolver', 'NestApplication', 'InjectorLogger']);

/** Who speaks of errors only when a start comes to nothing: a fault of the wiring, an address that can't be had. */
const TOLD_BY_THE_STARTER = new Set(['ExceptionHandler', 'NestApplication']);

export class ServerLog implements LoggerService {
  private readonly pino: Logger;

  constructor(level: string) {
    this.pino = pino({ level, base: null }, pino.destination(2));
  }

  log(message: unknown, ...more: unknown[]): void {
    const context = contextOf(more);
    if (CHATTER.has(context ?? '')) this.pino.debug({ context }, textOf(message));
    else this.pino.info({ context }, textOf(message));
  }

  warn(message: unknown, ...more: unknown[]): void {
    this.pino.warn({ context: contextOf(more) }, textOf(message));
  }

  error(message: unknown, ...more: unknown[]): void {
    // What ends the start is told by whoever started it, once.
    if (TOLD_BY_THE_STARTER.has(contextOf(more) ?? '')) return;
    this.pino.error({ context: contextOf(more) }, textOf(message));
  }

  fatal(message: unknown, ...more: unknown[]): void {
    this.pino.fatal({ context: contextOf(more) }, textOf(message));
  }

  debug(message: unknown, ...more: unknown[]): void {
    this.pino.debug({ context: contextOf(more) }, textOf(message));
  }

  verbose(message: unknown, ...more: unknown[]): void {
    this.pino.trace({ context: contextOf(more) }, textOf(message));
  }
}

/** Nest puts it last. */
function contextOf(more: readonly unknown[]): string | undefined {
  const last = more.at(-1);
  return typeof last === 'string' ? last : undefined;
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.stack ?? message.message;
  return typeof message === 'string' ? message : (JSON.stringify(message) ?? String(message));
}
