import { describe, expect, it } from '@jest/globals';
import { serverEvents, type ServerEvent } from './event-stream.js';

async function read(...pieces: readonly string[]): Promise<ServerEvent[]> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield Buffer.from(piece, 'latin1');
  }
  const events: ServerEvent[] = [];
  for await (const event of serverEvents(bytes())) events.push(event);
  return events;
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('An event stream', () => {
  it('is read in whole messages with their ids', async () => {
    expect(await read('id: 7\nevent: run\ndata: {"a":1}\n\n: still here\n\ndata:x\ndata: y\n\n')).toEqual([
      { event: 'run', data: '{"a":1}', id: '7' },
      { event: 'message', data: 'x\ny', id: '7' },
    ]);
  });

  it('may come in any pieces and with any line breaks', async () => {
    const text = latin1('id: 1\r\nevent: run\r\ndata: zoë ✓\r\n\r\nevent: b\rdata: 2\r\r');
    const expected = [{ event: 'run', data: 'zoë ✓', id: '1' }, { event: 'b', data: '2', id: '1' }];
    expect(await read(text, '\n')).toEqual(expected);
    expect(await read(...text, '\n')).toEqual(expected);
  });

  it('that breaks off loses the message that is not whole', async () => {
    expect(await read('data: 1\n\ndata: 2\n')).toEqual([{ event: 'message', data: '1', id: undefined }]);
  });
});
