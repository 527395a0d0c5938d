/**
 * The words that deciding is spoken in: who asks, what comes of it, and what a decision may draw on.
 *
 * Does not own: what an actor is (`actor-kind.ts`), any actor (they live in their rooms), the log.
 */
import type { JsonFault, JsonObject } from '../events/json.js';
import type { CommandId } from '../ids.js';

/** Who says a command, by which way, and the id that makes saying it twice the same as saying it once. */
export interface Origin {
  readonly actor: string;
  readonly roles: readonly string[];
  readonly via: 'rest' | 'code' | 'runner' | 'timer' | 'repair' | 'host' | 'schedule';
  /** Method and path, if it came through one of the REST doors. */
  readonly door?: string;
  readonly commandId: CommandId;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** SHA-256 of what was asked, if the command came with an Idempotency-Key. */
  readonly requestHash?: string;
}

/** A fact as `decide` says it: the envelope is put round it by the host. */
export interface Decided {
  readonly type: string;
  readonly data: JsonObject;
  /** The canonical JSON of `data`, where it was made already. */
  readonly dataText?: string;
}

/** A command that this state does not take. A value, not an exception: nothing was written. */
export interface Rejected {
  readonly rejected:
    | 'not-found' | 'forbidden' | 'run-already-ended' | 'gate-already-decided' | 'approval-stale' | 'not-retryable' | 'validation-failed' | 'fenced' | 'lost-claim' | 'run-paused'
    | 'duplicate-name' | 'code-defined' | 'batch-deleted' | 'version-conflict' | 'not-supported-yet' | 'idempotency-key-reused' | 'too-many-requests' | 'quarantined';
  /** A sentence that a person can act on. */
  readonly detail: string;
  readonly errors?: readonly JsonFault[];
  /** The run that did before what was asked for. */
  readonly retriedBy?: string;
}

export function isRejected(decision: object): decision is Rejected {
  return 'rejected' in decision;
}

/** What a command did: the facts are those of this command and no other, also when it is said again. */
export interface Accepted<S> {
  readonly facts: readonly Decided[];
  readonly state: S;
  /** There is more to do than one append holds: the host goes on by itself (`goOn` of the actor's kind). */
  readonly more?: boolean;
}

export type Decision<S> = Accepted<S> | Rejected;

/** Values drawn once for one decision, so that deciding is pure. */
export interface Drawn {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The largest append: what is left follows in another. */
export const MOST_FACTS = 256;
export const MOST_BYTES = 900 * 1024;

/** A payload over this goes to a blob. */
export const INLINE_BYTES = 64 * 1024;
