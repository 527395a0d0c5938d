/** Who the caller is, as this server sees it. */
import { Get, Inject } from '@nestjs/common';
import { Door } from './door.js';
import type { Caller } from './identity.js';
import { Who } from './identity.js';
import { NeedsCaller } from './roles.guard.js';

/** Under which the way of signing in is given, like `dev`. */
export const AUTH = Symbol('auth');

@Door('me')
@NeedsCaller()
export class MeController {
  constructor(@Inject(AUTH) private readonly auth: string) {}

  @Get()
  me(@Who() caller: Caller): { readonly actor: string; readonly roles: readonly string[]; readonly auth: string } {
    return { actor: caller.actor, roles: [...caller.roles], auth: this.auth };
  }
}
