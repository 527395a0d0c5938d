/**
 * Weather: what befalls nodes by chance: every border takes a while, disks fail, run full and come back, nodes die.
 * The clock is the one scheduler: who waits least goes on first, and all waits come from one seed.
 */
import { Unavailable } from '../../src/log/log-errors.js';
import { Died } from './life.js';
import type { Life } from './life.js';
import type { Fate } from './fate.js';
import type { World } from './world.js';

/** How likely it is, at every border. */
export interface Climate {
  readonly death: number;
  /** Of a write: refused, or done and the answer lost. */
  readonly fault: number;
  /** Of an append: the disk is full from here on, for a while. */
  readonly full: number;
  /** The longest that a border takes, in milliseconds. */
  readonly slowMs: number;
}

export const ROUGH: Climate = { death: 0.004, fault: 0.01, full: 0.001, slowMs: 40 };

export interface Weather extends Fate {
  /** Nothing befalls anybody from here on. */
  calm(): void;
  readonly seen: { faults: number; full: number };
}

const FULL_MS = 4_000;
const ROOM = 1_000_000;

export function weather(random: () => number, worldOf: () => World, climate: Climate): Weather {
  let rough = true;
  const seen = { faults: 0, full: 0 };
  const comes = (likely: number): boolean => rough && random() < likely;
  const border = async (life: Life): Promise<void> => {
    if (comes(climate.death)) life.kill();
    if (comes(0.5)) await worldOf().clock.sleep(Math.ceil(random() * climate.slowMs));
    if (!life.alive) await new Promise(() => undefined);
  };
  const fail = (why: string): never => {
    seen.faults += 1;
    throw new Unavailable(why);
  };
  const fill = (): void => {
    const { log, clock } = worldOf();
    seen.full += 1;
    log.limitPages?.(1);
    clock.wakeAt(clock.now() + FULL_MS, () => log.limitPages?.(ROOM));
  };
  return {
    seen,
    calm: () => {
      rough = false;
      worldOf().log.limitPages?.(ROOM);
    },
    appending: async ({ life }) => {
      await border(life);
      if (comes(climate.full)) fill();
      if (comes(climate.fault)) fail('The disk refused it.');
    },
    appended: async ({ life }) => {
      await border(life);
      if (comes(climate.fault)) fail('The answer was lost.');
    },
    delivering: ({ life }) => border(life),
    delivered: ({ life }) => border(life),
    returned: (life) => border(life),
    moving: (life) => {
      if (comes(climate.death / 5)) {
        life.kill();
        throw new Died();
      }
      if (comes(climate.fault / 5)) fail('The disk refused the rows.');
    },
  };
}
