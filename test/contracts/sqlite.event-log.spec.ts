import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../../src/clock.js';
import type { Delivery } from '../../src/log/event-reader.js';
import { Conflict, Unavailable } from '../../src/log/log-errors.js';
import { openSqliteLog, type SqliteEventLog } from '../../src/log/sqlite.event-log.js';
import { Chain, firstFacts } from './chain.js';
import { eventLogContract, type OpenLog } from './event-log.contract.js';

const clock = new SystemClock();

async function openIn(directory: string, afterwards: () => void): Promise<OpenLog> {
  const log = openSqliteLog({ directory, clock });
  return {
    log,
    bufferedFacts: () => log.bufferedFacts,
    close: async () => {
      await log.close();
      afterwards();
    },
  };
}

const freshDirectory = (): string => mkdtempSync(join(tmpdir(), 'sluice-log-'));

eventLogContract('SQLite in memory', { open: () => openIn(':memory:', () => {}), bufferLimit: 2_000 });
eventLogContract('SQLite in a file', {
  open: () => {
    const directory = freshDirectory();
    return openIn(directory, () => rmSync(directory, { recursive: true, force: true }));
  },
  bufferLimit: 2_000,
});

describe('the SQLite log', () => {
  const directories: string[] = [];
  const logs: SqliteEventLog[] = [];
  const open = (directory = freshDirectory()): { readonly log: SqliteEventLog; readonly directory: string } => {
    const log = openSqliteLog({ directory, clock });
    directories.push(directory);
    logs.push(log);
    return { log, directory };
  };
  afterEach(async () => {
    for (const log of logs.splice(0)) await log.close();
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  it('gives subscribers the very objects that were appended', async () => {
    const { log } = open();
    const deliveries = log.subscribe({ signal: new AbortController().signal });
    await deliveries.next();
    const facts = firstFacts('run-1', 2, { large: { list: [1, 2, 3] } });
    await log.append('run-1', 'none', facts);
    const delivery = (await deliveries.next()).value as Delivery & { readonly kind: 'facts' };
    expect(delivery.facts.map((fact) => fact.data)).toEqual(facts.map((fact) => fact.data));
    delivery.facts.forEach((fact, index) => {
      expect(fact.data).toBe(facts[index]!.data);
      expect(fact.metadata).toBe(facts[index]!.metadata);
    });
    expect(delivery.facts).toEqual(await log.readStream('run-1'));
  });

  it('gives subscribers one delivery per commit', async () => {
    const { log } = open();
    const deliveries = log.subscribe({ signal: new AbortController().signal });
    await deliveries.next();
    await Promise.all(['run-1', 'run-2', 'run-3'].map((stream) => log.append(stream, 'none', firstFacts(stream, 2))));
    await log.append('run-4', 'none', firstFacts('run-4'));
    const sizes = [(await deliveries.next()).value, (await deliveries.next()).value].map((delivery) => (delivery as Delivery & { kind: 'facts' }).facts.length);
    expect(sizes).toEqual([6, 1]);
  });

  it('is where it was when it is opened again: identity, head, facts, and the next position', async () => {
    const { log, directory } = open();
    const chain = new Chain('run-1');
    await log.append('run-1', 'none', chain.next(12));
    const facts = await log.readStream('run-1');
    const head = await log.head();
    await log.close();
    const again = open(directory).log;
    expect(again.identity).toBe(log.identity);
    expect(await again.head()).toBe(head);
    expect(await again.readStream('run-1')).toEqual(facts);
    expect((await again.append('run-1', 11, chain.next(1))).position > head).toBe(true);
  });

  it('has an identity of its own, which the one who makes it may choose', async () => {
    expect(open().log.identity).not.toBe(open().log.identity);
    const log = openSqliteLog({ directory: ':memory:', clock, freshIdentity: 'f8c5b6a0-0000-4000-8000-000000000001' });
    logs.push(log);
    expect(log.identity).toBe('f8c5b6a0-0000-4000-8000-000000000001');
  });

  it('begins before everything: an empty log has the head ""', async () => {
    const { log } = open();
    expect(await log.head()).toBe('');
    const { position } = await log.append('run-1', 'none', firstFacts('run-1'));
    expect(position).toMatch(/^\d{16,}$/);
    expect('' < position).toBe(true);
  });

  it('keeps no blob of an append that was refused', async () => {
    const { log } = open();
    await log.append('run-1', 'none', firstFacts('run-1'));
    const blob = { sha256: 'a'.repeat(64), text: '"x"' };
    await expect(log.append('run-1', 'none', firstFacts('run-1'), [blob])).rejects.toBeInstanceOf(Conflict);
    expect(await log.readBlob(blob.sha256)).toBeUndefined();
  });

  it('refuses a position that it never gave out', async () => {
    const { log } = open();
    await expect(log.readAll({ after: '12' }).next()).rejects.toThrow('"12" is not a position of this log.');
    await expect(log.subscribe({ after: 'C:1/P:1', signal: new AbortController().signal }).next()).rejects.toBeInstanceOf(RangeError);
  });

  it('waits beyond its head for what comes there, and gives nothing that lies before', async () => {
    const { log } = open();
    const deliveries = log.subscribe({ after: '0000000000000003', signal: new AbortController().signal });
    expect((await deliveries.next()).value).toEqual({ kind: 'caughtUp', position: '0000000000000003' });
    await log.append('run-1', 'none', firstFacts('run-1', 2));
    await log.append('run-2', 'none', firstFacts('run-2', 3));
    expect((await deliveries.next()).value).toMatchObject({ kind: 'facts', facts: [{ revision: 1 }, { revision: 2 }] });
  });

  it('writes what waits before it closes, and is unavailable afterwards', async () => {
    const { log, directory } = open();
    const waiting = Promise.all(Array.from({ length: 20 }, (_, index) => log.append(`run-${index}`, 'none', firstFacts(`run-${index}`))));
    await log.close();
    expect(await waiting).toHaveLength(20);
    await expect(log.append('run-x', 'none', firstFacts('run-x'))).rejects.toBeInstanceOf(Unavailable);
    await expect(log.readStream('run-0')).rejects.toBeInstanceOf(Unavailable);
    const again = open(directory).log;
    expect(await again.readStream('run-19')).toHaveLength(1);
  });
});
