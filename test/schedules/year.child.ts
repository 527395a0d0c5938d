/**
 * A schedule of five minutes through days, with its log, its hosts, its timekeeper and its rows, on a simulated clock, in a
 * process of its own: under jest every look at a global costs more than what is measured here.
 *
 * Arguments: how many days; `passing` (each occurrence in its turn) or `sleeping` (a node that wakes up once a day and
 * makes up for it); and what the runs do: `none` (they do not begin), `one` (the first lasts for ever, and no other may
 * begin meanwhile) or `all` (each begins and ends). Prints what it found as one line of JSON.
 */
import { storedScheduleFact } from '../../src/events/schedule.codec.js';
import { LedgerHouse, START } from './ledger-house.js';

const MINUTES = 5 * 60_000;
const DAY = 86_400_000;
const [days = '', how = '', runs = ''] = process.argv.slice(2);
const end = START + Number(days) * DAY;

const house = new LedgerHouse();
const rows = await house.rows();
const catchUp = how === 'sleeping' ? 'all' : 'skip';
await house.define({ cron: '*/5 * * * *', timeZone: 'Europe/Stockholm', catchUp, catchUpLimit: 300, overlap: runs === 'one' ? 'skip' : 'allow' });
const keeper = await house.timekeeper(undefined, runs === 'all' ? 'real' : true);
const since = process.cpuUsage();
if (how === 'passing') await house.advance(end - START, [keeper]);
for (let at = START + DAY; how === 'sleeping' && at <= end; at += DAY) {
  house.clock.moveTo(at);
  await house.advance(0, [keeper]);
}
const sums = await rows.sums(START, end + 1);
const { user, system } = process.cpuUsage(since);

/** What the facts say, one after the other, held against five minutes. */
const wrong: string[] = [];
const firedOn: Record<string, number> = {};
let facts = 0;
let dueMs = START;
for await (const page of house.log.readAll({ filter: { prefixes: [house.streams.prefix('schedule')] } })) {
  for (const fact of page.map(storedScheduleFact)) {
    facts += 1;
    if (fact.type === 'ScheduleAdopted') continue;
    if (fact.type !== 'OccurrenceFired' && fact.type !== 'OccurrencesSkipped') throw new Error(`What is a ${fact.type} doing here?`);
    const { from, to, count } = fact.type === 'OccurrenceFired' ? { from: fact.data.occurrence.due, to: fact.data.occurrence.due, count: 1 } : fact.data;
    if (Date.parse(from) !== dueMs + MINUTES) wrong.push(from);
    dueMs += count * MINUTES;
    if (Date.parse(to) !== dueMs) wrong.push(to);
    if (fact.type === 'OccurrenceFired') firedOn[fact.data.occurrence.date] = (firedOn[fact.data.occurrence.date] ?? 0) + 1;
  }
}
const ended = new Set<string>();
for await (const page of house.log.readAll({ filter: { prefixes: [house.streams.prefix('run')] } })) {
  for (const { type, stream } of page) if (type === 'RunCompleted') ended.add(stream);
}
process.stdout.write(`${JSON.stringify({ tookMs: Math.round((user + system) / 1_000), sums, facts, asked: [...house.started.values()].reduce((sum, times) => sum + times, 0), ended: ended.size, last: new Date(dueMs).toISOString(), wrong, firedOn, faults: house.faults })}\n`);
await keeper.stop();
await rows.close();
await house.close();
