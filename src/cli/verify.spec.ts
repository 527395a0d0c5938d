import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { ask } from '../../test/cli/stand-in.js';
import { openEngine } from '../../test/scenarios/engine.js';

const directory = mkdtempSync(join(tmpdir(), 'sluice-cli-verify-'));
const NOWHERE = 'http://127.0.0.1:9';

beforeAll(async () => {
  const engine = await openEngine(directory);
  await engine.until(await engine.start('three', 'one'), 'completed');
  await engine.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('sluice verify', () => {
  it('says that a log is whole, without any server', async () => {
    const { code, out } = await ask(NOWHERE, ['verify', directory]);
    expect([code, out]).toEqual([0, expect.stringMatching(/\d+ facts in \d+ streams .* were checked.*\n.*as it was sealed/)]);
    const document: unknown = JSON.parse((await ask(NOWHERE, ['verify', directory, '--json'])).out);
    expect(document).toMatchObject({ faults: [], head: expect.stringMatching(/^\d{16}$/) });
  });

  it('names the place of a fault and ends with 1', async () => {
    const file = new Database(join(directory, 'log.db'));
    file.exec("update facts set data = replace(data, '\"attempt\":1', '\"attempt\":2') where type = 'StepStarted' and revision = 2");
    file.close();
    const { code, out } = await ask(NOWHERE, ['verify', directory]);
    expect([code, out]).toEqual([1, expect.stringMatching(/run-[0-9a-f-]{36} +2 .*hash is not the hash/)]);
  });

  it('names a fact that is no JSON, and an end that was cut off behind the rows, and goes on', async () => {
    const file = new Database(join(directory, 'log.db'));
    file.exec("update facts set data = 'x' where type = 'BatchDefined' and revision = 0 and position = (select min(position) from facts where type = 'BatchDefined'); delete from facts where position > 15");
    file.close();
    const { code, out, err } = await ask(NOWHERE, ['verify', directory, '--json']);
    expect([code, err]).toEqual([1, '']);
    const document: unknown = JSON.parse(out);
    const faults = ['data is no JSON', 'hash is not the hash', 'end was cut off'].map((reason) => expect.objectContaining({ reason: expect.stringContaining(reason) }));
    expect(document).toMatchObject({ faults: expect.arrayContaining(faults) });
  });

  it('says what to do where there is no log', async () => {
    const { code, err } = await ask(NOWHERE, ['verify', join(directory, 'nothing')]);
    expect([code, err]).toEqual([2, expect.stringMatching(/can't be opened/)]);
  });
});
