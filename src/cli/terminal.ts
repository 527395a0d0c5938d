/**
 * Terminal: what the command line writes to, and what may be written to it.
 *
 * Owns: colour or not, width, the cleaning of foreign text. Does not own: what is said.
 *
 * 1. No text of a server reaches a terminal with a control character in it, nor one that turns the direction of writing.
 * 2. Programs get JSON without loss: what a terminal could take for a command is escaped.
 */
import { styleText } from 'node:util';

export interface Terminal {
  /** Columns; undefined where nobody looks at lines (a file, a pipe). */
  readonly width: number | undefined;
  readonly colour: boolean;
  /** Writes a line to the standard output. */
  out(line: string): void;
  /** Writes a line to the standard error. */
  err(line: string): void;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

interface Streams {
  readonly stdout: Stream;
  readonly stderr: Stream;
}

/** The terminal of this process. */
export function processTerminal(env: Readonly<Record<string, string | undefined>>, { stdout, stderr }: Streams = process): Terminal {
  return {
    width: stdout.isTTY === true ? stdout.columns : undefined,
    colour: stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
  };
}

const BLANKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
// C0, DEL and C1; marks and overrides of direction; what has no width. Joiners stay: scripts and emoji are made with them.
const FORBIDDEN = /[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** One line of text that a terminal shows and does not obey. */
export function cleanText(text: string): string {
  return text.replace(BLANKS, ' ').replace(FORBIDDEN, '\ufffd');
}

/** A JSON value with every text in it cleaned, names of fields too. */
export function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [cleanText(name), cleaned(inner)]));
}

/** JSON that says the same and that a terminal does not obey. */
export function safeJson(value: unknown, indent?: number): string {
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // What JSON.stringify leaves of these stands inside strings, except for the line breaks that it indents by.
  return JSON.stringify(value, null, indent).replace(FORBIDDEN, (character) => (character === '\n' ? character : escape(character)));
}

type Style = Parameters<typeof styleText>[0];

const STYLES: Readonly<Record<string, Style>> = {
  ...styled('green', 'completed', 'succeeded', 'approved', 'autoApproved', 'created', 'updated'),
  ...styled('red', 'failed', 'rejected', 'timedOut', 'lost', 'orphaned', 'refused'),
  ...styled('yellow', 'parked', 'waiting', 'retrying', 'overdue'),
  ...styled('cyan', 'running', 'dispatched', 'queued'),
  ...styled('magenta', 'failing', 'compensating', 'cancelling', 'paused'),
  ...styled('gray', 'pending', 'cancelled', 'skipped', 'unchanged'),
};

function styled(style: Style, ...words: readonly string[]): Record<string, Style> {
  return Object.fromEntries(words.map((word) => [word, style]));
}

/** A word for a status in its colour, if there are colours. */
export function statusWord(terminal: Pick<Terminal, 'colour'>, status: string, text = status): string {
  const style = Object.hasOwn(STYLES, status) ? STYLES[status] : undefined;
  return terminal.colour && style !== undefined ? inStyle(style, text) : text;
}

/** A heading. */
export function heading(terminal: Pick<Terminal, 'colour'>, text: string): string {
  return terminal.colour ? inStyle('bold', text) : text;
}

/** Whether there are colours was decided already; newer Nodes would look at the standard output once more. */
function inStyle(style: Style, text: string): string {
  return styleText(style, text, { validateStream: false });
}
