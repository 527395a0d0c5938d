/** Schedules on a log in memory and a clock of their own, with as many hosts and timekeepers as wanted, and runs that only say when they end. */
import { sleepOn } from '../../src/clock.js';
import type { Clock } from '../../src/clock.js';
import { ActorHost } from '../../src/actors/actor-host.js';
import { isRejected } from '../../src/actors/actor.js';
import type { Rejected } from '../../src/actors/actor.js';
import { batchActor, fingerprint } from '../../src/batches/batch.actor.js';
import { DefineBatch, DeleteBatch } from '../../src/batches/batch.commands.js';
import { Definitions } from '../../src/definitions.js';
import { sealFact, GENESIS_HASH } from '../../src/events/envelope.js';
import type { BatchDefinition, ScheduleRule } from '../../src/events/definition.js';
import { storedScheduleFact } from '../../src/events/schedule.codec.js';
import type { Ledger, ScheduleFact } from '../../src/events/schedule.events.js';
import { Streams } from '../../src/events/streams.js';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import type { EventWriter } from '../../src/log/event-writer.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { ReadSide } from '../../src/reading/read-side.js';
import { ReadStore } from '../../src/reading/read-store.js';
import { Timekeeper } from '../../src/reactors/timekeeper.js';
import { rowsHere } from '../../src/rows.js';
import { runActor } from '../../src/runs/run.actor.js';
import { StartRun } from '../../src/runs/run.commands.js';
import { GetOccurrences, GetOccurrencesHandler } from '../../src/schedules/occurrence.queries.js';
import type { Sums } from '../../src/schedules/occurrence.queries.js';
import { scheduleActor } from '../../src/schedules/schedule.actor.js';
import type { AnyScheduleCommand } from '../../src/schedules/schedule.commands.js';
import { Timeline } from '../../src/schedules/timeline.js';
import { SimulatedClock, turns } from '../../src/testing/simulated-clock.js';

export const START = Date.UTC(2026, 0, 1);
/** What was written is heard a turn later. */
const QUIET_TURNS = 4;
export const TICK = ids.batch('tick');

/** A clock on the wall that may be set, beside a steady one. What was to be woken is woken when the time has come by either. */
class WallClock implements Clock {
  private setByMs = 0;
  private readonly wakes = new Map<symbol, { readonly atMs: number; readonly wake: () => void; takeBack: () => void }>();

  constructor(private readonly steady: SimulatedClock) {}

  now = (): number => this.steady.now() + this.setByMs;
  elapsed = (): number => this.steady.now();
  sleep = (ms: number, signal?: AbortSignal): Promise<void> => sleepOn(this, ms, signal);

  wakeAt(atMs: number, wake: () => void): () => void {
    const key = Symbol();
    const once = (): void => void (this.wakes.delete(key) && wake());
    this.wakes.set(key, { atMs, wake: once, takeBack: this.steady.wakeAt(atMs - this.setByMs, once) });
    return () => {
      this.wakes.get(key)?.takeBack();
      this.wakes.delete(key);
    };
  }

  set(byMs: number): void {
    this.setByMs += byMs;
    if (byMs < 0) return;
    for (const one of this.wakes.values()) {
      one.takeBack();
      one.takeBack = this.steady.wakeAt(Math.max(one.atMs - this.setByMs, this.steady.now()), one.wake);
    }
  }
}

interface Answers {
  readonly sums: (fromMs: number, toMs: number) => Promise<Sums>;
  readonly close: () => Promise<void>;
}

export class LedgerHouse {
  readonly clock = new SimulatedClock(START);
  readonly wall = new WallClock(this.clock);
  readonly streams = new Streams();
  readonly log = openSqliteLog({ directory: ':memory:', clock: this.wall });
  /** By run: how often its start was asked for. */
  readonly started = new Map<RunId, number>();
  readonly faults: string[] = [];
  readonly tick = TICK;
  private readonly definitions = new Definitions(this.log, this.streams, jobs());
  private readonly runs = new ActorHost(runActor(this.streams, this.definitions, { claim: () => undefined, letGo: () => undefined }, this.log), this.log, this.log, this.wall);
  private readonly batches = new ActorHost(batchActor(this.streams), this.log, this.log, this.wall);

  host(writer: EventWriter = this.log): ActorHost<Ledger, AnyScheduleCommand> {
    return new ActorHost(scheduleActor(this.log, this.streams), this.log, writer, this.wall);
  }

  origin() {
    return { actor: 'ann', roles: ['operator'], via: 'code' as const, commandId: ids.freshCommand() };
  }

  async define(schedule: ScheduleRule | null, name = 'tick'): Promise<void> {
    const definition: BatchDefinition = { name, steps: [{ id: 'a', type: 'job', job: 'work', when: 'false' }], schedule };
    const answer = await this.batches.execute(new DefineBatch(ids.batch(name), { definition, ...fingerprint(definition), source: 'api', expected: 'any' }, this.origin()));
    if (isRejected(answer)) throw new Error(answer.detail);
  }

  async remove(): Promise<void> {
    await this.batches.execute(new DeleteBatch(TICK, this.origin()));
  }

  /** Another node that watches schedules; `writer` may lose what it is told. Runs are real ones, or say no more than that they have ended, or nothing. */
  async timekeeper(writer?: EventWriter, lastsLong: boolean | 'real' = false, isDead: () => boolean = () => false): Promise<Timekeeper> {
    const host = this.host(writer);
    const timekeeper = new Timekeeper({
      reader: this.log, streams: this.streams, clock: this.wall,
      tell: async (command) => {
        const answer = await host.execute(command);
        return isRejected(answer) ? undefined : answer.state;
      },
      say: async (command) => {
        if (!(command instanceof StartRun) || isDead()) return undefined;
        this.started.set(command.runId, (this.started.get(command.runId) ?? 0) + 1);
        if (lastsLong === 'real') await this.runs.execute(command);
        else if (!lastsLong) await this.end(command.runId);
        return undefined;
      },
      left: async () => ({ position: '', schedules: [], fired: [] }),
      slotsOf: async () => ({ slots: [], final: true }),
      report: (what, error) => this.faults.push(`${what} ${error instanceof Error ? error.message : ''}`),
    });
    await timekeeper.start();
    return timekeeper;
  }

  /** The run has ended, as a schedule sees it. */
  async end(runId: RunId): Promise<void> {
    const stream = this.streams.run(runId);
    const fact = sealFact({ stream, revision: 0, prevHash: GENESIS_HASH, id: ids.event(ids.derivedCommand('end', runId), 0), type: 'RunCompleted', data: {}, metadata: { at: new Date(this.clock.now()).toISOString() } });
    await this.log.append(stream, 'none', [fact]).catch(() => undefined);
  }

  /** Goes on by so much, and lets everything that is due on the way have its consequences. */
  async advance(ms: number, keepers: readonly Timekeeper[], afterEach: () => Promise<void> = async () => undefined): Promise<void> {
    const end = this.clock.now() + ms;
    const settled = async (): Promise<void> => {
      for (let quiet = 0; quiet < QUIET_TURNS; ) {
        await turns(1);
        quiet = this.log.bufferedFacts > 0 || keepers.some(({ busy }) => busy > 0) ? 0 : quiet + 1;
      }
      await afterEach();
    };
    await settled();
    while (this.clock.wakeNext(end)) await settled();
    this.clock.moveTo(end);
    await settled();
  }

  /**
   * All rows as facts make them, and what they answer of the schedule. Their clock stands still: what one burst of a real
   * second would say is gathered as in one.
   */
  async rows(): Promise<Answers> {
    const report = (message: string): unknown => this.faults.push(message);
    const rows = rowsHere(ReadStore.open(':memory:', this.log.identity), this.streams, { reader: this.log, clock: new SimulatedClock(START), report });
    await rows.host.start();
    const read = new ReadSide({ ...rows, reader: this.log, waitMs: 60_000 });
    return {
      sums: async (fromMs, toMs) => {
        await read.settled();
        const found = await new GetOccurrencesHandler(read, this.wall).execute(new GetOccurrences(TICK, { fromMs, toMs }, { limit: 1, cursor: undefined }));
        if (found === undefined) throw new Error('There is no row of the schedule.');
        const { expected, fired, skipped, missed, pending, unexplained } = found;
        return { expected, fired, skipped, missed, pending, unexplained };
      },
      close: async () => {
        await rows.host.stop();
        rows.close();
      },
    };
  }

  async facts(name = 'tick'): Promise<ScheduleFact[]> {
    return (await this.log.readStream(this.streams.schedule(ids.batch(name)))).map(storedScheduleFact);
  }

  /** Every occurrence by its due time with all that the facts say became of it, and what the rules name. */
  async judged(name = 'tick'): Promise<{ readonly said: ReadonlyMap<number, readonly string[]>; readonly expected: readonly number[]; readonly ledger: Ledger }> {
    const facts = await this.facts(name);
    const changes = facts.flatMap(({ type, data }) =>
      type === 'ScheduleAdopted' || type === 'ScheduleEnded' || type === 'SchedulePaused' || type === 'ScheduleResumed' ? [{ ...data.ledger.inForce.at(-1)!, from: data.from }] : [],
    );
    const timeline = new Timeline(changes);
    const said = new Map<number, string[]>();
    const note = (due: number, what: string): unknown => said.set(due, [...(said.get(due) ?? []), what]);
    for (const { type, data } of facts) {
      if (type === 'OccurrenceFired') note(Date.parse(data.occurrence.due), 'fired');
      if (type !== 'OccurrencesSkipped' && type !== 'OccurrencesMissed') continue;
      const dues = [...timeline.forwards(Date.parse(data.from) - 1, Date.parse(data.to))].map(({ dueMs }) => dueMs);
      // One that had waited is skipped alone, whatever was judged after it.
      if (dues.length !== data.count) throw new Error(`A fact says that it covers ${data.count} occurrences from ${data.from} to ${data.to}; the rules name ${dues.length}.`);
      for (const due of dues) note(due, data.reason);
    }
    const ledger = facts.at(-1)!.data.ledger;
    return { said, expected: [...timeline.forwards(0, this.wall.now())].map(({ dueMs }) => dueMs), ledger };
  }

  async close(): Promise<void> {
    this.clock.end();
    await this.log.close();
  }
}

export function accepted<T extends object>(answer: T | Rejected): T {
  if (isRejected(answer)) throw new Error(answer.detail);
  return answer;
}

/** One job, which none of the runs gets to: its step has a condition. */
function jobs(): JobRegistry {
  const registry = new JobRegistry();
  registry.register({ name: 'work', run: async () => ({}) });
  return registry;
}
