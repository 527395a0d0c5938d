/**
 * Hearing: what the log tells from some moment on, as it is told to listeners, and the newest of it kept for them.
 *
 * Owns: a subscription, what was told lately, who waits for more. Does not own: listeners, rows. Talks to: the log's reader.
 *
 * 1. What has come meanwhile is told together; a row that it changed twice, once.
 * 2. What is kept is bounded: who wants what came before reads the log.
 * 3. Over is over: whoever hears that begins another one.
 */
import { eventText } from '../http/sse.js';
import type { Delivery, EventReader, StoredFact, StreamFilter } from '../log/event-reader.js';
import type { Audience, LiveMessage } from './live.messages.js';

/** What is told in one go, so that the first of it does not wait for long. */
const MOST_FACTS = 500;
const KEPT_CHARACTERS = 4 * 1024 * 1024;

/** What was told of one stretch of the log. */
export class Telling {
  readonly characters: number;
  /** Written once an audience. */
  private readonly texts = new Map<string, Buffer | undefined>();

  /** @param messages undefined if the rows did not get there in time: whoever listens is to read anew */
  constructor(readonly after: string, readonly position: string, private readonly messages: readonly LiveMessage[] | undefined) {
    this.characters = (messages ?? []).reduce((sum, { text }) => sum + text.length, 0);
  }

  /** What somebody hears who has heard everything up to `heard`; its last message carries the position. Undefined: nothing. */
  textFor(audience: Audience, heard: string): Uint8Array | undefined {
    if (heard > this.after) return this.write(audience, heard);
    const key = `${audience.run ?? ''} ${[...audience.topics].sort().join()}`;
    if (!this.texts.has(key)) this.texts.set(key, this.write(audience, heard));
    return this.texts.get(key);
  }

  private write({ topics, run }: Audience, heard: string): Buffer | undefined {
    if (this.messages === undefined) return Buffer.from(eventText({ id: this.position, event: 'reset', data: { position: this.position } }));
    const wanted = this.messages.filter((message) => message.position > heard && topics.has(message.topic) && (run === undefined || message.run === run));
    const last = wanted.at(-1);
    if (last === undefined) return undefined;
    return Buffer.from(`${wanted.slice(0, -1).map(({ text }) => text).join('')}id: ${this.position}\n${last.text}`);
  }
}

export class Hearing {
  /** Resolves when what comes is kept. */
  readonly begun: Promise<void>;
  /** Everything after this is kept or to come. */
  keptAfter = '';
  isOver = false;
  /** How many there are who have begun and not left. */
  listeners = 0;
  /** What has ended it, if it was not asked to end. */
  fault: Error | undefined;
  private readonly kept: Telling[] = [];
  private characters = 0;
  private readonly ending = new AbortController();
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly reader: EventReader,
    private readonly filter: StreamFilter,
    private readonly tellingOf: (after: string, facts: readonly StoredFact[]) => Promise<Telling>,
    private readonly over: () => void,
  ) {
    this.begun = new Promise((begun) => {
      this.run(begun).then(() => this.finish(), (fault: unknown) => this.finish(fault instanceof Error ? fault : new Error(String(fault)))).finally(begun);
    });
  }

  tellingAfter(at: string): Telling | undefined {
    const first = this.kept.findLastIndex(({ position }) => position <= at);
    return this.kept[first + 1];
  }

  /** Resolves when there may be more, at the latest at the signal. */
  more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.waiting.delete(go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      this.waiting.add(go);
      signal.addEventListener('abort', go, { once: true });
      if (signal.aborted || this.isOver) go();
    });
  }

  end(): void {
    this.ending.abort();
  }

  private async run(begun: () => void): Promise<void> {
    this.keptAfter = await this.reader.head();
    begun();
    let at = this.keptAfter;
    for await (const facts of together(this.reader.subscribe({ after: at || undefined, filter: this.filter, signal: this.ending.signal }))) {
      const telling = await this.tellingOf(at, facts);
      at = telling.position;
      this.keep(telling);
      this.wake();
    }
  }

  private keep(telling: Telling): void {
    this.kept.push(telling);
    this.characters += telling.characters;
    while (this.characters > KEPT_CHARACTERS && this.kept.length > 1) {
      const { position, characters } = this.kept.shift()!;
      this.keptAfter = position;
      this.characters -= characters;
    }
  }

  private finish(fault?: Error): void {
    this.isOver = true;
    this.fault = fault;
    this.over();
    this.wake();
  }

  private wake(): void {
    for (const go of [...this.waiting]) go();
  }
}

/** What is there already comes in one piece; nothing is waited for. */
async function* together(deliveries: AsyncIterable<Delivery>): AsyncGenerator<readonly StoredFact[]> {
  const iterator = deliveries[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<Delivery, unknown>> => {
    const coming = iterator.next();
    // It may fail while nobody looks yet: whoever looks then hears it.
    coming.catch(() => undefined);
    return coming;
  };
  for (let coming = next(); ; ) {
    const facts: StoredFact[] = [];
    for (let come: IteratorResult<Delivery, unknown> | undefined = await coming; come !== undefined; ) {
      if (come.done === true) return;
      if (come.value.kind === 'facts') facts.push(...come.value.facts);
      coming = next();
      come = facts.length < MOST_FACTS ? await Promise.race([coming, nextTurn()]) : undefined;
    }
    if (facts.length > 0) yield facts;
  }
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(() => resolve(undefined)));
}
