/** The results as people read them: the part of `README.md` between two marks. */
import { cpus, release, totalmem } from 'node:os';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { SLICES } from './trial.js';
import type { Figure } from './trial.js';
import type { Peer } from './peers.js';

export interface Results {
  readonly lanes: readonly (readonly [number, number])[];
  /** By the measurement's name: the figures of every slice, of all rounds. */
  readonly slices: ReadonlyMap<string, readonly (readonly Figure[])[]>;
  /** `left`: why it was not measured. */
  readonly peers: readonly { readonly peer: Peer; readonly left: string | undefined }[];
  /** Of the machine, before and after: more than its cores before, and others were at work beside. After, it is the bench's own. */
  readonly load: readonly [number, number];
  /** Of all processor time, what the host gave to others: 0 to 1. */
  readonly stolen: number;
  readonly tookMs: number;
}

const [BEGIN, END] = ['<!-- results -->', '<!-- /results -->'];

export function writeResults(file: string, results: Results): string {
  const text = readFileSync(file, 'utf8');
  const table = tableOf(results);
  writeFileSync(file, `${text.slice(0, text.indexOf(BEGIN) + BEGIN.length)}\n${table}\n${text.slice(text.indexOf(END))}`);
  return table;
}

function tableOf({ lanes, slices, peers, load, stolen, tookMs }: Results): string {
  const figures = new Map([...slices].map(([name, all]) => [name, best(all)]));
  const rate = (name: string): number => figures.get(name)?.[0]?.value ?? NaN;
  const head = ['runs of three steps a second', ...lanes.map(([count]) => `${count} in flight`), ...lanes.map(([count]) => `of the bare loop, ${count}`)];
  const row = (name: string, of: (count: number) => number, ratio: (count: number) => number): string[] => [name, ...lanes.map(([count]) => rounded(of(count))), ...lanes.map(([count]) => ratio(count).toFixed(2))];
  const rates = (name: string, kind: string): string[] => row(name, (count) => rate(`${kind}-${count}`), (count) => rate(`${kind}-${count}`) / rate(`bare-${count}`));
  const leastCpu = (name: string): number => Math.min(...(slices.get(name) ?? []).map(([figure]) => figure?.cpuMs ?? NaN));
  const cpu = row('Sluice in process, processor time of a run in ms', (count) => leastCpu(`engine-${count}`), (count) => leastCpu(`bare-${count}`) / leastCpu(`engine-${count}`));
  const peerRow = ({ peer, left }: Results['peers'][number]): string[] =>
    left === undefined ? rates(`${peer.name} (${peer.setting})`, peer.name) : [`${peer.name}: not measured (${left})`, ...lanes.flatMap(() => ['–', '–'])];
  const rows = [rates('bare loop', 'bare'), rates('the four appends alone', 'log'), rates('Sluice in process', 'engine'), cpu, rates('Sluice over HTTP', 'http'), ...peers.map(peerRow)];
  const ahead = lanes.map(([count]) => `${(rate(`engine-${count}`) / Math.max(...peers.map(({ peer, left }) => (left === undefined ? rate(`${peer.name}-${count}`) : 0)))).toFixed(1)} at ${count}`);
  const own = [...figures].filter(([name]) => !peers.some(({ peer }) => name.startsWith(`${peer.name}-`)));
  const others = own.flatMap(([name, found]) => found.slice(isRate(name) ? 1 : 0).map((figure) => [isRate(name) ? `${figure.name}, ${name.replace('engine-', '')} in flight` : figure.name, `${rounded(figure.value)} ${figure.unit}`, figure.note ?? '']));
  const notes = [...figures].flatMap(([name, [figure]]) => {
    const all = (slices.get(name) ?? []).map(([first]) => rounded(first?.value ?? NaN));
    return all.length === 1 ? [] : [`- ${name}: ${all.join(', ')} ${figure?.unit}${isRate(name) && figure?.note !== undefined ? `; in the best ${figure.note}` : ''}`];
  });
  const most = Math.max(...[...slices.values()].map((all) => all.length));
  return [
    `Commit \`${git('rev-parse', '--short', 'HEAD')}\`${git('status', '--porcelain', '--', ':!bench/README.md') === '' ? '' : ' with changes that were not committed'}, ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, ${Math.round(tookMs / 60_000)} min.`,
    `Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}. Load average ${load.map((one) => one.toFixed(1)).join(' before and ')} after. Its host took ${(stolen * 100).toFixed(1)} % of the processor time.`,
    `Sample: ${lanes.map(([count, runs]) => `${runs.toLocaleString('en')} runs at ${count} in flight`).join(', ')}, after a warm-up of 1,000 (peers: a quarter as many, after 300); the best of ${most} slices, ${SLICES} of them one after the other whenever it is their turn. Times are those of the slice with the best rate; processor time is that of a whole process, the least of them. Of what else there is one figure a round, and the best counts; what takes long was measured once. All rates stand below.`,
    '', ...markdown(head, rows), '',
    `Sluice in process is ahead of the best peer by a factor of ${ahead.join(', ')} in flight.`,
    '', ...markdown(['besides', '', ''], others), '', 'All slices:', '', ...notes,
  ].join('\n');
}

/** The slice whose first figure is best: what others do to the machine only slows. */
function best(slices: readonly (readonly Figure[])[]): readonly Figure[] {
  const sorted = [...slices].sort(([one], [other]) => one!.value - other!.value);
  return sorted.at(sorted[0]?.[0]?.unit === '/s' ? -1 : 0) ?? [];
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
