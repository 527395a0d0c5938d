/**
 * The writing port of the event log. Only the actor host and the audit room may hold it.
 */
import type { JsonObject } from '../events/json.js';
import type { EventId } from '../ids.js';

/** A fact that is not stored yet. The texts are the canonical JSON of the objects and are stored as they are. */
export interface NewFact {
  readonly id: EventId;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: Readonly<Record<string, string>>;
  readonly dataText: string;
  readonly metadataText: string;
}

/** A payload over the inline limit: JSON text, named by the lower-case hex SHA-256 of its UTF-8 bytes. */
export interface Blob {
  readonly sha256: string;
  readonly text: string;
}

/** The revision of the last fact that the caller has seen, or 'none' if the stream must not exist yet. */
export type ExpectedRevision = number | 'none';

export interface AppendResult {
  /** Revision of the last fact of this append. */
  readonly revision: number;
  /** Position of the last fact of this append. */
  readonly position: string;
  /** These very facts stood there already: this is the first answer, and nothing was written now. */
  readonly duplicate: boolean;
}

export interface EventWriter {
  /**
   * All or nothing; resolves only when durable, blobs before facts. Needs at least one fact.
   * The same ids at the same place = success with the first answer, also when the stream has moved on;
   * a partial match is a conflict.
   * @throws Conflict | TooLarge | Gone | Denied | Unavailable (see log-errors.ts); `Unavailable` leaves the outcome unknown.
   */
  append(stream: string, expected: ExpectedRevision, facts: readonly NewFact[], blobs?: readonly Blob[]): Promise<AppendResult>;
}
