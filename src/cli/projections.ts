/** `sluice projections` and `rebuild`: the rows, how far they are, and made anew. */
import type { Command } from 'commander';
import { listOf, projectionRow, type ProjectionRow } from './answers.js';
import { door } from './client.js';
import { openSession, type Session, type Surroundings } from './context.js';
import { Unfulfilled } from './failures.js';
import { PAUSE_MS, Patience } from './patience.js';
import { counted, durationText, tableLines, type Column } from './rendering.js';

export function addProjections(program: Command, surroundings: Surroundings): void {
  program
    .command('projections')
    .description('list the projections: how far their rows are, and how old')
    .action(async (_: unknown, command: Command) => {
      const session = openSession(surroundings, command);
      const { body, raw } = await session.client.get('/projections', listOf(projectionRow));
      session.document(raw);
      session.say(...tableLines(session.terminal, COLUMNS, body.items));
      for (const { name, fault } of body.items) if (fault) session.say('', `The newest rebuild of ${name} came to nothing: ${fault}`);
    });
  program
    .command('rebuild')
    .description('make the rows of a projection anew from the log, beside those that answer')
    .argument('<name>', 'of the projection')
    .option('--watch', 'wait until they answer; the exit code is 0 only if they do')
    .action(async (name: string, { watch = false }: { readonly watch?: boolean }, command: Command) => {
      const session = openSession(surroundings, command);
      const { body, raw } = await session.client.change({ method: 'POST', path: door('projections', name, 'rebuild'), body: {} }, projectionRow);
      if (!watch) {
        session.document(raw);
        return session.say(`Build ${body.build} of ${name} is under way. "sluice projections" says how far it is.`);
      }
      await watchBuild(session, body);
    });
}

async function watchBuild(session: Session, { name, build }: ProjectionRow): Promise<void> {
  const patience = new Patience(session);
  for (let told = ''; ; ) {
    let items: readonly ProjectionRow[] = [];
    const served = await patience.isServed(async () => {
      items = (await session.client.get('/projections', listOf(projectionRow))).body.items;
    });
    const row = items.find((one) => one.name === name && one.build === build);
    if (served && row?.state !== 'building') return ended(session, { name, build, row, fault: items.find((one) => one.name === name)?.fault });
    if (row !== undefined && row.position !== told) session.say(`${name}: at ${row.position || 'the beginning'}, ${Math.round(row.rate).toLocaleString('en-US')} facts a second`);
    told = row?.position ?? told;
    await session.clock.sleep(PAUSE_MS);
  }
}

/** Gone is a build that came to nothing. */
function ended(session: Session, { name, build, row, fault }: { name: string; build: number; row: ProjectionRow | undefined; fault: string | null | undefined }): void {
  session.document(row ?? { name, build, fault });
  if (row !== undefined) return session.say(`The rows of ${name} were made anew: build ${build} answers.`);
  session.say(`Build ${build} of ${name} came to nothing${fault ? `: ${fault}` : '.'} The rows that were there go on answering.`);
  throw new Unfulfilled();
}

const COLUMNS: readonly Column<ProjectionRow>[] = [
  { head: 'PROJECTION', cell: ({ name }) => name, min: 16 },
  { head: 'VERSION', cell: ({ version }) => version },
  { head: 'BUILD', cell: ({ build }) => build, spare: true },
  { head: 'STATE', cell: ({ state }) => state },
  { head: 'POSITION', cell: ({ position }) => position, spare: true },
  { head: 'LAG', cell: ({ lagMs }) => durationText(lagMs) },
  { head: 'PARKED', cell: ({ parked }) => (parked === 0 ? '' : counted(parked, 'stream')) },
];
