/** How the examples publish: a file is there whole or not at all, and doing it twice is doing it once. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { JobContext } from '../src/index.js';

/** Where reports go unless a run says otherwise. */
export function reportsDirectory(given: string | null | undefined): string {
  return resolve(given ?? join(process.env.SLUICE_DATA ?? 'data', 'reports'));
}

export const directoryParameter = z.string().min(1).nullish().describe('where the report goes; `reports` in the data directory unless given');

export const publishedSchema = z.object({
  markdown: z.string().describe('the report for people'),
  json: z.string().describe('its figures'),
  sha256: z.string().describe('of the figures'),
});
export type Published = z.infer<typeof publishedSchema>;

export interface Report {
  /** The beginning of both files' names. */
  readonly name: string;
  readonly markdown: string;
  readonly figures: unknown;
}

/**
 * Writes `<name>-<key>.md` and `.json`. The key comes from the idempotency key: another attempt at the same step meets
 * its own files, another run never does.
 */
export async function publish(report: Report, directory: string, ctx: Pick<JobContext, 'idempotencyKey' | 'executionId' | 'signal' | 'log'>): Promise<Published> {
  const base = join(directory, `${report.name}-${sha256(ctx.idempotencyKey).slice(0, 8)}`);
  const figures = `${JSON.stringify(report.figures, null, 2)}\n`;
  await mkdir(directory, { recursive: true });
  for (const [path, text] of [[`${base}.json`, figures], [`${base}.md`, report.markdown]] as const) {
    if (await holds(path, text)) ctx.log.info(`${path} is already there`);
    else await writeWhole(path, text, ctx);
  }
  return { markdown: `${base}.md`, json: `${base}.json`, sha256: sha256(figures) };
}

async function writeWhole(path: string, text: string, { executionId, signal, log }: Pick<JobContext, 'executionId' | 'signal' | 'log'>): Promise<void> {
  // An attempt that was given up may still be writing: each has a file of its own until the rename.
  const draft = `${path}.${executionId}.tmp`;
  try {
    const file = await open(draft, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    signal.throwIfAborted();
    await rename(draft, path);
    log.info(`wrote ${path}`, { bytes: Buffer.byteLength(text) });
  } finally {
    await rm(draft, { force: true });
  }
}

async function holds(path: string, text: string): Promise<boolean> {
  try {
    return (await readFile(path, 'utf8')) === text;
  } catch {
    return false;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** To so many decimals, as a number. */
export function rounded(value: number, decimals = 2): number {
  return Number(value.toFixed(decimals));
}
