/** The value of a portfolio at the end of a quarter, released by a person. */
import { z } from 'zod';
import { defineBatch, defineJob, TerminalError } from '../src/index.js';
import { csvRecords, recordOf, type Reading } from './datasets.js';
import { directoryParameter, publish, publishedSchema, reportsDirectory, rounded, table } from './reports.js';

const STOCKS = 'stocks.csv';
const MARKET = 'sp500.csv';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const quarterParameter = z.string().regex(/^\d{4}-Q[1-4]$/, 'a quarter is written YYYY-Qn');
const dateColumn = z.string().regex(/^[A-Z][a-z]{2} 1 \d{4}$/, 'a date is written like "Jan 1 2000"');
const priceColumn = z.coerce.number().positive('a price is more than nothing');
const marketSchema = z.object({ date: dateColumn, price: priceColumn });
const stockSchema = marketSchema.extend({ symbol: z.string() });

const holdingSchema = z.object({ symbol: z.string(), shares: z.int(), price: z.number(), value: z.number(), sharePercent: z.number() });

const valuationSchema = z.object({
  quarter: z.string(),
  pricedOn: z.string(),
  total: z.number(),
  previousTotal: z.number(),
  changePercent: z.number(),
  largest: holdingSchema,
  holdings: z.array(holdingSchema),
});

const marketChangeSchema = z.object({ level: z.number(), previousLevel: z.number(), changePercent: z.number() });

export const valuePortfolio = defineJob({
  name: 'value-portfolio',
  description: `Values a portfolio at the end of a quarter and of the one before (${STOCKS})`,
  tags: ['example', 'finance'],
  parameters: z.object({ quarter: quarterParameter, positions: z.record(z.string(), z.int().positive()) }),
  outputs: valuationSchema,
  timeout: '1m',
  run: async (ctx) => {
    const { quarter, positions } = ctx.params;
    const [now, before] = endsOf(quarter);
    const prices = await pricesOn([now, before], ctx);
    const value = (date: string): { symbol: string; shares: number; price: number; cents: number }[] =>
      Object.entries(positions).map(([symbol, shares]) => {
        const price = prices.get(`${symbol} ${date}`);
        if (price === undefined) throw new TerminalError(`${STOCKS} has no price of ${symbol} on ${date}.`, { code: 'no-price' });
        // Whole cents: money that is summed must not drift.
        return { symbol, shares, price, cents: Math.round(price * 100) * shares };
      });
    const held = value(now).sort((a, b) => b.cents - a.cents || (a.symbol < b.symbol ? -1 : 1));
    const cents = sumOf(held);
    const previousCents = sumOf(value(before));
    const holdings = held.map(({ symbol, shares, price, cents: worth }) => ({ symbol, shares, price, value: worth / 100, sharePercent: rounded((100 * worth) / cents) }));
    const [largest] = holdings;
    if (largest === undefined) throw new TerminalError('The portfolio is empty.', { code: 'no-positions' });
    ctx.log.info(`${holdings.length} holdings, ${cents / 100} USD on ${now}`);
    return { quarter, pricedOn: now, total: cents / 100, previousTotal: previousCents / 100, changePercent: change(cents, previousCents), largest, holdings };
  },
});

export const measureMarket = defineJob({
  name: 'measure-market',
  description: `Measures how the market moved in a quarter (${MARKET})`,
  tags: ['example', 'finance'],
  parameters: z.object({ quarter: quarterParameter }),
  outputs: marketChangeSchema,
  timeout: '1m',
  run: async (ctx) => {
    const [now, before] = endsOf(ctx.params.quarter);
    const levels = new Map<string, number>();
    for await (const record of csvRecords(MARKET, ctx)) {
      const { date, price } = recordOf(marketSchema, MARKET, record);
      levels.set(date, price);
    }
    const [level, previousLevel] = [levels.get(now), levels.get(before)];
    if (level === undefined || previousLevel === undefined) {
      throw new TerminalError(`${MARKET} has no level on ${level === undefined ? now : before}.`, { code: 'no-price' });
    }
    return { level, previousLevel, changePercent: change(level, previousLevel) };
  },
});

export const publishValuation = defineJob({
  name: 'publish-valuation',
  description: 'Publishes a valuation that was released, as Markdown and as JSON',
  tags: ['example', 'finance'],
  parameters: z.object({ valuation: valuationSchema, market: marketChangeSchema, directory: directoryParameter }),
  outputs: publishedSchema,
  timeout: '1m',
  retry: { maxAttempts: 3, backoff: 'exponential', initialDelay: '1s' },
  run: async (ctx) => {
    const { valuation, market } = ctx.params;
    const markdown = [
      `# Portfolio at the end of ${valuation.quarter}`,
      '',
      `Worth ${usd(valuation.total)} at the prices of ${valuation.pricedOn}, ${signed(valuation.changePercent)} % in the quarter; the market: ${signed(market.changePercent)} %.`,
      '',
      table(['Share', 'Held', 'Price', 'Value', 'Part (%)'], valuation.holdings.map((h) => [h.symbol, h.shares, usd(h.price), usd(h.value), h.sharePercent])),
      '',
    ].join('\n');
    return publish({ name: `valuation-${valuation.quarter}`, markdown, figures: { valuation, market } }, reportsDirectory(ctx.params.directory), ctx);
  },
});

export const quarterEndReview = defineBatch({
  name: 'quarter-end-review',
  title: 'Quarter-end review',
  description: 'Values the portfolio beside the market, waits for somebody to release the figures, and publishes them.',
  labels: { example: 'true', team: 'finance' },
  parameters: [
    { name: 'quarter', kind: 'string', default: '2009-Q4', description: 'YYYY-Qn; the prices reach from 2000-Q2 to 2010-Q1' },
    { name: 'positions', kind: 'object', default: { AAPL: 400, AMZN: 300, GOOG: 80, IBM: 500, MSFT: 1200 }, description: 'shares held, by symbol' },
    { name: 'directory', kind: 'string', description: 'where the report goes; `reports` in the data directory unless given' },
  ],
  steps: [
    {
      id: 'figures',
      type: 'parallel',
      join: 'all',
      branches: [
        { label: 'Portfolio', steps: [{ id: 'valuation', type: 'job', job: valuePortfolio.name }] },
        { label: 'Market', steps: [{ id: 'market', type: 'job', job: measureMarket.name }] },
      ],
    },
    {
      id: 'release',
      type: 'gate',
      title: 'Release {{ params.quarter }}: {{ outputs.valuation.total }} USD, {{ outputs.valuation.changePercent }} % in the quarter',
      description: 'The market moved by {{ outputs.market.changePercent }} %. The largest holding is {{ outputs.valuation.largest.symbol }}, {{ outputs.valuation.largest.sharePercent }} % of the whole.',
      allowedRoles: ['controller', 'operator'],
      timeout: '30d',
      show: {
        'total (USD)': 'outputs.valuation.total',
        'quarter before (USD)': 'outputs.valuation.previousTotal',
        'change (%)': 'outputs.valuation.changePercent',
        'market (%)': 'outputs.market.changePercent',
        holdings: 'outputs.valuation.holdings',
      },
    },
    { id: 'publish', type: 'job', job: publishValuation.name, params: { valuation: '{{ outputs.valuation }}', market: '{{ outputs.market }}' } },
  ],
});

/** The files' dates of the quarter's last month and of the one before its first. */
function endsOf(quarter: string): readonly [string, string] {
  const year = Number(quarter.slice(0, 4));
  const last = Number(quarter.slice(6)) * 3 - 1;
  const date = (month: number): string => (month < 0 ? `Dec 1 ${year - 1}` : `${MONTHS[month]} 1 ${year}`);
  return [date(last), date(last - 3)];
}

async function pricesOn(dates: readonly string[], ctx: Reading): Promise<Map<string, number>> {
  const prices = new Map<string, number>();
  for await (const record of csvRecords(STOCKS, ctx)) {
    const { symbol, date, price } = recordOf(stockSchema, STOCKS, record);
    if (dates.includes(date)) prices.set(`${symbol} ${date}`, price);
  }
  return prices;
}

function sumOf(held: readonly { readonly cents: number }[]): number {
  return held.reduce((sum, { cents }) => sum + cents, 0);
}

function change(now: number, before: number): number {
  return rounded((100 * (now - before)) / before);
}

function usd(value: number): string {
  return `${value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} USD`;
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}
