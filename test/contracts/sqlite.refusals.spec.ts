/** What the SQLite log does when it can't go on: a full disk, a file that is not its own, a second process. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/clock.js';
import { verifyChain } from '../../src/events/envelope.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { LogUnusable, Unavailable } from '../../src/log/log-errors.js';
import { openSqliteLog, openSqliteLogReader, type SqliteEventLog } from '../../src/log/sqlite.event-log.js';
import { runTypeScript, type Child } from '../child-process.js';
import { Chain, firstFacts } from './chain.js';

const CHILD = fileURLToPath(new URL('./log.child.ts', import.meta.url));
const clock = new SystemClock();
let directory: string;
let file: string;
const logs: SqliteEventLog[] = [];
const children: Child[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  file = join(directory, 'log.db');
});
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  for (const child of children.splice(0)) {
    child.kill();
    await child.exited;
  }
  rmSync(directory, { recursive: true, force: true });
});

function open(maxPageCount?: number): SqliteEventLog {
  const log = openSqliteLog({ directory, clock, ...(maxPageCount === undefined ? {} : { maxPageCount }) });
  logs.push(log);
  return log;
}

function start(verb: string, options: { readonly uid?: number } = {}): Child {
  const child = runTypeScript(CHILD, { args: [verb, directory], ...options });
  children.push(child);
  return child;
}

function refusalOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It was not refused.');
}

async function all(log: SqliteEventLog): Promise<readonly StoredFact[]> {
  const facts: StoredFact[] = [];
  for await (const page of log.readAll()) facts.push(...page);
  return facts;
}

describe('a full disk', () => {
  const LARGE = { text: 'x'.repeat(20_000) };

  /** Appends until the log refuses; gives what was refused. */
  async function fill(log: SqliteEventLog, chain: Chain): Promise<{ readonly error: unknown; readonly facts: ReturnType<Chain['next']>; readonly acked: number }> {
    for (let acked = 0; acked < 10_000; acked += 1) {
      const { expected } = chain;
      const facts = chain.next(1, LARGE);
      const error = await log.append(chain.stream, expected, facts).then(() => undefined, (reason: unknown) => reason);
      if (error !== undefined) return { error, facts, acked };
    }
    throw new Error('The log never was full.');
  }

  it('is said in words, loses nothing, and is over when there is room again', async () => {
    const log = open(60);
    const chain = new Chain('run-1');
    const { error, facts, acked } = await fill(log, chain);
    expect(error).toBeInstanceOf(Unavailable);
    expect((error as Error).message).toBe('The disk is full: nothing was written. Make room, and appends work again.');
    expect(acked).toBeGreaterThan(3);
    const kept = await log.readStream('run-1');
    expect(kept).toHaveLength(acked);
    expect(verifyChain(kept)).toMatchObject({ ok: true });

    log.limitPages(10_000);
    expect(await log.append('run-1', acked - 1, facts)).toMatchObject({ revision: acked, duplicate: false });
    const { expected } = chain;
    await log.append('run-1', expected, chain.next(50, LARGE));
    await log.close();
    const again = open();
    const read = await again.readStream('run-1');
    expect(read).toHaveLength(acked + 51);
    expect(verifyChain(read)).toMatchObject({ ok: true });
    expect((await all(again)).map((fact) => Number(fact.position))).toEqual(read.map((_, index) => index + 1));
  });

  it('leaves every stream of the group where it was, also one whose facts had been taken', async () => {
    const log = open(60);
    const chain = new Chain('run-1');
    await log.append('run-1', chain.expected, chain.next(1));
    const { expected } = chain;
    const facts = chain.next(1);
    const group = await Promise.allSettled([log.append('run-1', expected, facts), log.append('run-2', 'none', new Chain('run-2').next(40, LARGE))]);
    expect(group).toEqual([{ status: 'rejected', reason: expect.any(Unavailable) }, { status: 'rejected', reason: expect.any(Unavailable) }]);
    log.limitPages(10_000);
    expect(await log.append('run-1', expected, facts)).toMatchObject({ revision: 1, duplicate: false });
    expect(verifyChain(await log.readStream('run-1'))).toMatchObject({ ok: true });
  });

  it('refuses every append of the group, and publishes none of them', async () => {
    const log = open(60);
    const deliveries = log.subscribe({ signal: new AbortController().signal });
    await deliveries.next();
    const group = Array.from({ length: 30 }, (_, index) => `run-${index}`);
    const outcomes = await Promise.allSettled(group.map((stream) => log.append(stream, 'none', firstFacts(stream, 1, LARGE))));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'Unavailable' } });
    expect(await all(log)).toEqual([]);
    expect(await log.head()).toBe('');
    await log.append('run-small', 'none', firstFacts('run-small'));
    expect((await deliveries.next()).value).toMatchObject({ facts: [{ stream: 'run-small', position: '0000000000000001' }] });
  });

  it('keeps what a real full disk would keep when the process ends there', async () => {
    const log = open(60);
    const { acked } = await fill(log, new Chain('run-1'));
    await log.close();
    expect(await open().readStream('run-1')).toHaveLength(acked);
  });
});

describe('a file that is not ours', () => {
  /** Refused in words, the file as it was, and the directory free again. */
  function expectRefused(sentence: RegExp): void {
    const before = readFileSync(file);
    const error = refusalOf(() => open());
    expect(error).toBeInstanceOf(LogUnusable);
    expect(error.message).toContain(file);
    expect(error.message).toMatch(sentence);
    expect(readFileSync(file).equals(before)).toBe(true);
    rmSync(file);
    open();
  }

  it('is refused when it is not a database', () => {
    writeFileSync(file, 'This is a letter, not a database. '.repeat(1_000));
    expectRefused(/is not a database: put the right file there/);
  });

  it("is refused when it is another program's database", () => {
    const other = new Database(file);
    other.exec('create table recipes (name text)');
    other.close();
    expectRefused(/another program's database.*nothing was changed/);
  });

  it('is refused when a newer version wrote it', async () => {
    await open().close();
    const newer = new Database(file);
    newer.pragma('user_version = 99');
    newer.close();
    expectRefused(/written by a newer Sluice \(schema 99; this one knows 1\)/);
  });

  it('is refused when it is a directory', () => {
    mkdirSync(file);
    const error = refusalOf(() => open());
    expect(error).toBeInstanceOf(LogUnusable);
    expect(error.message).toContain(`${file} can't be opened: it must be a file`);
  });

  it('is refused when the data directory is a file', () => {
    writeFileSync(join(directory, 'taken'), '');
    const error = refusalOf(() => openSqliteLog({ directory: join(directory, 'taken'), clock }));
    expect(error).toBeInstanceOf(LogUnusable);
    expect(error.message).toMatch(/^The data directory .*taken can't be/);
  });

  it.each([['below a file', () => join(file, 'deep', 'data')], ['below a folder that takes none and says so by ENOENT', () => '/proc/sluice/data']])('is refused when the data directory is %s', (_, place) => {
    writeFileSync(file, '');
    const error = refusalOf(() => openSqliteLog({ directory: place(), clock }));
    expect(error).toBeInstanceOf(LogUnusable);
    expect(error.message).toMatch(/^The data directory .* can't be made: E[A-Z]+: /);
  });

  it('is called damaged when a part of it was overwritten', async () => {
    const log = open();
    await log.append('run-1', 'none', firstFacts('run-1', 40, { text: 'x'.repeat(5_000) }));
    await log.close();
    const handle = openSync(file, 'r+');
    // Past the first pages, which say what the file is.
    writeSync(handle, Buffer.alloc(60_000, 0xa5), 0, 60_000, 80_000);
    closeSync(handle);
    const damaged = open();
    await expect(all(damaged)).rejects.toBeInstanceOf(LogUnusable);
    await expect(all(damaged)).rejects.toThrow(/^The log is damaged .*restore it from a backup/);
  });
});

describe('a file that may not be written', () => {
  // A superuser may write everything: there the child is nobody.
  const asNobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};

  it('is refused in words', async () => {
    await open().close();
    chmodSync(directory, 0o777);
    chmodSync(join(directory, 'lock.db'), 0o666);
    chmodSync(file, 0o444);
    const child = start('try', asNobody);
    expect((await child.exited).code).toBe(1);
    expect(child.lines).toEqual([expect.stringMatching(/^LogUnusable: .*log\.db can't be written: give this user the right/)]);
  }, 240_000);

  it('is refused in words when the whole directory is read-only', async () => {
    chmodSync(directory, 0o555);
    const child = start('try', asNobody);
    expect((await child.exited).code).toBe(1);
    expect(child.lines).toEqual([expect.stringMatching(/^LogUnusable: The data directory .* can't be locked .*give this user the right/)]);
    expect(existsSync(file)).toBe(false);
  }, 240_000);
});

describe('a second process', () => {
  const inUse = (): string =>
    `The data directory ${directory} is in use by another process: only one Sluice may write it. ` +
    'Stop the other one, or give this one a directory of its own (SLUICE_DATA).';

  it('is refused in words, and let in after the first one was killed', async () => {
    const first = start('hold');
    await first.line(/^open$/);
    const error = refusalOf(() => open());
    expect(error).toBeInstanceOf(LogUnusable);
    expect(error.message).toBe(inUse());
    const second = start('try');
    expect((await second.exited).code).toBe(1);
    expect(second.lines).toEqual([`LogUnusable: ${inUse()}`]);

    first.kill('SIGKILL');
    await first.exited;
    await open().append('run-1', 'none', firstFacts('run-1'));
  }, 240_000);

  it('is a second log of the same process, too', async () => {
    const log = open();
    expect(refusalOf(() => open()).message).toBe(inUse());
    await log.close();
    open();
  });
});

describe('a reader beside a running writer', () => {
  it('sees what was answered, and disturbs nobody', async () => {
    const child = start('forever');
    const line = await child.line(/^acked/);
    const [, stream, revision, id] = line.split(' ');
    const reader = openSqliteLogReader({ directory });
    expect((await reader.readStream(stream!))[Number(revision)]?.id).toBe(id);
    const head = await reader.head();
    let last = '';
    for await (const page of reader.readAll()) last = page.at(-1)!.position;
    expect(last >= head).toBe(true);
    const count = child.lines.length;
    while (child.lines.length < count + 50) await new Promise((resolve) => setImmediate(resolve));
    expect((await reader.head()) > head).toBe(true);
    reader.close();
    expect(child.errors()).not.toContain('Error');
  }, 240_000);

  it('knows the log by its identity, also when nobody writes', async () => {
    const log = open();
    await log.append('run-1', 'none', firstFacts('run-1', 3));
    const beside = openSqliteLogReader({ directory });
    expect(beside.identity).toBe(log.identity);
    beside.close();
    await log.close();
    const alone = openSqliteLogReader({ directory });
    expect(alone.identity).toBe(log.identity);
    expect(await alone.readStream('run-1')).toHaveLength(3);
    alone.close();
    await expect(alone.head()).rejects.toBeInstanceOf(Unavailable);
  });

  it('is refused in words where there is no log, and makes none', () => {
    const error = refusalOf(() => openSqliteLogReader({ directory }));
    expect(error).toBeInstanceOf(LogUnusable);
    expect(error.message).toContain(file);
    expect(existsSync(file)).toBe(false);
  });
});
