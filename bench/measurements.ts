/** Every measurement by its name; `run.ts` gives each a process of its own. */
import { afterKill, fold, groupOf1000, logFigures, parkedRuns, timerLateness } from './scale.js';
import { bareLane, engineLane, httpLane, logLane } from './three-steps.js';
import type { Figure } from './trial.js';

/** A part of the runs, for a look in between. */
export const SHARE = process.argv.includes('--share') ? Number(process.argv[process.argv.indexOf('--share') + 1]) : 1;
/** Runs for each number in flight: enough that the warm-up is behind, few enough for the budget. */
export const LANES: readonly (readonly [lanes: number, runs: number])[] = ([[1, 300], [16, 2_000], [64, 4_000]] as const).map(([lanes, runs]) => [lanes, Math.ceil(runs * SHARE)]);

/** Measured once, because they take long. */
export const LONG: readonly string[] = ['restart', 'parked', 'timers'];

export type Measurement = () => Promise<readonly Figure[]>;

const threeSteps = LANES.flatMap(([lanes, runs]): [string, Measurement][] => [
  [`bare-${lanes}`, () => bareLane(lanes, runs)],
  [`log-${lanes}`, () => logLane(lanes, runs)],
  [`engine-${lanes}`, () => engineLane(lanes, runs)],
  [`http-${lanes}`, () => httpLane(lanes, runs)],
]);

export const MEASUREMENTS: Readonly<Record<string, Measurement>> = Object.fromEntries<Measurement>([
  ...threeSteps, ['fold', fold], ['append', logFigures], ['group', groupOf1000], ['restart', afterKill], ['parked', parkedRuns], ['timers', timerLateness],
]);
