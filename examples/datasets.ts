/** The public data that the examples work on: files of the package `vega-datasets`, read as streams. */
import { parse } from 'csv-parse';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { TerminalError, type JobContext } from '../src/index.js';

/** One record and where it stands, counted from 1 (a CSV file's header is not counted). */
export interface Placed<T> {
  readonly number: number;
  readonly value: T;
}

/** What reading needs of a job's context; it stops with the signal's own reason. */
export type Reading = Pick<JobContext, 'signal' | 'progress'>;

export function datasetPath(file: string): string {
  const entry = createRequire(import.meta.url).resolve('vega-datasets');
  return join(entry, '..', '..', 'data', file);
}

/** The objects of a JSON file that is one array of objects, one at a time. */
export async function* jsonRecords(file: string, ctx: Reading): AsyncGenerator<Placed<unknown>> {
  let number = 0;
  const splitter = new ObjectSplitter();
  for await (const chunk of chunksOf(file, ctx)) {
    for (const text of splitter.push(chunk)) {
      ctx.signal.throwIfAborted();
      yield { number: ++number, value: JSON.parse(text) };
    }
  }
}

/** The rows of a CSV file with a header, one at a time, as objects of texts. */
export async function* csvRecords(file: string, ctx: Reading): AsyncGenerator<Placed<unknown>> {
  let number = 0;
  const rows = parse({ columns: true, skip_empty_lines: true });
  const reading = pipeline(chunksOf(file, ctx), rows);
  // Its failure also ends the loop below; awaited after it, so that it is never unhandled.
  reading.catch(() => undefined);
  for await (const value of rows) {
    ctx.signal.throwIfAborted();
    yield { number: ++number, value };
  }
  await reading;
}

/** The text of a file; says after each chunk how far it is. */
async function* chunksOf(file: string, { progress }: Reading): AsyncGenerator<string> {
  const path = datasetPath(file);
  const { size } = await stat(path);
  const stream = createReadStream(path, { encoding: 'utf8' });
  for await (const chunk of stream) {
    yield String(chunk);
    progress(stream.bytesRead, size);
  }
}

/** Cuts the text of an array of objects into the texts of its objects, across chunks. */
class ObjectSplitter {
  private depth = 0;
  private inText = false;
  private escaped = false;
  private open = '';

  push(chunk: string): readonly string[] {
    const whole: string[] = [];
    let start = this.depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at += 1) {
      const char = chunk[at];
      if (this.inText) this.readText(char);
      else if (char === '"') this.inText = true;
      else if (char === '{' && this.depth++ === 0) start = at;
      else if (char === '}' && --this.depth === 0) {
        whole.push(this.open + chunk.slice(start, at + 1));
        this.open = '';
        start = -1;
      }
    }
    if (start >= 0) this.open += chunk.slice(start);
    return whole;
  }

  private readText(char: string | undefined): void {
    if (this.escaped) this.escaped = false;
    else if (char === '\\') this.escaped = true;
    else if (char === '"') this.inText = false;
  }
}

/** Reads a record by its schema; one that does not fit ends the job, and the error says which, where and why. */
export function recordOf<S extends z.ZodType>(schema: S, file: string, { number, value }: Placed<unknown>): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = String(issue?.path[0] ?? '');
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, field) : value;
  throw new TerminalError(`${file}, record ${number}: "${field}" is ${JSON.stringify(found)}: ${issue?.message}`, { code: 'bad-record' });
}
