/** The results as people read them: the part of `README.md` between two marks. */
import { cpus, release, totalmem } from 'node:os';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Figure } from './trial.js';
import type { Peer, PeerFigure } from './peers.js';

export interface Results {
  readonly lanes: readonly (readonly [number, number])[];
  /** The first figure of every round. */
  readonly rounds: ReadonlyMap<string, readonly Figure[]>;
  /** Of the machine, before and after: more than its cores before, and others were at work beside. After, it is the bench's own. */
  readonly load: readonly [number, number];
  readonly figures: ReadonlyMap<string, readonly Figure[]>;
  readonly peers: readonly { readonly peer: Peer; readonly figures: readonly PeerFigure[] | string }[];
  /** Measurements that were made again because the host had taken processor time, and those that never were without. */
  readonly disturbed: { readonly again: number; readonly still: number };
  readonly tookMs: number;
}

const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->'];

export function writeResults(file: string, results: Results): string {
  const text = readFileSync(file, 'utf8');
  const table = tableOf(results);
  writeFileSync(file, `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n${table}\n${text.slice(text.indexOf(END))}`);
  return table;
}

function tableOf({ lanes, rounds, figures, peers, load, disturbed, tookMs }: Results): string {
  const rate = (name: string): number => figures.get(name)?.[0]?.value ?? NaN;
  const head = ['runs of three steps a second', ...lanes.map(([count]) => `${count} in flight`), ...lanes.map(([count]) => `of the bare loop, ${count}`)];
  const row = (name: string, of: (count: number) => number, ratio = (count: number): number => of(count) / rate(`bare-${count}`)): string[] => [name, ...lanes.map(([count]) => rounded(of(count))), ...lanes.map(([count]) => ratio(count).toFixed(2))];
  /** Within each round, so that a busy minute hits both. */
  const paired = (kind: string, of: (one: Figure, bare: Figure) => number) => (count: number): number =>
    middle((rounds.get(`${kind}-${count}`) ?? []).map((one, at) => of(one, rounds.get(`bare-${count}`)?.[at] ?? one)));
  const own = (name: string, kind: string): string[] => row(name, (count) => rate(`${kind}-${count}`), paired(kind, (one, bare) => one.value / bare.value));
  const cpu = row('Sluice in process, processor time of a run in ms', (count) => middle((rounds.get(`engine-${count}`) ?? []).map(({ cpuMs = NaN }) => cpuMs)), paired('engine', (one, bare) => (bare.cpuMs ?? NaN) / (one.cpuMs ?? NaN)));
  const peerRow = ({ peer, figures: found }: Results['peers'][number]): string[] =>
    typeof found === 'string' ? [`${peer.name}: not measured (${found})`, ...lanes.flatMap(() => ['–', '–'])] : row(`${peer.name} (${peer.setting})`, (count) => found.find((one) => one.lanes === count)?.perSecond ?? NaN);
  const rows = [own('bare loop', 'bare'), own('the four appends alone', 'log'), own('Sluice in process', 'engine'), cpu, own('Sluice over HTTP', 'http'), ...peers.map(peerRow)];
  const best = lanes.map(([count]) => Math.max(...peers.map(({ figures: found }) => (typeof found === 'string' ? 0 : (found.find((one) => one.lanes === count)?.perSecond ?? 0)))));
  const ahead = lanes.map(([count], at) => `${(rate(`engine-${count}`) / best[at]!).toFixed(1)} at ${count}`);
  const others = [...figures].flatMap(([name, found]) => found.slice(isRate(name) ? 1 : 0).map((figure) => [isRate(name) ? `${figure.name}, ${name.replace('engine-', '')} in flight` : figure.name, `${rounded(figure.value)} ${figure.unit}`, figure.note ?? '']));
  const notes = [...figures].flatMap(([name, [figure]]) => (isRate(name) && figure?.note !== undefined ? [`- ${name}: ${figure.note}`] : []));
  return [
    `Commit \`${git('rev-parse', '--short', 'HEAD')}\`${git('status', '--porcelain', '--', ':!bench/README.md') === '' ? '' : ' with changes that were not committed'}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${Math.round(tookMs / 60_000)} min.`,
    `Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}. Load average ${load.map((one) => one.toFixed(1)).join(' before and ')} after${load[0] > cpus().length ? ': **others were at work on this machine; take ratios, not figures, and those with care**' : ''}.`,
    `Sample: ${lanes.map(([count, runs]) => `${runs.toLocaleString('en')} runs at ${count} in flight`).join(', ')}, after a warm-up of 1,000 (peers 300); the median of ${Math.max(...[...rounds.values()].map((all) => all.length))} rounds, in which the loops, the engine and the server take turns, and ratios within a round; peers once, a sixth as many runs.`,
    `Stolen time: ${disturbed.again} measurements were made again, because the host had taken more than 3 % of the processor time meanwhile; ${disturbed.still} stand here in spite of it, each the least disturbed of three.`,
    '', ...markdown(head, rows), '',
    `Sluice in process is ahead of the best peer by a factor of ${ahead.join(', ')} in flight.`,
    '', ...markdown(['besides', '', ''], others), '', ...notes,
  ].join('\n');
}

/** The one in the middle. */
function middle(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}

function isRate(name: string): boolean {
  return /^(bare|log|engine|http)-\d/.test(name);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)];
}

function rounded(value: number): string {
  if (Number.isNaN(value)) return '–';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2);
}

function git(...args: readonly string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
