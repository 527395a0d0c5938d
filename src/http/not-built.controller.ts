/** Doors of the contract that are not built: they say so to whoever may pass them, so that nobody takes them for misspelt. */
import { Get, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Door } from './door.js';
import { Problem } from './problem.js';
import { Needs } from './roles.guard.js';

@Door()
@ApiExcludeController()
export class NotBuiltController {
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
