import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { walk } from '../test/examples/walk.js';
import { datasetPath } from './datasets.js';
import { nightlyFlights } from './nightly-flights.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-flights-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** The same file in SQL, read as one JSON document. */
async function flightsInSql(): Promise<Database.Database> {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE flights (at TEXT, delay INTEGER, origin TEXT, destination TEXT)');
  db.prepare(
    `INSERT INTO flights SELECT value ->> 'date', value ->> 'delay', value ->> 'origin', value ->> 'destination' FROM json_each(?)`,
  ).run(await readFile(datasetPath('flights-20k.json'), 'utf8'));
  return db;
}

describe('nightly-flights', () => {
  it.each([['2001-01', 15], ['2001-02', 0], ['2001-03', 60]])('measures %s (late after %i minutes) as SQL does', async (month, lateAfterMinutes) => {
    const { outputs, log } = await walk(nightlyFlights, { month, lateAfterMinutes, directory });
    const db = await flightsInSql();
    const where = `FROM flights WHERE at LIKE '${month.replace('-', '/')}%'`;
    const sums = db
      .prepare<[number, number], Record<string, number>>(
        `SELECT count(*) AS flights, sum(delay > ?) AS late, round(100.0 * sum(delay <= ?) / count(*), 2) AS onTimePercent, round(avg(delay), 2) AS meanDelayMinutes ${where}`,
      )
      .get(lateAfterMinutes, lateAfterMinutes);
    const median = db
      .prepare<[], number>(`SELECT avg(delay) FROM (SELECT delay, row_number() OVER (ORDER BY delay) AS place, count(*) OVER () AS n ${where}) WHERE place IN ((n + 1) / 2, (n + 2) / 2)`)
      .pluck()
      .get();
    const worst = db.prepare(`SELECT at AS date, delay, origin, destination ${where} ORDER BY delay DESC LIMIT 1`).get();
    expect(outputs.get('delays')).toMatchObject({ ...sums, medianDelayMinutes: median, worst: worst as object });
    expect(outputs.get('airports')).toMatchObject({
      airports: db.prepare<[], number>(`SELECT count(DISTINCT origin) ${where}`).pluck().get(),
      busiest: db
        .prepare(`SELECT origin AS iata, count(*) AS departures, round(avg(delay), 2) AS meanDelayMinutes ${where} GROUP BY origin ORDER BY departures DESC, iata LIMIT 10`)
        .all() as object[],
    });
    expect(log[0]).toBe(`${sums?.flights} flights in ${month}, ${sums?.late} of them late`);
    db.close();
  });

  it('names the busiest airports by the list of airports', async () => {
    const { outputs } = await walk(nightlyFlights, { directory });
    const { busiest } = outputs.get('airports') as { busiest: { iata: string; name: string; place: string }[] };
    const lines = (await readFile(datasetPath('airports.csv'), 'utf8')).split('\n');
    for (const { iata, name, place } of busiest) {
      const line = lines.find((text) => text.startsWith(`${iata},`)) ?? '';
      expect(line.replaceAll('"', '')).toContain(`${iata},${name},${place.replace(', ', ',')},USA`);
    }
    expect(busiest).toHaveLength(10);
  });

  it('leaves a report for people and its figures, whole and no draft', async () => {
    const { outputs } = await walk(nightlyFlights, { month: '2001-01', directory });
    const published = outputs.get('report') as { markdown: string; json: string; sha256: string };
    expect((await readdir(directory)).map((name) => join(directory, name)).sort()).toEqual([published.json, published.markdown]);
    const figures = await readFile(published.json, 'utf8');
    expect(createHash('sha256').update(figures).digest('hex')).toBe(published.sha256);
    expect(JSON.parse(figures)).toEqual({ month: '2001-01', lateAfterMinutes: 15, delays: outputs.get('delays'), airports: outputs.get('airports') });
    const markdown = await readFile(published.markdown, 'utf8');
    expect(markdown).toMatch(/^# Flights in 2001-01\n\n6937 flights from \d+ airports; [\d.]+ % were at most 15 minutes late\.\n/);
    expect(markdown.match(/^\| [A-Z]{3} \| /gm)).toHaveLength(10);
  });

  it('writes nothing twice for the same step of the same run, and beside it for another run', async () => {
    const first = (await walk(nightlyFlights, { directory }, { key: 'run-1' })).outputs.get('report') as { json: string };
    const before = await stat(first.json);
    const again = await walk(nightlyFlights, { directory }, { key: 'run-1' });
    expect(again.outputs.get('report')).toEqual(first);
    expect((await stat(first.json)).ino).toBe(before.ino);
    expect(again.log).toContain(`${first.json} is already there`);
    await walk(nightlyFlights, { directory }, { key: 'run-2' });
    expect(await readdir(directory)).toHaveLength(4);
  });

  it('shows how far it is', async () => {
    const { progress } = await walk(nightlyFlights, { directory });
    const { size } = await stat(datasetPath('flights-20k.json'));
    expect(progress.filter(([done, total]) => done === size && total === size)).toHaveLength(2);
    expect(progress.length).toBeGreaterThan(10);
  });

  it('fails for good on a month without flights, and refuses what is no month', async () => {
    await expect(walk(nightlyFlights, { month: '1999-12', directory })).rejects.toMatchObject({ name: 'TerminalError', code: 'no-flights' });
    await expect(walk(nightlyFlights, { month: '2001-13', directory })).rejects.toThrow('a month is written YYYY-MM');
    expect(await readdir(directory)).toEqual([]);
  });

  it('stops for its signal, with its reason, and leaves nothing', async () => {
    const reason = new Error('cancelled by anna');
    await expect(walk(nightlyFlights, { directory }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await readdir(directory)).toEqual([]);
  });
});
