/** What the host has to know of an actor, and what it answers. */
import type { Appended, StoredFact } from '../log/event-reader.js';
import type { Decided, Decision, Drawn, Origin } from './actor.js';

export interface ActorCommand {
  readonly origin: Origin;
}

/** One kind of actor: what the host has to know of it. `S` is its folded state, `C` its commands. */
export interface ActorKind<S, C extends ActorCommand> {
  /** Of its facts' metadata, like `batch-run@1`. */
  readonly machine: string;
  /** The version that this type of fact is written in. */
  schemaVersionOf(type: string): number;
  streamOf(command: C): string;
  /** The field of a fact that may hold a large payload. */
  payloadField(type: string): string | undefined;
  /** What the fold needs: by default every fact; `last`, where each fact carries the whole state. */
  readonly loads?: 'all' | 'last';
  /** The state after these facts, which are a stream from its first fact on, or its last one. @throws FoldViolation */
  fold(facts: readonly StoredFact[]): Promise<S>;
  /**
   * Everything that `decide` needs and that takes waiting. Called before every decision, with the state that will be decided on.
   *
   * @param followed another command comes in the same append: what follows by itself may be left (`more`)
   */
  decider(command: C, state: S | undefined, followed?: boolean): Promise<(state: S | undefined, revision: number, drawn: Drawn) => Decision<S>>;
  /**
   * Said after the append, or in its place when it failed, perhaps twice: what the decision had taken can be let go.
   *
   * @param appended false also where the command stood in the log already: what was decided then is what counts
   */
  settle?(command: C, appended: boolean): void;
  /** Told of facts as soon as they are durable, by whoever wants to see them before the log brings them. Never throws. */
  onAppended?(facts: Appended): void;
  /** Whether the command is one that an actor begins with: it is decided without looking first, because nearly always nothing is there. */
  begins?(command: C): boolean;
  /** Whether the state is worth memory: something is likely to happen to it soon. */
  keep(state: S): boolean;
  /** For the record, if the command is refused: its name, and the ids of what it is about. */
  about?(command: C): Readonly<Record<string, string>>;
  /** Whether commands of this kind may share an append with others that wait. They come without a key. */
  together?(command: C): boolean;
  /** Said by the host itself when one append did not hold everything. */
  goOn?(command: C): C;
}

export interface Answer<S = unknown> {
  /** What the command left the actor in, also when it is said again. */
  readonly state: S;
  /** The facts of this command, also when it is said again. Empty: there was nothing to do. */
  readonly facts: readonly (Decided | StoredFact)[];
  readonly position: string;
  readonly replayed: boolean;
}

export interface Kept<S> {
  readonly state: S;
  readonly revision: number;
  readonly head: string;
  readonly position: string;
  readonly bytes: number;
  /** Commands that came with a key, and what they asked. */
  readonly keyed: ReadonlyMap<string, string>;
}
