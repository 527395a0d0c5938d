/** What Fastify's and Express's requests have in common, as far as the porch looks. */
import type { IncomingHttpHeaders } from 'node:http';

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Express shortens `url` under a mounted router; this is the whole. */
  readonly originalUrl?: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** The path as it was asked for, without the query. */
export function pathOf(request: HttpRequest): string {
  return (request.originalUrl ?? request.url).split(/[?#]/, 1)[0] ?? '/';
}

/** A header said once; undefined if it is not there. What is said twice is joined, so that it can't pass for one. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
