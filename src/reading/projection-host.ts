/**
 * ProjectionHost: feeds every projection with every fact, in order, and says how far it is.
 *
 * Owns: the subscription, the batches, who waits for which position, the rebuild of a build beside the active one.
 * Does not own: rows and checkpoints (read store), what becomes of a fact (projections). Talks to: the log's reader.
 *
 * 1. Rows and checkpoint of all active builds move in one transaction; nobody is told of a position before its commit.
 * 2. A fact that one projection can't take parks that stream for that projection alone, visibly; the rest goes on.
 * 3. A build from zero is strict, takes small steps beside the live one, and answers only when it stands where that one does.
 * 4. A checkpoint beyond the end of the log is another log's: nothing is started on it.
 * 5. While nobody asks, facts are gathered for a moment; whoever asks for rows or for a position finds them taken.
 */
import type { Clock } from '../clock.js';
import type { EventReader, StoredFact } from '../log/event-reader.js';
import { Unavailable } from '../log/log-errors.js';
import { GATHER, Gathering } from './gathering.js';
import { PayloadsInPlace } from './payloads-in-place.js';
import { PositionWaiters } from './position-waiters.js';
import type { Projection } from './projection.js';
import { Standings } from './projection-status.js';
import type { ProjectionStatus } from './projection-status.js';
import { Fenced, ReadStoreUnusable } from './read-errors.js';
import type { Build, ReadStore } from './read-store.js';
import { answeredTo } from './row-keeper.js';
import type { RowKeeper } from './row-keeper.js';

export interface HostOptions {
  readonly reader: EventReader;
  readonly store: ReadStore;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  /** Told what a person should know: parked streams, a build that failed, a subscription that broke. */
  readonly report: (message: string) => void;
  /** How many facts share a transaction, and how long more of them are waited for while nobody asks. */
  readonly gather?: { readonly most: number; readonly pauseMs: number };
  /** Told whenever something of `status`, `position` or `lagMs` is another. */
  readonly moved?: () => void;
}

/** Facts in one transaction while building beside the live one. */
const MOST_FACTS_BESIDE = 100;
const AGAIN_MS = 500;

export class ProjectionHost implements RowKeeper {
  private following: Build[] = [];
  private building: Build[] = [];
  private readonly standings: Standings;
  private readonly waiters: PositionWaiters;
  private readonly ending = new AbortController();
  private readonly gathered: Gathering;
  private readonly payloads: PayloadsInPlace;
  private hearing = new AbortController();
  private work: Promise<unknown> = Promise.resolve();
  private live = false;
  /** How far the subscription is. Builds from zero may be behind it. */
  private at = '';
  /** When the newest fact that is in the rows was recorded. */
  private seenAtMs: number;

  constructor(private readonly options: HostOptions) {
    this.seenAtMs = options.clock.now();
    this.standings = new Standings(options.clock);
    this.waiters = new PositionWaiters(options.clock);
    this.gathered = new Gathering(options.clock, options.gather ?? GATHER, () => this.settle());
    this.payloads = new PayloadsInPlace(options.reader, options.projections);
  }

  async start(): Promise<void> {
    const { reader, store, projections } = this.options;
    const head = await reader.head();
    const builds = store.builds(projections);
    const ahead = builds.find(({ position }) => position > head);
    if (ahead !== undefined) {
      throw new ReadStoreUnusable(`The rows of ${ahead.projection.name} are at ${ahead.position}, but the log ends at ${head || 'nothing'}: this is not the log they were made from. Move read.db away: it is made anew.`);
    }
    for (const projection of projections) if (!builds.some((build) => build.projection === projection)) builds.push(store.create(projection));
    for (const build of builds) for (const [stream, why] of store.parked(build)) this.standings.parkedOf(build).set(stream, why);
    this.following = builds.filter(({ state }) => state === 'active');
    this.building = builds.filter(({ state }) => state === 'building');
    this.at = this.following.length === 0 ? head : positionOf(this.following);
    this.work = Promise.all([this.follow(), ...this.building.map((build) => this.build(build))]);
  }

  async stop(): Promise<void> {
    this.settle();
    this.ending.abort();
    await this.work;
    this.waiters.end();
  }

  position(): string {
    return positionOf([...this.following, ...this.building]);
  }

  lagMs(): number {
    return this.live && this.position() >= this.at ? 0 : Math.max(0, this.options.clock.now() - this.seenAtMs);
  }

  get caughtUp(): boolean {
    return this.live;
  }

  /** When the newest fact that is in the rows was recorded. */
  get newestAtMs(): number {
    return this.seenAtMs;
  }

  waitFor(position: string, timeoutMs: number): Promise<boolean> {
    if (this.position() < position) this.settle();
    if (this.position() >= position) return Promise.resolve(true);
    if (timeoutMs <= 0 || this.ending.signal.aborted) return Promise.resolve(false);
    return this.waiters.wait(position, timeoutMs);
  }

  async taken(): Promise<void> {
    this.settle();
  }

  status(): readonly ProjectionStatus[] {
    return [...this.following, ...this.building].map((build) => this.standings.statusOf(build, this.live));
  }

  /** Resolves when the rows that were made anew answer. @throws what a fact threw that could not become rows: those that answer stay as they are */
  async rebuild(name: string): Promise<void> {
    const projection = this.options.projections.find((one) => one.name === name);
    if (projection === undefined) throw new RangeError(`There is no projection ${name}.`);
    if (this.building.some((build) => build.projection === projection)) throw new RangeError(`Projection ${name} is being rebuilt.`);
    this.standings.fault(name, undefined);
    const build = this.options.store.create(projection);
    this.building.push(build);
    const work = this.build(build);
    this.told();
    this.work = Promise.all([this.work, work]);
    await work;
    const why = this.standings.faultOf(name);
    if (why !== undefined) throw new Error(why);
  }

  async beginRebuild(name: string): Promise<void> {
    void this.rebuild(name).catch(() => undefined);
  }

  /** Takes what was gathered, so that the rows hold all that was heard. What goes wrong is told, and heard again before anything after it. */
  settle(): void {
    if (this.hearing.signal.aborted) return this.gathered.drop();
    try {
      for (const part of this.gathered.parts()) this.take(part);
    } catch (error) {
      this.hearing.abort(error);
    }
  }

  private async follow(): Promise<void> {
    while (!this.ending.signal.aborted) {
      try {
        await this.hear();
      } catch (error) {
        this.live = false;
        if (error instanceof Fenced) return this.options.report(error.message);
        this.options.report(`The read side could not go on: ${messageOf(error)}. It tries again.`);
        await this.options.clock.sleep(AGAIN_MS, this.ending.signal).catch(() => undefined);
      }
    }
  }

  private async hear(): Promise<void> {
    this.gathered.drop();
    const hearing = (this.hearing = new AbortController());
    const signal = AbortSignal.any([this.ending.signal, hearing.signal]);
    for await (const delivery of this.options.reader.subscribe({ after: this.at || undefined, signal })) {
      if (delivery.kind === 'facts') this.gathered.add(await this.payloads.of(delivery.facts), !this.live || this.waiters.some);
      // A checkpoint may lie beyond our last fact, where the next start would take the rows for those of another log.
      else if (delivery.kind === 'caughtUp') this.move(delivery.position);
      hearing.signal.throwIfAborted();
      if (delivery.kind !== 'caughtUp') continue;
      this.live = true;
      this.told();
    }
    hearing.signal.throwIfAborted();
    if (!this.ending.signal.aborted) throw new Unavailable('The subscription ended.');
  }

  private take(facts: readonly StoredFact[]): void {
    const last = facts.at(-1);
    if (last === undefined) return;
    const { store } = this.options;
    // A build that has seen all before takes part: it gets there however fast facts come.
    const ready = this.building.filter(({ position }) => position >= this.at);
    this.following = store.transaction(() => this.following.map((build) => this.feed(build, facts, last.position)));
    this.at = last.position;
    for (const build of ready) this.join(build, facts, last.position);
    this.seenAtMs = Date.parse(last.recordedAt);
    this.swap();
  }

  private move(position: string): void {
    this.settle();
    if (this.hearing.signal.aborted || position <= this.at) return;
    this.at = position;
    this.following = this.options.store.transaction(() => this.following.map((build) => (build.position < position ? this.options.store.advance(build, position) : build)));
    this.told();
  }

  private join(build: Build, facts: readonly StoredFact[], to: string): void {
    try {
      this.keep(this.options.store.transaction(() => this.feed(build, facts, to)));
    } catch (error) {
      this.giveUp(build, error);
    }
  }

  private feed(build: Build, facts: readonly StoredFact[], to: string): Build {
    if (to <= build.position) return build;
    const { store } = this.options;
    const rows = store.buffer(build);
    const parked = this.standings.parkedOf(build);
    for (const fact of facts) {
      if (fact.position <= build.position || parked.has(fact.stream)) continue;
      try {
        rows.whole(() => build.projection.apply(fact, rows));
      } catch (error) {
        if (build.state === 'building') throw error;
        const why = { position: fact.position, reason: messageOf(error) };
        store.park(build, fact.stream, why.position, why.reason);
        parked.set(fact.stream, why);
        this.options.report(`Projection ${build.projection.name} has parked stream ${fact.stream} at ${fact.position}: ${why.reason}`);
      }
    }
    rows.flush();
    this.standings.took(build, facts.length);
    return store.advance(build, to);
  }

  private async build({ number, projection }: Build): Promise<void> {
    const { store, reader } = this.options;
    const current = (): Build | undefined => this.building.find((one) => one.number === number);
    try {
      for (let build = current(); build !== undefined && !this.ending.signal.aborted; build = current()) {
        for await (const page of reader.readAll({ after: build.position || undefined })) {
          for (let from = 0; from < page.length && !this.ending.signal.aborted; from += MOST_FACTS_BESIDE) {
            const facts = await this.payloads.of(page.slice(from, from + MOST_FACTS_BESIDE));
            const now = current();
            if (now === undefined) return;
            this.keep(store.transaction(() => this.feed(now, facts, facts.at(-1)!.position)));
            await nextTurn();
          }
        }
        this.settle();
        this.swap();
        await nextTurn();
      }
    } catch (error) {
      this.giveUp({ number, projection }, error);
    }
  }

  private giveUp({ number, projection }: Pick<Build, 'number' | 'projection'>, error: unknown): void {
    const why = `Projection ${projection.name} could not be rebuilt: ${messageOf(error)}. The rows that answer stay as they are.`;
    this.standings.fault(projection.name, why);
    this.building = this.building.filter((one) => one.number !== number);
    this.options.store.discard(number);
    this.options.report(why);
    this.told();
  }

  private keep(build: Build): void {
    this.building = this.building.map((one) => (one.number === build.number ? build : one));
  }

  /** Whatever stands where the one that answers stands answers from here on. */
  private swap(): void {
    for (const build of this.building.filter(({ position }) => position === this.at)) {
      const active = this.options.store.activate(build);
      this.building = this.building.filter(({ number }) => number !== build.number);
      this.following = [...this.following.filter(({ projection }) => projection.name !== build.projection.name), active];
      this.standings.fault(build.projection.name, undefined);
    }
    this.told();
  }

  private told(): void {
    this.waiters.reached(this.position());
    this.options.moved?.();
  }
}

function positionOf(builds: readonly Build[]): string {
  return answeredTo(builds.map(({ projection: { name }, state, position }) => ({ name, state, position })));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Lets requests in between two steps. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
