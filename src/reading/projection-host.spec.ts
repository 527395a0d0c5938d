import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../clock.js';
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import type { JsonObject } from '../events/json.js';
import { ids } from '../ids.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import type { SqliteEventLog } from '../log/sqlite.event-log.js';
import { ProjectionHost } from './projection-host.js';
import type { Projection, Table } from './projection.js';
import { ReadStoreUnusable } from './read-errors.js';
import { ReadStore } from './read-store.js';

const clock = new SystemClock();

const textOf = ({ text }: JsonObject): string => (typeof text === 'string' ? text : '');

interface NoteRow {
  readonly stream: string;
  readonly text: string;
}
const NOTES: Table<NoteRow> = { name: 'notes', columns: { stream: 'text', text: 'text' }, key: ['stream'], indexes: [] };

/** Keeps the last note of every stream; one that says "bad" can't become a row while `strict`. */
const notes = (version: number, say: (text: string) => string, strict = true): Projection => ({
  name: 'notes', version, tables: [NOTES],
  apply: ({ stream, data }, rows) => {
    if (strict && data.text === 'bad') throw new Error('A bad note.');
    rows.put(NOTES, { stream, text: say(textOf(data)) });
  },
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function logWith(): { log: SqliteEventLog; note: (stream: string, text: string) => Promise<string> } {
  const log = openSqliteLog({ directory: ':memory:', clock });
  closing.push(() => log.close());
  const heads = new Map<string, { revision: number; prevHash: string }>();
  return {
    log,
    note: async (stream, text) => {
      const { revision, prevHash } = heads.get(stream) ?? { revision: -1, prevHash: GENESIS_HASH };
      const data: JsonObject = { text };
      const fact = sealFact({ stream, revision: revision + 1, prevHash, id: ids.event(ids.freshCommand(), 0), type: 'Noted', data, metadata: {} });
      const { position } = await log.append(stream, revision === -1 ? 'none' : revision, [fact]);
      heads.set(stream, { revision: revision + 1, prevHash: fact.metadata.hash });
      return position;
    },
  };
}

function memory(): ReadStore {
  const store = ReadStore.open(':memory:', 'log');
  closing.push(() => store.close());
  return store;
}

async function host(log: SqliteEventLog, store: ReadStore, ...projections: Projection[]): Promise<{ host: ProjectionHost; reports: string[] }> {
  const reports: string[] = [];
  const one = new ProjectionHost({ reader: log, store, projections, clock, report: (message) => reports.push(message) });
  await one.start();
  closing.push(() => one.stop());
  return { host: one, reports };
}

async function notesIn(store: ReadStore): Promise<Record<string, string>> {
  const rows = await store.queries<{ notes: NoteRow }>().selectFrom('notes').selectAll().execute();
  return Object.fromEntries(rows.map(({ stream, text }) => [stream, text]));
}

describe('the projection host', () => {
  it('has a fact in the rows once it says so, and says so in time', async () => {
    const { log, note } = logWith();
    const store = memory();
    const { host: one } = await host(log, store, notes(1, (text) => text));
    const position = await note('run-a', 'first');
    expect(await one.waitFor(position, 5_000)).toBe(true);
    expect(await notesIn(store)).toEqual({ 'run-a': 'first' });
    expect(await one.waitFor(`${position}9`, 20)).toBe(false);
    expect(one.lagMs()).toBe(0);
  });

  it('parks the stream of a fact that it can not take, for that projection alone, and goes on', async () => {
    const { log, note } = logWith();
    const store = memory();
    const OTHERS: Table<NoteRow> = { ...NOTES, name: 'others' };
    const other: Projection = { name: 'others', version: 1, tables: [OTHERS], apply: ({ stream, data }, rows) => rows.put(OTHERS, { stream, text: textOf(data) }) };
    const { host: one, reports } = await host(log, store, notes(1, (text) => text), other);
    await note('run-a', 'good');
    await note('run-a', 'bad');
    await note('run-a', 'later');
    await one.waitFor(await note('run-b', 'good'), 5_000);
    expect(await notesIn(store)).toEqual({ 'run-a': 'good', 'run-b': 'good' });
    expect(await store.queries<{ others: NoteRow }>().selectFrom('others').select('text').orderBy('stream').execute()).toEqual([{ text: 'later' }, { text: 'good' }]);
    expect(one.status().map(({ parked }) => parked.map(({ stream, reason }) => [stream, reason]))).toEqual([[['run-a', 'A bad note.']], []]);
    expect(reports).toHaveLength(1);
  });

  it('builds a new version beside the old one, which answers until both stand at one position', async () => {
    const { log, note } = logWith();
    const store = memory();
    const first = await host(log, store, notes(1, (text) => text));
    for (let at = 0; at < 2_500; at += 1) await note(`run-${at % 100}`, `n${at}`);
    await first.host.waitFor(await log.head(), 5_000);
    await first.host.stop();
    const second = await host(log, store, notes(2, (text) => text.toUpperCase()));
    expect(second.host.status()).toMatchObject([{ version: 2, state: 'building' }]);
    expect((await notesIn(store))['run-0']).toBe('n2400');
    while (second.host.status().some(({ state }) => state === 'building')) await note('run-x', 'meanwhile');
    await second.host.waitFor(await log.head(), 5_000);
    expect(await notesIn(store)).toMatchObject({ 'run-0': 'N2400', 'run-x': 'MEANWHILE' });
  });

  it('keeps the rows that answer when a rebuild meets a fact that it can not take', async () => {
    const { log, note } = logWith();
    const store = memory();
    let strict = false;
    const projection: Projection = { ...notes(1, (text) => text), apply: (fact, rows) => notes(1, (text) => text, strict).apply(fact, rows) };
    const { host: one } = await host(log, store, projection);
    await one.waitFor(await note('run-a', 'bad'), 5_000);
    strict = true;
    await expect(one.rebuild('notes')).rejects.toThrow(/A bad note.*stay as they are/);
    expect(await notesIn(store)).toEqual({ 'run-a': 'bad' });
    expect(one.status()).toMatchObject([{ state: 'live', fault: expect.stringContaining('A bad note') }]);
    strict = false;
    await one.rebuild('notes');
    expect(one.status()).toMatchObject([{ state: 'live', fault: null }]);
  });

  it('refuses rows that are ahead of the log, and rows of another log', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-read-'));
    closing.push(() => rmSync(directory, { recursive: true }));
    const { log, note } = logWith();
    const store = ReadStore.open(directory, log.identity);
    const { host: one } = await host(log, store, notes(1, (text) => text));
    await one.waitFor(await note('run-a', 'x'), 5_000);
    await one.stop();
    store.close();
    expect(() => ReadStore.open(directory, 'another')).toThrow(ReadStoreUnusable);
    const again = ReadStore.open(directory, log.identity);
    closing.push(() => again.close());
    const empty = openSqliteLog({ directory: ':memory:', clock, freshIdentity: log.identity });
    closing.push(() => empty.close());
    await expect(host(empty, again, notes(1, (text) => text))).rejects.toThrow(/the log ends at nothing/);
  });

  it('leaves out nothing of what it could not write the first time', async () => {
    const { log, note } = logWith();
    const store = memory();
    const { host: one, reports } = await host(log, store, notes(1, (text) => text));
    await one.waitFor(await note('run-a', 'first'), 20_000);
    const write = store.transaction.bind(store);
    let refused = 0;
    store.transaction = (work) => {
      if ((refused += 1) === 1) throw new Error('The disk is full.');
      return write(work);
    };
    await note('run-b', 'not yet');
    one.settle();
    await note('run-c', 'later');
    expect(await one.waitFor(await note('run-d', 'last'), 20_000)).toBe(true);
    expect(await notesIn(store)).toEqual({ 'run-a': 'first', 'run-b': 'not yet', 'run-c': 'later', 'run-d': 'last' });
    expect(reports).toEqual([expect.stringMatching(/disk is full.*tries again/)]);
  });

  it('listens again after a subscription that ended, and leaves others their turn', async () => {
    const { log, note } = logWith();
    const store = memory();
    let ended = 0;
    const fickle = Object.assign(Object.create(log) as SqliteEventLog, {
      append: log.append.bind(log), readAll: log.readAll.bind(log), head: log.head.bind(log),
      subscribe: async function* (options: Parameters<SqliteEventLog['subscribe']>[0]) {
        if ((ended += 1) < 2) return;
        yield* log.subscribe(options);
      },
    });
    const { host: one, reports } = await host(fickle, store, notes(1, (text) => text));
    expect(await one.waitFor(await note('run-a', 'heard'), 20_000)).toBe(true);
    expect(reports).toEqual([expect.stringMatching(/subscription ended.*tries again/)]);
  });

  it('stops when another process has taken its rows over', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-read-'));
    closing.push(() => rmSync(directory, { recursive: true }));
    const { log, note } = logWith();
    const store = ReadStore.open(directory, log.identity);
    closing.push(() => store.close());
    const { host: one, reports } = await host(log, store, notes(1, (text) => text));
    await one.waitFor(await note('run-a', 'mine'), 5_000);
    const taker = ReadStore.open(directory, log.identity);
    closing.push(() => taker.close());
    const other = await host(log, taker, notes(1, (text) => text.toUpperCase()));
    await other.host.waitFor(await note('run-a', 'yours'), 5_000);
    expect(await one.waitFor(await log.head(), 100)).toBe(false);
    expect(reports).toEqual([expect.stringMatching(/has stopped/)]);
    expect(await notesIn(taker)).toEqual({ 'run-a': 'YOURS' });
  });
});
