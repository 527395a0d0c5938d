/** `sluice verify`: a whole log from its bytes, without a server. */
import type { Command } from 'commander';
import { verifyLog } from '../audit/verify-log.js';
import { LogUnusable } from '../log/log-errors.js';
import { openSqliteLogReader } from '../log/sqlite.event-log.js';
import type { SqliteLogReader } from '../log/sqlite.event-log.js';
import { readProgressIn } from '../reading/read-progress.js';
import { openSession, type Surroundings } from './context.js';
import { Misused, Unfulfilled } from './failures.js';
import { counted, tableLines, type Column } from './rendering.js';
import type { LogFault } from '../audit/verify-log.js';

/** So that a terminal is not written to all the time. */
const TOLD_EVERY = 100_000;

export function addVerify(program: Command, surroundings: Surroundings): void {
  program
    .command('verify')
    .description('check every hash, order and payload of a data directory, also while a server writes it')
    .argument('<directory>', 'the data directory (SLUICE_DATA of the server)')
    .action(async (directory: string, _: unknown, command: Command) => {
      const session = openSession(surroundings, command);
      const seen = furthest(directory);
      const reader = opened(directory);
      try {
        let told = 0;
        const verdict = await verifyLog(reader, {
          seen,
          progress: ({ facts }) => {
            if (facts - told < TOLD_EVERY) return;
            told = facts;
            if (!session.json) session.terminal.err(`${facts.toLocaleString('en-US')} facts …`);
          },
        });
        session.document(verdict);
        const { facts, streams, payloads, faults, head } = verdict;
        session.say(`${counted(facts, 'fact')} in ${counted(streams, 'stream')} and ${counted(payloads, 'payload')} outside of them were checked, up to ${head || 'nothing'}.`);
        if (faults.length > 0) session.say('', ...tableLines(session.terminal, COLUMNS, faults), '', `${counted(faults.length, 'fault')}: a stream can not be trusted from the fact on that is named.`);
        else session.say('Every hash, every order, every id and every payload is as it was sealed.');
        if (faults.length === 0) return;
        throw new Unfulfilled();
      } finally {
        reader.close();
      }
    });
}

const COLUMNS: readonly Column<LogFault>[] = [
  { head: 'STREAM', cell: ({ stream }) => stream ?? '(the log)', min: 20 },
  { head: 'REVISION', cell: ({ revision }) => String(revision ?? '') },
  { head: 'POSITION', cell: ({ position }) => position },
  { head: 'WHAT IS WRONG', cell: ({ reason }) => reason, min: 24 },
];

/** How far rows have come that were made from this log: it was at least that long. */
function furthest(directory: string): string | undefined {
  const read = readProgressIn(directory);
  const reader = opened(directory);
  reader.close();
  return read?.log === reader.identity ? read.builds.map(({ position }) => position).sort().at(-1) : undefined;
}

function opened(directory: string): SqliteLogReader {
  try {
    return openSqliteLogReader({ directory });
  } catch (error) {
    if (error instanceof LogUnusable) throw new Misused(error.message);
    throw error;
  }
}
