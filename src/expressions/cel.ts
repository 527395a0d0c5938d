/**
 * The dialect of CEL that definitions are written in.
 *
 * JSON numbers are CEL doubles and number literals without a point are CEL ints; the mixed operators below let them
 * meet as an author of JSON expects: `params.limit + 1`, `outputs.a.total / 2` (2.5 for 5). Two ints stay ints, as CEL
 * says: `5 / 2` is 2, `5.0 / 2` is 2.5.
 */
import { Environment } from '@marcbachmann/cel-js';
import { ROOTS } from './scope.js';

export const MAX_SOURCE_LENGTH = 4_000;

function celEnvironment(): Environment {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 1_000, maxDepth: 32, maxListElements: 200, maxMapEntries: 200, maxCallArguments: 8 },
  });
  for (const root of ROOTS) environment.registerVariable(root, 'dyn');

  mixed(environment, '+', (left, right) => left + right);
  mixed(environment, '-', (left, right) => left - right);
  mixed(environment, '*', (left, right) => left * right);
  mixed(environment, '/', (left, right) => left / right);
  mixed(environment, '%', (left, right) => left % right);
  environment.registerOperator('int == double: bool', (left: bigint, right: number) => Number(left) === right);
  environment.registerOperator('double % double', (left: number, right: number) => left % right);
  return environment;
}

function mixed(environment: Environment, operator: string, apply: (left: number, right: number) => number): void {
  environment.registerOperator(`int ${operator} double: double`, (left: bigint, right: number) => apply(Number(left), right));
  environment.registerOperator(`double ${operator} int: double`, (left: number, right: bigint) => apply(left, Number(right)));
}

export const CEL = celEnvironment();
