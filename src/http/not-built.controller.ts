/** Doors of the contract that are not built: they say so to whoever may pass them, so that nobody takes them for misspelt. */
import { Get, Post, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Door } from './door.js';
import { Links } from './links.js';
import { Problem } from './problem.js';
import { Needs, Open } from './roles.guard.js';

@Door()
@ApiExcludeController()
export class NotBuiltController {
  constructor(private readonly links: Links) {}

  @Get()
  @Open()
  @Redirect()
  front(): { readonly url: string; readonly statusCode: number } {
    return { url: `${this.links.base}/dashboard`, statusCode: 302 };
  }

  @Get(['audit/runs/:runId/state', 'audit/runs/:runId/diff', 'audit/runs/:runId/export', 'audit/keys', 'audit/events'])
  @Needs('auditor')
  audit(): never {
    throw notBuilt();
  }

  @Get('projections/:name/diff')
  @Needs('viewer')
  diff(): never {
    throw notBuilt();
  }

  @Post(['projections/:name/cut-over', 'projections/:name/roll-back', 'projections/:name/repair', 'projections/:name/parked/:id/retry', 'projections/:name/parked/:id/skip'])
  @Needs('admin')
  projections(): never {
    throw notBuilt();
  }
}

function notBuilt(): Problem {
  return new Problem('not-supported-yet', 'This door is part of the contract and is not built yet. GET /openapi.json lists those that are.');
}
