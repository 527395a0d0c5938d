import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { walk } from '../test/examples/walk.js';
import { datasetPath } from './datasets.js';
import { quarterEndReview } from './quarter-end.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-quarter-'));
});
afterEach(() => rm(directory, { recursive: true }));

const POSITIONS = { AAPL: 400, AMZN: 300, GOOG: 80, IBM: 500, MSFT: 1200 };
const QUARTERS = [
  ['2009-Q4', 'Dec 1 2009', 'Sep 1 2009'],
  ['2005-Q1', 'Mar 1 2005', 'Dec 1 2004'],
  ['2008-Q3', 'Sep 1 2008', 'Jun 1 2008'],
] as const;

async function linesOf(file: string): Promise<string[][]> {
  return (await readFile(datasetPath(file), 'utf8')).trim().split('\n').slice(1).map((line) => line.split(','));
}

async function pricesInSql(): Promise<Database.Database> {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE prices (symbol TEXT, day TEXT, price REAL); CREATE TABLE held (symbol TEXT, shares INTEGER)');
  const price = db.prepare('INSERT INTO prices VALUES (?, ?, ?)');
  for (const [symbol, day, value] of await linesOf('stocks.csv')) price.run(symbol, day, Number(value));
  for (const [day, value] of await linesOf('sp500.csv')) price.run('market', day, Number(value));
  for (const [symbol, shares] of Object.entries(POSITIONS)) db.prepare('INSERT INTO held VALUES (?, ?)').run(symbol, shares);
  return db;
}

interface Valuation {
  readonly total: number;
  readonly previousTotal: number;
  readonly changePercent: number;
  readonly holdings: readonly { symbol: string; value: number; sharePercent: number }[];
}

describe('quarter-end-review', () => {
  it.each(QUARTERS)('values the portfolio of %s as SQL does', async (quarter, end, before) => {
    const { outputs } = await walk(quarterEndReview, { quarter, positions: POSITIONS, directory });
    const db = await pricesInSql();
    const total = db.prepare<[string], number>('SELECT sum(price * shares) FROM held JOIN prices USING (symbol) WHERE day = ?').pluck();
    const level = db.prepare<[string], number>(`SELECT price FROM prices WHERE symbol = 'market' AND day = ?`).pluck();
    const valuation = outputs.get('valuation') as unknown as Valuation;
    expect(valuation.total).toBeCloseTo(total.get(end)!, 6);
    expect(valuation.previousTotal).toBeCloseTo(total.get(before)!, 6);
    expect(Math.abs(valuation.changePercent - 100 * (total.get(end)! / total.get(before)! - 1))).toBeLessThanOrEqual(0.00501);
    expect(outputs.get('market')).toMatchObject({ level: level.get(end), previousLevel: level.get(before) });
    const byValue = db.prepare<[string], string>('SELECT symbol FROM held JOIN prices USING (symbol) WHERE day = ? ORDER BY price * shares DESC').pluck();
    expect(valuation.holdings.map(({ symbol }) => symbol)).toEqual(byValue.all(end));
    db.close();
  });

  it('shows the figures at the gate, in its words and in its data', async () => {
    const { outputs, gates } = await walk(quarterEndReview, { quarter: '2009-Q4', directory });
    const valuation = outputs.get('valuation') as unknown as Valuation;
    // 400 × 210.73 + 300 × 134.52 + 80 × 619.98 + 500 × 130.32 + 1200 × 30.34, from the file by hand
    expect(valuation.total).toBe(275_814.4);
    expect(gates.get('release')?.title).toBe(`Release 2009-Q4: 275814.4 USD, ${valuation.changePercent} % in the quarter`);
    expect(gates.get('release')?.description).toMatch(/^The market moved by 5\.49 %\. The largest holding is AAPL, \d\d\.\d+ % of the whole\.$/);
    expect(gates.get('release')?.data).toEqual({
      'total (USD)': 275_814.4,
      'quarter before (USD)': valuation.previousTotal,
      'change (%)': valuation.changePercent,
      'market (%)': 5.49,
      holdings: valuation.holdings,
    });
  });

  it('publishes what was released', async () => {
    const { outputs } = await walk(quarterEndReview, { quarter: '2009-Q4', directory });
    const published = outputs.get('publish') as { markdown: string; json: string };
    expect(JSON.parse(await readFile(published.json, 'utf8'))).toEqual({ valuation: outputs.get('valuation'), market: outputs.get('market') });
    const markdown = await readFile(published.markdown, 'utf8');
    expect(markdown).toContain('Worth 275,814.40 USD at the prices of Dec 1 2009');
    expect(markdown).toContain('| MSFT | 1200 | 30.34 USD | 36,408.00 USD | 13.2 |');
    expect(await readdir(directory)).toHaveLength(2);
  });

  it('says that a share had no price yet', async () => {
    await expect(walk(quarterEndReview, { quarter: '2004-Q1', directory })).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'no-price',
      message: 'stocks.csv has no price of GOOG on Mar 1 2004.',
    });
  });

  it('says that the prices end', async () => {
    await expect(walk(quarterEndReview, { quarter: '2011-Q1', directory })).rejects.toMatchObject({ code: 'no-price' });
  });

  it('stops for its signal', async () => {
    const reason = new Error('shutdown');
    await expect(walk(quarterEndReview, { directory }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
