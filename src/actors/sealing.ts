/** From what was decided to what the log takes: the envelope, the chain, large payloads out into blobs. */
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import type { SealedFact } from '../events/envelope.js';
import { isoTime } from '../events/json.js';
import { ids } from '../ids.js';
import type { Blob } from '../log/event-writer.js';
import type { Decided, Origin } from './actor.js';
import type { ActorCommand, ActorKind } from './actor-kind.js';
import { outlined } from './payloads.js';

interface Place {
  readonly stream: string;
  readonly origin: Origin;
  /** What stands before them; undefined if nothing does. */
  readonly from: { readonly revision: number; readonly head: string } | undefined;
  readonly nowMs: number;
}

export function seal<S, C extends ActorCommand>(kind: ActorKind<S, C>, { stream, origin, from, nowMs }: Place, facts: readonly Decided[]): { readonly sealed: SealedFact[]; readonly blobs: Blob[] } {
  const blobs: Blob[] = [];
  const at = isoTime(nowMs);
  let prevHash = from?.head ?? GENESIS_HASH;
  let version = -1;
  let metadata = {};
  const sealed = facts.map((fact, index) => {
    const { type } = fact;
    const versionOf = kind.schemaVersionOf(type);
    if (versionOf !== version) metadata = metadataOf(kind.machine, origin, at, (version = versionOf));
    const next = sealFact({ stream, revision: (from?.revision ?? -1) + 1 + index, prevHash, id: ids.event(origin.commandId, index), type, ...outlined(fact, kind.payloadField(type), blobs), metadata });
    prevHash = next.metadata.hash;
    return next;
  });
  return { sealed, blobs };
}

function metadataOf(machine: string, { actor, causationId, commandId, correlationId, requestHash, roles, via }: Origin, at: string, schemaVersion: number): Readonly<Record<string, string>> {
  return {
    $correlationId: correlationId ?? commandId, $causationId: causationId ?? commandId, actor, at, commandId, machine, roles: roles.join(','), schemaVersion: String(schemaVersion), via,
    ...(requestHash !== undefined && { requestHash }),
  };
}
