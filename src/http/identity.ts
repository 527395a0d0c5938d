/** Who is asking. Identity comes from the connection and its headers, never from a body. */
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { isLoopback } from '../config.js';
import { invalid, Problem } from './problem.js';
import { headerOf, type HttpRequest } from './request.js';

/** A person or program that is known, and what it may do. */
export interface Caller {
  readonly actor: string;
  /** Roles of the server and roles that gates name. */
  readonly roles: ReadonlySet<string>;
}

/** Says who asks; undefined for nobody that is known. May throw a Problem. */
export type Identify = (context: ExecutionContext) => Caller | undefined | Promise<Caller | undefined>;

const DEV_ROLES = ['viewer', 'operator', 'author', 'auditor', 'admin'];
/** No comma: a header that was sent twice arrives joined by one. */
const ACTOR = /^[\x21-\x2b\x2d-\x7e]{1,200}$/;
const ROLE = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;
const MAX_ROLES = 50;

/** `dev` auth: believes the caller, and therefore only one on this machine that no browser or proxy speaks for. */
export function identifyDev(context: ExecutionContext): Caller {
  const request = context.switchToHttp().getRequest<HttpRequest>();
  const distrust = whyNotLocal(request);
  if (distrust !== undefined) {
    throw new Problem('unauthenticated', `${distrust} Under dev auth only this machine itself is let in, directly.`, {
      headers: { 'WWW-Authenticate': 'SluiceDev realm="sluice"' },
    });
  }
  const actor = headerOf(request, 'x-dev-user') ?? 'dev';
  const said = headerOf(request, 'x-dev-roles');
  const roles = said === undefined ? DEV_ROLES : said.split(',').map((role) => role.trim()).filter((role) => role !== '');
  const faults = [
    ...(ACTOR.test(actor) ? [] : [{ path: '/headers/x-dev-user', message: 'must be 1 to 200 printable ASCII characters without spaces or commas' }]),
    ...(roles.length <= MAX_ROLES && roles.every((role) => ROLE.test(role))
      ? []
      : [{ path: '/headers/x-dev-roles', message: `must be at most ${MAX_ROLES} comma-separated names of letters, digits, ".", "_", ":" or "-"` }]),
  ];
  if (faults.length > 0) throw invalid(faults);
  return { actor, roles: new Set(roles) };
}

function whyNotLocal(request: HttpRequest): string | undefined {
  if (!isLoopback(request.socket.remoteAddress ?? '')) return 'The connection comes from another machine.';
  const forwarded = Object.keys(request.headers).find((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
  if (forwarded !== undefined) return `The header ${forwarded} says that somebody else is behind the request.`;
  const host = headerOf(request, 'host') ?? '';
  if (!isLoopback(host.replace(/:\d{1,5}$/, ''))) return 'The Host header names no loopback host.';
  const origin = headerOf(request, 'origin');
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return 'The Origin header names another site.';
  return undefined;
}

const callers = new WeakMap<object, Caller>();

/** The guard's note of who asked. */
export function rememberCaller(request: HttpRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** The caller that the guard let in. */
export function callerOf(request: HttpRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Problem('unauthenticated', 'Nobody is signed in.', { headers: { 'WWW-Authenticate': 'Bearer' } });
  return caller;
}

/** The parameter of a door that gets the caller. */
export const Who = createParamDecorator((_: unknown, context: ExecutionContext) => callerOf(context.switchToHttp().getRequest<HttpRequest>()));

/** True if the caller may do what the role may: operator, author, auditor and admin include viewer, admin all of them. */
export function hasRole(caller: Caller, role: ServerRole): boolean {
  if (caller.roles.has(role) || caller.roles.has('admin')) return true;
  return role === 'viewer' && ['operator', 'author', 'auditor'].some((other) => caller.roles.has(other));
}

export type ServerRole = 'viewer' | 'operator' | 'author' | 'auditor' | 'admin';
