/** `sluice doctor`: what a server here would meet: Node, the settings, the data directory, the log, the rows, the port. */
import { accessSync, constants, existsSync, mkdtempSync, rmdirSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { verifyNewest } from '../audit/verify-log.js';
import { ConfigError, readConfig } from '../config.js';
import { lockDirectory } from '../log/data-lock.js';
import { openSqliteLogReader } from '../log/sqlite.event-log.js';
import { readProgressIn } from '../reading/read-progress.js';
import { openSession, type Surroundings } from './context.js';
import { Unfulfilled } from './failures.js';
import { counted, tableLines, type Column } from './rendering.js';

type State = 'ok' | 'warning' | 'fault';
interface Finding {
  readonly check: string;
  readonly state: State;
  readonly detail: string;
}

const LEAST_NODE = [20, 19] as const;
const LITTLE_BYTES = 1024 ** 3;
const TOO_LITTLE_BYTES = 100 * 1024 ** 2;
/** Streams whose chains are looked at; "sluice verify" looks at all of them. */
const NEWEST_STREAMS = 20;

export function addDoctor(program: Command, surroundings: Surroundings): void {
  program
    .command('doctor')
    .description('look at what a server here would meet; the exit code is 0 only if nothing is wrong')
    .argument('[directory]', 'the data directory (SLUICE_DATA, or ./data)')
    .action(async (given: string | undefined, _: unknown, command: Command) => {
      const session = openSession(surroundings, command);
      const { env } = surroundings;
      const directory = resolve(given ?? env['SLUICE_DATA'] ?? './data');
      const places = directoryFindings(directory);
      const isHeld = places.some(({ check, state }) => check === 'lock' && state === 'warning');
      const findings = [nodeFinding(process.versions.node), ...settingsFindings(env), ...places, ...(await logFindings(directory)), await portFinding(env, isHeld)];
      session.document({ directory, findings });
      session.say(...tableLines(session.terminal, COLUMNS, findings));
      const faults = findings.filter(({ state }) => state === 'fault').length;
      if (faults === 0) return session.say('', isHeld ? 'Nothing is wrong here, and a server is running.' : 'A server can start here.');
      session.say('', `${counted(faults, 'fault')}: a server can not start here, or not be trusted, until ${faults === 1 ? 'it is' : 'they are'} mended.`);
      throw new Unfulfilled();
    });
}

const COLUMNS: readonly Column<Finding>[] = [
  { head: 'WHAT', cell: ({ check }) => check },
  { head: 'STATE', cell: ({ state }) => state },
  { head: 'DETAIL', cell: ({ detail }) => detail, min: 30 },
];

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return { check: 'Node', state: isEnough ? 'ok' : 'fault', detail: isEnough ? version : `${version}: take ${LEAST_NODE.join('.')} or a newer one.` };
}

function settingsFindings(env: Surroundings['env']): readonly Finding[] {
  try {
    const { eventsUrl, auth } = readConfig(env);
    return [{ check: 'settings', state: 'ok', detail: `facts in ${eventsUrl === 'sqlite:' ? 'SQLite' : 'EventStoreDB'}, sign-in ${auth}` }];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ name, message }) => ({ check: 'settings', state: 'fault', detail: `${name}: ${message}` }));
  }
}

function directoryFindings(directory: string): readonly Finding[] {
  return existsSync(directory) ? [writableFinding(directory), spaceFinding(directory), lockFinding(directory)] : [makableFinding(directory)];
}

/** A folder is made and taken away again beside the lowest one that is there: rights alone do not tell it everywhere. */
function makableFinding(directory: string): Finding {
  let parent = dirname(directory);
  while (!existsSync(parent)) parent = dirname(parent);
  try {
    rmdirSync(mkdtempSync(join(parent, '.sluice-')));
    return { check: 'data', state: 'warning', detail: `${directory} is not there yet: a server makes it.` };
  } catch (error) {
    return { check: 'data', state: 'fault', detail: `${directory} can not be made (${messageOf(error)}): give this user the right, or set SLUICE_DATA to another folder.` };
  }
}

function writableFinding(directory: string): Finding {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return { check: 'data', state: 'ok', detail: directory };
  } catch {
    return { check: 'data', state: 'fault', detail: `${directory} can not be written by this user: give it the right, or set SLUICE_DATA to another folder.` };
  }
}

function spaceFinding(directory: string): Finding {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const state = free < TOO_LITTLE_BYTES ? 'fault' : free < LITTLE_BYTES ? 'warning' : 'ok';
  return { check: 'disk', state, detail: `${(free / 1024 ** 3).toFixed(1)} GiB free${state === 'ok' ? '' : ': make room, a full disk takes no facts'}` };
}

function lockFinding(directory: string): Finding {
  if (!existsSync(join(directory, 'lock.db'))) return { check: 'lock', state: 'ok', detail: 'free' };
  try {
    lockDirectory(directory)();
    return { check: 'lock', state: 'ok', detail: 'free' };
  } catch (error) {
    const detail = messageOf(error);
    const inUse = detail.includes('in use');
    return { check: 'lock', state: inUse ? 'warning' : 'fault', detail: inUse ? 'a server is running on this directory: another one can not start on it' : detail };
  }
}

async function logFindings(directory: string): Promise<readonly Finding[]> {
  if (!existsSync(join(directory, 'log.db'))) return [{ check: 'log', state: 'ok', detail: 'not there yet: a server makes it' }];
  try {
    const read = readProgressIn(directory);
    const reader = openSqliteLogReader({ directory });
    try {
      const head = await reader.head();
      const { streams, faults } = await verifyNewest(reader, NEWEST_STREAMS);
      const chains: readonly Finding[] = faults.map(({ stream, revision, reason }) => ({ check: 'chain', state: 'fault', detail: `${stream ?? 'the log'}${revision === null ? '' : ` at revision ${revision}`}: ${reason}` }));
      return [
        { check: 'log', state: 'ok', detail: head === '' ? 'empty' : `up to ${head}` },
        ...(faults.length > 0 ? chains : [{ check: 'chain', state: 'ok', detail: `the ${counted(streams, 'newest stream')} as they were sealed; "sluice verify" looks at all` } as const]),
        rowsFinding(head, read?.log === reader.identity ? read.builds.filter(({ state }) => state === 'active').map(({ position }) => position) : undefined),
      ];
    } finally {
      reader.close();
    }
  } catch (error) {
    return [{ check: 'log', state: 'fault', detail: messageOf(error) }];
  }
}

function rowsFinding(head: string, positions: readonly string[] | undefined): Finding {
  const least = [...(positions ?? [])].sort()[0];
  const furthest = [...(positions ?? [])].sort().at(-1) ?? '';
  if (least === undefined) return { check: 'rows', state: 'ok', detail: 'to be made anew from the log at the next start' };
  if (furthest > head) return { check: 'rows', state: 'fault', detail: `they have seen ${furthest}, and the log ends at ${head || 'nothing'}: its end was cut off. Restore the log from a backup.` };
  return { check: 'rows', state: 'ok', detail: least === head ? 'at the end of the log' : `at ${least || 'the beginning'}: they catch up at the next start` };
}

async function portFinding(env: Surroundings['env'], isHeld: boolean): Promise<Finding> {
  const host = env['SLUICE_HOST'] || '127.0.0.1';
  const port = Number(env['SLUICE_PORT'] || '3000');
  const server = createServer();
  const error = await new Promise<Error | undefined>((done) => {
    server.once('error', done).listen({ host, port: Number.isInteger(port) && port < 65_536 ? port : 0 }, () => server.close(() => done(undefined)));
  });
  if (error === undefined) return { check: 'port', state: 'ok', detail: `${host}:${port} is free` };
  const detail = `${host}:${port} can not be taken (${error.message})`;
  // Where a server runs on this very directory, the port is most likely its own.
  return isHeld ? { check: 'port', state: 'warning', detail } : { check: 'port', state: 'fault', detail: `${detail}: stop who has it, or set SLUICE_PORT and SLUICE_HOST.` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
