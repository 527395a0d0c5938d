import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { openEngine } from '../../test/scenarios/engine.js';
import { openSqliteLogReader } from '../log/sqlite.event-log.js';
import { verifyLog } from './verify-log.js';

const LARGE = 'x'.repeat(100_000);
const directory = mkdtempSync(join(tmpdir(), 'sluice-verify-'));

beforeAll(async () => {
  const engine = await openEngine(directory, {
    jobs: [],
    batches: [{ name: 'large', parameters: [{ name: 'text', kind: 'string' }], steps: [{ id: 'a', type: 'job', job: 'obey' }] }],
  });
  await engine.until(await engine.start('three', 'one'), 'completed');
  await engine.until(await engine.start('large', 'two', { text: LARGE }), 'completed');
  await engine.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

/** What the verification says of the log after this was done to its file; the file is put right again. */
async function verdictAfter(harm: string, mend: string) {
  const file = new Database(join(directory, 'log.db'));
  try {
    expect(file.prepare(harm).run().changes).toBe(1);
    const reader = openSqliteLogReader({ directory });
    try {
      return await verifyLog(reader);
    } finally {
      reader.close();
      expect(file.prepare(mend).run().changes).toBe(1);
    }
  } finally {
    file.close();
  }
}

const theFact = "from facts where type = 'StepSucceeded' order by position limit 1";

describe('Verifying a log', () => {
  it('finds nothing wrong in one that nobody has touched, and tells how far it is', async () => {
    const reader = openSqliteLogReader({ directory });
    const progress: number[] = [];
    const verdict = await verifyLog(reader, { progress: ({ facts }) => progress.push(facts) });
    expect(verdict).toMatchObject({ faults: [], payloads: 1, head: await reader.head() });
    expect(verdict.facts).toBe(progress.at(-1));
    expect(verdict.streams).toBeGreaterThan(8);
    reader.close();
  });

  it.each([
    ['a changed word', "update facts set data = replace(data, '\"attempt\":1', '\"attempt\":2') where position = (select position " + theFact + ')', "update facts set data = replace(data, '\"attempt\":2', '\"attempt\":1') where position = (select position " + theFact + ')', /hash is not the hash/],
    ['a changed actor', "update facts set metadata = replace(metadata, '\"actor\":\"', '\"actor\":\"x') where position = (select position " + theFact + ')', "update facts set metadata = replace(metadata, '\"actor\":\"x', '\"actor\":\"') where position = (select position " + theFact + ')', /hash is not the hash/],
    ['a changed payload', "update blobs set text = replace(text, 'xxxx', 'xxxy')", "update blobs set text = replace(text, 'xxxy', 'xxxx')", /payload .* was changed/],
    ['data that is no JSON', "update facts set data = '{' || data where position = (select position " + theFact + ')', "update facts set data = substr(data, 2) where position = (select position " + theFact + ')', /data is no JSON/],
    ['data that is another JSON', "update facts set data = '[' || data || ']' where position = (select position " + theFact + ')', "update facts set data = substr(data, 2, length(data) - 2) where position = (select position " + theFact + ')', /data is no JSON object/],
    ['metadata that is no JSON', "update facts set metadata = metadata || 'x' where position = (select position " + theFact + ')', "update facts set metadata = substr(metadata, 1, length(metadata) - 1) where position = (select position " + theFact + ')', /metadata is no JSON/],
    ['metadata that lacks a name', "update facts set metadata = replace(metadata, '\"actor\"', '\"author\"') where position = (select position " + theFact + ')', "update facts set metadata = replace(metadata, '\"author\"', '\"actor\"') where position = (select position " + theFact + ')', /metadata lacks actor/],
    ['metadata that is no text', "update facts set metadata = replace(metadata, '\"schemaVersion\":\"1\"', '\"schemaVersion\":1') where position = (select position " + theFact + ')', "update facts set metadata = replace(metadata, '\"schemaVersion\":1', '\"schemaVersion\":\"1\"') where position = (select position " + theFact + ')', /no map of strings: schemaVersion/],
    ['another id', "update facts set id = 'x' || id where position = (select position " + theFact + ')', "update facts set id = substr(id, 2) where position = (select position " + theFact + ')', /id is not that of fact 0/],
    ['another revision', "update facts set revision = revision + 1000 where position = (select position " + theFact + ')', "update facts set revision = revision - 1000 where position = (select position " + theFact + ')', /Revision \d+ is expected here, but 1\d+ stands here/],
  ])('names the place of %s', async (_, harm, mend, reason) => {
    const { faults } = await verdictAfter(harm, mend);
    expect(faults).toEqual([expect.objectContaining({ stream: expect.stringMatching(/^run-/), reason: expect.stringMatching(reason) })]);
  });

  it('names streams that lost every fact, facts that lost their stream, and an end that was seen', async () => {
    const file = new Database(join(directory, 'log.db'));
    file.pragma('foreign_keys = off');
    const [head] = file.prepare<[], number>('select max(position) from facts').pluck().all();
    file.prepare("insert into streams (name) values ('run-lost')").run();
    file.prepare("update facts set stream = stream + 100000 where type = 'RunStarted' and revision = 0 and position = (select min(position) from facts where type = 'RunStarted')").run();
    const reader = openSqliteLogReader({ directory });
    const { faults } = await verifyLog(reader, { seen: String((head ?? 0) + 1).padStart(16, '0') });
    reader.close();
    file.prepare("delete from streams where name = 'run-lost'").run();
    file.prepare('update facts set stream = stream - 100000 where stream > 100000').run();
    file.close();
    expect(faults.map(({ stream, reason }) => [stream, reason])).toEqual([
      [null, 'Its stream has no name any more.'], [expect.stringMatching(/^run-/), expect.stringMatching(/Revision 0 is expected/)],
      ['run-lost', expect.stringMatching(/has no fact/)], [null, expect.stringMatching(/end was cut off/)],
    ]);
  });

  it('names a stream out of which a fact was taken', async () => {
    const file = new Database(join(directory, 'log.db'));
    const row = file.prepare<[], Record<string, unknown>>(`select * ${theFact}`).get();
    file.prepare(`delete from facts where position = ?`).run(row?.position);
    const reader = openSqliteLogReader({ directory });
    const { faults } = await verifyLog(reader);
    reader.close();
    file.prepare('insert into facts (position, stream, revision, type, id, data, metadata, recorded_at) values (@position, @stream, @revision, @type, @id, @data, @metadata, @recorded_at)').run(row);
    file.close();
    expect(faults).toEqual([
      { stream: null, revision: null, position: expect.any(String), reason: expect.stringMatching(/Position \d+ is not there/) }, expect.objectContaining({ reason: expect.stringMatching(/Revision \d+ is expected/) }),
    ]);
  });
});
