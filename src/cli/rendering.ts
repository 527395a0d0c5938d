/** Tables and phrases for people. Texts of the server arrive here cleaned. */
import Table from 'cli-table3';
import ms from 'ms';
import { heading, type Terminal } from './terminal.js';

/** A column: what it is called and what it shows of a row. */
export interface Column<R> {
  readonly head: string;
  readonly cell: (row: R) => string | number | null | undefined;
  /** Colours the cell. */
  readonly paint?: (text: string, row: R) => string;
  /** How narrow it may become; as wide as its text unless given. */
  readonly min?: number;
  /** Left out where the terminal is too narrow for all. */
  readonly spare?: boolean;
}

const GAP = '  ';
const NO_LINES = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: GAP },
};

/** The rows as lines that fit the terminal; nothing is cut off where there is no terminal. */
export function tableLines<R>(terminal: Terminal, columns: readonly Column<R>[], rows: readonly R[]): string[] {
  const texts = rows.map((row) => columns.map(({ cell }) => String(cell(row) ?? '')));
  const wanted = columns.map(({ head }, at) => Math.max(head.length, ...texts.map((cells) => widthOf(cells[at] ?? ''))));
  const widths = fitted(terminal.width, columns, wanted);
  const kept = columns.flatMap((column, at) => (widths[at] === undefined ? [] : [{ column, at }]));
  const table = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    truncate: '…',
    head: kept.map(({ column }) => heading(terminal, column.head)),
    ...(terminal.width === undefined ? {} : { colWidths: kept.map(({ at }) => widths[at] ?? null) }),
  });
  rows.forEach((row, line) => {
    table.push(kept.map(({ column, at }) => (column.paint ?? ((text) => text))(texts[line]?.[at] ?? '', row)));
  });
  return table.toString().split('\n').map((line) => line.trimEnd());
}

/** The width of each column, undefined for one that is left out. */
function fitted<R>(width: number | undefined, columns: readonly Column<R>[], wanted: readonly number[]): (number | undefined)[] {
  const widths: (number | undefined)[] = [...wanted];
  if (width === undefined) return widths;
  const least = (at: number): number => Math.min(wanted[at] ?? 0, Math.max(columns[at]?.min ?? Number.POSITIVE_INFINITY, columns[at]?.head.length ?? 0));
  const sum = (of: (at: number) => number): number =>
    widths.reduce<number>((total, one, at) => (one === undefined ? total : total + of(at) + GAP.length), -GAP.length);
  for (let at = columns.length - 1; at >= 0 && sum(least) > width; at -= 1) {
    if (columns[at]?.spare === true) widths[at] = undefined;
  }
  for (let over = sum((at) => widths[at] ?? 0) - width; over > 0; over -= 1) {
    const slack = widths.map((one, at) => (one === undefined ? 0 : one - least(at)));
    const widest = slack.indexOf(Math.max(...slack));
    if ((slack[widest] ?? 0) <= 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function widthOf(text: string): number {
  return [...text].length;
}

/** Names and what they say, one per line, the names in one column. */
export function fieldLines(fields: readonly (readonly [name: string, value: string | null | undefined])[]): string[] {
  const said = fields.filter(([, value]) => value !== undefined && value !== null && value !== '');
  const width = Math.max(...said.map(([name]) => name.length));
  return said.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

/** `2026-11-24 03:29:04Z` */
export function timeText(iso: string | null | undefined): string {
  const at = iso === null || iso === undefined ? Number.NaN : Date.parse(iso);
  return Number.isNaN(at) ? '' : new Date(at).toISOString().replace('T', ' ').replace(/\.\d+Z$/, 'Z');
}

/** `3m ago` */
export function ageText(iso: string | null | undefined, now: number): string {
  const at = iso === null || iso === undefined ? Number.NaN : Date.parse(iso);
  return Number.isNaN(at) ? '' : `${ms(Math.max(0, now - at))} ago`;
}

export function durationText(durationMs: number | null | undefined): string {
  return durationMs === null || durationMs === undefined ? '' : ms(Math.max(0, Math.round(durationMs)));
}

export function tookText(startedAt: string | null | undefined, endedAt: string | null | undefined): string {
  const took = Date.parse(endedAt ?? '') - Date.parse(startedAt ?? '');
  return Number.isNaN(took) ? '' : durationText(took);
}

/** `3 runs`, `1 run` */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** `controller or operator`; `*` is anybody. */
export function eitherOf(names: readonly string[] | null = []): string {
  if (names === null) return '';
  if (names.includes('*')) return 'anybody who is signed in';
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

/** Cut to a terminal's width. */
export function cut(terminal: Terminal, line: string): string {
  const characters = [...line];
  if (terminal.width === undefined || characters.length <= terminal.width) return line;
  return `${characters.slice(0, Math.max(1, terminal.width - 1)).join('')}…`;
}

export function errorText(error: { readonly code?: string | null | undefined; readonly message?: string | null | undefined } | null | undefined): string {
  if (error === null || error === undefined) return '';
  return [error.code, error.message].filter((part) => part !== undefined && part !== null && part !== '').join(': ');
}
