/** How projections stand, told to a listener as it changes. */
import type { Clock } from '../clock.js';
import { projectionRows } from '../http/projections.controller.js';
import type { EventStream } from '../http/sse.js';
import type { ReadSide } from '../reading/read-side.js';

/** They move with every commit: nobody can read that, so each is told at most once in this time. */
const PACE_MS = 1_000;

/** Tells every build once, and again when anything but its speed has changed. Ends with the stream. */
export async function tellProjections(read: ReadSide, clock: Pick<Clock, 'sleep'>, stream: EventStream): Promise<void> {
  const told = new Map<number, string>();
  while (!stream.signal.aborted) {
    for (const row of projectionRows(read)) {
      const state = JSON.stringify({ ...row, lagMs: 0, rate: 0 });
      if (told.get(row.build) === state) continue;
      told.set(row.build, state);
      if (!(await stream.send({ event: 'projection', data: row }))) return;
    }
    await clock.sleep(PACE_MS, stream.signal).catch(() => undefined);
  }
}
