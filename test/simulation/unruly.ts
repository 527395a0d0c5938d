/** Deliveries to the reactor as no log would make them: late, twice, and those of other runs before their turn; never after it was told that it has caught up with them. */
import type { Clock } from '../../src/clock.js';
import type { Delivery, StoredFact } from '../../src/log/event-reader.js';
import type { EngineLog } from '../../src/log/open-log.js';
import { overlaid } from './life.js';

const TWICE = 0.15;
const HELD_BACK = 0.15;
const HELD_MS = 60;
/** Of what was delivered so many deliveries may come again. */
const REMEMBERED = 20;

export interface Unruly {
  twice: number;
  heldBack: number;
}

export function unruly(log: EngineLog, clock: Pick<Clock, 'sleep'>, random: () => number, count: Unruly): EngineLog {
  return overlaid<EngineLog>(log, {
    subscribe: async function* (options) {
      const before: Delivery[] = [];
      const source = log.subscribe(options)[Symbol.asyncIterator]();
      let back: Delivery | undefined;
      for (let next = source.next(); ; ) {
        const come = back === undefined ? await next : await Promise.race([next, clock.sleep(HELD_MS)]);
        if (come === undefined || (back !== undefined && come.done !== true && (come.value.kind !== 'facts' || sameRun(back, come.value)))) {
          yield back!;
          back = undefined;
          continue;
        }
        if (come.done === true) return;
        next = source.next();
        const delivery = come.value;
        if (options.filter === undefined || delivery.kind !== 'facts') {
          yield delivery;
          continue;
        }
        if (back === undefined && random() < HELD_BACK) {
          count.heldBack += 1;
          back = delivery;
          continue;
        }
        yield delivery;
        before.push(delivery);
        if (before.length > REMEMBERED) before.shift();
        if (random() >= TWICE) continue;
        count.twice += 1;
        yield before[Math.trunc(random() * before.length)]!;
      }
    },
  });
}

function sameRun(one: Delivery, other: Delivery): boolean {
  const streams = new Set(factsOf(one).map(({ stream }) => stream));
  return factsOf(other).some(({ stream }) => streams.has(stream));
}

function factsOf(delivery: Delivery): readonly StoredFact[] {
  return delivery.kind === 'facts' ? delivery.facts : [];
}
