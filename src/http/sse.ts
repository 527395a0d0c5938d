/**
 * The event stream: server-sent events to one listener.
 *
 * Owns: the raw response from the first byte on, heartbeats, back-pressure. Does not own: what is told.
 * Talks to: Node's response, the clock.
 *
 * 1. A message is whole or not there: none is written after the end.
 * 2. `send` resolves when the listener can take more, so that a slow one holds no queue of ours.
 * 3. Who takes nothing for half a minute is let go, and comes back to the place of the last message that it has read.
 */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.js';
import { GUARDED } from './page-files.js';

/** Short, so that a listener on a network that has gone silent knows within seconds. */
const HEARTBEAT_MS = 3_000;

const PATIENCE_MS = 30_000;

export interface StreamMessage {
  /** Where to resume after it. */
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

/** Fastify's reply, which is told to keep its hands off, or Express's response, which is Node's own. */
export type StreamableResponse = ServerResponse | { readonly raw: ServerResponse; hijack(): unknown };

export class EventStream {
  private readonly ended = new AbortController();
  private readonly raw: ServerResponse;
  private cancelHeartbeat: () => void = () => undefined;

  constructor(
    response: StreamableResponse,
    private readonly clock: Pick<Clock, 'now' | 'wakeAt'>,
    private readonly heartbeatMs = HEARTBEAT_MS,
  ) {
    this.raw = 'hijack' in response ? response.raw : response;
    if ('hijack' in response) response.hijack();
    this.raw.once('close', () => this.stop());
    this.raw.on('error', () => this.stop());
    // Nobody asks again on this connection, and a server that closes does not wait for it.
    this.raw.shouldKeepAlive = false;
    this.raw.writeHead(200, {
      ...GUARDED,
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    this.raw.flushHeaders();
    this.armHeartbeat();
    if (this.raw.destroyed) this.stop();
  }

  /** Aborted when the listener has gone or the stream was closed. */
  get signal(): AbortSignal {
    return this.ended.signal;
  }

  /** False if the listener has gone. */
  send(message: StreamMessage): Promise<boolean> {
    return this.write(eventText(message));
  }

  close(): void {
    this.stop();
    this.raw.end();
  }

  /** Whole messages, as they are written to many. False if the listener has gone. */
  async write(text: string | Uint8Array): Promise<boolean> {
    if (this.signal.aborted) return false;
    if (this.raw.write(text)) return true;
    await new Promise<void>((resolve) => {
      const takeBack = this.clock.wakeAt(this.clock.now() + PATIENCE_MS, () => this.letGo());
      const go = (): void => {
        takeBack();
        this.raw.off('drain', go);
        this.signal.removeEventListener('abort', go);
        resolve();
      };
      this.raw.once('drain', go);
      this.signal.addEventListener('abort', go, { once: true });
    });
    return !this.signal.aborted;
  }

  private letGo(): void {
    this.stop();
    this.raw.destroy();
  }

  private armHeartbeat(): void {
    this.cancelHeartbeat = this.clock.wakeAt(this.clock.now() + this.heartbeatMs, () => {
      if (!this.raw.writableNeedDrain) this.raw.write(': still here\n\n');
      this.armHeartbeat();
    });
  }

  private stop(): void {
    this.cancelHeartbeat();
    this.ended.abort();
  }
}

/** A message as it stands in the stream. */
export function eventText({ id, event, data }: StreamMessage): string {
  const lines = [...(id === undefined ? [] : [`id: ${oneLine(id)}`]), `event: ${oneLine(event)}`, `data: ${JSON.stringify(data)}`];
  return `${lines.join('\n')}\n\n`;
}

function oneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new RangeError('A line of an event stream holds no line breaks.');
  return text;
}
