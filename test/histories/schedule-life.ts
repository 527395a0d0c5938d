/** A schedule that says everything that a schedule can say, for the golden facts. */
import type { StoredFact } from '../../src/log/event-reader.js';
import { ids } from '../../src/ids.js';
import { AdvanceSchedule, ContinueBackfill, PauseSchedule, ResumeSchedule, StartBackfill } from '../../src/schedules/schedule.commands.js';
import { LedgerHouse, START, TICK } from '../schedules/ledger-house.js';

const MINUTE = 60_000;

export async function lifeOfASchedule(): Promise<readonly StoredFact[]> {
  const house = new LedgerHouse();
  const host = house.host();
  const at = (minute: number): number => {
    house.clock.moveTo(START + minute * MINUTE);
    return START + minute * MINUTE;
  };
  await house.define({ cron: '*/10 * * * *', timeZone: 'Europe/Stockholm', overlap: 'cancelPrevious', catchUp: 'skip', jitter: '0s', startAt: '2026-01-01T00:00:00Z', endAt: null });
  await host.execute(new AdvanceSchedule(TICK, at(11), house.origin()));
  at(20);
  await host.execute(new AdvanceSchedule(TICK, START, house.origin()));
  at(30);
  await host.execute(new AdvanceSchedule(TICK, START, house.origin()));
  await host.execute(new PauseSchedule(TICK, 'holiday', house.origin()));
  at(55);
  await host.execute(new ResumeSchedule(TICK, null, house.origin()));
  await host.execute(new AdvanceSchedule(TICK, START, house.origin()));
  const backfillId = ids.backfillOf(ids.freshCommand());
  await host.execute(new StartBackfill(TICK, { id: backfillId, from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:15:00.000Z', again: false, total: 1 }, house.origin()));
  const occurrence = { due: '2026-01-01T00:10:00.000Z', date: '2026-01-01', time: '01:10:00', timeZone: 'Europe/Stockholm', previous: '2026-01-01T00:00:00.000Z' };
  await host.execute(new ContinueBackfill(TICK, backfillId, [{ occurrence, version: 1 }], true, house.origin()));
  await house.remove();
  at(61);
  await host.execute(new AdvanceSchedule(TICK, START, house.origin()));
  const facts = await house.log.readStream(house.streams.schedule(TICK));
  await house.close();
  return facts;
}
