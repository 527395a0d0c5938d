/**
 * Timekeeper: notices that occurrences are due, and does what the facts of schedules leave to be done.
 *
 * Owns: one wheel for all schedules, who waits for which run, since when somebody has been watching. Does not own: what
 * becomes of an occurrence (the schedule decides), which moments a rule names (occurrences). Talks to: the log's reader,
 * schedules and runs by commands.
 *
 * 1. Nothing is judged before everything that stood in the log at the start has been looked at.
 * 2. A run is started because `OccurrenceFired` stands in the log, under an id that the occurrence gives it: asking twice,
 *    on any node, is asking once.
 * 3. What was due while nobody was watching (a stop, a machine that slept, a clock that jumped) is told from what was
 *    noticed late: the schedule is told since when somebody has been here without a break.
 * 4. A fault of one schedule is reported and tried again; it stops no other.
 */
import type { Clock } from '../clock.js';
import { endsRun } from '../events/run.events.js';
import { storedScheduleFact } from '../events/schedule.codec.js';
import type { Backfill, Ledger, ScheduleFact, Slot } from '../events/schedule.events.js';
import type { Streams } from '../events/streams.js';
import { NewerFact } from '../events/upcasting.js';
import { ids, parseId } from '../ids.js';
import type { BatchId, RunId } from '../ids.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import { Unavailable } from '../log/log-errors.js';
import { CancelRun } from '../runs/run.commands.js';
import type { AnyRunCommand } from '../runs/run.commands.js';
import { AdvanceSchedule, ContinueBackfill, FollowBatch } from '../schedules/schedule.commands.js';
import type { AnyScheduleCommand } from '../schedules/schedule.commands.js';
import { beginFired } from './scheduled-start.js';
import { SchedulesLeft } from './schedules-left.js';
import type { FiredSlot, Left } from './schedules-left.js';
import { Wheel } from './wheel.js';

export interface TimekeeperParts {
  readonly reader: EventReader;
  readonly streams: Streams;
  readonly clock: Clock;
  /** The ledger after the command; undefined if it was refused. Asks again for as long as the log can't be reached. */
  readonly tell: (command: AnyScheduleCommand) => Promise<Ledger | undefined>;
  /** The slug of a refusal. */
  readonly say: (command: AnyRunCommand) => Promise<string | undefined>;
  readonly left: () => Promise<Left>;
  /** The next occurrences of a backfill. */
  readonly slotsOf: (batchId: BatchId, backfill: Backfill) => Promise<{ readonly slots: readonly Slot[]; readonly final: boolean }>;
  readonly report: (what: string, error?: unknown) => void;
}

const AGAIN_MS = 100;
/** After a fault that may be a schedule's own. */
const AFTER_FAULT_MS = 10_000;
/** By so much the wall clock may run away from the steady one before it is taken for a jump or a sleep. */
const JUMP_MS = 2_000;
/** Whoever is woken so late was not there: the process stood still, or the machine slept and its steady clock went on. */
const ABSENT_MS = 60_000;

export class Timekeeper {
  private readonly wheel: Wheel<BatchId>;
  private readonly known = new Set<BatchId>();
  /** Runs whose end a schedule waits for. */
  private readonly awaited = new Map<RunId, BatchId>();
  private readonly awaits = new Map<BatchId, readonly RunId[]>();
  private readonly underWay = new Map<BatchId, 'once' | 'again'>();
  private readonly backfilling = new Set<string>();
  private readonly asked = new Set<Promise<unknown>>();
  private readonly ending = new AbortController();
  private watchedSinceMs = Infinity;
  private seen = { wall: 0, steady: 0 };
  /** Until it is live. */
  private catchingUp: SchedulesLeft | undefined;
  private quiet = false;
  private looking: Promise<void> | undefined;

  constructor(private readonly parts: TimekeeperParts) {
    this.wheel = new Wheel(parts.clock, (due, lateMs) => this.judge(due, lateMs));
  }

  /** Commands that are not answered. */
  get busy(): number {
    return this.asked.size;
  }

  /** Resolves when everything that stood in the log has been looked at. */
  async start(): Promise<void> {
    const left = await this.parts.left();
    this.catchingUp = new SchedulesLeft(left);
    for (const { batchId: batch, ledger } of left.schedules) {
      const batchId = parseId<BatchId>(batch);
      if (batchId === undefined) continue;
      this.known.add(batchId);
      if (ledger !== null) this.note(batchId, ledger);
    }
    await new Promise<void>((resolve, reject) => {
      this.looking = this.look(left.position, () => {
        this.goLive();
        resolve();
      }).catch((error: unknown) => {
        this.quiesce();
        this.parts.report('This node watches no more schedules.', error);
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  quiesce(): void {
    this.quiet = true;
    this.wheel.stop();
  }

  async stop(): Promise<void> {
    this.quiesce();
    this.ending.abort();
    await this.looking;
    await Promise.all(this.asked);
  }

  private goLive(): void {
    const left = this.catchingUp;
    this.catchingUp = undefined;
    this.watchedSinceMs = this.parts.clock.now();
    this.seen = { wall: this.parts.clock.now(), steady: this.parts.clock.elapsed() };
    for (const slot of left?.fired.values() ?? []) this.begin(slot);
    for (const batchId of left?.behind ?? []) this.follow(batchId);
    for (const [batchId, ledger] of left?.waiting ?? []) {
      if (ledger.queue.length > 0) this.waitOn(batchId, ledger);
      for (const backfill of ledger.backfills) this.backfill(batchId, backfill);
    }
    this.wheel.turn();
  }

  /** What waited when the node stopped: the runs under way are asked to end once more, and may have ended meanwhile. */
  private waitOn(batchId: BatchId, ledger: Ledger): void {
    const overlap = ledger.inForce.at(-1)?.rule?.overlap;
    if (overlap === 'cancelPrevious') for (const due of ledger.open) this.cancel(ids.scheduledRun(batchId, due), ledger.queue[0]?.occurrence.due ?? '');
    this.judge([batchId]);
  }

  private async look(position: string, caughtUp: () => void): Promise<void> {
    const { streams, reader, clock, report } = this.parts;
    const filter = { prefixes: [streams.prefix('schedule'), streams.prefix('batch'), streams.prefix('run')] };
    const { signal } = this.ending;
    let after = position || undefined;
    while (!signal.aborted) {
      try {
        for await (const delivery of reader.subscribe({ filter, after, signal })) {
          after = delivery.kind === 'facts' ? delivery.facts.at(-1)!.position : delivery.position;
          if (delivery.kind === 'facts') for (const fact of delivery.facts) this.take(fact);
          if (delivery.kind === 'caughtUp' && this.catchingUp !== undefined) caughtUp();
          if (this.catchingUp === undefined && !this.quiet) this.wheel.turn();
        }
        if (!signal.aborted) throw new Unavailable('The subscription ended.');
      } catch (error) {
        if (this.catchingUp !== undefined || error instanceof NewerFact) throw error;
        report('Schedules are not heard any more; listening again.', error);
        await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
      }
    }
  }

  private take(stored: StoredFact): void {
    if (endsRun(stored)) return this.ended(stored);
    if (stored.type === 'RunStarted') return this.catchingUp?.begun(parseId<RunId>(this.parts.streams.parse(stored.stream)?.id ?? ''));
    const { category, id } = this.parts.streams.parse(stored.stream) ?? {};
    if (category !== 'batch' && category !== 'schedule') return;
    const batchId = parseId<BatchId>(id ?? '');
    if (batchId === undefined) return;
    if (category === 'schedule') this.heard(batchId, storedScheduleFact(stored));
    else if (this.known.has(batchId) || mayHaveSchedule(stored)) this.follow(batchId);
  }

  private ended(stored: StoredFact): void {
    if (this.awaited.size === 0 || this.catchingUp !== undefined) return;
    const runId = parseId<RunId>(this.parts.streams.parse(stored.stream)?.id ?? '');
    const batchId = runId && this.awaited.get(runId);
    if (batchId !== undefined) this.judge([batchId]);
  }

  private heard(batchId: BatchId, fact: ScheduleFact): void {
    const { ledger } = fact.data;
    this.known.add(batchId);
    this.note(batchId, ledger);
    this.catchingUp?.heard(batchId, ledger);
    if (fact.type === 'OccurrenceFired') this.begin({ ...fact.data, batchId, backfillId: null });
    if (fact.type === 'OccurrenceBackfilled') this.begin({ ...fact.data, batchId });
    if (this.catchingUp !== undefined) return;
    if (fact.type === 'OccurrenceQueued') {
      for (const run of fact.data.cancels) this.cancel(parseId<RunId>(run), fact.data.due);
      // A run that ended before anybody waited for it is not heard of again.
      this.judge([batchId]);
    }
    if (fact.type === 'BackfillStarted') for (const backfill of ledger.backfills) this.backfill(batchId, backfill);
  }

  /** When there is something to judge, and which runs are waited for. */
  private note(batchId: BatchId, { wakeAt, queue, open }: Ledger): void {
    this.wheel.set(batchId, wakeAt === null ? undefined : Date.parse(wakeAt));
    if (queue.length === 0 && !this.awaits.has(batchId)) return;
    for (const runId of this.awaits.get(batchId) ?? []) this.awaited.delete(runId);
    const runs = queue.length === 0 ? [] : open.map((due) => ids.scheduledRun(batchId, due));
    for (const runId of runs) this.awaited.set(runId, batchId);
    if (runs.length === 0) this.awaits.delete(batchId);
    else this.awaits.set(batchId, runs);
  }

  private follow(batchId: BatchId): void {
    this.known.add(batchId);
    if (this.catchingUp !== undefined) this.catchingUp.behind.add(batchId);
    else if (!this.quiet) this.ask(batchId, () => this.parts.tell(new FollowBatch(batchId, by(ids.freshCommand()))).then(() => undefined));
  }

  private judge(due: readonly BatchId[], lateMs = 0): void {
    if (this.quiet) return;
    this.mark(lateMs);
    for (const batchId of due) {
      if (this.underWay.has(batchId)) this.underWay.set(batchId, 'again');
      else this.ask(batchId, () => this.advance(batchId));
    }
  }

  private async advance(batchId: BatchId): Promise<void> {
    do {
      this.underWay.set(batchId, 'once');
      const ledger = await this.parts.tell(new AdvanceSchedule(batchId, this.watchedSinceMs, by(ids.freshCommand()))).catch((error: unknown) => {
        this.underWay.delete(batchId);
        this.wheel.set(batchId, this.parts.clock.now() + AFTER_FAULT_MS);
        if (!this.quiet) this.wheel.turn();
        throw error;
      });
      // Another node may have been faster, or the clock was set back: what was due is waited for again.
      if (ledger?.wakeAt && this.underWay.get(batchId) === 'once') this.wheel.set(batchId, Math.max(Date.parse(ledger.wakeAt), this.parts.clock.now() + 1));
    } while (this.underWay.get(batchId) === 'again' && !this.quiet);
    this.underWay.delete(batchId);
    if (!this.quiet) this.wheel.turn();
  }

  private begin(slot: FiredSlot): void {
    const [runId, batchId] = [parseId<RunId>(slot.runId), parseId<BatchId>(slot.batchId)];
    if (runId === undefined || batchId === undefined) return;
    if (this.catchingUp !== undefined) {
      this.catchingUp.fired.set(runId, slot);
      return;
    }
    this.ask(batchId, () => beginFired({ ...slot, runId, batchId }, this.parts));
  }

  private cancel(runId: RunId | undefined, due: string): void {
    if (runId === undefined) return;
    this.ask(undefined, () => this.parts.say(new CancelRun(runId, `The occurrence of ${due} takes its place.`, by(ids.derivedCommand('overtaken', runId)))));
  }

  private backfill(batchId: BatchId, { id }: Backfill): void {
    if (this.backfilling.has(id)) return;
    this.backfilling.add(id);
    this.ask(batchId, async () => {
      try {
        for (let own = await this.backfillOf(batchId, id); own !== undefined && !this.quiet; ) {
          const { slots, final } = await this.parts.slotsOf(batchId, own);
          const ledger = await this.parts.tell(new ContinueBackfill(batchId, id, slots, final, by(ids.derivedCommand('backfill', id, own.doneUntil ?? ''))));
          own = ledger?.backfills.find((one) => one.id === id);
        }
      } finally {
        this.backfilling.delete(id);
      }
    });
  }

  private async backfillOf(batchId: BatchId, id: string): Promise<Backfill | undefined> {
    return (await this.parts.tell(new FollowBatch(batchId, by(ids.freshCommand()))))?.backfills.find((one) => one.id === id);
  }

  /** Looks at both clocks: if they have run apart, nobody was watching in between. */
  private mark(lateMs: number): void {
    const { clock } = this.parts;
    const now = { wall: clock.now(), steady: clock.elapsed() };
    const apart = now.wall - this.seen.wall - (now.steady - this.seen.steady);
    if (Math.abs(apart) > JUMP_MS || lateMs > ABSENT_MS) this.watchedSinceMs = now.wall;
    this.seen = now;
  }

  private ask(batchId: BatchId | undefined, work: () => Promise<unknown>): void {
    const asked = work().then(
      () => void this.asked.delete(asked),
      (error: unknown) => {
        this.asked.delete(asked);
        if (!(error instanceof Unavailable)) this.parts.report(`The schedule of batch ${batchId ?? ''} could not be looked after; it is tried again.`, error);
      },
    );
    this.asked.add(asked);
  }
}

function by(commandId: ReturnType<typeof ids.freshCommand>) {
  return { actor: 'schedule', roles: [], via: 'schedule', commandId } as const;
}

/** A definition that stands in a blob is looked at by whoever follows it. */
function mayHaveSchedule({ type, data }: StoredFact): boolean {
  const { definition } = data;
  if (type !== 'BatchDefined' || typeof definition !== 'object' || definition === null) return false;
  return '$blob' in definition || ('schedule' in definition && definition.schedule !== null);
}
