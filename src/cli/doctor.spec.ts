import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { ask } from '../../test/cli/stand-in.js';
import { openEngine } from '../../test/scenarios/engine.js';

const directory = mkdtempSync(join(tmpdir(), 'sluice-cli-doctor-'));
const NOWHERE = 'http://127.0.0.1:9';
const doctor = async (env: Readonly<Record<string, string>> = {}, at = directory): Promise<{ code: number; findings: string }> => {
  const { code, out } = await ask(NOWHERE, ['doctor', at], { env: { SLUICE_PORT: '0', ...env } });
  return { code, findings: out };
};

beforeAll(async () => {
  const engine = await openEngine(directory);
  await engine.until(await engine.start('three', 'one'), 'completed');
  await engine.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('sluice doctor', () => {
  it('finds nothing wrong where a server can start, with a log and without one', async () => {
    const { code, findings } = await doctor();
    expect([code, findings]).toEqual([0, expect.stringMatching(/Node +ok[^]*settings +ok[^]*disk +(ok|warning)[^]*lock +ok +free[^]*log +ok +up to \d+[^]*chain +ok +the \d+ newest streams[^]*port +ok[^]*can start here/)]);
    expect((await doctor({}, join(directory, 'not-yet'))).code).toBe(0);
  });

  it('takes no folder for one that can be made unless it can', async () => {
    const file = join(directory, 'a-file');
    writeFileSync(file, '');
    const { code, findings } = await doctor({}, join(file, 'data', 'deep'));
    expect([code, findings]).toEqual([1, expect.stringMatching(/data +fault +.*deep can not be made .*ENOTDIR[^]*can not start here/)]);
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('says who holds the directory, and the port', async () => {
    const engine = await openEngine(directory);
    const holder = createServer();
    await new Promise<void>((resolve) => void holder.listen(0, '127.0.0.1', resolve));
    const address = holder.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const beside = await doctor({ SLUICE_PORT: port });
    await engine.close();
    const alone = await doctor({ SLUICE_PORT: port });
    holder.close();
    expect([beside.code, beside.findings]).toEqual([0, expect.stringMatching(/lock +warning +a server is running[^]*port +warning .*EADDRINUSE/)]);
    expect([alone.code, alone.findings]).toEqual([1, expect.stringMatching(/port +fault .*EADDRINUSE[^]*can not start here/)]);
  });

  it('names what is wrong with the settings, and ends with 1', async () => {
    const { code, findings } = await doctor({ SLUICE_SLOT: '3', SLUICE_READ_URL: 'postgres://db' });
    expect([code, findings]).toEqual([1, expect.stringMatching(/settings +fault +SLUICE_SLOT: .*did you mean SLUICE_SLOTS[^]*SLUICE_READ_URL: PostgreSQL/)]);
  });

  it('names a chain that is broken, and a log that is shorter than its rows', async () => {
    const file = new Database(join(directory, 'log.db'));
    file.exec("update facts set type = 'StepFailed' where type = 'StepStarted'; delete from facts where position > 15");
    file.close();
    const { code, findings } = await doctor();
    expect([code, findings]).toEqual([1, expect.stringMatching(/chain +fault +run-[0-9a-f-]+ at revision \d+: hash is not[^]*rows +fault .*cut off/)]);
  });
});
