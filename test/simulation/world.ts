/**
 * World: stores that outlive nodes, one node after the other on them, a client, and the time.
 *
 * Owns: the stores, the clock, what was acknowledged, which handlers were called. Does not own: what befalls a node
 * (fate), what is asked (a script), what must hold afterwards (rules).
 *
 * 1. Everything is in one process without any input or output, so that the same choices give the same history. With a log
 *    elsewhere the same choices come to the same, though not at the same moments.
 * 2. Time goes on only when nothing is left to do now.
 * 3. The client takes no silence for an answer: it asks the next life again, with the same command.
 */
import type { Answer } from '../../src/actors/actor-kind.js';
import { isRejected } from '../../src/actors/actor.js';
import type { Rejected } from '../../src/actors/actor.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { Streams } from '../../src/events/streams.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { Unavailable } from '../../src/log/log-errors.js';
import type { EngineLog } from '../../src/log/open-log.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import type { SqliteEventLog } from '../../src/log/sqlite.event-log.js';
import { ReadStore } from '../../src/reading/read-store.js';
import type { AnyRunCommand } from '../../src/runs/run.commands.js';
import type { RunSnapshot } from '../../src/runs/run.draft.js';
import type { Stores } from '../../src/sluice.js';
import { SimulatedClock, turns } from '../../src/testing/simulated-clock.js';
import type { Fate } from './fate.js';
import { Life } from './life.js';
import { Traffic } from './traffic.js';

/** One call of a job's handler. */
export interface Call {
  readonly life: number;
  readonly runId: string;
  readonly stepId: string;
  readonly executionId: string;
  readonly attempt: number;
  /** By whom the claim in the log says that it may run, when it is called. */
  readonly claimedBy: 'this life' | 'another' | null;
}

/** A log that is elsewhere, with the streams in it that are the world's own. */
export interface LogElsewhere {
  readonly log: EngineLog;
  readonly namespace: string;
}

export interface WorldOptions {
  /** In place of the embedded log in memory. It is closed with the world. */
  readonly elsewhere?: LogElsewhere;
  /** Whether what a node appends is heard late, so that it looks at it before it is heard; not unless given. */
  readonly late?: boolean;
  readonly batches: readonly BatchDefinition[];
  readonly fate: Fate;
  readonly slots?: number;
  /** How long a node is away after its death. */
  readonly downMs?: number;
  /** Puts faulty parts in place of those that an engine is given. */
  readonly spoil?: (stores: Stores, life: Life) => Stores;
  /** What the client does with a command that was not answered, before it says it again. */
  readonly again?: (command: AnyRunCommand) => AnyRunCommand;
  /** Reports that are no more than what was done to the node. */
  readonly tolerated?: RegExp;
}

/** Turns of the event loop without anything at a border, after which nothing is left to do now. */
const QUIET_TURNS = 3;
const AGAIN_MS = 100;
/** Beyond it a run hangs. */
const LONG_MS = 48 * 60 * 60 * 1_000;

export class World {
  readonly clock = new SimulatedClock();
  readonly log: EngineLog & Partial<Pick<SqliteEventLog, 'limitPages'>>;
  readonly rows: ReadStore;
  readonly streams: Streams;
  readonly calls: Call[] = [];
  readonly acknowledged: { readonly command: AnyRunCommand; readonly position: string }[] = [];
  /** Everything that should not be. */
  readonly odd: string[] = [];
  readonly facts: StoredFact[] = [];
  readonly lives: Life[] = [];
  appends = 0;
  private readonly ofStream = new Map<string, StoredFact[]>();
  private stirred = 0;
  private readonly waiting = new Set<() => void>();
  private readonly ending = new AbortController();
  private readonly traffic: Traffic | undefined;

  constructor(readonly options: WorldOptions) {
    const { elsewhere } = options;
    this.traffic = elsewhere && new Traffic(elsewhere.log);
    this.log = this.traffic?.log ?? openSqliteLog({ directory: ':memory:', clock: this.clock });
    this.rows = ReadStore.open(':memory:', this.log.identity);
    this.streams = new Streams(elsewhere?.namespace);
  }

  get life(): Life | undefined {
    const last = this.lives.at(-1);
    return last?.alive === true ? last : undefined;
  }

  /** Something happened at a border. */
  stir(): void {
    this.stirred += 1;
  }

  counted(): number {
    return (this.appends += 1);
  }

  spoilt(stores: Stores, life: Life): Stores {
    return this.options.spoil?.(stores, life) ?? stores;
  }

  buried({ engine: { repairs, quarantined } }: Life): void {
    if (repairs() > 0) this.odd.push(`${repairs()} runs hung and were repaired.`);
    for (const [runId, why] of quarantined) this.odd.push(`Run ${runId} is left alone: ${why}`);
    this.clock.wakeAt(this.clock.now() + (this.options.downMs ?? 700), () => this.open());
  }

  runFacts(runId: string): readonly StoredFact[] {
    return this.ofStream.get(`${this.streams.prefix('run')}${runId}`) ?? [];
  }

  reported(what: string): void {
    if (this.options.tolerated?.test(what) !== true) this.odd.push(what);
  }

  /** Resolves when it holds. */
  when(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.waiting.delete(look);
        this.stir();
        resolve();
      };
      this.waiting.add(look);
    });
  }

  async ask(command: AnyRunCommand): Promise<Answer<RunSnapshot> | Rejected> {
    for (let said = command; ; said = this.options.again?.(said) ?? said) {
      await this.when(() => this.life?.started === true);
      const life = this.life!;
      const answer = await Promise.race([life.engine.runs.execute(said).catch(unavailable), life.death]);
      this.stir();
      if (answer === undefined) {
        if (life.alive) await this.clock.sleep(AGAIN_MS);
        continue;
      }
      if (!isRejected(answer)) this.acknowledged.push({ command: said, position: answer.position });
      return answer;
    }
  }

  /** Lives until the script has ended and everything has come to rest. @throws Error if it never does */
  async run(script: (world: World) => Promise<void>): Promise<void> {
    void this.listen();
    this.open();
    let fault: Error | undefined;
    let ended = false;
    script(this).then(() => (ended = true), (error: unknown) => {
      fault = error instanceof Error ? error : new Error(String(error));
      ended = true;
    });
    const until = this.clock.now() + LONG_MS;
    while (await this.quiet(), !ended || this.life?.started !== true) {
      if (this.woken()) continue;
      if (!this.clock.wakeNext(until)) throw new Error(`Nothing goes on any more.\n${this.odd.join('\n')}`);
    }
    if (fault !== undefined) throw fault;
    // Two looks of the repair, and whatever fires in vain.
    for (const end = this.clock.now() + 31_000; this.clock.wakeNext(end); ) await this.quiet();
    this.buriedAlive();
  }

  async close(): Promise<void> {
    for (const life of this.lives) life.end();
    this.ending.abort();
    await turns(1);
    await this.log.close();
    this.rows.close();
  }

  private buriedAlive(): void {
    const life = this.life;
    if (life === undefined) return;
    const { repairs, quarantined } = life.engine;
    if (repairs() > 0) this.odd.push(`${repairs()} runs hung and were repaired.`);
    for (const [runId, why] of quarantined) this.odd.push(`Run ${runId} is left alone: ${why}`);
  }

  private open(): void {
    const life = new Life(this, this.lives.length + 1, this.options.fate, this.options.slots ?? 4);
    this.lives.push(life);
    this.stir();
    life.start(this.options.batches);
  }

  private async listen(): Promise<void> {
    for await (const delivery of this.log.subscribe({ signal: this.ending.signal })) if (delivery.kind === 'facts') delivery.facts.forEach((fact) => this.heard(fact));
  }

  private heard(fact: StoredFact): void {
    this.facts.push(fact);
    const same = this.ofStream.get(fact.stream);
    if (same === undefined) this.ofStream.set(fact.stream, [fact]);
    else same.push(fact);
  }

  private async quiet(): Promise<void> {
    for (let before = -1; before !== this.stirred; ) {
      before = this.stirred;
      await turns(QUIET_TURNS);
      await this.traffic?.settled();
    }
  }

  private woken(): boolean {
    const before = this.stirred;
    for (const look of [...this.waiting]) look();
    return this.stirred !== before;
  }
}

function unavailable(error: unknown): undefined {
  if (!(error instanceof Unavailable)) throw error;
  return undefined;
}
