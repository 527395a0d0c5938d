/**
 * A schedule of five minutes through a year of a simulated clock, by its decisions alone: each occurrence in its turn, when
 * the ledger says that there is something to judge. In a process of its own, because under jest every look at a global
 * costs more than what is measured here. Prints what it found as one line of JSON.
 */
import { isRejected } from '../../src/actors/actor.js';
import type { Ledger } from '../../src/events/schedule.events.js';
import { ids } from '../../src/ids.js';
import type { ScheduleCtx } from '../../src/schedules/ledger.draft.js';
import { AdvanceSchedule } from '../../src/schedules/schedule.commands.js';
import { decideSchedule } from '../../src/schedules/schedule.decide.js';
import { SimulatedClock } from '../../src/testing/simulated-clock.js';

const START = Date.UTC(2026, 0, 1);
const END = Date.UTC(2027, 0, 1);
const MINUTES = 5 * 60_000;
const BATCH = ids.batch('tick');
const RULE = { cron: '*/5 * * * *', timeZone: 'Europe/Stockholm', catchUp: 'skip', overlap: 'allow' } as const;

const clock = new SimulatedClock(START);
const wrong: string[] = [];
let ledger: Ledger | undefined;
let [turns, dueMs] = [0, START];

const turn = (): void => {
  turns += 1;
  const ctx: ScheduleCtx = {
    nowMs: clock.now(), actor: 'timekeeper', ended: new Set((ledger?.open.length ?? 0) < 10 ? [] : ledger?.open),
    defined: ledger === undefined ? [{ revision: 0, atMs: START, by: 'ann', name: 'tick', said: { kind: 'defined', version: 1, schedule: RULE } }] : [],
    runOf: (due) => ids.scheduledRun(BATCH, due), backfillRunOf: () => '', jitterOf: () => 0,
  };
  const decision = decideSchedule(ledger, new AdvanceSchedule(BATCH, START, { actor: 'timekeeper', roles: [], via: 'timer', commandId: ids.freshCommand() }), ctx);
  if (isRejected(decision)) throw new Error(decision.detail);
  for (const { type, data } of decision.facts) {
    if (type === 'ScheduleAdopted') continue;
    const { due } = (data['occurrence'] ?? {}) as { readonly due?: string };
    if (type !== 'OccurrenceFired' || due !== new Date((dueMs += MINUTES)).toISOString() || clock.now() !== dueMs) wrong.push(`${type} ${due} at ${clock.now()}`);
  }
  ledger = decision.state;
  if (ledger.wakeAt !== null) clock.wakeAt(Date.parse(ledger.wakeAt), turn);
};

const since = process.cpuUsage();
turn();
while (clock.wakeNext(END));
const { user, system } = process.cpuUsage(since);
process.stdout.write(`${JSON.stringify({ tookMs: Math.round((user + system) / 1_000), turns, sums: ledger?.sums, last: new Date(dueMs).toISOString(), wrong: wrong.slice(0, 10) })}\n`);
