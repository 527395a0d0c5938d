/** Who the caller is, as this server sees it. */
import { Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { ReadSide } from '../reading/read-side.js';
import { Answers, Does } from './answers.js';
import { atLeastOnly, awaitAtLeast } from './at-least.js';
import type { AtLeastOnly } from './at-least.js';
import { Door } from './door.js';
import type { Caller } from './identity.js';
import { Who } from './identity.js';
import { NeedsCaller } from './roles.guard.js';

/** Under which the way of signing in is given, like `dev`. */
export const AUTH = Symbol('auth');


const meAnswer = z.strictObject({ actor: z.string(), roles: z.array(z.string()), auth: z.string() }).meta({ id: 'Me' });

@Door('me')
@NeedsCaller()
export class MeController {
  constructor(
    @Inject(AUTH) private readonly auth: string,
    private readonly read: ReadSide,
  ) {}

  @Get()
  @Does('Tells who is asking, with which roles')
  @Answers(200, meAnswer)
  async me(@Query({ schema: atLeastOnly }) { atLeast }: AtLeastOnly, @Who() caller: Caller): Promise<{ readonly actor: string; readonly roles: readonly string[]; readonly auth: string }> {
    await awaitAtLeast(this.read.host, atLeast, this.read.waitMs);
    return { actor: caller.actor, roles: [...caller.roles], auth: this.auth };
  }
}
