/**
 * AnswerLog: the answers to commands that came with a key and found nothing to do, one stream for each.
 *
 * Owns: the answer streams. Does not own: which answers are kept and what they mean (actor host). Talks to: the log.
 *
 * 1. The name of the stream is made from the command, so looking it up is one read that is never behind.
 * 2. It has one fact: who wrote it first is right, on whatever node.
 */
import type { KeptAnswer, KeptAnswers, KeyedOrigin } from '../actors/kept-answers.js';
import type { Clock } from '../clock.js';
import { encodeAuditFact, storedAuditFact } from '../events/audit.codec.js';
import { auditUpcasting } from '../events/audit.events.js';
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import { isoTime } from '../events/json.js';
import type { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import type { EventWriter } from '../log/event-writer.js';
import { Conflict } from '../log/log-errors.js';

export class AnswerLog implements KeptAnswers {
  constructor(
    private readonly log: Pick<EventReader, 'readStream'> & EventWriter,
    private readonly streams: Streams,
    private readonly clock: Clock,
  ) {}

  async of({ commandId }: KeyedOrigin): Promise<KeptAnswer | undefined> {
    const [fact] = await this.log.readStream(this.streams.answer(commandId), { limit: 1 });
    return fact && answerIn(fact);
  }

  async keep(origin: KeyedOrigin, answer: Omit<KeptAnswer, 'requestHash'>): Promise<KeptAnswer> {
    const { actor, roles, via, commandId, requestHash } = origin;
    const stream = this.streams.answer(commandId);
    const sealed = sealFact({
      stream, revision: 0, prevHash: GENESIS_HASH, id: ids.event(commandId, 0), type: 'CommandAnswered', data: encodeAuditFact({ type: 'CommandAnswered', data: answer }),
      metadata: {
        $correlationId: commandId, $causationId: commandId, actor, at: isoTime(this.clock.now()), commandId, machine: 'answers@1', requestHash, roles: roles.join(','),
        schemaVersion: String(auditUpcasting.versionOf('CommandAnswered')), via,
      },
    });
    try {
      const { duplicate } = await this.log.append(stream, 'none', [sealed]);
      if (!duplicate) return { ...answer, requestHash };
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
    return (await this.of(origin)) ?? { ...answer, requestHash };
  }
}

function answerIn(fact: StoredFact): KeptAnswer {
  const { type, data } = storedAuditFact(fact);
  if (type !== 'CommandAnswered') throw new Error(`Stream ${fact.stream} holds a ${type}, which is no answer.`);
  return { ...data, requestHash: fact.metadata.requestHash ?? '' };
}
