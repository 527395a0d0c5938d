/**
 * Originals: runs that have ended, for those that try them again.
 *
 * Owns: nothing. An ended run does not change, so what is read is what will always be read. Talks to: the log's reader.
 *
 * 1. Nothing is read for a run that tries no other one again, or has taken over all that it keeps.
 */
import { isRejected } from '../actors/actor.js';
import type { Rejected } from '../actors/actor.js';
import { understood } from '../actors/unintelligible.js';
import { isRunFactType } from '../events/run.codec.js';
import { RUN_PAYLOADS } from '../events/run.events.js';
import type { Streams } from '../events/streams.js';
import { parseId } from '../ids.js';
import type { RunId } from '../ids.js';
import { inlined } from '../log/event-reader.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import type { AnyRunCommand } from './run.commands.js';
import { keepsLeft } from './run.context.js';
import type { Original, RunCtx, RunSnapshot } from './run.draft.js';
import { keptOf } from './run.kept.js';
import { runEvent, runFold } from './run.replay.js';
import type { Plans } from './run.replay.js';

export class Originals {
  constructor(
    private readonly reader: EventReader,
    private readonly streams: Streams,
    private readonly plans: Plans,
  ) {}

  /** What a decision has to know of the run that is tried again, and of the batch to do it with. */
  async neededFor(command: AnyRunCommand, state: RunSnapshot | undefined): Promise<Pick<RunCtx, 'original' | 'batch'>> {
    if (state !== undefined) {
      const { retry } = state.context;
      return retry === null || keepsLeft(state.context).length === 0 ? {} : { original: await this.read(retry.of) };
    }
    if (command.type === 'StartRun') return { batch: await this.plans.startable(command.start.batch, undefined, command.start.scheduled) };
    if (command.type !== 'RetryRun') return {};
    const original = await this.read(command.retry.of);
    if (isRejected(original)) return { original, batch: original };
    const { batchId, batchVersion } = original.state.context;
    return { original, batch: await this.plans.startable(batchId, command.retry.version === 'newest' ? undefined : batchVersion) };
  }

  private async read(runId: string): Promise<Original | Rejected> {
    const id = parseId<RunId>(runId);
    const stream = id && this.streams.run(id);
    const facts = stream === undefined ? [] : await this.reader.readStream(stream);
    return understood(stream ?? '', () => this.fold(runId, facts));
  }

  private async fold(runId: string, facts: readonly StoredFact[]): Promise<Original | Rejected> {
    const whole = await Promise.all(facts.map((fact) => inlined(fact, isRunFactType(fact.type) ? RUN_PAYLOADS[fact.type] : undefined, this.reader)));
    const events = whole.map(runEvent);
    const [first] = events;
    const last = events.at(-1);
    if (first?.type !== 'RunStarted' || last === undefined) return { rejected: 'not-found', detail: `There is no run ${runId}.` };
    const plan = await this.plans.pinned(first.data.batchId, first.data.batchVersion, first.data.definitionHash);
    const before = events.slice(0, -1).reduce((snapshot, event) => runFold.next(snapshot, event), runFold.initial(plan));
    return { state: runFold.next(before, last), before, kept: keptOf(runId, plan, events) };
  }
}
