/**
 * What a user would pick instead, on this machine, doing the same: Redis with BullMQ, PostgreSQL with DBOS, Restate.
 * Redis and PostgreSQL come from the system, the rest from the bench's own package. One that is not to be had is left
 * out, and the results say why.
 */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SLICES } from './trial.js';

export interface PeerFigure {
  readonly lanes: number;
  readonly perSecond: number;
}

export interface Peer {
  readonly name: string;
  readonly setting: string;
  measure(lanes: readonly (readonly [number, number])[]): Promise<readonly PeerFigure[]>;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PATIENCE_MS = 60_000;

export const PEERS: readonly Peer[] = [
  {
    name: 'BullMQ', setting: 'Redis, appendonly, appendfsync always',
    measure: (lanes) => inDirectory(async (directory) => {
      const port = await freePort();
      const redis = started(which('redis-server'), ['--bind', '127.0.0.1', '--port', String(port), '--dir', directory, '--appendonly', 'yes', '--appendfsync', 'always', '--save', '']);
      return withServer(redis, port, () => driven('bullmq.mjs', lanes, { PEER_PORT: String(port) }));
    }),
  },
  {
    name: 'DBOS', setting: 'PostgreSQL, as it comes (fsync on, synchronous_commit on)',
    measure: (lanes) => inDirectory(async (directory) => {
      const port = await freePort();
      const bin = postgresBin();
      const user = postgresUser(directory);
      const data = join(directory, 'data');
      execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8'], { ...user, stdio: 'ignore' });
      const postgres = started(join(bin, 'postgres'), ['-D', data, '-p', String(port), '-k', directory, '-c', 'listen_addresses=127.0.0.1'], user);
      return withServer(postgres, port, () => driven('dbos.mjs', lanes, { PEER_PORT: String(port) }), 'SIGINT');
    }),
  },
  {
    name: 'Restate', setting: 'one node, as it comes',
    measure: (lanes) => inDirectory(async (directory) => {
      const [ingress, admin, service, node] = [await freePort(), await freePort(), await freePort(), await freePort()];
      const config = join(directory, 'restate.toml');
      writeFileSync(config, `base-dir = "${directory}"\nbind-ip = "127.0.0.1"\nbind-port = ${node}\nadvertised-address = "http://127.0.0.1:${node}/"\n[ingress]\nbind-address = "127.0.0.1:${ingress}"\n[admin]\nbind-address = "127.0.0.1:${admin}"\n`);
      const restate = started(join(HERE, 'node_modules/.bin/restate-server'), ['--config-file', config], { env: { ...process.env, RESTATE_LOG_FILTER: 'error', DO_NOT_TRACK: '1' } });
      return withServer(restate, admin, () => driven('restate.mjs', lanes, { INGRESS: String(ingress), ADMIN: String(admin), SERVICE: String(service) }));
    }),
  },
];

async function driven(file: string, lanes: readonly (readonly [number, number])[], environment: Readonly<Record<string, string>>): Promise<readonly PeerFigure[]> {
  const child = spawn(process.execPath, [join(HERE, 'peers', file)], { cwd: HERE, env: { ...process.env, ...environment, LANES: JSON.stringify(lanes), SLICES: String(SLICES) }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [text, faults] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (faults += part));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${file} ended with ${code}: ${faults.slice(-500)}`);
  return text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as PeerFigure);
}

async function withServer<T>(server: ChildProcess, port: number, work: () => Promise<T>, end: NodeJS.Signals = 'SIGTERM'): Promise<T> {
  const ended = new Promise<never>((_, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Its server ended with ${code}.`)));
  });
  ended.catch(() => undefined);
  try {
    await Promise.race([listening(port), ended]);
    return await Promise.race([work(), ended]);
  } finally {
    const gone = new Promise((resolve) => (server.exitCode !== null || server.signalCode !== null ? resolve(null) : server.once('exit', resolve)));
    server.kill(end);
    await gone;
  }
}

async function listening(port: number): Promise<void> {
  for (const until = Date.now() + PATIENCE_MS; ; ) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => (socket.destroy(), resolve(true))).on('error', () => resolve(false));
    });
    // What listens may still be starting: a second is short beside what follows.
    if (open) return void (await new Promise((resolve) => setTimeout(resolve, 1_000)));
    if (Date.now() > until) throw new Error(`Nothing listens on port ${port} after ${PATIENCE_MS / 1_000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-peer-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function started(file: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(file, args, { ...options, stdio: 'ignore' });
}

function which(name: string): string {
  const found = (process.env['PATH'] ?? '').split(':').map((directory) => join(directory, name)).find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${name} is not installed (Debian: apt-get install ${name}).`);
  return found;
}

function postgresBin(): string {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a)) : [];
  const bin = versions.map((version) => `/usr/lib/postgresql/${version}/bin`).find((one) => existsSync(join(one, 'initdb')));
  if (bin === undefined) throw new Error('PostgreSQL is not installed (Debian: apt-get install postgresql).');
  return bin;
}

/** PostgreSQL refuses to run as root: then it is the user that its package made. */
function postgresUser(directory: string): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((of) => Number(execFileSync('id', [of, 'postgres'], { encoding: 'utf8' })));
  chownSync(directory, uid!, gid!);
  chmodSync(directory, 0o700);
  return { uid: uid!, gid: gid! };
}
