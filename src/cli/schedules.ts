/** `sluice schedules`: which there are, what became of their occurrences; pause, resume, a run now, runs of the past. */
import type { Command } from 'commander';
import { backfillBegun, backfillPlanned, backfillRow, listOf, occurrenceList, runStarted, scheduleControlled, scheduleRow } from './answers.js';
import type { BackfillRow, OccurrenceRow, ScheduleRow } from './answers.js';
import { door } from './client.js';
import { openSession, type Session, type Surroundings } from './context.js';
import { Unfulfilled } from './failures.js';
import { filled, limit } from './parsing.js';
import { counted, tableLines, timeText, type Column } from './rendering.js';
import { statusWord } from './terminal.js';

const PLEASE_WAIT_MS = 500;

interface Range {
  readonly from?: string;
  readonly to?: string;
}
type BackfillOptions = { readonly from: string; readonly to: string; readonly again?: boolean; readonly dryRun?: boolean; readonly watch?: boolean };

export function addSchedules(program: Command, surroundings: Surroundings): void {
  const schedules = program.command('schedules').description('schedules: list them (as without a word), and what can be done with one');
  schedules
    .command('list', { isDefault: true })
    .description('list schedules, and when each is due next')
    .option('--limit <n>', 'so many at most', limit, 50)
    .action((options: { limit: number }, command: Command) => list(openSession(surroundings, command), options.limit));
  for (const verb of ['pause', 'resume'] as const) {
    schedules
      .command(verb)
      .description(verb === 'pause' ? 'fire nothing until it is resumed; what is due meanwhile is skipped' : 'go on with the next occurrence')
      .argument('<batch>', 'name or id')
      .option('-m, --reason <text>', 'why', filled)
      .action((batch: string, { reason }: { reason?: string }, command: Command) => control(openSession(surroundings, command), verb, batch, reason));
  }
  schedules
    .command('trigger')
    .description("start a run now, with the schedule's parameters")
    .argument('<batch>', 'name or id')
    .option('-m, --reason <text>', 'why', filled)
    .action((batch: string, { reason }: { reason?: string }, command: Command) => trigger(openSession(surroundings, command), batch, reason));
  schedules
    .command('backfill')
    .description('start runs for occurrences of the past that were not fired')
    .argument('<batch>', 'name or id')
    .requiredOption('--from <time>', 'ISO 8601 with its zone; inside of the range')
    .requiredOption('--to <time>', 'the end of the range, not inside of it')
    .option('--again', 'those too that were fired')
    .option('--dry-run', 'only say what would be started')
    .option('--watch', 'wait until all of its runs have ended')
    .action((batch: string, options: BackfillOptions, command: Command) => backfill(openSession(surroundings, command), batch, options));
  schedules
    .command('occurrences')
    .description('what became of each occurrence, and the sums; of the last day unless asked otherwise')
    .argument('<batch>', 'name or id')
    .option('--from <time>', 'ISO 8601 with its zone; inside of the range')
    .option('--to <time>', 'the end of the range, not inside of it')
    .option('--limit <n>', 'so many at most', limit, 50)
    .action((batch: string, options: Range & { limit: number }, command: Command) => occurrences(openSession(surroundings, command), batch, options));
}

async function list(session: Session, most: number): Promise<void> {
  const { body, raw } = await session.client.get('/schedules', listOf(scheduleRow), { limit: most });
  session.document(raw);
  if (body.items.length === 0) return session.say('No batch has a schedule.');
  const columns: Column<ScheduleRow>[] = [
    { head: 'BATCH', cell: (row) => row.batchName, min: 8 },
    { head: 'CRON', cell: (row) => row.cron },
    { head: 'ZONE', cell: (row) => row.timeZone, spare: true },
    { head: 'NEXT', cell: (row) => (row.paused === true ? 'paused' : timeText(row.nextDue)), paint: (text) => (text === 'paused' ? statusWord(session.terminal, 'parked', text) : text) },
    { head: 'LAST', cell: ({ lastOccurrence: last }) => (last === null || last === undefined ? '' : `${timeText(last.due)} ${outcomeText(last)}`), spare: true },
  ];
  session.say(...tableLines(session.terminal, columns, body.items));
}

async function control(session: Session, verb: 'pause' | 'resume', batch: string, reason: string | undefined): Promise<void> {
  const { body, raw } = await session.client.change({ method: 'POST', path: door('batches', batch, 'schedule', verb), body: { reason } }, scheduleControlled);
  session.document(raw);
  session.say(body.paused ? `The schedule of ${batch} is paused.` : `The schedule of ${batch} goes on; it is due next at ${timeText(body.nextDue) || 'no time that its rule names'}.`);
}

async function trigger(session: Session, batch: string, reason: string | undefined): Promise<void> {
  const { body, raw } = await session.client.change({ method: 'POST', path: door('batches', batch, 'schedule', 'trigger'), body: { reason } }, runStarted);
  session.document(raw);
  session.say(`Run ${body.runId} has begun.`);
}

async function backfill(session: Session, batch: string, { from, to, again = false, dryRun = false, watch = false }: BackfillOptions): Promise<void> {
  const change = { method: 'POST', path: door('batches', batch, 'schedule', 'backfill'), body: { from, to, again, dryRun } } as const;
  if (dryRun) {
    const { body, raw } = await session.client.change(change, backfillPlanned);
    session.document(raw);
    return session.say(`${counted(body.total, 'run')} would be started.`, ...body.items.map(({ due, outcome }) => `  ${timeText(due)}  ${outcome}`));
  }
  const { body, raw } = await session.client.change(change, backfillBegun);
  if (!watch) session.document(raw);
  session.say(`Backfill ${body.backfillId} starts ${counted(body.total, 'run')}.`);
  if (watch) await watched(session, batch, body.backfillId);
}

async function watched(session: Session, batch: string, id: string): Promise<void> {
  for (let told = ''; ; await session.clock.sleep(PLEASE_WAIT_MS)) {
    const { body, raw } = await session.client.get(door('batches', batch, 'schedule', 'backfills', id), backfillRow);
    const [ended, failed] = [endedOf(body), (body.runs['failed'] ?? 0) + (body.runs['cancelled'] ?? 0)];
    const line = `${body.done} of ${body.total} begun, ${ended} ended, ${failed} of them not well.`;
    if (line !== told) session.say((told = line));
    if (typeof body.endedAt !== 'string' || ended < body.done) continue;
    session.document(raw);
    if (failed > 0) throw new Unfulfilled();
    return;
  }
}

function endedOf({ runs }: BackfillRow): number {
  return (runs['completed'] ?? 0) + (runs['failed'] ?? 0) + (runs['cancelled'] ?? 0);
}

async function occurrences(session: Session, batch: string, { from, to, limit: most }: Range & { readonly limit: number }): Promise<void> {
  const { body, raw } = await session.client.get(door('batches', batch, 'schedule', 'occurrences'), occurrenceList, { from, to, limit: most });
  session.document(raw);
  const columns: Column<OccurrenceRow>[] = [
    { head: 'DUE', cell: (row) => timeText(row.due) },
    { head: 'OUTCOME', cell: outcomeText, paint: (text, { outcome }) => statusWord(session.terminal, outcome === 'fired' ? 'completed' : outcome === 'missed' ? 'failed' : 'skipped', text) },
    { head: 'RUN', cell: (row) => row.runId, spare: true },
  ];
  if (body.items.length > 0) session.say(...tableLines(session.terminal, columns, body.items), '');
  const { expected, fired, skipped, missed, pending, unexplained } = body;
  session.say(`${expected} expected: ${fired} fired, ${skipped} skipped, ${missed} missed, ${pending} pending, ${unexplained} unexplained.`);
}

function outcomeText({ outcome, reason }: { readonly outcome: string; readonly reason?: string | null | undefined }): string {
  return reason === null || reason === undefined ? outcome : `${outcome} (${reason})`;
}
