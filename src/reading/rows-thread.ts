/**
 * RowsThread: rows made in a thread of their own, so that the one that decides and answers is not held up by them.
 *
 * Owns: that thread, its end and its return, the word that there is something new. Does not own: rows and checkpoints
 * (the projection host in that thread), the log. Talks to: the thread, by messages; `read.db`, by reading.
 *
 * 1. The thread reads the log by itself: nothing but what is committed becomes rows. Where hearing it twice would cost a
 *    server as much as it saves, what is heard here is handed over, as far as the thread keeps up.
 * 2. What was asked for by `waitFor` or `taken` is not waited for longer than it takes to make it.
 * 3. A thread that dies is begun again where its checkpoint stands; who waits on it is told that it did not get there.
 */
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.js';
import type { EventReader } from '../log/event-reader.js';
import { HandOver } from './hand-over.js';
import type { Handed } from './handed.codec.js';
import type { ProjectionStatus } from './projection-status.js';
import { ReadStoreUnusable } from './read-errors.js';
import type { RowKeeper } from './row-keeper.js';
import type { RowReader } from './row-reader.js';

/** What the thread is told. */
export type ToRows =
  | { readonly kind: 'news' }
  | { readonly kind: 'handed'; readonly handed: Handed }
  | { readonly kind: 'wait'; readonly ask: number; readonly position: string; readonly timeoutMs: number }
  | { readonly kind: 'rebuild'; readonly ask: number; readonly name: string }
  | { readonly kind: 'stop' };

/** What it tells. */
export type FromRows =
  | { readonly kind: 'started' }
  | { readonly kind: 'unusable'; readonly why: string }
  | { readonly kind: 'answer'; readonly ask: number; readonly reached: boolean }
  | { readonly kind: 'took'; readonly characters: number }
  | { readonly kind: 'report'; readonly message: string }
  | ({ readonly kind: 'standing' } & RowsStanding);

export interface RowsStanding {
  readonly live: boolean;
  /** When the newest fact that is in the rows was recorded. */
  readonly newestAtMs: number;
  readonly status: readonly ProjectionStatus[];
}

export interface RowsThreadOptions {
  readonly reader: EventReader;
  readonly rows: RowReader;
  readonly clock: Clock;
  readonly report: (message: string) => void;
  /** What is heard is handed over. Else the thread is told that there is something new. */
  readonly handsOver: boolean;
  /** Begins the thread. */
  readonly begin: () => Worker;
}

const AGAIN_MS = 500;
/** How long more facts are waited for while nobody asks, so that a row which several of them change is written once. */
const PAUSE_MS = 200;
/** Rows that are further behind are not waited for by who did not ask for a position. */
const TAKEN_WAIT_MS = 250;
const STOP_WAIT_MS = 2_000;

export class RowsThread implements RowKeeper {
  private thread: Worker | undefined;
  private standing: RowsStanding;
  private readonly asked = new Map<number, (reached: boolean) => void>();
  private asks = 0;
  private heard = '';
  private handOver: HandOver | undefined;
  private news: (() => void) | undefined;
  private readonly ending = new AbortController();
  private listening: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(private readonly options: RowsThreadOptions) {
    this.standing = { live: false, newestAtMs: options.clock.now(), status: [] };
  }

  async start(): Promise<void> {
    const { reader, handsOver } = this.options;
    const from = await reader.head();
    if (handsOver) this.handOver = new HandOver(from);
    await this.begin();
    this.listening = this.listen(from);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.ending.abort();
    this.news?.();
    await this.listening;
    const { thread } = this;
    if (thread === undefined) return;
    await this.waitFor(this.heard, STOP_WAIT_MS);
    thread.ref();
    const ended = new Promise((resolve) => thread.once('exit', resolve));
    this.tell({ kind: 'stop' });
    await ended;
  }

  position(): string {
    return this.options.rows.position();
  }

  lagMs(): number {
    return this.standing.live && this.position() >= this.heard ? 0 : Math.max(0, this.options.clock.now() - this.standing.newestAtMs);
  }

  get caughtUp(): boolean {
    return this.standing.live;
  }

  waitFor(position: string, timeoutMs: number): Promise<boolean> {
    if (this.position() >= position) return Promise.resolve(true);
    if (timeoutMs <= 0) return Promise.resolve(false);
    this.say();
    return this.ask((ask) => ({ kind: 'wait', ask, position, timeoutMs }));
  }

  settle(): void {
    // What was heard is in the rows of another thread: `taken` and `waitFor` wait for it.
  }

  async taken(): Promise<void> {
    if (this.standing.live) await this.waitFor(this.handOver === undefined ? await this.options.reader.head() : this.heard, TAKEN_WAIT_MS);
  }

  status(): readonly ProjectionStatus[] {
    return this.standing.status;
  }

  async beginRebuild(name: string): Promise<void> {
    await this.ask((ask) => ({ kind: 'rebuild', ask, name }));
  }

  private ask(question: (ask: number) => ToRows): Promise<boolean> {
    if (this.thread === undefined) return Promise.resolve(false);
    const ask = (this.asks += 1);
    // Who waits for it may be all that keeps the process from ending.
    this.thread.ref();
    return new Promise((resolve) => {
      this.asked.set(ask, resolve);
      this.tell(question(ask));
    });
  }

  private tell(message: ToRows): void {
    this.thread?.postMessage(message);
  }

  /** Resolves when the thread has taken up what was left. */
  private begin(): Promise<void> {
    const thread = (this.thread = this.options.begin());
    return new Promise((resolve, reject) => {
      let why: Error = new Error('The thread of the rows ended before it had begun.');
      let begun = false;
      thread.on('message', (message: FromRows) => {
        // What is asked from here on is answered of what it has written by now.
        this.options.rows.renew();
        if (message.kind === 'started') {
          begun = true;
          this.letGo();
          resolve();
        } else if (message.kind === 'unusable') why = new ReadStoreUnusable(message.why);
        else this.take(message);
      });
      thread.on('error', (error) => (why = error instanceof Error ? error : new Error(String(error))));
      thread.once('exit', () => {
        this.thread = undefined;
        this.handOver?.forget();
        for (const answer of this.asked.values()) answer(false);
        this.asked.clear();
        if (begun) this.beginAgain(why);
        else reject(why);
      });
    });
  }

  private take(message: Exclude<FromRows, { kind: 'started' | 'unusable' }>): void {
    if (message.kind === 'standing') this.standing = message;
    else if (message.kind === 'took') this.handOver?.took(message.characters);
    else if (message.kind === 'report') this.options.report(message.message);
    else {
      this.asked.get(message.ask)?.(message.reached);
      this.asked.delete(message.ask);
      this.letGo();
    }
  }

  /** Nobody waits for the thread: the process may end. */
  private letGo(): void {
    if (this.asked.size === 0) this.thread?.unref();
  }

  private beginAgain(why: Error): void {
    if (this.stopping) return;
    this.standing = { ...this.standing, live: false };
    this.options.report(`The thread of the rows ended: ${why.message} It is begun again.`);
    this.options.clock.wakeAt(this.options.clock.now() + AGAIN_MS, () => {
      if (!this.stopping) this.begin().catch((error: unknown) => this.beginAgain(error instanceof Error ? error : new Error(String(error))));
    });
  }

  /** Hears of every commit, and says so once for all that come within a moment; at once if somebody waits. */
  private async listen(from: string): Promise<void> {
    const { reader, clock } = this.options;
    for await (const delivery of reader.subscribe({ after: from || undefined, signal: this.ending.signal })) {
      if (delivery.kind !== 'facts') continue;
      this.heard = delivery.facts.at(-1)!.position;
      this.handOver?.add(delivery.facts);
      if (this.asked.size > 0) this.say();
      else this.news ??= clock.wakeAt(clock.now() + PAUSE_MS, () => this.say());
    }
  }

  private say(): void {
    this.news?.();
    this.news = undefined;
    const handed = this.handOver === undefined ? 'news' : this.handOver.take();
    if (handed !== undefined) this.tell(handed === 'news' ? { kind: 'news' } : { kind: 'handed', handed });
  }
}
