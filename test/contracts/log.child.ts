/**
 * A process that holds a log, for tests that kill it, trace it, or stand beside it.
 *
 *   alone <directory> <appends>     appends one after another, then closes
 *   together <directory> <appends>  the same with 64 in flight
 *   forever <directory>             8 writers; prints `acked <stream> <revision> <id>` after each answer
 *   hold <directory>                opens and waits
 *   try <directory>                 opens, says what came of it, closes
 */
import { SystemClock } from '../../src/clock.js';
import { uuidOf } from '../../src/ids.js';
import { openSqliteLog, type SqliteEventLog } from '../../src/log/sqlite.event-log.js';
import { Chain } from './chain.js';

const FACTS = 3;
const [verb, directory, count] = process.argv.slice(2);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

async function write(log: SqliteEventLog, writer: number, appends: number, acked = (_line: string): unknown => undefined): Promise<void> {
  let chain = new Chain(`run-${uuidOf('child', process.pid, writer, 0)}`);
  for (let index = 0; index < appends; index += 1) {
    // Streams of 20 facts or so, as runs have.
    if (index % 7 === 6) chain = new Chain(`run-${uuidOf('child', process.pid, writer, index)}`);
    const { expected } = chain;
    const facts = chain.next(FACTS, { text: 'å'.repeat(100 + ((index * 37) % 500)) });
    const blob = { sha256: facts[0]!.metadata['hash']!, text: `"${facts[0]!.id}"` };
    const result = await log.append(chain.stream, expected, facts, [blob]);
    acked(`acked ${chain.stream} ${result.revision} ${facts.at(-1)!.id}`);
  }
}

async function run(log: SqliteEventLog): Promise<void> {
  const appends = Number(count);
  if (verb === 'alone') await write(log, 0, appends);
  if (verb === 'together') await Promise.all(Array.from({ length: 64 }, (_, writer) => write(log, writer, appends / 64)));
  if (verb === 'forever') await Promise.all(Array.from({ length: 8 }, (_, writer) => write(log, writer, Number.MAX_SAFE_INTEGER, say)));
  if (verb === 'hold') await new Promise((resolve) => process.stdin.once('end', resolve).resume());
  await log.close();
}

try {
  const log = openSqliteLog({ directory: directory!, clock: new SystemClock() });
  say('open');
  await run(log);
} catch (error) {
  say(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  process.exitCode = 1;
}
