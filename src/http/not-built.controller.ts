/** Doors of the contract that are not built: they say so, so that nobody takes them for misspelt. */
import { All, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Door } from './door.js';
import { Links } from './links.js';
import { Problem } from './problem.js';
import { NeedsCaller, Open } from './roles.guard.js';

const NOT_BUILT = [
  'audit/runs/:runId/state', 'audit/runs/:runId/diff', 'audit/runs/:runId/export', 'audit/keys', 'audit/events',
  'projections/:name/rebuild', 'projections/:name/cut-over', 'projections/:name/roll-back', 'projections/:name/repair', 'projections/:name/diff',
  'projections/:name/parked/:id/retry', 'projections/:name/parked/:id/skip', 'docs',
];

@Door()
@ApiExcludeController()
@NeedsCaller()
export class NotBuiltController {
  constructor(private readonly links: Links) {}

  @Get()
  @Open()
  @Redirect()
  front(): { readonly url: string; readonly statusCode: number } {
    return { url: `${this.links.base}/dashboard`, statusCode: 302 };
  }

  @All(NOT_BUILT)
  notBuilt(): never {
    throw new Problem('not-supported-yet', 'This door is part of the contract and is not built yet. GET /openapi.json lists those that are.');
  }
}
