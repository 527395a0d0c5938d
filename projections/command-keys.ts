/**
 * Command keys: what each Idempotency-Key was first used for. A key whose command stands in another stream than the one
 * that is asked now is found here.
 */
import type { Projection, Table } from '../src/reading/projection.js';

export interface CommandKeyRow {
  readonly commandId: string;
  readonly requestHash: string;
}

export const COMMAND_KEYS: Table<CommandKeyRow> = { name: 'command_keys', columns: { commandId: 'text', requestHash: 'text' }, key: ['commandId'], indexes: [] };

export function commandKeys(): Projection {
  return {
    name: 'command_keys',
    version: 1,
    tables: [COMMAND_KEYS],
    apply({ metadata: { commandId, requestHash } }, rows) {
      if (commandId !== undefined && requestHash !== undefined) rows.put(COMMAND_KEYS, { commandId, requestHash });
    },
  };
}
