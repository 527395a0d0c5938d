/**
 * The bench: `npm run bench`. Each measurement in a process of its own, rounds in turn so that a busy minute hits all of
 * them, and once more where the host had the processors do something else meanwhile; results go to the terminal and into
 * `README.md`. `-- --only engine-64,bare-64` measures these, and writes nothing; `-- --share 0.25` runs a quarter of the runs.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { LANES, MEASUREMENTS, SHARE } from './measurements.js';
import { PEERS } from './peers.js';
import type { Peer, PeerFigure } from './peers.js';
import { writeResults } from './report.js';
import type { Figure } from './trial.js';

const ROUNDS = 3;
/** Peers are slower by an order of magnitude: this many of them a lane are enough, and keep to the budget. */
const PEER_LANES = LANES.map(([lanes, runs]): [number, number] => [lanes, Math.ceil(runs / 6)]);
const only = process.argv.includes('--only') ? (process.argv[process.argv.indexOf('--only') + 1] ?? '').split(',') : undefined;
const from = performance.now();
const loadBefore = loadavg()[0] ?? NaN;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function measure(name: string): Promise<readonly Figure[]> {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(new URL('./one.ts', import.meta.url)), name, '--share', String(SHARE)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => {
      const line = text.split('\n').find((one) => one.startsWith('['));
      if (code !== 0 || line === undefined) return reject(new Error(`Measurement ${name} ended with ${code} and said: ${text || 'nothing'}`));
      const figures = JSON.parse(line) as readonly Figure[];
      for (const { name: what, value, unit, note = '' } of figures) say(`${name.padEnd(10)} ${what.padEnd(60)} ${value.toFixed(1).padStart(9)} ${unit.padEnd(6)} ${note}`);
      resolve(figures);
    });
  });
}

/** Of all processor time: what the host gave to others meanwhile. More than this, and the machine was another one. */
const MOST_STOLEN = 0.03;
const MOST_TRIES = 3;
let [again, stolenStill] = [0, 0];

/** As often as it takes until hardly anything was stolen; else the try of which least was. */
async function undisturbed<T>(name: string, measured: () => Promise<T>): Promise<T> {
  let best: { readonly found: T; readonly stolen: number } | undefined;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const before = ticks();
    const found = await measured();
    const after = ticks();
    const stolen = (after.stolen - before.stolen) / Math.max(1, after.all - before.all);
    if (best === undefined || stolen < best.stolen) best = { found, stolen };
    if (best.stolen <= MOST_STOLEN) return best.found;
    again += 1;
    say(`${name.padEnd(10)} the host took ${(stolen * 100).toFixed(0)} % of the processor time`);
  }
  stolenStill += 1;
  return best!.found;
}

/** Of all processors since they began, in units of 10 ms. Nothing is known of what a host takes but on Linux. @see man 5 proc_stat */
function ticks(): { readonly all: number; readonly stolen: number } {
  if (!existsSync('/proc/stat')) return { all: 0, stolen: 0 };
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, stolen = 0] = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1).map(Number);
  return { all: user + nice + system + idle + iowait + irq + softirq + stolen, stolen };
}

/** The round whose first figure stands in the middle. */
function median(rounds: readonly (readonly Figure[])[]): readonly Figure[] {
  return [...rounds].sort(([one], [other]) => one!.value - other!.value)[Math.floor(rounds.length / 2)]!;
}

const wanted = Object.keys(MEASUREMENTS).filter((name) => only === undefined || only.includes(name));
const taken = new Map<string, (readonly Figure[])[]>(wanted.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const name of wanted) if (/-\d+$/.test(name)) taken.get(name)!.push(await undisturbed(name, () => measure(name)));
}
for (const name of wanted) if (!/-\d+$/.test(name)) taken.get(name)!.push(await undisturbed(name, () => measure(name)));
const figures = new Map([...taken].map(([name, rounds]) => [name, median(rounds)]));
const rounds = new Map([...taken].map(([name, all]) => [name, all.map(([first]) => first!)]));

const peers: { readonly peer: Peer; readonly figures: readonly PeerFigure[] | string }[] = [];
for (const peer of only === undefined ? PEERS : PEERS.filter(({ name }) => only.includes(name))) {
  const found = await undisturbed(peer.name, () => peer.measure(PEER_LANES)).catch((error: unknown) => (error instanceof Error ? error.message.split('\n')[0]! : String(error)));
  say(`${peer.name.padEnd(10)} ${typeof found === 'string' ? found : found.map(({ lanes, perSecond }) => `${lanes} in flight ${perSecond.toFixed(1)}/s`).join(', ')}`);
  peers.push({ peer, figures: found });
}

if (only === undefined) say(`\n${writeResults(fileURLToPath(new URL('./README.md', import.meta.url)), { lanes: LANES, rounds, figures, peers, load: [loadBefore, loadavg()[0] ?? NaN], disturbed: { again: again - stolenStill, still: stolenStill }, tookMs: performance.now() - from })}`);
