/**
 * Runs that wait for people alone: of each how far it is and how many gates wait, in fewer than 100 bytes.
 *
 * There may be hundreds of thousands of them for weeks, so each is one entry of a map: the 16 bytes of its id as text, and
 * one whole number.
 */
import type { RunId } from '../ids.js';

export interface ParkedRun {
  readonly revision: number;
  readonly gates: number;
}

const MOST_GATES = 64;
/** A number up to here costs an entry nothing. */
const MOST_REVISION = 2 ** 31 / MOST_GATES;

export class ParkedRuns {
  private readonly runs = new Map<string, number>();

  get size(): number {
    return this.runs.size;
  }

  /** False if it is too large to be kept like this. */
  put(runId: RunId, { revision, gates }: ParkedRun): boolean {
    if (gates >= MOST_GATES || revision >= MOST_REVISION) return false;
    this.runs.set(keyOf(runId), revision * MOST_GATES + gates);
    return true;
  }

  get(runId: RunId): ParkedRun | undefined {
    const packed = this.runs.get(keyOf(runId));
    return packed === undefined ? undefined : { revision: Math.floor(packed / MOST_GATES), gates: packed % MOST_GATES };
  }

  delete(runId: RunId): void {
    this.runs.delete(keyOf(runId));
  }
}

function keyOf(runId: RunId): string {
  return Buffer.from(runId.replaceAll('-', ''), 'hex').toString('latin1');
}
