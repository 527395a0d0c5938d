/**
 * The roles guard: who passes a door.
 *
 * Owns: asking who it is, comparing roles, how often, the media type of bodies. Does not own: identities (given), gates'
 * roles (decided with the gate). Talks to: `identify`, and `refused` about every known person turned away.
 *
 * 1. A door without a word about who may pass is shut.
 * 2. Only doors marked open are passed without being known.
 * 3. Whatever a door answers carries the headers that keep it from being taken for a page.
 */
import { type CanActivate, type ExecutionContext, Inject, Injectable, SetMetadata } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { type Caller, hasRole, type Identify, rememberCaller, type ServerRole } from './identity.js';
import { GUARDED } from './page-files.js';
import { invalid, Problem } from './problem.js';
import { Rates } from './rates.js';
import { headerOf, type HttpRequest, pathOf } from './request.js';

/** Under which the guard is given an {@link Identify}. */
export const IDENTIFY = Symbol('identify');
/** Under which the guard is given a {@link RefusedCallers}. */
export const REFUSED_CALLERS = Symbol('refused callers');

/** A known person that was turned away. */
export interface RefusedCaller {
  readonly actor: string;
  readonly roles: readonly string[];
  /** Method and path. */
  readonly door: string;
  readonly reason: string;
}

/** Told of each 403 of a known person, before the answer is sent. */
export interface RefusedCallers {
  refused(refusal: RefusedCaller): void | Promise<void>;
}

const NEEDS = 'sluice:needs';
type Need = ServerRole | 'known' | 'open';

/** Who may pass this door, or all doors of this controller. */
export const Needs = (role: ServerRole) => SetMetadata<string, Need>(NEEDS, role);
/** Anyone who is known may pass; the door itself may look closer (gates, `/me`). */
export const NeedsCaller = () => SetMetadata<string, Need>(NEEDS, 'known');
/** Everybody may pass, known or not. */
export const Open = () => SetMetadata<string, Need>(NEEDS, 'open');

@Injectable()
export class RolesGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    @Inject(IDENTIFY) private readonly identify: Identify,
    @Inject(REFUSED_CALLERS) private readonly callers: RefusedCallers,
    private readonly rates: Rates,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    for (const [name, value] of Object.entries(GUARDED)) this.adapterHost.httpAdapter.setHeader(context.switchToHttp().getResponse(), name, value);
    const need = this.reflector.getAllAndOverride<Need | undefined>(NEEDS, [context.getHandler(), context.getClass()]);
    if (need === 'open') return true;
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const caller = await this.identify(context);
    if (caller === undefined) {
      throw new Problem('unauthenticated', 'Sign in and try again.', { headers: { 'WWW-Authenticate': 'Bearer realm="sluice"' } });
    }
    rememberCaller(request, caller);
    if (need === undefined) return this.refuse(request, caller, 'Nobody may pass this door: it does not say who may.');
    if (need !== 'known' && !hasRole(caller, need)) return this.refuse(request, caller, `This needs the role ${need}; ${caller.actor} does not have it.`);
    if (request.method !== 'GET' && request.method !== 'HEAD') this.rates.take(caller.actor);
    refuseOddQueries(request);
    refuseOtherBodies(request);
    refuseOtherAnswers(request);
    return true;
  }

  private async refuse(request: HttpRequest, caller: Caller, reason: string): Promise<never> {
    await this.callers.refused({ actor: caller.actor, roles: [...caller.roles].sort(), door: `${request.method} ${pathOf(request)}`, reason });
    throw new Problem('forbidden', reason);
  }
}

/** Parsers lose parameters that are called like something of every object, so that no schema sees them. */
function refuseOddQueries(request: HttpRequest): void {
  const names = new URLSearchParams((request.originalUrl ?? request.url).split('?', 2)[1] ?? '').keys();
  const odd = [...names].map((name) => name.split(/[[.]/, 1)[0] ?? '').filter((name) => name in Object.prototype);
  if (odd.length > 0) throw invalid(odd.map((name) => ({ path: `/${name}`, message: 'is no parameter of any door' })));
}

/** Express skips a body that it can't parse, and other sites can send plain text and forms without being asked. */
function refuseOtherBodies(request: HttpRequest): void {
  const length = headerOf(request, 'content-length');
  const hasBody = headerOf(request, 'transfer-encoding') !== undefined || (length !== undefined && length !== '0');
  const type = (headerOf(request, 'content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (hasBody && type !== 'application/json') throw new Problem('unsupported-media-type', 'Send the body as application/json.');
  const encoding = headerOf(request, 'content-encoding');
  if (hasBody && encoding !== undefined && encoding !== 'identity') throw new Problem('unsupported-media-type', 'Send the body as it is, without a content encoding.');
}

/** Everything is told as JSON or as an event stream; nothing else is pretended. */
function refuseOtherAnswers(request: HttpRequest): void {
  const accept = headerOf(request, 'accept');
  if (accept !== undefined && !/\*\/\*|application\/\*|[/+]json|text\/(event-stream|\*)/i.test(accept)) {
    throw new Problem('not-acceptable', 'Answers come as application/json: accept that.');
  }
}
