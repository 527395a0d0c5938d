/** Commands that were not taken and are kept for the record: who said them is told so only after they are. */
import type { Origin, Rejected } from './actor.js';

type Slug = Rejected['rejected'];

export interface Refusal {
  /** To which stream it was said. */
  readonly stream: string;
  readonly origin: Origin;
  readonly slug: Slug;
  readonly reason: string;
  /** Which command it was, and what it was about: names and ids. */
  readonly about: Readonly<Record<string, string>>;
}

export interface Refusals {
  /** Resolves when it is recorded, or can't be. Never rejects. */
  refused(refusal: Refusal): Promise<void>;
}

/** By role (403) or by state (409): kept. What is wrong with the request itself is the caller's business alone. */
export const REFUSED_BY_ROLE_OR_STATE: Readonly<Record<Slug, boolean>> = {
  forbidden: true, 'run-already-ended': true, 'gate-already-decided': true, 'approval-stale': true, 'not-retryable': true, 'duplicate-name': true, 'code-defined': true, 'batch-deleted': true, quarantined: true,
  'not-found': false, 'validation-failed': false, 'version-conflict': false, 'idempotency-key-reused': false, 'too-many-requests': false, 'not-supported-yet': false, 'lost-claim': false, 'run-paused': false, fenced: false,
};

/** Whether a refusal is kept: what known people were refused, and what a fenced attempt said. */
export function isKept(slug: Slug, via: Origin['via']): boolean {
  return via === 'runner' ? slug === 'fenced' : (via === 'rest' || via === 'code') && REFUSED_BY_ROLE_OR_STATE[slug];
}
