/** `sluice run`, `runs`, `show`, `cancel`: runs and what becomes of them. */
import type { Command } from 'commander';
import { hasEnded, listOf, RUN_STATUSES, runControlled, runDetail, runRow, runStarted, type RunRow } from './answers.js';
import { door } from './client.js';
import { openSession, type Session, type Surroundings } from './context.js';
import { filled, limit, named, oneOf } from './parsing.js';
import { ageText, counted, durationText, errorText, tableLines, type Column } from './rendering.js';
import { parametersFor } from './run-parameters.js';
import { runLines } from './run-view.js';
import { statusWord } from './terminal.js';
import { watchTo } from './run-end.js';

interface RunOptions {
  readonly param?: Readonly<Record<string, string>>;
  readonly params?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly reason?: string;
  readonly key?: string;
  readonly watch?: boolean;
}

interface ListOptions {
  readonly status?: readonly string[];
  readonly batch?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly limit: number;
}

export function addRuns(program: Command, surroundings: Surroundings): void {
  program
    .command('run')
    .description('start a run of a batch')
    .argument('<batch>', 'name or id')
    .option('-p, --param <name=value>', 'a parameter, again for more; read as the kind that the batch declares, else as JSON if it parses', named)
    .option('--params <file>', 'a JSON file with parameters; -p wins over it')
    .option('--label <name=value>', 'a label, again for more', named)
    .option('-m, --reason <text>', 'why', filled)
    .option('--key <key>', 'Idempotency-Key: the same key starts one run only', filled)
    .option('--watch', 'follow it to its end; the exit code is 0 only if it completed')
    .action((batch: string, options: RunOptions, command: Command) => run(openSession(surroundings, command), batch, options));
  program
    .command('runs')
    .description('list runs, newest first')
    .option('--status <status>', `only such, again for more: ${RUN_STATUSES.join(', ')}`, oneOf(RUN_STATUSES))
    .option('--batch <batch>', 'only of this batch (name or id)')
    .option('--label <name=value>', 'only with this label', named)
    .option('--limit <n>', 'so many at most', limit, 20)
    .action((options: ListOptions, command: Command) => listRuns(openSession(surroundings, command), options));
  program
    .command('show')
    .description('one run: its steps, what it waits for, what may be done')
    .argument('<run>', 'id')
    .action(async (runId: string, _: unknown, command: Command) => {
      const session = openSession(surroundings, command);
      const { body, raw } = await session.client.get(door('runs', runId), runDetail);
      session.document(raw);
      session.say(...runLines(session.terminal, body, session.clock.now()));
    });
  program
    .command('cancel')
    .description('cancel a run')
    .argument('<run>', 'id')
    .requiredOption('-m, --reason <text>', 'why', filled)
    .option('--watch', 'follow it to its end; the exit code is 0 only if it was cancelled')
    .action((runId: string, options: { reason: string; watch?: boolean }, command: Command) => {
      return cancel(openSession(surroundings, command), runId, options);
    });
}

async function run(session: Session, batch: string, options: RunOptions): Promise<void> {
  const body = {
    parameters: await parametersFor(session, batch, { file: options.params, texts: options.param }),
    ...(options.label === undefined ? {} : { labels: options.label }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  };
  const answer = await session.client.change({ method: 'POST', path: door('batches', batch, 'runs'), body, key: options.key }, runStarted);
  const { runId, position } = answer.body;
  session.client.sawPosition(position ?? undefined);
  const replayed = answer.headers.get('idempotent-replayed') === 'true';
  session.say(replayed ? `Run ${runId} was started with this key before.` : `Run ${runId} has started.`);
  if (options.watch === true) {
    session.record({ event: 'started', data: answer.raw });
    return watchTo(session, runId, 'completed');
  }
  session.document(answer.raw);
  session.say(`  sluice show ${runId}`);
}

async function cancel(session: Session, runId: string, { reason, watch }: { reason: string; watch?: boolean }): Promise<void> {
  const answer = await session.client.change({ method: 'POST', path: door('runs', runId, 'cancel'), body: { reason } }, runControlled);
  const { status, position } = answer.body;
  session.client.sawPosition(position ?? undefined);
  session.say(`Run ${runId} is ${statusWord(session.terminal, status)}.`);
  if (watch === true) {
    session.record({ event: 'cancel', data: answer.raw });
    return watchTo(session, runId, 'cancelled');
  }
  session.document(answer.raw);
  if (!hasEnded(status)) session.say('  Its jobs are being stopped; --watch follows that to the end.');
}

async function listRuns(session: Session, options: ListOptions): Promise<void> {
  const labels = Object.entries(options.label ?? {}).map(([name, value]) => `${name}:${value}`);
  const query = { status: options.status, batch: options.batch, label: labels, limit: options.limit };
  const { body, raw } = await session.client.get('/runs', listOf(runRow), query);
  session.document(raw);
  if (body.items.length === 0) return session.say('There are no such runs.');
  session.say(...tableLines(session.terminal, runColumns(session), body.items));
  if (typeof body.nextCursor !== 'string') return;
  const total = `${body.totalIs === 'atLeast' ? 'at least ' : ''}${counted(body.total ?? 0, 'run')}`;
  session.say('', `The newest ${body.items.length} of ${total}.`);
}

function runColumns({ terminal, clock }: Session): Column<RunRow>[] {
  const now = clock.now();
  return [
    { head: 'RUN', cell: (row) => row.id },
    { head: 'BATCH', cell: (row) => row.batchName, min: 10 },
    { head: 'STATUS', cell: (row) => `${row.status}${row.paused === true ? ' (paused)' : ''}`, paint: (text, row) => statusWord(terminal, row.status, text) },
    { head: 'STEPS', cell: ({ counts }) => (counts?.total === undefined ? '' : `${counts.succeeded ?? 0}/${counts.total}`) },
    { head: 'STARTED', cell: (row) => ageText(row.startedAt, now) },
    { head: 'TOOK', cell: (row) => durationText(row.durationMs), spare: true },
    { head: 'BY', cell: (row) => row.startedBy, min: 6, spare: true },
    { head: 'ERROR', cell: (row) => errorText(row.error), min: 12, spare: true },
  ];
}
