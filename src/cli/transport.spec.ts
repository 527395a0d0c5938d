import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Clock } from '../clock.js';
import { connectionOf } from './connection.js';
import { Transport } from './transport.js';

/** Time that stands still until a test lets what waits wake up. */
class StandingClock implements Clock {
  readonly waiting = new Map<() => void, number>();

  now(): number {
    return 0;
  }

  elapsed(): number {
    return 0;
  }

  wakeAt(atMs: number, wake: () => void): () => void {
    this.waiting.set(wake, atMs);
    return () => void this.waiting.delete(wake);
  }

  async sleep(): Promise<void> {
    throw new Error('Nothing is to be waited for here.');
  }

  pass(): void {
    for (const wake of this.waiting.keys()) wake();
  }
}

let server: Server;
let url = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/live') response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
    else if (request.url === '/quick') response.end('"here"');
    else server.emit('asked');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function transport(): { readonly clock: StandingClock; readonly transport: Transport } {
  const clock = new StandingClock();
  return { clock, transport: new Transport(connectionOf({ url }, {}), clock) };
}

describe('A request', () => {
  it.each([['POST', /no answer in 60 s\. What was asked may have been done/], ['GET', /no answer in 60 s\.$/]])(
    'that is taken and not answered is given up on: %s',
    async (method, message) => {
      const { clock, transport: asking } = transport();
      const asked = once(server, 'asked');
      const sent = asking.send(method, `${url}/silent`);
      const told = expect(sent).rejects.toThrow(message);
      await asked;
      clock.pass();
      await told;
    },
  );

  it('that finds nobody is not tried again', async () => {
    const gone = createServer();
    gone.listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const address = gone.address();
    gone.close();
    await once(gone, 'close');
    const nowhere = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    await expect(new Transport(connectionOf({ url: nowhere }, {}), new StandingClock()).send('GET', nowhere)).rejects.toThrow(/No server answers/);
  });

  it('leaves no timer behind', async () => {
    const { clock, transport: asking } = transport();
    expect((await asking.send('GET', `${url}/quick`)).text).toBe('"here"');
    expect(clock.waiting.size).toBe(0);
  });
});

describe('A stream', () => {
  it('that shows no sign of life is given up on', async () => {
    const { clock, transport: asking } = transport();
    const { bytes, beat } = await asking.stream(`${url}/live`, {}, new AbortController().signal);
    const read = async (): Promise<void> => {
      for await (const piece of bytes) {
        expect(Buffer.from(piece).toString()).toBe(': hello\n\n');
        beat();
        expect([...clock.waiting.values()]).toEqual([15_000]);
        clock.pass();
      }
    };
    await expect(read()).rejects.toThrow(/abort/);
  });

  it('ends with its listener, and leaves no timer behind', async () => {
    const { clock, transport: asking } = transport();
    const { bytes, beat } = await asking.stream(`${url}/live`, {}, new AbortController().signal);
    for await (const _ of bytes) break;
    beat();
    expect(clock.waiting.size).toBe(0);
  });

  it('is none where the answer is something else', async () => {
    await expect(transport().transport.stream(`${url}/quick`, {}, new AbortController().signal)).rejects.toThrow(/no stream/);
  });
});
