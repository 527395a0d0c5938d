/** The live stream: what happens as it happens, and going on where one was. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { beforeAll, expect, it } from '@jest/globals';
import { expectProblem, gate, House, type Listed, onBoth, work } from './house.js';

interface Message {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: { readonly id: string; readonly name?: string; readonly runId?: string; readonly status?: string; readonly state?: string; readonly position?: string };
}

/** A listener that reads with a streaming fetch. */
class Listener {
  readonly messages: Message[] = [];
  private readonly decoder = new TextDecoder();
  private text = '';
  private constructor(private readonly reader: ReadableStreamDefaultReader<Uint8Array>, private readonly ending: AbortController, readonly headers: Headers) {}

  static async at(h: House, query = '', headers: Readonly<Record<string, string>> = {}): Promise<Listener> {
    const ending = new AbortController();
    const response = await fetch(`${h.url}/live${query}`, { headers, signal: ending.signal });
    if (response.status !== 200 || response.body === null) throw new Error(`GET /live was answered with ${response.status}: ${await response.text()}`);
    return new Listener(response.body.getReader(), ending, response.headers);
  }

  get lastId(): string {
    return this.messages.findLast(({ id }) => id !== undefined)?.id ?? '';
  }

  /** Reads until a message is right. */
  async until(right: (message: Message) => boolean): Promise<Message> {
    let looked = 0;
    for (;;) {
      const found = this.messages.slice(looked).find(right);
      if (found !== undefined) return found;
      looked = this.messages.length;
      if (!(await this.more())) throw new Error(`The stream ended without it: ${JSON.stringify(this.messages).slice(0, 1_000)}`);
    }
  }

  /** False at the end of the stream. Several messages may come at once. */
  async more(): Promise<boolean> {
    const known = this.messages.length;
    while (this.messages.length === known) {
      const { done, value } = await this.reader.read();
      if (done) return false;
      this.text += this.decoder.decode(value, { stream: true });
      const parts = this.text.split('\n\n');
      this.text = parts.pop() ?? '';
      this.messages.push(...parts.filter((part) => !part.startsWith(':')).map(parsed));
    }
    return true;
  }

  async leave(): Promise<void> {
    this.ending.abort();
    await this.reader.read().catch(() => undefined);
  }
}

function parsed(part: string): Message {
  const lines = new Map(part.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
  return { id: lines.get('id'), event: lines.get('event') ?? '', data: JSON.parse(lines.get('data') ?? 'null') };
}

/** A connection of its own, once the stream has begun. */
function listenRawly(h: House): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(h.url).port), '127.0.0.1', () => socket.write('GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'));
    socket.once('data', () => resolve(socket)).once('error', reject);
  });
}

function connectionsOf({ app }: House): Promise<number> {
  const server: unknown = app.getHttpServer();
  if (!(server instanceof Server)) throw new Error('No server of Node listens.');
  return new Promise((resolve, reject) => server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))));
}

onBoth('The live stream', (house) => {
  let h: House;
  beforeAll(async () => {
    h = house();
    await h.define({ name: 'quick', steps: [work('a'), work('b')] });
    await h.define({ name: 'gated', steps: [work('a'), gate('ok')] });
  });
  const headOf = async (): Promise<string> => (await h.read<Listed<unknown>>('/runs?limit=1')).asOf.position;
  const ended = (runId: string) => (message: Message) => message.event === 'run' && message.data.id === runId && message.data.status === 'completed';

  it('tells of runs, executions and approvals with the rows as they are then', async () => {
    const listener = await Listener.at(h);
    expect(listener.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(listener.headers.get('cache-control')).toContain('no-cache');
    const runId = await h.start('gated');
    const parked = await listener.until(({ event, data }) => event === 'run' && data.id === runId && data.status === 'parked');
    const { id: approvalId } = (await listener.until(({ event, data }) => event === 'approval' && data.runId === runId)).data;
    expect(listener.messages.some(({ event, data }) => event === 'execution' && data.runId === runId && data.status === 'succeeded')).toBe(true);
    expect((await h.read<{ items: object[] }>(`/approvals?run=${runId}`)).items[0]).toMatchObject({ id: approvalId });
    expect((await h.read<Listed<{ id: string }>>(`/runs?batch=gated&atLeast=${parked.id ?? ''}`)).items.find(({ id }) => id === runId)).toEqual(parked.data);
    await h.post(`/approvals/${approvalId}/approve`, {}, { roles: 'boss' });
    await listener.until(ended(runId));
    expect(listener.messages.some(({ event, data }) => event === 'approval' && data.state === 'decided')).toBe(true);
    expect(new Set(listener.messages.map(({ event }) => event))).toEqual(new Set(['run', 'execution', 'approval']));
    await listener.leave();
  });

  it('what is heard can be read at once, at the position that it carries', async () => {
    const listener = await Listener.at(h, '?topics=run');
    const runId = await h.start('quick');
    const heard = await listener.until(ended(runId));
    expect(heard.id).toMatch(/^\d+$/);
    expect(await h.read(`/runs/${runId}`)).toMatchObject({ status: 'completed' });
    const positions = listener.messages.flatMap(({ id }) => id ?? []);
    expect(positions).toEqual([...new Set(positions)].sort());
    await listener.leave();
  });

  it('resumed after any of its ids it leaves nothing out, while more goes on', async () => {
    const first = await Listener.at(h, '?topics=run');
    const runs = [await h.start('quick'), await h.start('quick')];
    for (const runId of runs) await first.until(ended(runId));
    await first.leave();
    const more = Promise.all(Array.from({ length: 5 }, () => h.start('quick')));
    for (const id of first.messages.flatMap((message) => message.id ?? [])) {
      const again = await Listener.at(h, '?topics=run', { 'last-event-id': id });
      for (const runId of await more) await again.until(ended(runId));
      const missed = first.messages.slice(first.messages.findIndex((message) => message.id === id) + 1).map(({ data }) => data.id);
      const told = new Set(again.messages.map(({ data }) => data.id));
      expect(missed.filter((runId) => !told.has(runId))).toEqual([]);
      expect(again.messages.flatMap((message) => message.id ?? []).every((later) => later > id)).toBe(true);
      expect(again.messages.map(({ event }) => event)).not.toContain('reset');
      await again.leave();
    }
  });

  it('takes `after` as well, and Last-Event-ID before it', async () => {
    const head = await headOf();
    const runId = await h.start('quick');
    await h.runIn(runId, 'completed');
    const after = await Listener.at(h, `?topics=run&after=${head}`);
    expect((await after.until(ended(runId))).data.id).toBe(runId);
    await after.leave();
    const both = await Listener.at(h, `?topics=run&after=${head}`, { 'last-event-id': await headOf() });
    const next = await h.start('quick');
    await both.until(ended(next));
    expect(both.messages.map(({ data }) => data.id)).not.toContain(runId);
    await both.leave();
  });

  it('after the very beginning it tells everything', async () => {
    const [newest] = (await h.read<Listed<{ id: string; status: string }>>('/runs?limit=1&status=completed')).items;
    const listener = await Listener.at(h, '?after=&topics=run');
    await listener.until(ended(newest?.id ?? ''));
    const { total } = await h.read<Listed<unknown>>('/runs');
    expect(new Set(listener.messages.map(({ data }) => data.id)).size).toBe(total);
    await listener.leave();
  });

  it.each(['9999999999999999', 'nothing-of-ours', '0', '!!'])('a place that this log does not have, like %s, is told to begin anew', async (id) => {
    const head = await headOf();
    const listener = await Listener.at(h, '', { 'last-event-id': id });
    await listener.more();
    const [reset] = listener.messages;
    expect(reset).toMatchObject({ event: 'reset', data: { position: reset?.id } });
    expect((reset?.id ?? '') >= head).toBe(true);
    const runId = await h.start('quick');
    await listener.until(ended(runId));
    await listener.leave();
  });

  it('tells only the topics and the run that are asked for', async () => {
    const [other, mine] = [await h.start('gated'), await h.start('gated')];
    const [topic, one] = [await Listener.at(h, '?topics=approval&after='), await Listener.at(h, `?run=${mine}&after=`)];
    await topic.until(({ data }) => data.runId === mine);
    await one.until(({ event, data }) => event === 'run' && data.status === 'parked');
    expect(new Set(topic.messages.map(({ event }) => event))).toEqual(new Set(['approval']));
    expect(topic.messages.map(({ data }) => data.runId)).toContain(other);
    expect(new Set(one.messages.map(({ data }) => data.runId ?? data.id))).toEqual(new Set([mine]));
    await topic.leave();
    await one.leave();
  });

  it('tells of batches as the lists have them, of one that was deleted too, and not of those that lists hide', async () => {
    const listener = await Listener.at(h, '?topics=batch');
    await h.post('/jobs/obey/runs', { parameters: { ms: 1 } });
    await h.define({ name: 'told', steps: [work('a')] });
    const { data } = await listener.until(({ event }) => event === 'batch');
    const { items } = await h.read<Listed<{ id: string; name: string }>>('/batches?q=told');
    expect(data).toEqual(items[0]);
    await h.ask('DELETE', '/batches/told');
    expect((await listener.until((message) => 'deleted' in message.data)).data).toMatchObject({ id: data.id, name: 'told', deleted: true });
    expect(new Set(listener.messages.map((message) => message.data.id))).toEqual(new Set([data.id]));
    await listener.leave();
  });

  it('tells how projections stand to whoever asks for that by name, as GET /projections does, and again when they move', async () => {
    const [asking, other] = [await Listener.at(h, '?topics=run,projection'), await Listener.at(h, '')];
    const stands = ({ event, data }: Message): boolean => event === 'projection' && data.name === 'run_history';
    const { data: first } = await asking.until(stands);
    const { items } = await h.read<Listed<object>>('/projections');
    expect(Object.keys(first).sort()).toEqual(Object.keys(items[0]!).sort());
    const runId = await h.start('quick');
    await asking.until(ended(runId));
    await asking.until((message) => stands(message) && String(message.data.position) > String(first.position));
    await other.until(ended(runId));
    expect(other.messages.map(({ event }) => event)).not.toContain('projection');
    await asking.leave();
    await other.leave();
  });

  it('refuses what it can not tell before it begins', async () => {
    for (const query of ['topics=weather', 'topics=', 'run=x', 'after=a%20b', 'more=1']) expectProblem(await h.get(`/live?${query}`), 'validation-failed');
    expectProblem(await h.get('/live', { roles: 'boss' }), 'forbidden');
    expectProblem(await h.get('/live', { headers: { accept: 'text/html' } }), 'not-acceptable');
  });

  it('of a run that is not there tells nothing, and goes on', async () => {
    const listener = await Listener.at(h, `?run=${randomUUID()}&after=`);
    await h.runOf('quick');
    expect(listener.messages).toEqual([]);
    await listener.leave();
  });

  it('a listener that has gone is let go of', async () => {
    const connections = (): Promise<number> => connectionsOf(h);
    const before = await connections();
    const sockets = await Promise.all(Array.from({ length: 10 }, () => listenRawly(h)));
    expect(await connections()).toBeGreaterThanOrEqual(10);
    for (const socket of sockets) socket.destroy();
    const endsAt = Date.now() + 16_000;
    // One more may be opened for asking.
    while ((await connections()) > before + 1 && Date.now() < endsAt) await h.get('/health/live');
    expect(await connections()).toBeLessThanOrEqual(before + 1);
  });
});

onBoth('The live stream, when the server ends', (house, adapter) => {
  it('ends too, and does not keep the server waiting, busy or not read', async () => {
    expect(house().faults).toEqual([]);
    const h = await House.open(adapter);
    await h.define({ name: 'hanging', steps: [work('a', { do: 'hang' })] });
    const listeners = await Promise.all(Array.from({ length: 10 }, () => Listener.at(h)));
    await h.start('hanging');
    // As browsers do: open, in case that something is to be asked.
    const silent = connect(Number(new URL(h.url).port), '127.0.0.1');
    await once(silent, 'connect');
    const began = Date.now();
    await h.close();
    silent.destroy();
    expect(Date.now() - began).toBeLessThan(16_000);
    for (const listener of listeners) while (await listener.more());
    expect(h.faults).toEqual([]);
  });
});
