import { describe, expect, it } from '@jest/globals';
import { SystemClock } from '../clock.js';
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import type { JsonObject } from '../events/json.js';
import { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import { LiveFeed } from './live-feed.js';
import { LiveMessages } from './live.messages.js';
import type { Audience, Topic } from './live.messages.js';

const streams = new Streams();
const everything: Audience = { topics: new Set<Topic>(['run', 'execution', 'approval', 'schedule', 'batch']), run: undefined };

/** A log, rows that are always there, and how often they were asked for. */
function feedOf() {
  const log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
  const asked: string[] = [];
  let areGone = false;
  const queries = {
    execute: async ({ id }: { id: string }) => {
      if (areGone) throw new Error('The rows are gone.');
      asked.push(id);
      return { id, text: `row ${asked.length}` };
    },
  };
  const revisions = new Map<string, { revision: number; prevHash: string }>();
  const append = async (run: string, data: JsonObject = {}): Promise<string> => {
    const stream = `run-${run}`;
    const { revision, prevHash } = revisions.get(stream) ?? { revision: -1, prevHash: GENESIS_HASH };
    const fact = sealFact({ stream, revision: revision + 1, prevHash, id: ids.event(ids.freshCommand(), 0), type: 'Noted', data, metadata: {} });
    revisions.set(stream, { revision: revision + 1, prevHash: fact.metadata.hash });
    return (await log.append(stream, revision === -1 ? 'none' : revision, [fact])).position;
  };
  const rows = { host: { waitFor: async () => true } };
  const feed = new LiveFeed(log, rows as never, new LiveMessages(streams, queries as never));
  return { log, feed, asked, append, rowsAreGone: (is: boolean) => (areGone = is) };
}

/** Hears until it has what it waits for. */
function listener(feed: LiveFeed, after: string, audience = everything) {
  const ending = new AbortController();
  const heard: Uint8Array[] = [];
  let looking = (): void => undefined;
  const done = feed.tell(audience, after, async (text) => {
    heard.push(text);
    looking();
    return true;
  }, ending.signal);
  const text = (): string => heard.map((one) => Buffer.from(one).toString()).join('');
  const until = async (part: string): Promise<void> => {
    while (!text().includes(part)) await Promise.race([new Promise<void>((resolve) => (looking = resolve)), done]);
  };
  return { heard, text, until, done, leave: async () => (ending.abort(), done) };
}

const run = (): string => ids.freshCommand();

describe('The live feed', () => {
  it('asks for a row once a change and writes it once, however many listen', async () => {
    const { log, feed, asked, append } = feedOf();
    const all = Array.from({ length: 200 }, () => listener(feed, ''));
    const changes = 5;
    for (let at = 0; at < changes; at += 1) {
      const position = await append(run());
      await Promise.all(all.map(({ until }) => until(`id: ${position}\n`)));
    }
    expect(asked).toHaveLength(changes);
    expect(all.map(({ text }) => text().match(/^event: run$/gm)?.length)).toEqual(all.map(() => changes));
    // The very bytes, not a copy for each.
    for (let at = 0; at < changes; at += 1) expect(new Set(all.map(({ heard }) => heard[at])).size).toBe(1);
    await Promise.all(all.map(({ leave }) => leave()));
    await log.close();
  });

  it('tells what came meanwhile together, a row once, with the newest position', async () => {
    const { log, feed, asked, append } = feedOf();
    const one = listener(feed, '');
    const first = run();
    await one.until(`id: ${await append(run())}\n`);
    const positions = await Promise.all([append(first)]);
    positions.push(...(await Promise.all(Array.from({ length: 20 }, () => append(run())))));
    await one.until(`id: ${positions.at(-1)}\n`);
    expect(asked).toHaveLength(22);
    expect(one.heard.length).toBeLessThan(12);
    await one.leave();
    await log.close();
  });

  it('leaves nothing out for who comes back to an old place, and repeats nothing to who comes to a new one', async () => {
    const { log, feed, append } = feedOf();
    const steady = listener(feed, '');
    const [one, two, three] = [run(), run(), run()];
    const first = await append(one);
    const second = await append(two);
    await steady.until(`id: ${second}\n`);
    const [old, fresh] = [listener(feed, first), listener(feed, second)];
    const third = await append(three);
    await Promise.all([old, fresh].map(({ until }) => until(`id: ${third}\n`)));
    const told = (text: string): string[] => [...text.matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id!);
    expect(told(old.text())).toEqual([two, three]);
    expect(told(fresh.text())).toEqual([three]);
    await Promise.all([steady, old, fresh].map(({ leave }) => leave()));
    await log.close();
  });

  it('reads the log for who is further back than what it keeps', async () => {
    const { log, feed, append } = feedOf();
    const before = await Promise.all(Array.from({ length: 30 }, () => append(run())));
    const late = listener(feed, before[9]!);
    await late.until(`id: ${before.at(-1)}\n`);
    expect(late.text().match(/^event: run$/gm)).toHaveLength(20);
    const next = await append(run());
    await late.until(`id: ${next}\n`);
    expect(late.text().match(/^event: run$/gm)).toHaveLength(21);
    await late.leave();
    await log.close();
  });

  it('tells of one run alone where that is asked for, also that it was tried again', async () => {
    const { log, feed, append } = feedOf();
    const [mine, other] = [run(), run()];
    const one = listener(feed, '', { topics: everything.topics, run: mine });
    await append(other);
    await one.until(`id: ${await append(mine)}\n`);
    const again = await append(run(), { retry: { of: mine } });
    await one.until(`id: ${again}\n`);
    expect([...one.text().matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id)).toEqual([mine, mine]);
    await one.leave();
    await log.close();
  });

  it('ends with what has broken it, and begins anew for who comes then', async () => {
    const { log, feed, append, rowsAreGone } = feedOf();
    const one = listener(feed, '');
    const heard = await append(run());
    await one.until(`id: ${heard}\n`);
    rowsAreGone(true);
    const missed = await append(run());
    await expect(one.done).rejects.toThrow('The rows are gone.');
    rowsAreGone(false);
    const again = listener(feed, heard);
    await again.until(`id: ${missed}\n`);
    await again.leave();
    await log.close();
  });

  it('ends when the log does', async () => {
    const { log, feed, append } = feedOf();
    const one = listener(feed, '');
    await one.until(`id: ${await append(run())}\n`);
    await log.close();
    await one.done;
  });
});
