/** Positions and rows of the SQLite log, as the ports show them. */
import { isoTime } from '../events/json.js';
import type { StoredFact } from './event-reader.js';

/** Digits of a position: every safe integer fits. */
const POSITION_DIGITS = 16;
const POSITION = /^\d{16}$/;

export function positionText(position: number): string {
  return String(position).padStart(POSITION_DIGITS, '0');
}

/** @throws RangeError for what this log never gave out */
export function positionNumber(position: string | undefined): number {
  if (position === undefined || position === '') return 0;
  if (!POSITION.test(position)) throw new RangeError(`${JSON.stringify(position)} is not a position of this log.`);
  return Number(position);
}

/** In the order of the columns: rows come as arrays, which is the faster way. */
export type Row = readonly [
  position: number, stream: string, revision: number, type: string, id: string, data: string, metadata: string, recordedAt: number,
];

export function factOf(row: Row): StoredFact {
  const [position, stream, revision, type, id, data, metadata, recordedAt] = row;
  return {
    stream,
    revision,
    type,
    // Every text in the table was written by `append` as the JSON of such an object.
    data: JSON.parse(data) as StoredFact['data'],
    metadata: JSON.parse(metadata) as StoredFact['metadata'],
    id,
    position: positionText(position),
    recordedAt: isoTime(recordedAt),
  };
}
