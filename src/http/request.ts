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

/** The path as the router reads it, so that one door has one name: decoded, no slash at its end, ids in lower case. */
export function placeOf(request: HttpRequest): string {
  const segments = pathOf(request).replace(/\/+$/, '').split('/');
  return segments.map(decoded).join('/');
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** What is encoded without need is decoded; a slash and a percent sign stay, so that no two doors get one name. */
function decoded(segment: string): string {
  try {
    const text = decodeURIComponent(segment).replaceAll('%', '%25').replaceAll('/', '%2F');
    return UUID.test(text) ? text.toLowerCase() : text;
  } catch {
    return segment;
  }
}

/** A header said once; undefined if it is not there. What is said twice is joined, so that it can't pass for one. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
