/** A month of flights within the USA: how late they were and where they left from, as a report. */
import { z } from 'zod';
import { defineBatch, defineJob, TerminalError } from '../src/index.js';
import { csvRecords, jsonRecords, recordOf, type Reading } from './datasets.js';
import { directoryParameter, publish, publishedSchema, reportsDirectory, rounded, table } from './reports.js';

const FLIGHTS = 'flights-20k.json';
const AIRPORTS = 'airports.csv';

const flightSchema = z.object({
  date: z.string().regex(/^\d{4}\/\d\d\/\d\d \d\d:\d\d$/, 'a date is written YYYY/MM/DD hh:mm'),
  delay: z.int(),
  distance: z.int().positive(),
  origin: z.string().length(3),
  destination: z.string().length(3),
});
type Flight = z.infer<typeof flightSchema>;

const airportSchema = z.object({ iata: z.string(), name: z.string(), city: z.string(), state: z.string() });

const monthParameter = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month is written YYYY-MM');

const delaysSchema = z.object({
  flights: z.int(),
  late: z.int(),
  onTimePercent: z.number(),
  meanDelayMinutes: z.number(),
  medianDelayMinutes: z.number(),
  worst: flightSchema,
});

const airportsSchema = z.object({
  airports: z.int(),
  busiest: z.array(
    z.object({ iata: z.string(), name: z.string(), place: z.string(), departures: z.int(), meanDelayMinutes: z.number() }),
  ),
});

export const measureDelays = defineJob({
  name: 'measure-flight-delays',
  description: `Measures how late the flights of a month were (${FLIGHTS})`,
  tags: ['example', 'flights'],
  parameters: z.object({ month: monthParameter, lateAfterMinutes: z.int().min(0).default(15) }),
  outputs: delaysSchema,
  timeout: '1m',
  run: async (ctx) => {
    const { month, lateAfterMinutes } = ctx.params;
    const delays: number[] = [];
    let worst: Flight | undefined;
    for await (const flight of flightsOf(month, ctx)) {
      delays.push(flight.delay);
      if (worst === undefined || flight.delay > worst.delay) worst = flight;
    }
    if (worst === undefined) throw noFlights(month);
    const late = delays.filter((delay) => delay > lateAfterMinutes).length;
    ctx.log.info(`${delays.length} flights in ${month}, ${late} of them late`);
    return {
      flights: delays.length,
      late,
      onTimePercent: rounded((100 * (delays.length - late)) / delays.length),
      meanDelayMinutes: rounded(mean(delays)),
      medianDelayMinutes: median(delays),
      worst,
    };
  },
});

export const rankAirports = defineJob({
  name: 'rank-airports',
  description: `Ranks the airports by departures in a month (${FLIGHTS}, ${AIRPORTS})`,
  tags: ['example', 'flights'],
  parameters: z.object({ month: monthParameter, top: z.int().min(1).max(100).default(10) }),
  outputs: airportsSchema,
  timeout: '1m',
  run: async (ctx) => {
    const { month, top } = ctx.params;
    const byOrigin = new Map<string, number[]>();
    for await (const { origin, delay } of flightsOf(month, ctx)) {
      const delays = byOrigin.get(origin);
      if (delays === undefined) byOrigin.set(origin, [delay]);
      else delays.push(delay);
    }
    if (byOrigin.size === 0) throw noFlights(month);
    const busiest = [...byOrigin]
      .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
      .slice(0, top);
    const names = await airportNames(new Set(busiest.map(([iata]) => iata)), ctx);
    return {
      airports: byOrigin.size,
      busiest: busiest.map(([iata, delays]) => ({
        iata,
        ...(names.get(iata) ?? { name: '(not in the list of airports)', place: '' }),
        departures: delays.length,
        meanDelayMinutes: rounded(mean(delays)),
      })),
    };
  },
});

export const writeFlightReport = defineJob({
  name: 'write-flight-report',
  description: 'Writes the report on a month of flights, as Markdown and as JSON',
  tags: ['example', 'flights'],
  parameters: z.object({ month: monthParameter, lateAfterMinutes: z.int().default(15), delays: delaysSchema, airports: airportsSchema, directory: directoryParameter }),
  outputs: publishedSchema,
  timeout: '1m',
  retry: { maxAttempts: 3, backoff: 'exponential', initialDelay: '1s' },
  run: async (ctx) => {
    const { month, lateAfterMinutes, delays, airports } = ctx.params;
    const { worst } = delays;
    const markdown = [
      `# Flights in ${month}`,
      '',
      `${delays.flights} flights from ${airports.airports} airports; ${delays.onTimePercent} % were at most ${lateAfterMinutes} minutes late.`,
      `The mean delay was ${delays.meanDelayMinutes} minutes, the median ${delays.medianDelayMinutes}.`,
      `Worst: ${worst.origin} to ${worst.destination} on ${worst.date}, ${worst.delay} minutes.`,
      '',
      '## Busiest airports',
      '',
      table(['Airport', 'Name', 'Place', 'Departures', 'Mean delay (min)'], airports.busiest.map((a) => [a.iata, a.name, a.place, a.departures, a.meanDelayMinutes])),
      '',
    ].join('\n');
    return publish({ name: `flights-${month}`, markdown, figures: { month, lateAfterMinutes, delays, airports } }, reportsDirectory(ctx.params.directory), ctx);
  },
});

export const nightlyFlights = defineBatch({
  name: 'nightly-flights',
  title: 'Nightly flights',
  description: 'Measures a month of flights in two branches and writes a report.',
  labels: { example: 'true', team: 'operations' },
  parameters: [
    { name: 'month', kind: 'string', default: '2001-01', description: 'YYYY-MM; the data has January to March 2001' },
    { name: 'lateAfterMinutes', kind: 'integer', default: 15, description: 'a flight is late beyond so many minutes' },
    { name: 'directory', kind: 'string', description: 'where the report goes; `reports` in the data directory unless given' },
  ],
  steps: [
    {
      id: 'measure',
      type: 'parallel',
      join: 'all',
      branches: [
        { label: 'Delays', steps: [{ id: 'delays', type: 'job', job: measureDelays.name }] },
        { label: 'Airports', steps: [{ id: 'airports', type: 'job', job: rankAirports.name, params: { top: 10 } }] },
      ],
    },
    { id: 'report', type: 'job', job: writeFlightReport.name, params: { delays: '{{ outputs.delays }}', airports: '{{ outputs.airports }}' } },
  ],
});

async function* flightsOf(month: string, ctx: Reading): AsyncGenerator<Flight> {
  const prefix = month.replace('-', '/');
  for await (const record of jsonRecords(FLIGHTS, ctx)) {
    const flight = recordOf(flightSchema, FLIGHTS, record);
    if (flight.date.startsWith(prefix)) yield flight;
  }
}

async function airportNames(wanted: ReadonlySet<string>, ctx: Reading): Promise<Map<string, { name: string; place: string }>> {
  const names = new Map<string, { name: string; place: string }>();
  for await (const record of csvRecords(AIRPORTS, ctx)) {
    const { iata, name, city, state } = recordOf(airportSchema, AIRPORTS, record);
    if (wanted.has(iata)) names.set(iata, { name, place: `${city}, ${state}` });
  }
  return names;
}

function noFlights(month: string): TerminalError {
  return new TerminalError(`${FLIGHTS} has no flights in ${month}.`, { code: 'no-flights' });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[Math.floor(middle)]!;
}
