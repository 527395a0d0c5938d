/** What an answered append is worth: it survives the process, and the log proves how. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SystemClock } from '../../src/clock.js';
import { verifyChain } from '../../src/events/envelope.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import { runTypeScript } from '../child-process.js';

const CHILD = fileURLToPath(new URL('./log.child.ts', import.meta.url));
const FACTS_OF_AN_APPEND = 3;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('durability', () => {
  it('writes ahead and waits for the disk at every commit, as the database itself says', async () => {
    const log = openSqliteLog({ directory, clock: new SystemClock() });
    expect(log.durability()).toEqual({ journalMode: 'wal', synchronous: 2 });
    await log.close();
  });

  describe('kill -9 of a writing process', () => {
    it('loses no answered append and tears none, at any moment', async () => {
      const acked: string[] = [];
      for (let round = 0; round < 6; round += 1) {
        const child = runTypeScript(CHILD, { args: ['forever', directory] });
        const after = randomInt(1, 400);
        await child.line(/^acked/);
        while (child.lines.length < after) await new Promise((resolve) => setImmediate(resolve));
        child.kill('SIGKILL');
        expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
        acked.push(...child.lines.filter((line) => line.startsWith('acked ')));
        await checkLog(acked);
      }
      expect(acked.length).toBeGreaterThan(6);
    }, 180_000);

    async function checkLog(acked: readonly string[]): Promise<void> {
      const log = openSqliteLog({ directory, clock: new SystemClock() });
      const streams = new Map<string, StoredFact[]>();
      let number = 0;
      for await (const page of log.readAll()) {
        for (const fact of page) {
          number += 1;
          expect(Number(fact.position)).toBe(number);
          const facts = streams.get(fact.stream);
          if (facts === undefined) streams.set(fact.stream, [fact]);
          else facts.push(fact);
        }
      }
      for (const facts of streams.values()) {
        expect(verifyChain(facts)).toMatchObject({ ok: true });
        expect(facts.length % FACTS_OF_AN_APPEND).toBe(0);
        for (const fact of facts.filter((each) => each.revision % FACTS_OF_AN_APPEND === 0)) {
          expect(await log.readBlob(fact.metadata['hash']!)).toBe(`"${fact.id}"`);
        }
      }
      for (const line of acked) {
        const [, stream, revision, id] = line.split(' ');
        // The last line of a killed process may be half a line: then its append counts as not answered.
        if (id?.length === 36) expect(streams.get(stream!)?.[Number(revision)]?.id).toBe(id);
      }
      await log.close();
      const db = new Database(join(directory, 'log.db'), { readonly: true });
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      db.close();
    }
  });
});

describe('syncs, counted by strace', () => {
  const missing = whyNoStrace();
  if (missing !== undefined && process.env['CI'] !== 'true') {
    process.stderr.write(`\nSKIPPED: the syncs of the log are not counted, because ${missing}. Install strace (Debian: apt-get install strace).\n\n`);
    it.skip(`SKIPPED, because ${missing}: one sync or more for each lone append, far fewer for 64 in flight`, () => {});
    return;
  }

  it('can be counted here', () => expect(missing).toBeUndefined());

  it('syncs 100 times or more for 100 appends, one after another', async () => {
    expect(await syncsOf('alone', 100)).toBeGreaterThanOrEqual(100);
  }, 180_000);

  it('syncs far less often than it answers when 64 appends are in flight', async () => {
    const syncs = await syncsOf('together', 1_280);
    expect(syncs).toBeGreaterThanOrEqual(20);
    expect(syncs).toBeLessThan(200);
  }, 180_000);

  async function syncsOf(verb: string, appends: number): Promise<number> {
    const report = join(directory, 'syncs.txt');
    const under = ['strace', '-f', '-c', '-e', 'trace=fsync,fdatasync', '-o', report];
    const child = runTypeScript(CHILD, { args: [verb, join(directory, 'data'), String(appends)], under });
    const exit = await child.exited;
    expect([exit.code, child.errors()]).toEqual([0, expect.not.stringContaining('Error')]);
    // % time, seconds, usecs/call, calls, errors (may be blank), syscall
    const calls = [...readFileSync(report, 'utf8').matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$/gm)];
    return calls.reduce((sum, match) => sum + Number(match[1]), 0);
  }
});

/** Undefined if strace is there and may trace. */
function whyNoStrace(): string | undefined {
  const probe = spawnSync('strace', ['-c', '-e', 'trace=fsync', 'true'], { encoding: 'utf8' });
  if (probe.error !== undefined) return `strace can't be run (${probe.error.message})`;
  return probe.status === 0 ? undefined : `strace may not trace here (${probe.stderr.trim().split('\n')[0]})`;
}
