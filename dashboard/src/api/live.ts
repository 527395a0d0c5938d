/**
 * What happens, as it happens: one stream of messages for the whole page, read by a streaming fetch.
 *
 * 1. After a break it goes on from the last position that was told, so nothing is missed; and everything that is shown
 *    is read anew, because a break may have lasted.
 * 2. A connection that is silent for longer than the server's heartbeats allow is given up and made anew; one that the
 *    browser knows to be gone at once. When the browser is online again, it is tried at once.
 * 3. The state is shown: live, lost, or asked for every few seconds where the caller may not listen.
 */
import { DOORS, identityHeaders, seen } from './client';

export type Connection = { readonly state: 'connecting' | 'live' | 'polling' } | { readonly state: 'lost'; readonly since: number; readonly tries: number };
export interface LiveMessage {
  readonly event: string;
  readonly data: { readonly id?: string; readonly runId?: string };
}

/** The server says every 3 s that it is there. */
const SILENCE_MS = 8_000;
const POLL_MS = 4_000;
const SETTLED_MS = 1_000;
const LONGEST_WAIT_MS = 5_000;

/** `again`: ask what is shown once more. `everything`: there was a break. */
type Told = readonly LiveMessage[] | 'again' | 'everything';
type Listener = (told: Told) => void;

class Live {
  private connection: Connection = { state: 'connecting' };
  private readonly watchers = new Set<() => void>();
  private readonly listeners = new Set<Listener>();
  private waiting: LiveMessage[] = [];
  private flushing: number | undefined;
  private last = '';
  private started = false;

  readonly state = (): Connection => this.connection;

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    void this.run();
  }

  private set(connection: Connection): void {
    this.connection = connection;
    for (const watcher of this.watchers) watcher();
  }

  private tell(what: Told): void {
    for (const listener of this.listeners) listener(what);
  }

  private async run(): Promise<never> {
    for (let tries = 0; ; ) {
      try {
        await this.once(() => {
          tries = 0;
          const first = this.connection.state === 'connecting';
          this.set({ state: 'live' });
          // What the page asked meanwhile may be a little older than what is told from here on.
          if (first) window.setTimeout(() => this.tell('again'), SETTLED_MS);
          else this.tell('everything');
        });
      } catch (error) {
        if (error instanceof MayNotListen) {
          this.set({ state: 'polling' });
          await pause(POLL_MS);
          this.tell('again');
          continue;
        }
      }
      tries += 1;
      this.set({ state: 'lost', since: this.connection.state === 'lost' ? this.connection.since : Date.now(), tries });
      await pauseOrOnline(Math.min(LONGEST_WAIT_MS, 250 * 2 ** Math.min(tries, 6)));
    }
  }

  /** Ends when the connection does. */
  private async once(opened: () => void): Promise<void> {
    const ending = new AbortController();
    let silence = window.setTimeout(() => ending.abort(), SILENCE_MS);
    const gone = (): void => ending.abort();
    window.addEventListener('offline', gone);
    try {
      const headers = { ...identityHeaders(), accept: 'text/event-stream', ...(this.last !== '' && { 'last-event-id': this.last }) };
      const response = await fetch(`${DOORS}/live?topics=run,execution,approval,schedule,batch`, { headers, signal: ending.signal, cache: 'no-store' });
      if (response.status === 401 || response.status === 403) throw new MayNotListen();
      if (!response.ok || response.body === null) return;
      opened();
      let rest = '';
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        window.clearTimeout(silence);
        silence = window.setTimeout(() => ending.abort(), SILENCE_MS);
        const parts = (rest + value).split('\n\n');
        rest = parts.pop() ?? '';
        for (const part of parts) this.take(part);
      }
    } finally {
      window.clearTimeout(silence);
      window.removeEventListener('offline', gone);
      ending.abort();
    }
  }

  private take(text: string): void {
    const fields = new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()] as const));
    const [id, event, data] = [fields.get('id'), fields.get('event'), fields.get('data')];
    if (id !== undefined) {
      this.last = id;
      seen(id);
    }
    if (event === undefined || data === undefined) return;
    if (event === 'reset') return this.tell('everything');
    this.waiting.push({ event, data: JSON.parse(data) as LiveMessage['data'] });
    // What comes together is shown together; a storm is shown four times a second.
    this.flushing ??= window.setTimeout(() => {
      this.flushing = undefined;
      this.tell(this.waiting.splice(0));
    }, 250);
  }
}

class MayNotListen extends Error {}

const pause = (ms: number): Promise<void> => new Promise((resolve) => window.setTimeout(resolve, ms));

/** Shorter when the browser has come online again. */
export async function pauseOrOnline(ms: number): Promise<void> {
  const heard = new AbortController();
  await Promise.race([pause(ms), new Promise((resolve) => window.addEventListener('online', resolve, { signal: heard.signal }))]);
  heard.abort();
}

export const live = new Live();
