/** What a sound definition may ask for and the engine does not do yet: refused as a whole, never half done. */
import type { BatchDefinition } from '../events/definition.js';
import type { JsonFault } from '../events/json.js';

export function notSupportedYet({ parameters = [] }: BatchDefinition): JsonFault[] {
  return parameters.flatMap(({ kind, name }, at): JsonFault[] =>
    kind === 'secret' ? [{ path: `/parameters/${at}/kind`, message: `Secrets are not supported yet: let the job that needs ${name} read it from where it is kept.` }] : [],
  );
}
