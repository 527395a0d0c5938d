/** Jobs and batches on real data, for the demo and for reading. Loadable by `SLUICE_JOBS` as any module of jobs is. */
import type { BatchDefinition, JobDefinition, JsonObject, Labels } from '../src/index.js';
import { checkFilms, filmCatalogue, publishCatalogue } from './film-catalogue.js';
import { measureDelays, nightlyFlights, rankAirports, writeFlightReport } from './nightly-flights.js';
import { measureMarket, publishValuation, quarterEndReview, valuePortfolio } from './quarter-end.js';

export const jobs: readonly JobDefinition[] = [
  measureDelays,
  rankAirports,
  writeFlightReport,
  valuePortfolio,
  measureMarket,
  publishValuation,
  checkFilms,
  publishCatalogue,
];

export const batches: readonly BatchDefinition[] = [nightlyFlights, quarterEndReview, filmCatalogue];

/** A run to begin with. */
export interface FirstRun {
  readonly batch: string;
  readonly parameters: JsonObject;
  readonly labels?: Labels;
  readonly reason?: string;
}

/** What an empty log is seeded with: one run that completes, one that waits for a person, one that fails. */
export const firstRuns: readonly FirstRun[] = [
  { batch: nightlyFlights.name, parameters: { month: '2001-01' }, labels: { demo: 'first-runs' }, reason: 'A run that completes and leaves a report' },
  { batch: quarterEndReview.name, parameters: { quarter: '2009-Q4' }, labels: { demo: 'first-runs' }, reason: 'A run that waits for somebody to release its figures' },
  { batch: filmCatalogue.name, parameters: { asOf: '2011-12-31' }, labels: { demo: 'first-runs' }, reason: 'A run that fails on bad data and says which' },
];
