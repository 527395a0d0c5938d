/**
 * The problem filter: the one place where what went wrong becomes an HTTP answer.
 *
 * Owns: status, headers and body of every refusal. Does not own: what is refused. Talks to: the adapter.
 *
 * 1. Every answer is a full problem+json, whoever threw: doors, guards, pipes, body parsers, the router.
 * 2. What we did not mean to say is logged, never sent: no stack traces, no inner messages.
 */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { LogUnusable, Unavailable } from '../log/log-errors.js';
import { GUARDED } from './page-files.js';
import { Problem, PROBLEMS, type ProblemSlug } from './problem.js';
import { type HttpRequest, pathOf } from './request.js';
import { RouteTable } from './route-table.js';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Sluice');

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly routes: RouteTable,
  ) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const adapter = this.adapterHost.httpAdapter;
    const response: unknown = http.getResponse();
    const problem = this.problemOf(thrown, http.getRequest<HttpRequest>());
    if (adapter.isHeadersSent(response)) return void adapter.end(response);
    for (const [name, value] of Object.entries({ ...GUARDED, ...problem.headers })) adapter.setHeader(response, name, value);
    adapter.setHeader(response, 'Content-Type', 'application/problem+json; charset=utf-8');
    adapter.reply(response, JSON.stringify(problem.body()), problem.status);
  }

  private problemOf(thrown: unknown, request: HttpRequest): Problem {
    if (thrown instanceof Problem) return thrown;
    if (thrown instanceof Unavailable) return logUnavailable(thrown);
    if (thrown instanceof LogUnusable) {
      this.logger.error(thrown.stack ?? thrown.message);
      return new Problem('log-unavailable', thrown.message);
    }
    const status = statusOf(thrown);
    if (status === undefined || status >= 500) {
      this.logger.error(thrown instanceof Error ? (thrown.stack ?? thrown.message) : thrown);
      return new Problem('internal-error', 'The server could not answer; the reason stands in its log. Try again later.');
    }
    if (status === 404) return this.nothingThere(request);
    const slug = slugOf(status);
    const sentence = sentenceOf(status, thrown);
    return new Problem(slug, sentence, slug === 'validation-failed' ? { errors: [{ path: '', message: sentence }] } : {});
  }

  private nothingThere(request: HttpRequest): Problem {
    const path = pathOf(request);
    const methods = this.routes.methodsAt(path);
    if (methods.length === 0 || methods.includes(request.method) || methods.includes('ALL')) {
      return new Problem('not-found', `There is nothing at ${request.method} ${path}.`);
    }
    const Allow = methods.join(', ');
    return new Problem('method-not-allowed', `${path} does not take ${request.method}; it takes ${Allow}.`, { headers: { Allow } });
  }
}

function logUnavailable({ message }: Unavailable): Problem {
  return new Problem('log-unavailable', `The event log does not take or give anything now: ${message} Try again, with the same Idempotency-Key.`, { headers: { 'Retry-After': '1' } });
}

/** Nest's own exceptions, and the errors of Fastify's and Express's parsers, which carry a number. */
function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (typeof thrown !== 'object' || thrown === null || !('statusCode' in thrown)) return undefined;
  return typeof thrown.statusCode === 'number' && thrown.statusCode >= 400 ? thrown.statusCode : undefined;
}

function slugOf(status: number): ProblemSlug {
  const slugs: readonly ProblemSlug[] = ['unauthenticated', 'forbidden', 'method-not-allowed', 'not-acceptable', 'payload-too-large', 'unsupported-media-type', 'too-many-requests'];
  return slugs.find((slug) => PROBLEMS[slug].status === status) ?? 'validation-failed';
}

function sentenceOf(status: number, thrown: unknown): string {
  if (status === 413) return 'The body is larger than this server takes; send less.';
  if (status === 415) return 'Send the body as application/json.';
  const message = thrown instanceof Error ? thrown.message : '';
  if (/^Body is not valid JSON/.test(message)) return 'The body is no valid JSON.';
  if (/JSON|property name|control character/i.test(message)) return `The body is no valid JSON: ${message}`;
  return message === '' ? 'The request can not be read.' : message;
}
