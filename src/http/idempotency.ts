/** Which command a request means: the same key from the same caller at the same door means the same one. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../events/canonical.js';
import type { JsonValue } from '../events/json.js';
import { type CommandId, ids } from '../ids.js';
import type { Caller } from './identity.js';
import { invalid } from './problem.js';
import { headerOf, type HttpRequest, pathOf, placeOf } from './request.js';

/** Who says a command and through which door, as far as the porch knows. */
export interface SaidHere {
  readonly actor: string;
  readonly roles: readonly string[];
  readonly via: 'rest';
  readonly door: string;
  readonly commandId: CommandId;
  readonly requestHash?: string;
}

const KEY = /^[\x20-\x7e]{1,255}$/;

/** What a mutation is called, and what it said. */
export interface CommandIdentity {
  readonly commandId: CommandId;
  /** Lower-case hex SHA-256 of the canonical JSON of the body; a body that is not there counts as null. */
  readonly requestHash: string;
  /** True if the caller gave a key, so that an earlier answer may be there. */
  readonly keyed: boolean;
}

/**
 * The identity of the command in this request; a fresh one without an Idempotency-Key.
 *
 * @throws Problem validation-failed for a key that is not 1 to 255 printable ASCII characters
 */
export function commandIdentity(request: HttpRequest, caller: Caller, body: JsonValue | undefined): CommandIdentity {
  const requestHash = createHash('sha256').update(canonicalJson(body ?? null)).digest('hex');
  const key = headerOf(request, 'idempotency-key');
  if (key === undefined) return { commandId: ids.freshCommand(), requestHash, keyed: false };
  if (!KEY.test(key)) throw invalid([{ path: '/headers/idempotency-key', message: 'must be 1 to 255 printable ASCII characters' }]);
  return { commandId: ids.keyedCommand(caller.actor, request.method, placeOf(request), key), requestHash, keyed: true };
}

/** The origin of the command in this request. */
export function originOf(request: HttpRequest, { actor, roles }: Caller, { commandId, requestHash, keyed }: CommandIdentity): SaidHere {
  return { actor, roles: [...roles], via: 'rest', door: `${request.method} ${pathOf(request)}`, commandId, ...(keyed && { requestHash }) };
}
