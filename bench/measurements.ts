/** Every measurement by its name; `run.ts` gives each a process of its own. */
import { afterKill, fold, groupOf1000, logFigures, parkedRuns, timerLateness } from './scale.js';
import { bareLane, engineLane, httpLane, logLane } from './three-steps.js';
import type { Figure } from './trial.js';

/** A part of the runs, for a look in between. */
export const SHARE = process.argv.includes('--share') ? Number(process.argv[process.argv.indexOf('--share') + 1]) : 1;
/** Runs of a slice for each number in flight: some half a second and more, so that collections, checkpoints and rows are in it. */
export const LANES: readonly (readonly [lanes: number, runs: number])[] = ([[1, 300], [16, 1_200], [64, 2_000]] as const).map(([lanes, runs]) => [lanes, Math.ceil(runs * SHARE)]);

/** Measured once, because they take long. */
export const LONG: readonly string[] = ['restart', 'parked', 'timers'];

/** The figures of every slice: several of runs of three steps, one of everything else. */
export type Measurement = () => Promise<readonly (readonly Figure[])[]>;

const threeSteps = LANES.flatMap(([lanes, runs]): [string, Measurement][] => [
  [`bare-${lanes}`, () => bareLane(lanes, runs)],
  [`log-${lanes}`, () => logLane(lanes, runs)],
  [`engine-${lanes}`, () => engineLane(lanes, runs)],
  [`http-${lanes}`, () => httpLane(lanes, runs)],
]);

const once = (measure: () => Promise<readonly Figure[]>): Measurement => async () => [await measure()];

export const MEASUREMENTS: Readonly<Record<string, Measurement>> = Object.fromEntries<Measurement>([
  ...threeSteps, ['fold', once(fold)], ['append', once(logFigures)], ['group', once(groupOf1000)], ['restart', once(afterKill)], ['parked', once(parkedRuns)], ['timers', once(timerLateness)],
]);
