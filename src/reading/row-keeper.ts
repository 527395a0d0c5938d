/** Who keeps the rows up with the log, in this thread or in one of its own: what everybody else sees of it. */
import type { ProjectionStatus } from './projection-status.js';

export interface RowKeeper {
  /** Takes up every projection where it was left. @throws ReadStoreUnusable if the rows are ahead of the log */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The position that is in the rows of every projection. */
  position(): string;
  /** How old the rows are, in milliseconds: 0 when nothing is known that is not in them. */
  lagMs(): number;
  /** Whether the rows have got to the end of the log since the start. */
  readonly caughtUp: boolean;
  /** True once everything up to the position is in the rows; false after `timeoutMs`. */
  waitFor(position: string, timeoutMs: number): Promise<boolean>;
  /** Has what was heard taken without waiting for more. */
  settle(): void;
  /** Resolves when the rows hold what was heard of until now, or are too far behind to be waited for. */
  taken(): Promise<void>;
  /** How each build stands: the one that answers, and one that is made beside it. */
  status(): readonly ProjectionStatus[];
  /**
   * Makes the rows of a projection anew from the log, beside those that answer. Resolves when that has begun; what comes
   * of it stands in its status.
   */
  beginRebuild(name: string): Promise<void>;
}

interface Standing {
  readonly name: string;
  readonly state: string;
  readonly position: string;
}

/** The position that all answers hold. What is made beside older rows, which follow nothing any more, counts too. */
export function answeredTo(builds: readonly Standing[]): string {
  const answers = new Set(builds.filter(({ state }) => state === 'active').map(({ name }) => name));
  const counted = builds.filter(({ state, name }) => state === 'active' || !answers.has(name));
  return counted.reduce((so, { position }) => (position < so ? position : so), counted[0]?.position ?? '');
}
