/** One scenario in one world, with what befalls it; and every crash of it. */
import { isDeepStrictEqual } from 'node:util';
import { Client } from './client.js';
import { crashAt, POINTS } from './crash-at.js';
import type { Point } from './crash-at.js';
import type { Fate } from './fate.js';
import { broken, calls, endings } from './rules.js';
import type { Scenario } from './scenarios.js';
import { storyOf } from './story.js';
import { World } from './world.js';
import type { LogElsewhere, WorldOptions } from './world.js';

export interface Trial {
  readonly appends: number;
  readonly deaths: number;
  readonly endings: readonly unknown[];
  readonly broken: readonly string[];
  /** What stands in the log, in short. */
  readonly story: string;
}

export interface Changes extends Partial<Pick<WorldOptions, 'spoil' | 'again' | 'slots'>> {
  /** Opens the log that a trial is lived on, in place of one in memory. */
  readonly open?: () => Promise<LogElsewhere>;
}

const DOWN_MS = 700;

/** Lives through a scenario. What is broken is told, never thrown. */
export async function trial({ batch, script, stepsVary, refusals = false, ends: wanted }: Scenario, fateIn: (world: () => World) => Fate, { open, ...changes }: Changes = {}): Promise<Trial> {
  const elsewhere = await open?.();
  const world: World = new World({ batches: [{ name: 'it', ...batch }], fate: fateIn(() => world), downMs: DOWN_MS, slots: 2, ...changes, ...(elsewhere && { elsewhere, late: true }) });
  const client = new Client(world);
  const wrong: string[] = [];
  let ends: readonly unknown[] = [];
  try {
    await world.run(async () => void (await script(client)));
    wrong.push(...(await broken(world, { runs: client.runs, refusals, awayMs: DOWN_MS * world.lives.length })));
    ends = (await endings(world)).map(({ status, steps }) => (stepsVary === true ? { status } : { status, steps }));
    const statuses = (await endings(world)).map(({ status }) => status);
    if (wanted !== undefined && !isDeepStrictEqual(statuses, wanted)) wrong.push(`Its runs ended ${statuses.join(', ')}, and not ${wanted.join(', ')}.`);
  } catch (error) {
    wrong.push(String(error), ...calls(world));
  }
  const deaths = world.lives.filter(({ alive }) => !alive).length;
  await world.close();
  return { appends: world.appends, deaths, endings: ends, broken: wrong, story: storyOf(world) };
}

export interface Matrix {
  /** By scenario, the appends of the run that nothing befell. */
  readonly appends: ReadonlyMap<string, number>;
  readonly cases: number;
  /** Crashes that took place. */
  readonly crashes: number;
  readonly failures: readonly string[];
}

export interface Extent {
  /** Failures after which it stops; 5 unless given. */
  readonly most?: number;
  /** At how many of the points each append is crashed, in turn; all unless given. */
  readonly pointsOfEach?: number;
  /** Turns the points round, so that each append meets another one. */
  readonly turned?: number;
}

/** What a large matrix does: one point of each append, another one at each run, or all of them if SLUICE_TEST_ALL_POINTS is set. */
export function inTurn(seed: number): Extent & { readonly pointsOfEach: number } {
  return { pointsOfEach: process.env['SLUICE_TEST_ALL_POINTS'] === undefined ? 1 : POINTS.length, turned: seed };
}

/** Every scenario with a crash at every append, at every point. */
export async function matrix(scenarios: readonly Scenario[], changes: Changes = {}, { most = 5, pointsOfEach = POINTS.length, turned = 0 }: Extent = {}): Promise<Matrix> {
  const appends = new Map<string, number>();
  const failures: string[] = [];
  let [cases, crashes] = [0, 0];
  for (const scenario of scenarios) {
    const clean = await trial(scenario, () => ({}), changes);
    appends.set(scenario.name, clean.appends);
    if (clean.broken.length > 0) failures.push(told(`${scenario.name}, undisturbed`, clean.broken, clean.story));
    for (let at = 1; at <= clean.appends && failures.length < most; at += 1) {
      for (let turn = 0; turn < pointsOfEach; turn += 1) {
        const point = POINTS[(at + turn + turned) % POINTS.length]!;
        const crashed = await trial(scenario, (world) => crashAt(world, at, point), changes);
        cases += 1;
        crashes += crashed.deaths;
        const wrong = [...crashed.broken, ...differing(clean, crashed)];
        if (wrong.length > 0) failures.push(told(named(scenario, at, point), wrong, crashed.story));
      }
    }
  }
  return { appends, cases, crashes, failures };
}

export function named({ name }: Scenario, at: number, point: Point): string {
  return `${name}, append ${at}, ${point}`;
}

function differing(clean: Trial, crashed: Trial): string[] {
  if (clean.broken.length > 0 || crashed.broken.length > 0 || isDeepStrictEqual(clean.endings, crashed.endings)) return [];
  return [`It came to something else than undisturbed:\n${JSON.stringify(crashed.endings)}\n${JSON.stringify(clean.endings)}`];
}

export function told(what: string, wrong: readonly string[], story: string): string {
  return `${what}:\n${wrong.join('\n')}\n${story}`;
}
