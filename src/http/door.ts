/**
 * Door: a controller of ours. Guard, filter and pipe are bound to it, so that an application that we are a guest of
 * keeps its own.
 */
import { applyDecorators, Controller, StandardSchemaValidationPipe, UseFilters, UseGuards, UsePipes } from '@nestjs/common';
import { ApiDefaultResponse } from '@nestjs/swagger';
import { problemAnswer } from './answers.js';
import { invalidInput } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { RolesGuard } from './roles.guard.js';

export function Door(path = ''): ClassDecorator {
  return applyDecorators(Controller(path), ApiDefaultResponse({ description: 'A refusal, as application/problem+json', standardSchema: problemAnswer }), UseGuards(RolesGuard), UseFilters(ProblemFilter), UsePipes(new StandardSchemaValidationPipe({ exceptionFactory: invalidInput })));
}
