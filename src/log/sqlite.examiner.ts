/**
 * What stands in the file of a SQLite log, row by row, whatever was done to it: for who looks whether it is whole.
 *
 * Where a reader gives up at a row that is no fact, this names the place and goes on. It also sees what is not there:
 * positions grow without holes, and a stream is made together with its first fact.
 */
import type Database from 'better-sqlite3';
import type { StoredFact } from './event-reader.js';
import { factOf, positionText, type Row } from './sqlite.codec.js';
import { messageOf } from './sqlite.schema.js';
import { nextTurn } from './sqlite.reader.js';

/** Where something else stands than a fact, or nothing where one has been. */
export interface BrokenPlace {
  readonly stream: string | null;
  readonly revision: number | null;
  readonly position: string;
  readonly broken: string;
}

const PAGE_FACTS = 500;

/** Every row in the order of its position, and at last the streams that have lost every fact. */
export async function* examine(db: Database.Database): AsyncGenerator<readonly (StoredFact | BrokenPlace)[]> {
  // A left join: a fact whose stream has no name is seen too.
  const page = db.prepare<[number, number], Row>(
    'select f.position, s.name, f.revision, f.type, f.id, f.data, f.metadata, f.recorded_at from facts f left join streams s on s.stream = f.stream where f.position > ? order by f.position limit ?',
  ).raw();
  let before = 0;
  for (let rows = page.all(before, PAGE_FACTS); rows.length > 0; rows = page.all(before, PAGE_FACTS)) {
    const found: (StoredFact | BrokenPlace)[] = [];
    for (const row of rows) {
      const [position] = row;
      if (position !== before + 1) found.push(gap(before + 1, position - 1));
      found.push(examined(row));
      before = position;
    }
    yield found;
    await nextTurn();
  }
  const emptied = db.prepare<[], string>('select name from streams s where not exists (select 1 from facts f where f.stream = s.stream) order by stream').pluck().all();
  if (emptied.length > 0) yield emptied.map((stream) => ({ stream, revision: 0, position: positionText(before), broken: 'The stream is known and has no fact: all of them were taken out, or the end of the log was cut off.' }));
}

function gap(from: number, to: number): BrokenPlace {
  const many = from === to ? `Position ${from} is` : `Positions ${from} to ${to} are`;
  return { stream: null, revision: null, position: positionText(from), broken: `${many} not there: facts were taken out.` };
}

function examined(row: Row): StoredFact | BrokenPlace {
  const [position, stream, revision, , , data, metadata] = row;
  const place = { stream: stream ?? null, revision, position: positionText(position) };
  const broken = stream === null ? 'Its stream has no name any more.' : (textFault('data', data) ?? textFault('metadata', metadata));
  if (broken !== undefined) return { ...place, broken };
  try {
    return factOf(row);
  } catch (error) {
    return { ...place, broken: `It can not be read: ${messageOf(error)}.` };
  }
}

function textFault(name: string, text: unknown): string | undefined {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof text !== 'string' || typeof value !== 'object' || value === null || Array.isArray(value) ? `Its ${name} is no JSON object.` : undefined;
  } catch (error) {
    return `Its ${name} is no JSON: ${messageOf(error)}.`;
  }
}
