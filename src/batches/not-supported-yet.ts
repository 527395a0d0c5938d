/** What a sound definition may ask for and the engine does not do yet: refused as a whole, never half done. */
import type { BatchDefinition } from '../events/definition.js';
import type { Problem } from './problem.js';

export function notSupportedYet({ schedule }: BatchDefinition): Problem[] {
  return schedule === undefined || schedule === null ? [] : [{ path: '/schedule', message: 'A schedule is not supported yet.' }];
}
