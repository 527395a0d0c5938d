/**
 * The bench: `npm run bench`. Each measurement in a process of its own, all of them and the peers in turn, round after
 * round; what counts is the best slice of each. Results go to the terminal and into `README.md`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Command, InvalidArgumentError } from 'commander';
import { fileURLToPath } from 'node:url';
import { positive } from '../scripts/numeric-options.mjs';
import { LANES, LONG, MEASUREMENTS, SHARE } from './measurements.js';
import { PEERS } from './peers.js';
import type { Peer } from './peers.js';
import { writeResults } from './report.js';
import type { Figure } from './trial.js';

const ROUNDS = 5;
/** Peers are slower: a quarter of the runs takes them as long. */
const PEER_LANES = LANES.map(([lanes, runs]): [number, number] => [lanes, Math.ceil(runs / 4)]);
const NAMES = [...Object.keys(MEASUREMENTS), ...PEERS.map(({ name }) => name)];
const { only } = new Command('bench')
  .description('Measures this tree beside the bare loop and the peers, and writes the table of bench/README.md.')
  .option('--only <names>', `some of ${NAMES.join(', ')}, with commas between them; nothing is written`, named)
  .option('--share <part>', 'this part of the runs, for a look in between', positive, SHARE)
  .parse()
  .opts<{ readonly only?: readonly string[] }>();
const from = performance.now();
const loadBefore = loadavg()[0] ?? NaN;

function named(text: string): readonly string[] {
  const names = text.split(',');
  const unknown = names.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no measurement ${unknown.join(', ')}; there are ${NAMES.join(', ')}.`);
  return names;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function measure(name: string): Promise<readonly (readonly Figure[])[]> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('./one.ts', import.meta.url)), name, '--share', String(SHARE)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      const line = text.split('\n').find((one) => one.startsWith('['));
      if (code !== 0 || line === undefined) return reject(new Error(`Measurement ${name} ended with ${code} and said: ${text || 'nothing'}`));
      resolve(JSON.parse(line) as readonly (readonly Figure[])[]);
    });
  });
}

/** Of all processors since they began, in units of 10 ms. Nothing is known of what a host takes but on Linux. @see man 5 proc_stat */
function ticks(): { readonly all: number; readonly stolen: number } {
  if (!existsSync('/proc/stat')) return { all: 0, stolen: 0 };
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, stolen = 0] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1).map(Number);
  return { all: user + nice + system + idle + iowait + irq + softirq + stolen, stolen };
}

const taken = new Map<string, (readonly Figure[])[]>();
function note(name: string, figures: readonly Figure[]): void {
  taken.set(name, [...(taken.get(name) ?? []), figures]);
  for (const { name: what, value, unit, note: more = '' } of figures) say(`${name.padEnd(10)} ${what.padEnd(60)} ${value.toFixed(1).padStart(9)} ${unit.padEnd(6)} ${more}`);
}

const left = new Map<Peer, string>();
async function measurePeer(peer: Peer): Promise<void> {
  try {
    for (const { lanes, perSecond } of await peer.measure(PEER_LANES)) note(`${peer.name}-${lanes}`, [{ name: 'runs', value: perSecond, unit: '/s' }]);
  } catch (error) {
    left.set(peer, error instanceof Error ? error.message.split('\n')[0]! : String(error));
    say(`${peer.name.padEnd(10)} ${left.get(peer)}`);
  }
}

const isWanted = (name: string): boolean => only === undefined || only.includes(name);
const before = ticks();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of Object.keys(MEASUREMENTS)) if (isWanted(name) && (round === 0 || !LONG.includes(name))) for (const figures of await measure(name)) note(name, figures);
  for (const peer of PEERS) if (isWanted(peer.name) && !left.has(peer)) await measurePeer(peer);
}
const after = ticks();
const stolen = (after.stolen - before.stolen) / Math.max(1, after.all - before.all);
say(`\nThe host took ${(stolen * 100).toFixed(1)} % of the processor time.`);
if (only === undefined) {
  const peers = PEERS.map((peer) => ({ peer, left: left.get(peer) }));
  say(`\n${writeResults(fileURLToPath(new URL('./README.md', import.meta.url)), { lanes: LANES, slices: taken, peers, load: [loadBefore, loadavg()[0] ?? NaN], stolen, tookMs: performance.now() - from })}`);
}
