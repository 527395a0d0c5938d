/**
 * Deciding together: commands that wait for one stream, each decided on what the one before it leads to, for one append.
 *
 * What is left to follow by itself follows at the end, by the command that the actor goes on with, once for all of them.
 * One that would make the append too large is not taken, nor are those after it.
 */
import type { SealedFact } from '../events/envelope.js';
import { randomFraction } from '../ids.js';
import type { Blob } from '../log/event-writer.js';
import { isRejected, MOST_BYTES, MOST_FACTS } from './actor.js';
import type { Decision, Rejected } from './actor.js';
import type { ActorCommand, ActorKind, Answer, Kept } from './actor-kind.js';
import { seal } from './sealing.js';

interface Asked<S, C> {
  readonly stream: string;
  readonly kept: Kept<S>;
  readonly nowMs: number;
  readonly commands: readonly C[];
}

export interface Together<S, C> {
  readonly sealed: readonly SealedFact[];
  readonly blobs: readonly Blob[];
  readonly state: S;
  /** Of the first commands, in their order. None counts before the append. */
  readonly answers: readonly (Rejected | Pick<Answer<S>, 'facts' | 'state'>)[];
  /** The commands whose facts are among these. */
  readonly said: readonly C[];
  /** The command with which something is left to follow. */
  readonly more: C | undefined;
}

/** What the append is so far, and where it leaves the stream. */
interface Growing<S, C> {
  readonly sealed: SealedFact[];
  readonly blobs: Blob[];
  readonly said: C[];
  state: S;
  revision: number;
  head: string;
  bytes: number;
}

export async function decideTogether<S, C extends ActorCommand>(kind: ActorKind<S, C>, { stream, kept, nowMs, commands }: Asked<S, C>): Promise<Together<S, C>> {
  const so: Growing<S, C> = { sealed: [], blobs: [], said: [], state: kept.state, revision: kept.revision, head: kept.head, bytes: 0 };
  const taken = async (command: C, followed: boolean): Promise<Decision<S> | undefined> => {
    const decide = await kind.decider(command, so.state, followed);
    const decision = decide(so.state, so.revision, { nowMs, random: randomFraction });
    if (isRejected(decision) || decision.facts.length === 0) {
      kind.settle?.(command, false);
      return decision;
    }
    const { sealed, blobs } = seal(kind, { stream, origin: command.origin, from: so, nowMs }, decision.facts);
    const bytes = sealed.reduce((sum, { dataText, metadataText }) => sum + Buffer.byteLength(dataText) + Buffer.byteLength(metadataText), so.bytes);
    if (so.sealed.length > 0 && (so.sealed.length + sealed.length > MOST_FACTS || bytes > MOST_BYTES)) {
      kind.settle?.(command, false);
      return undefined;
    }
    so.sealed.push(...sealed);
    so.blobs.push(...blobs);
    so.said.push(command);
    Object.assign(so, { state: decision.state, revision: so.revision + sealed.length, head: sealed.at(-1)!.metadata.hash, bytes });
    return decision;
  };
  const decided = (command: C, followed: boolean): Promise<Decision<S> | undefined> =>
    taken(command, followed).catch((error: unknown) => {
      kind.settle?.(command, false);
      throw error;
    });
  const answers: Together<S, C>['answers'][number][] = [];
  let more: C | undefined;
  for (const command of commands) {
    const decision = await decided(command, true);
    if (decision === undefined) break;
    if (!isRejected(decision) && decision.more === true) more = command;
    answers.push(decision);
  }
  const last = more && kind.goOn?.(more);
  const followed = last && (await decided(last, false));
  if (followed !== undefined && !isRejected(followed) && followed.more !== true) more = undefined;
  return { sealed: so.sealed, blobs: so.blobs, said: so.said, state: so.state, answers, more };
}
