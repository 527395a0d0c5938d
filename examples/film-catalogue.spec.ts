import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TerminalError } from '../src/index.js';
import { walk } from '../test/examples/walk.js';
import { datasetPath } from './datasets.js';
import { filmCatalogue } from './film-catalogue.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-films-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** The numbers of the wrong records, found line by line with another rule: years of four digits beyond 2011, titles without quotes. */
async function wrongLines(): Promise<number[]> {
  const lines = (await readFile(datasetPath('movies.json'), 'utf8')).split('\n').filter((line) => line.includes('"Title"'));
  return lines.flatMap((line, index) => (/"Title": [^"]|"Release Date": "\w+ \d+ 20(?!0|10|11)\d\d"/.test(line) ? [index + 1] : []));
}

describe('film-catalogue', () => {
  it('fails on the first wrong record and says which, where, and why', async () => {
    const wrong = await wrongLines();
    expect(wrong[0]).toBe(10);
    const failing = walk(filmCatalogue, { directory });
    await expect(failing).rejects.toBeInstanceOf(TerminalError);
    await expect(failing).rejects.toMatchObject({
      code: 'bad-record',
      message: `movies.json, record 10: "Release Date" is "Dec 31 2046", but no film is released after 2011-12-31. ${wrong.length - 1} more of 3201 records break a rule; the log names them.`,
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it('names the same record as the file holds: Duel in the Sun, a film of 1946', async () => {
    const films = JSON.parse(await readFile(datasetPath('movies.json'), 'utf8')) as { Title: string; 'Release Date': string }[];
    expect(films[9]).toMatchObject({ Title: 'Duel in the Sun', 'Release Date': 'Dec 31 2046' });
  });

  it('goes on when so many are tolerated, and lists them', async () => {
    const wrong = await wrongLines();
    const { outputs, log } = await walk(filmCatalogue, { tolerate: wrong.length, directory });
    const checked = outputs.get('check') as { films: number; bad: number; badRecords: { record: number; field: string; value: string }[] };
    expect(checked).toMatchObject({ films: 3201, bad: wrong.length });
    expect(checked.badRecords.map(({ record }) => record)).toEqual(wrong);
    expect(checked.badRecords.find(({ record }) => record === 22)).toEqual({ record: 22, field: 'Title', value: '1776', rule: 'a title is a text' });
    expect(log.filter((line) => line.startsWith('movies.json, record '))).toHaveLength(wrong.length);
    const published = outputs.get('publish') as { markdown: string };
    expect(await readFile(published.markdown, 'utf8')).toContain('| 10 | Release Date | "Dec 31 2046" | no film is released after 2011-12-31 |');
  });

  it('fails when there is one more than tolerated', async () => {
    await expect(walk(filmCatalogue, { tolerate: (await wrongLines()).length - 1, directory })).rejects.toMatchObject({ code: 'bad-record' });
  });

  it('judges by the day that it is given', async () => {
    await expect(walk(filmCatalogue, { asOf: '1990-01-01', directory })).rejects.toThrow('record 1: "Release Date" is "Jun 12 1998", but no film is released after 1990-01-01');
    await expect(walk(filmCatalogue, { asOf: 'today', directory })).rejects.toThrow('/asOf');
  });
});
