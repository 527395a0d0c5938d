/**
 * RefusalLog: what was refused, written to the audit stream of this node's incarnation.
 *
 * Owns: that stream (it is its one writer), the count of refusals per actor. Does not own: what is worth keeping (actor
 * host), who may pass a door (roles guard). Talks to: the log's writer.
 *
 * 1. A refusal is durable before the answer that tells of it, unless the log can't be reached: then it is reported and
 *    tried again, and the answer does not wait.
 * 2. Over 60 a minute of one actor are counted; the count is written when the minute is over.
 * 3. An append whose outcome is unknown is said again as it was before anything else is written: the chain has no fork.
 */
import type { Refusal, Refusals } from '../actors/refusals.js';
import type { Clock } from '../clock.js';
import { encodeAuditFact } from '../events/audit.codec.js';
import { auditUpcasting } from '../events/audit.events.js';
import type { AuditFact, AuditFactType } from '../events/audit.events.js';
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import type { SealedFact } from '../events/envelope.js';
import { isoTime } from '../events/json.js';
import type { JsonObject } from '../events/json.js';
import type { RefusedCallers } from '../http/roles.guard.js';
import { ids } from '../ids.js';
import type { Incarnation } from '../ids.js';
import type { EventWriter } from '../log/event-writer.js';
import { Unavailable } from '../log/log-errors.js';
import { RefusalCount } from './refusal-count.js';

export interface RefusalLogParts {
  readonly writer: EventWriter;
  readonly stream: string;
  readonly incarnation: Incarnation;
  readonly clock: Clock;
  readonly report: (what: string, error?: unknown) => void;
}

interface Said {
  readonly actor: string;
  readonly roles: readonly string[];
  readonly via: string;
  readonly commandId?: string;
}

interface Unsealed {
  readonly type: AuditFactType;
  readonly data: JsonObject;
  readonly said: Said;
}

const MOST_AT_ONCE = 100;
const MOST_WAITING = 1_000;
const MOST_TEXT = 1_000;

export class RefusalLog implements Refusals {
  /** For the roles guard. */
  readonly callers: RefusedCallers = {
    refused: async ({ actor, roles, door, reason }) => {
      if (!this.count.take(actor)) return;
      const data = { actor: plain(actor), roles: roles.map(plain), door: plain(door), command: null, slug: 'forbidden', reason: plain(reason) };
      await this.record({ type: 'CommandRefused', data }, { actor, roles, via: 'rest' });
    },
  };
  private readonly count: RefusalCount;
  private readonly waiting: Unsealed[] = [];
  /** Sealed and said to the log, which has not said yes. */
  private unsettled: readonly SealedFact[] = [];
  private head = { revision: -1, hash: GENESIS_HASH, facts: 0 };
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RefusalLogParts) {
    this.count = new RefusalCount(parts.clock, (over) => {
      for (const { actor, count, fromMs, untilMs } of over) {
        const data = { actor: plain(actor), count, from: isoTime(fromMs), until: isoTime(untilMs) };
        this.put({ type: 'RefusalsSuppressed', data }, { actor, roles: [], via: 'host' });
      }
      void this.write();
    });
  }

  async refused({ origin, slug, reason, about }: Refusal): Promise<void> {
    const { actor, roles, door } = origin;
    const { command = null, outcome, ...subject } = about;
    if (slug === 'fenced') {
      const kind = outcome === 'succeeded' || outcome === 'failed' ? outcome : 'lost';
      await this.record({ type: 'OutcomeFenced', data: { ...subject, node: actor, outcome: kind, reason: plain(reason) } }, origin);
    } else if (this.count.take(actor)) {
      const data = { ...subject, actor: plain(actor), roles: roles.map(plain), door: door === undefined ? null : plain(door), command, slug, reason: plain(reason) };
      await this.record({ type: 'CommandRefused', data }, origin);
    }
  }

  /** Writes what is left. Said before the log is closed. */
  async close(): Promise<void> {
    this.count.close();
    await this.write();
    const lost = this.unsettled.length + this.waiting.length;
    if (lost > 0) this.parts.report(`${lost} refusals could not be recorded before the end.`);
  }

  private async record(fact: AuditFact, said: Said): Promise<void> {
    this.put(fact, said);
    await this.write();
  }

  private put(fact: AuditFact, said: Said): void {
    try {
      if (this.waiting.length >= MOST_WAITING) throw new Error(`${MOST_WAITING} others wait for the log.`);
      this.waiting.push({ type: fact.type, data: encodeAuditFact(fact), said });
    } catch (error) {
      this.parts.report(`A refusal of ${said.actor} is not recorded.`, error);
    }
  }

  /** One append at a time. Resolves when everything that waits now was tried. */
  private write(): Promise<void> {
    this.turn = this.turn.then(() => this.append());
    return this.turn;
  }

  private async append(): Promise<void> {
    const { writer, stream, report } = this.parts;
    const { revision } = this.head;
    if (this.unsettled.length + this.waiting.length === 0) return;
    try {
      if (this.unsettled.length === 0) this.unsettled = this.sealed(this.waiting.splice(0, MOST_AT_ONCE));
      await writer.append(stream, revision < 0 ? 'none' : revision, this.unsettled);
    } catch (error) {
      report('Refusals could not be recorded.', error);
      // Any other error says that nothing was written and never will be.
      if (!(error instanceof Unavailable)) this.unsettled = [];
      return;
    }
    const last = this.unsettled.at(-1)!;
    this.head = { revision: revision + this.unsettled.length, hash: last.metadata.hash, facts: this.head.facts };
    this.unsettled = [];
    await this.append();
  }

  private sealed(facts: readonly Unsealed[]): readonly SealedFact[] {
    let { revision, hash } = this.head;
    return facts.map((fact) => {
      const own = ids.derivedCommand('refusal', this.parts.incarnation, (this.head.facts += 1));
      const { actor, roles, via, commandId = own } = fact.said;
      const sealed = sealFact({
        stream: this.parts.stream, revision: (revision += 1), prevHash: hash, id: ids.event(own, 0), type: fact.type, data: fact.data,
        metadata: {
          $correlationId: commandId, $causationId: commandId, actor: plain(actor), at: isoTime(this.parts.clock.now()), commandId: own, machine: 'refusals@1',
          roles: roles.map(plain).join(','), schemaVersion: String(auditUpcasting.versionOf(fact.type)), via,
        },
      });
      hash = sealed.metadata.hash;
      return sealed;
    });
  }
}

/** What every store keeps. */
function plain(text: string): string {
  return text.slice(0, MOST_TEXT).replaceAll('\0', '\uFFFD').toWellFormed();
}
