/**
 * ActorHost: every command to an actor goes through here: load and fold, decide, append.
 *
 * Owns: one mailbox per stream, the folded states in memory (bounded by bytes), the conflict rule, the envelope.
 * Does not own: what an actor decides (the actor's `decide`), what happens after a fact (reactors), the log.
 * Talks to: the log by both ports, the actor by `fold` and `decide`, `Refusals`, `KeptAnswers`.
 *
 * 1. Commands to one stream are decided one after the other; streams do not wait for each other. Those that wait while
 *    an append is under way, and that the actor says may go together, are decided on each other and share the next one.
 * 2. A fact is in the log before its command is answered. Nothing in memory is older than what was answered.
 * 3. After a conflict it looks for its own command in the stream (found = the first answer), else decides again,
 *    a bounded number of times. After an unknown outcome it forgets what it knew and looks in the stream.
 * 4. A command that was said before, by the same key, gives the first answer, also where there was nothing to do then;
 *    by the same key and another body, none.
 * 5. An actor that only waits for people, or has ended, is not kept in memory.
 * 6. A stream that does not fold is left alone: people are told why, reactors get the error.
 * 7. What known people are refused by role or state, and what is fenced, is recorded before it is answered.
 */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.js';
import { GENESIS_HASH } from '../events/envelope.js';
import type { SealedFact } from '../events/envelope.js';
import { randomFraction } from '../ids.js';
import { inlined } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import type { EventWriter } from '../log/event-writer.js';
import { Conflict, Unavailable } from '../log/log-errors.js';
import { isRejected } from './actor.js';
import type { Decided, Origin, Rejected } from './actor.js';
import type { ActorCommand, ActorKind, Answer, Kept } from './actor-kind.js';
import { decideTogether } from './deciding-together.js';
import type { Together } from './deciding-together.js';
import { isKeyed } from './kept-answers.js';
import type { KeptAnswer, Records } from './kept-answers.js';
import { isKept } from './refusals.js';
import { seal } from './sealing.js';
import { quarantined, understood, Unintelligible } from './unintelligible.js';

/** A command that waits for its answer. */
interface Asked<S, C> {
  readonly command: C;
  readonly answer: (answer: Answer<S> | Rejected) => void;
  readonly fail: (error: unknown) => void;
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

interface Written<S> {
  readonly sealed: readonly SealedFact[];
  readonly state: S;
  readonly position: string;
}

const NO_KEYS: ReadonlyMap<string, string> = new Map();
const MOST_DECISIONS = 8;
const KEPT_BYTES = 64 * 1024 * 1024;

export class ActorHost<S, C extends ActorCommand> {
  private readonly mailboxes = new Map<string, Asked<S, C>[]>();
  private readonly kept = new LRUCache<string, Kept<S>>({ maxSize: KEPT_BYTES, sizeCalculation: (kept) => kept.bytes + 512 });

  constructor(
    private readonly kind: ActorKind<S, C>,
    private readonly reader: EventReader,
    private readonly writer: EventWriter,
    private readonly clock: Clock,
    private readonly records: Records = {},
  ) {}

  /** Streams with a command that is not answered yet. */
  get underWay(): number {
    return this.mailboxes.size;
  }

  /** @throws Unavailable when the log can't say whether the command was taken: say it again with the same id. */
  execute(command: C): Promise<Answer<S> | Rejected> {
    const stream = this.kind.streamOf(command);
    const result = new Promise<Answer<S> | Rejected>((answer, fail) => {
      const asked = { command, answer, fail };
      const box = this.mailboxes.get(stream);
      if (box !== undefined) return void box.push(asked);
      const opened = [asked];
      this.mailboxes.set(stream, opened);
      void this.empty(stream, opened);
    });
    return result.then((answer) => this.recorded(stream, command, answer));
  }

  /** Outside of the mailbox: who comes next does not wait for it. */
  private async recorded(stream: string, command: C, answer: Answer<S> | Rejected): Promise<Answer<S> | Rejected> {
    if (isRejected(answer) && isKept(answer.rejected, command.origin.via)) {
      await this.records.refusals?.refused({ stream, origin: command.origin, slug: answer.rejected, reason: answer.detail, about: this.kind.about?.(command) ?? {} });
    }
    return answer;
  }

  private async empty(stream: string, box: Asked<S, C>[]): Promise<void> {
    while (box.length > 0) {
      const group = this.takeGroup(box);
      const left = group.length > 1 ? await this.performTogether(stream, group) : group;
      const search = left === group && group.length > 1;
      if (search || group.length === 1) for (const asked of left) await this.performAlone(stream, asked, search);
      else box.unshift(...left);
      // With what waits goes what these answers lead to.
      if (box.length > 0) await turnOfLoop();
    }
    this.mailboxes.delete(stream);
  }

  private takeGroup(box: Asked<S, C>[]): readonly Asked<S, C>[] {
    const alone = box.findIndex(({ command }) => this.kind.together?.(command) !== true);
    return box.splice(0, Math.max(1, alone === -1 ? box.length : alone));
  }

  private async performAlone(stream: string, { command, answer, fail }: Asked<S, C>, search: boolean): Promise<void> {
    try {
      answer(await this.perform(stream, command, search));
    } catch (error) {
      this.kind.settle?.(command, false);
      const { via } = command.origin;
      if (error instanceof Unintelligible && (via === 'rest' || via === 'code')) answer(quarantined(error));
      else fail(error);
    }
  }

  /** Gives those that did not fit. All of them: nothing is known of any, so each looks for itself. */
  private async performTogether(stream: string, group: readonly Asked<S, C>[]): Promise<readonly Asked<S, C>[]> {
    const commands = group.map(({ command }) => command);
    let said: readonly C[] = [];
    try {
      const kept = this.kept.get(stream) ?? (await this.load(stream));
      if (kept === undefined) return group;
      const nowMs = this.clock.now();
      const so = await decideTogether(this.kind, { stream, kept, nowMs, commands });
      said = so.said;
      const position = so.sealed.length === 0 ? kept.position : await this.appended(stream, kept, so);
      if (position === undefined) return group;
      so.answers.forEach((answer, at) => group[at]?.answer(isRejected(answer) ? answer : { facts: answer.facts, state: answer.state, position, replayed: false }));
      if (so.more !== undefined) this.goOn(so.more);
      return group.slice(so.answers.length);
    } catch {
      for (const command of new Set([...commands, ...said])) this.kind.settle?.(command, false);
      this.kept.delete(stream);
      return group;
    }
  }

  private async appended(stream: string, kept: Kept<S>, { sealed, blobs, state, said }: Together<S, C>): Promise<string | undefined> {
    const result = await this.writer.append(stream, kept.revision, sealed, blobs);
    for (const command of said) this.kind.settle?.(command, !result.duplicate);
    if (result.duplicate) this.kept.delete(stream);
    else this.note(stream, kept, undefined, { sealed, state, position: result.position });
    return result.duplicate ? undefined : result.position;
  }

  private goOn(command: C): void {
    if (this.kind.goOn) void this.execute(this.kind.goOn(command)).catch(() => undefined);
  }

  /** `search`: what was tried before may stand in the log. */
  private async perform(stream: string, command: C, search: boolean): Promise<Answer<S> | Rejected> {
    for (let tries = 0; tries < MOST_DECISIONS; tries += 1) {
      const known = this.kept.get(stream);
      // Whatever comes of it but an append that is the first one is decided again on what stands in the stream.
      const unseen = tries === 0 && !search && known === undefined && this.kind.begins?.(command) === true;
      const kept = unseen ? undefined : (known ?? (await this.load(stream)));
      const again = (await this.saidBefore(stream, kept, command, search || tries > 0)) ?? (unseen ? undefined : await this.answeredBefore(stream, kept, command));
      if (again !== undefined) return again;
      const decide = await this.kind.decider(command, kept?.state);
      const nowMs = this.clock.now();
      const decision = decide(kept?.state, kept?.revision ?? -1, { nowMs, random: randomFraction });
      const nothing = isRejected(decision) || decision.facts.length === 0;
      if (nothing) this.kind.settle?.(command, false);
      if (nothing && (unseen || (await this.isOutOfDate(stream, known)))) continue;
      if (isRejected(decision)) return decision;
      if (decision.facts.length === 0) return this.nothingToDo(stream, command, { kept, state: decision.state });
      const answer = await this.append({ stream, command, kept, nowMs, unseen }, decision.facts, decision.state);
      if (answer === undefined) continue;
      if (decision.more === true) this.goOn(command);
      return answer;
    }
    throw new Unavailable(`Stream ${stream} was written to by others ${MOST_DECISIONS} times in a row: try again.`);
  }

  /** Undefined: somebody else wrote first, or the outcome is unknown; look again. */
  private async append(turn: Turn<S, C>, facts: readonly Decided[], state: S): Promise<Answer<S> | undefined> {
    const { stream, command, kept, nowMs } = turn;
    const { sealed, blobs } = seal(this.kind, { stream, origin: command.origin, from: kept, nowMs }, facts);
    try {
      const result = await this.writer.append(stream, kept?.revision ?? 'none', sealed, blobs);
      this.kind.settle?.(command, !result.duplicate);
      // It stands there already: what came with it then is what counts.
      if (result.duplicate && turn.unseen) return undefined;
      if (result.duplicate) this.kept.delete(stream);
      else this.note(stream, kept, command.origin, { sealed, state, position: result.position });
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

  /** What was appended is told and, if the state is worth it, kept. */
  private note(stream: string, before: Kept<S> | undefined, keyedBy: Origin | undefined, { sealed, state, position }: Written<S>): void {
    this.kind.onAppended?.({ stream, facts: sealed, revision: (before?.revision ?? -1) + 1, position });
    if (!this.kind.keep(state)) {
      this.kept.delete(stream);
      return;
    }
    const known = before?.keyed ?? NO_KEYS;
    const keyed = keyedBy?.requestHash === undefined ? known : new Map([...known, [keyedBy.commandId, keyedBy.requestHash]]);
    const bytes = this.kind.loads === 'last' ? sealed.at(-1)!.dataText.length : sealed.reduce((sum, fact) => sum + fact.dataText.length, before?.bytes ?? 0);
    this.kept.set(stream, { state, revision: (before?.revision ?? -1) + sealed.length, head: sealed.at(-1)!.metadata.hash, position, bytes, keyed });
  }

  /** That there is nothing to say meets no expected revision: that what is kept is out of date would not be noticed. */
  private async isOutOfDate(stream: string, known: Kept<S> | undefined): Promise<boolean> {
    if (known === undefined || this.kind.loads !== 'last') return false;
    const [last] = await this.reader.readStream(stream, { backwards: true, limit: 1 });
    if (last?.revision === known.revision) return false;
    this.kept.delete(stream);
    return true;
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

  private async answeredBefore(stream: string, kept: Kept<S> | undefined, { origin }: C): Promise<Answer<S> | Rejected | undefined> {
    const first = isKeyed(origin) ? await this.records.answers?.of(origin) : undefined;
    return first && this.answerAgain(stream, kept, first, origin);
  }

  /** With a key it is kept what there was nothing to do about: later there might be, and then it is not what was asked for. */
  private async nothingToDo(stream: string, { origin }: C, { kept, state }: { kept: Kept<S> | undefined; state: S }): Promise<Answer<S> | Rejected> {
    const answer = { facts: [], state, position: kept?.position ?? '', replayed: false };
    if (kept === undefined || !isKeyed(origin)) return answer;
    const { revision, position } = kept;
    const first = await this.records.answers?.keep(origin, { stream, revision, position });
    return first === undefined || (first.revision === revision && first.requestHash === origin.requestHash) ? answer : this.answerAgain(stream, kept, first, origin);
  }

  private async answerAgain(stream: string, kept: Kept<S> | undefined, first: KeptAnswer, { requestHash }: Origin): Promise<Answer<S> | Rejected> {
    if (first.requestHash !== requestHash || first.stream !== stream) return KEY_REUSED;
    const { revision, position } = first;
    const range = this.kind.loads === 'last' ? { after: revision - 1, limit: 1 } : { limit: revision + 1 };
    const state = kept?.revision === revision ? kept.state : await this.foldOf(await this.reader.readStream(stream, range));
    return { facts: [], state, position, replayed: true };
  }

  private async foldOf(facts: readonly StoredFact[]): Promise<S> {
    return understood(facts[0]?.stream ?? '', async () => this.kind.fold(await Promise.all(facts.map((fact) => inlined(fact, this.kind.payloadField(fact.type), this.reader)))));
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
