/**
 * ActorHost: every command to an actor goes through here: load and fold, decide, append.
 *
 * Owns: one mailbox per stream, the folded states in memory (bounded by bytes), the conflict rule, the envelope.
 * Does not own: what an actor decides (the actor's `decide`), what happens after a fact (reactors), the log.
 * Talks to: the log by both ports, the actor by `fold` and `decide`, `Refusals`.
 *
 * 1. Commands to one stream are decided one after the other; streams do not wait for each other.
 * 2. A fact is in the log before its command is answered. Nothing in memory is older than what was answered.
 * 3. After a conflict it looks for its own command in the stream (found = the first answer), else decides again,
 *    a bounded number of times. After an unknown outcome it forgets what it knew and looks in the stream.
 * 4. A command that was said before, by the same key, gives the first answer; by the same key and another body, none.
 * 5. An actor that only waits for people, or has ended, is not kept in memory.
 * 6. What known people are refused by role or state, and what is fenced, is recorded before it is answered.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import type { SealedFact } from '../events/envelope.js';
import { isoTime } from '../events/json.js';
import { ids, randomFraction } from '../ids.js';
import { inlined } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import type { Blob, EventWriter } from '../log/event-writer.js';
import { Conflict, Unavailable } from '../log/log-errors.js';
import { isRejected } from './actor.js';
import type { Decided, Decision, Drawn, Origin, Rejected } from './actor.js';
import { outlined } from './payloads.js';
import { isKept } from './refusals.js';
import type { Refusals } from './refusals.js';

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
  /** Everything that `decide` needs and that takes waiting. Called before every decision, with the state that will be decided on. */
  decider(command: C, state: S | undefined): Promise<(state: S | undefined, revision: number, drawn: Drawn) => Decision<S>>;
  /** Said after the append, or in its place when it failed, perhaps twice: what the decision had taken can be let go. */
  settle?(command: C, appended: boolean): void;
  /** Whether the command is one that an actor begins with: it is decided without looking first, because nearly always nothing is there. */
  begins?(command: C): boolean;
  /** Whether the state is worth memory: something is likely to happen to it soon. */
  keep(state: S): boolean;
  /** For the record, if the command is refused: its name, and the ids of what it is about. */
  about?(command: C): Readonly<Record<string, string>>;
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

interface Kept<S> {
  readonly state: S;
  readonly revision: number;
  readonly head: string;
  readonly position: string;
  readonly bytes: number;
  /** Commands that came with a key, and what they asked. */
  readonly keyed: ReadonlyMap<string, string>;
}

/** One decision of one command, on what the stream was then. */
interface Turn<S, C> {
  readonly stream: string;
  readonly command: C;
  readonly kept: Kept<S> | undefined;
  readonly nowMs: number;
  /** Nobody has looked what stands in the stream. */
  readonly unseen: boolean;
}

const KEY_REUSED: Rejected = { rejected: 'idempotency-key-reused', detail: 'This Idempotency-Key came with another request before. Use a new key for a new request.' };
/** Facts among which one that was said a moment ago is looked for. */
const RECENT = 500;
const MOST_DECISIONS = 8;
const KEPT_BYTES = 64 * 1024 * 1024;

export class ActorHost<S, C extends ActorCommand> {
  private readonly mailboxes = new Map<string, Promise<unknown>>();
  private readonly kept = new LRUCache<string, Kept<S>>({ maxSize: KEPT_BYTES, sizeCalculation: (kept) => kept.bytes + 512 });

  constructor(
    private readonly kind: ActorKind<S, C>,
    private readonly reader: EventReader,
    private readonly writer: EventWriter,
    private readonly clock: Clock,
    private readonly refusals?: Refusals,
  ) {}

  /** Streams with a command that is not answered yet. */
  get underWay(): number {
    return this.mailboxes.size;
  }

  /** @throws Unavailable when the log can't say whether the command was taken: say it again with the same id. */
  execute(command: C): Promise<Answer<S> | Rejected> {
    const stream = this.kind.streamOf(command);
    const before = this.mailboxes.get(stream) ?? Promise.resolve();
    const result = before.then(() => this.perform(stream, command));
    result.catch(() => this.kind.settle?.(command, false));
    const tail: Promise<unknown> = result.then(
      () => this.leave(stream, tail),
      () => this.leave(stream, tail),
    );
    this.mailboxes.set(stream, tail);
    return result.then((answer) => this.recorded(stream, command, answer));
  }

  /** Outside of the mailbox: who comes next does not wait for it. */
  private async recorded(stream: string, command: C, answer: Answer<S> | Rejected): Promise<Answer<S> | Rejected> {
    if (isRejected(answer) && isKept(answer.rejected, command.origin.via)) {
      await this.refusals?.refused({ stream, origin: command.origin, slug: answer.rejected, reason: answer.detail, about: this.kind.about?.(command) ?? {} });
    }
    return answer;
  }

  private leave(stream: string, tail: Promise<unknown>): void {
    if (this.mailboxes.get(stream) === tail) this.mailboxes.delete(stream);
  }

  private async perform(stream: string, command: C): Promise<Answer<S> | Rejected> {
    for (let tries = 0; tries < MOST_DECISIONS; tries += 1) {
      const known = this.kind.loads === 'last' ? await this.newest(stream) : this.kept.get(stream);
      // Whatever comes of it but an append that is the first one is decided again on what stands in the stream.
      const unseen = tries === 0 && known === undefined && this.kind.begins?.(command) === true;
      const kept = unseen ? undefined : (known ?? (await this.load(stream)));
      const again = await this.saidBefore(stream, kept, command, tries > 0);
      if (again !== undefined) return again;
      const decide = await this.kind.decider(command, kept?.state);
      const nowMs = this.clock.now();
      const decision = decide(kept?.state, kept?.revision ?? -1, { nowMs, random: randomFraction });
      const nothing = isRejected(decision) || decision.facts.length === 0;
      if (nothing) this.kind.settle?.(command, false);
      if (nothing && unseen) continue;
      if (isRejected(decision)) return decision;
      if (decision.facts.length === 0) {
        return { facts: [], state: decision.state, position: kept?.position ?? '', replayed: false };
      }
      const answer = await this.append({ stream, command, kept, nowMs, unseen }, decision.facts, decision.state);
      if (answer === undefined) continue;
      if (decision.more === true && this.kind.goOn) void this.execute(this.kind.goOn(command)).catch(() => undefined);
      return answer;
    }
    throw new Unavailable(`Stream ${stream} was written to by others ${MOST_DECISIONS} times in a row: try again.`);
  }

  /** Undefined: somebody else wrote first, or the outcome is unknown; look again. */
  private async append(turn: Turn<S, C>, facts: readonly Decided[], state: S): Promise<Answer<S> | undefined> {
    const { stream, command, kept } = turn;
    const { sealed, blobs } = this.seal(turn, facts);
    try {
      const result = await this.writer.append(stream, kept?.revision ?? 'none', sealed, blobs);
      this.kind.settle?.(command, true);
      // It stands there already: what came with it then is what counts.
      if (result.duplicate && turn.unseen) return undefined;
      if (result.duplicate) this.kept.delete(stream);
      else this.remember(turn, sealed, state, result.position);
      return { facts, state, position: result.position, replayed: result.duplicate };
    } catch (error) {
      this.kind.settle?.(command, false);
      this.kept.delete(stream);
      if (error instanceof Conflict) return undefined;
      if (!(error instanceof Unavailable)) throw error;
      const found = await this.saidBefore(stream, await this.load(stream), command, true);
      if (found === undefined) throw error;
      return isRejected(found) ? undefined : found;
    }
  }

  private remember({ stream, kept: before, command: { origin } }: Turn<S, C>, sealed: readonly SealedFact[], state: S, position: string): void {
    if (!this.kind.keep(state)) {
      this.kept.delete(stream);
      return;
    }
    const keyed = origin.requestHash === undefined ? (before?.keyed ?? new Map<string, string>()) : new Map([...(before?.keyed ?? []), [origin.commandId, origin.requestHash]]);
    const bytes = this.kind.loads === 'last' ? sealed.at(-1)!.dataText.length : sealed.reduce((sum, fact) => sum + fact.dataText.length, before?.bytes ?? 0);
    this.kept.set(stream, { state, revision: (before?.revision ?? -1) + sealed.length, head: sealed.at(-1)!.metadata.hash, position, bytes, keyed });
  }

  /** That there is nothing to say meets no expected revision: that what is kept is out of date would not be noticed. */
  private async newest(stream: string): Promise<Kept<S> | undefined> {
    const kept = this.kept.get(stream);
    const [last] = kept === undefined ? [] : await this.reader.readStream(stream, { backwards: true, limit: 1 });
    return last?.revision === kept?.revision ? kept : undefined;
  }

  private async load(stream: string): Promise<Kept<S> | undefined> {
    const facts = await this.reader.readStream(stream, this.kind.loads === 'last' ? { backwards: true, limit: 1 } : {});
    const last = facts.at(-1);
    if (last === undefined) return undefined;
    const keyed = new Map(facts.flatMap(({ metadata: { commandId, requestHash } }) => (commandId && requestHash ? [[commandId, requestHash] as const] : [])));
    const bytes = facts.reduce((sum, fact) => sum + JSON.stringify(fact.data).length, 0);
    return { state: await this.foldOf(facts), revision: last.revision, head: last.metadata.hash ?? GENESIS_HASH, position: last.position, bytes, keyed };
  }

  private async saidBefore(stream: string, kept: Kept<S> | undefined, { origin }: C, search: boolean): Promise<Answer<S> | Rejected | undefined> {
    if (kept === undefined) return undefined;
    const asked = kept.keyed.get(origin.commandId);
    if (asked !== undefined && asked !== origin.requestHash) {
      return KEY_REUSED;
    }
    const fromLast = this.kind.loads === 'last';
    if (asked === undefined && !search && !(fromLast && origin.requestHash !== undefined)) return undefined;
    // Where only the last fact was loaded, keys of before are not known; a command without one was said a moment ago.
    const all = fromLast && origin.requestHash === undefined ? [...(await this.reader.readStream(stream, { backwards: true, limit: RECENT }))].reverse() : await this.reader.readStream(stream);
    const facts = all.filter((fact) => fact.metadata.commandId === origin.commandId);
    const last = facts.at(-1);
    if (last === undefined) return undefined;
    if (last.metadata.requestHash !== origin.requestHash) return KEY_REUSED;
    const state = last.revision === kept.revision ? kept.state : await this.foldOf(all.filter(({ revision }) => revision <= last.revision));
    return { facts, state, position: last.position, replayed: true };
  }

  private async foldOf(facts: readonly StoredFact[]): Promise<S> {
    return this.kind.fold(await Promise.all(facts.map((fact) => inlined(fact, this.kind.payloadField(fact.type), this.reader))));
  }

  private seal({ stream, command: { origin }, kept, nowMs }: Turn<S, C>, facts: readonly Decided[]): { sealed: SealedFact[]; blobs: Blob[] } {
    const blobs: Blob[] = [];
    const at = isoTime(nowMs);
    let prevHash = kept?.head ?? GENESIS_HASH;
    const sealed = facts.map((fact, index) => {
      const next = sealFact({
        stream, revision: (kept?.revision ?? -1) + 1 + index, prevHash, id: ids.event(origin.commandId, index), type: fact.type,
        ...outlined(fact.data, this.kind.payloadField(fact.type), blobs),
        metadata: {
          $correlationId: origin.correlationId ?? origin.commandId, $causationId: origin.causationId ?? origin.commandId, actor: origin.actor, at,
          commandId: origin.commandId, machine: this.kind.machine, roles: origin.roles.join(','), schemaVersion: String(this.kind.schemaVersionOf(fact.type)), via: origin.via,
          ...(origin.requestHash !== undefined && { requestHash: origin.requestHash }),
        },
      });
      prevHash = next.metadata.hash;
      return next;
    });
    return { sealed, blobs };
  }
}
