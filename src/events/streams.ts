/** The only place where stream names are spelled. What stands before the first dash is the category. */
import type { BatchId, CommandId, Incarnation, RunId } from '../ids.js';

export type Category = 'run' | 'batch' | 'schedule' | 'audit' | 'answer' | 'seal' | 'blob';
const CATEGORIES: readonly Category[] = ['run', 'batch', 'schedule', 'audit', 'answer', 'seal', 'blob'];

/** Stream names of one namespace; without one they stand alone. */
export class Streams {
  private readonly before: string;

  constructor(namespace?: string) {
    this.before = namespace === undefined || namespace === '' ? '' : `${namespace}.`;
  }

  run = (id: RunId): string => `${this.before}run-${id}`;
  batch = (id: BatchId): string => `${this.before}batch-${id}`;
  schedule = (id: BatchId): string => `${this.before}schedule-${id}`;
  audit = (id: Incarnation): string => `${this.before}audit-${id}`;
  answer = (id: CommandId): string => `${this.before}answer-${id}`;
  seal = (logId: string): string => `${this.before}seal-${logId}`;
  blob = (sha256: string): string => `${this.before}blob-${sha256}`;
  /** Where a log on a shared server says which one it is. */
  identity = (): string => `${this.before}log-identity`;

  prefix(category: Category): string {
    return `${this.before}${category}-`;
  }

  /** Of every stream that holds facts: blobs are read by their names alone. */
  factPrefixes(): readonly string[] {
    return CATEGORIES.filter((category) => category !== 'blob').map((category) => this.prefix(category));
  }

  /** What a name means; undefined for a stream that is not ours. */
  parse(stream: string): { readonly category: Category; readonly id: string } | undefined {
    if (!stream.startsWith(this.before)) return undefined;
    const rest = stream.slice(this.before.length);
    const dash = rest.indexOf('-');
    const category = CATEGORIES.find((name) => name === rest.slice(0, dash));
    return category === undefined ? undefined : { category, id: rest.slice(dash + 1) };
  }
}
