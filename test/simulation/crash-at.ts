/** A crash at one append, at one of five points. */
import { Died } from './life.js';
import type { Fate, Subscriber } from './fate.js';
import type { World } from './world.js';

export const POINTS = ['before the append', 'after it, without the answer', 'after the answer, before the effect', 'after the effect, before its outcome', 'in the transaction of rows'] as const;
export type Point = (typeof POINTS)[number];

/** Kills the life that makes append number `at`. Which checkpoint of the transaction it is killed before depends on the number. */
export function crashAt(worldOf: () => World, at: number, point: Point): Fate {
  let position: string | undefined;
  let claimed: ReadonlySet<string> = new Set();
  let moves = 0;
  let done = false;
  const here = (number: number, wanted: Point): boolean => !done && number === at && point === wanted;
  const covers = (facts: readonly { readonly position: string }[]): boolean => position !== undefined && facts.some((fact) => fact.position === position);
  const crash = (): void => {
    done = true;
    worldOf().life?.kill();
  };
  return {
    appending: ({ number }) => void (here(number, POINTS[0]) && crash()),
    appended: async ({ number, life, stream, facts }) => {
      if (number !== at) return;
      position = (await worldOf().log.readStream(stream, { backwards: true, limit: 1 }))[0]?.position;
      claimed = new Set(facts.filter(({ type, data }) => type === 'StepStarted' && data['worker'] === life.node).map(({ data }) => data['executionId'] as string));
      if (here(number, POINTS[1])) crash();
    },
    delivering: (to, facts) => void (here(at, POINTS[2]) && covers(facts) && hears(to, facts[0]!.stream) && crash()),
    delivered: (to, facts) => void (here(at, POINTS[3]) && claimed.size === 0 && covers(facts) && hears(to, facts[0]!.stream) && crash()),
    returned: (_, executionId) => void (here(at, POINTS[3]) && claimed.has(executionId) && crash()),
    moving: (_, to) => {
      if (!here(at, POINTS[4]) || position === undefined || to < position) return;
      if (moves++ < at % 5) return;
      crash();
      throw new Died();
    },
  };
}

/** The reactor is what acts on runs; on everything else only rows follow. */
function hears({ name, life }: Subscriber, stream: string): boolean {
  return (name === 'reactor') === stream.startsWith(life.world.streams.prefix('run'));
}
