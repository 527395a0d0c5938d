/** `sluice start`, `jobs` and `counts`: the server, what it has and what it does. */
import type { Command } from 'commander';
import { jobRow, listOf, runCounts, type JobRow } from './answers.js';
import { openSession, type Surroundings } from './context.js';
import { MAX_LIMIT } from './parsing.js';
import { counted, tableLines, type Column } from './rendering.js';
import { statusWord } from './terminal.js';

export function addService(program: Command, surroundings: Surroundings): void {
  program
    .command('start')
    .description('start the server here, as the SLUICE_… environment says')
    .action(() => surroundings.serve());
  program
    .command('jobs')
    .description('list the jobs that are registered')
    .action(async (_: unknown, command: Command) => {
      const session = openSession(surroundings, command);
      const { body, raw } = await session.client.get('/jobs', listOf(jobRow), { limit: MAX_LIMIT });
      session.document(raw);
      if (body.items.length === 0) session.say('No jobs are registered. SLUICE_JOBS names the modules that have them.');
      else session.say(...tableLines(session.terminal, JOB_COLUMNS, body.items));
    });
  program
    .command('counts')
    .description('how many runs there are in each status')
    .action(async (_: unknown, command: Command) => {
      const session = openSession(surroundings, command);
      const { body, raw } = await session.client.get('/runs/counts', runCounts);
      session.document(raw);
      const columns: Column<readonly [string, number]>[] = [
        { head: 'STATUS', cell: ([status]) => status, paint: (text) => statusWord(session.terminal, text) },
        { head: 'RUNS', cell: ([, count]) => count.toLocaleString('en-US') },
      ];
      session.say(...tableLines(session.terminal, columns, Object.entries(body.byStatus)), '', `${counted(body.total, 'run')} in all.`);
    });
}

const JOB_COLUMNS: readonly Column<JobRow>[] = [
  { head: 'JOB', cell: (row) => row.name, min: 16 },
  { head: 'PARAMETERS (* required)', cell: parametersOf, min: 24 },
  { head: 'TAGS', cell: (row) => (row.tags ?? []).join(', '), min: 6, spare: true },
  { head: 'DESCRIPTION', cell: (row) => row.description, min: 20 },
];

function parametersOf({ parameters }: JobRow): string {
  const required = parameters?.required ?? [];
  return Object.keys(parameters?.properties ?? {}).map((name) => `${name}${required.includes(name) ? '*' : ''}`).join(', ');
}
