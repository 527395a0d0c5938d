/**
 * Door: a controller of ours. Guard, filter and pipe are bound to it, so that an application that we are a guest of
 * keeps its own.
 */
import { applyDecorators, Controller, StandardSchemaValidationPipe, UseFilters, UseGuards, UsePipes } from '@nestjs/common';
import { ApiDefaultResponse } from '@nestjs/swagger';
import { problemAnswer } from './answers.js';
import { invalid, invalidInput } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { RolesGuard } from './roles.guard.js';

export function Door(path = ''): ClassDecorator {
  return applyDecorators(Controller(path), ApiDefaultResponse({ description: 'A refusal, as application/problem+json', standardSchema: problemAnswer }), UseGuards(RolesGuard), UseFilters(ProblemFilter), UsePipes(new WholeInput({ exceptionFactory: invalidInput })));
}

/** Nest drops fields called `constructor` and `prototype` from what was sent; here they are data like any other. */
class WholeInput extends StandardSchemaValidationPipe {
  /** @throws Problem for a field that an object of JavaScript can not hold as data */
  protected override stripProtoKeys(sent: unknown): void {
    for (const left: unknown[] = [sent]; left.length > 0; ) {
      const value = left.pop();
      if (typeof value !== 'object' || value === null) continue;
      if (Object.hasOwn(value, '__proto__')) throw invalid([{ path: '', message: 'No field can be called "__proto__".' }]);
      for (const part of Object.values(value)) left.push(part);
    }
  }
}
