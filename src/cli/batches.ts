/** `sluice batches`: definitions, from files to the server. */
import type { Command } from 'commander';
import { batchRow, batchSaved, listOf, type BatchRow } from './answers.js';
import { door, type Query } from './client.js';
import { openSession, type Session, type Surroundings } from './context.js';
import { Misused, Refused, Unfulfilled } from './failures.js';
import { isObject, jsonFile, limit } from './parsing.js';
import { faultLines } from './problem-lines.js';
import { ageText, counted, tableLines, type Column } from './rendering.js';
import { safeJson, statusWord } from './terminal.js';

interface Definition {
  readonly file: string;
  /** Where it stands in the file: a JSON Pointer, empty for the only one. */
  readonly place: string;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Outcome = 'created' | 'updated' | 'unchanged';
interface Saved {
  readonly outcome: Outcome;
  readonly version: number;
  readonly warnings: readonly { readonly path: string; readonly message: string }[];
}

export function addBatches(program: Command, surroundings: Surroundings): void {
  const batches = program.command('batches').description('list batch definitions, or apply them from files');
  batches
    .command('list', { isDefault: true })
    .description('the definitions that are there')
    .option('--q <text>', 'whose name or title has this in it')
    .option('--limit <n>', 'so many at most', limit, 50)
    .action(async (options: { q?: string; limit: number }, command: Command) => {
      await listBatches(openSession(surroundings, command), { q: options.q, limit: options.limit });
    });
  batches
    .command('apply')
    .description('create the definitions in JSON files, or bring those that are there up to them')
    .argument('<file...>', 'one definition each, or an array of them')
    .action(async (files: readonly string[], _: unknown, command: Command) => {
      await applyAll(openSession(surroundings, command), files.flatMap(definitionsIn));
    });
}

async function listBatches(session: Session, query: Query): Promise<void> {
  const { body, raw } = await session.client.get('/batches', listOf(batchRow), query);
  session.document(raw);
  const now = session.clock.now();
  const columns: Column<BatchRow>[] = [
    { head: 'NAME', cell: (row) => row.name, min: 16 },
    { head: 'TITLE', cell: (row) => row.title, min: 12 },
    { head: 'VERSION', cell: (row) => row.version },
    { head: 'STEPS', cell: (row) => row.stepCount, spare: true },
    { head: 'SOURCE', cell: (row) => row.source, spare: true },
    { head: 'SCHEDULE', cell: (row) => row.schedule?.cron, min: 9, spare: true },
    { head: 'CHANGED', cell: (row) => ageText(row.updatedAt, now), spare: true },
  ];
  if (body.items.length === 0) session.say('There are no batches. "sluice batches apply <file>" makes one.');
  else session.say(...tableLines(session.terminal, columns, body.items));
  if (typeof body.nextCursor === 'string') session.say('', `There are more (${counted(body.total ?? 0, 'batch', 'batches')}): ask with --limit or --q.`);
}

/** Everything is read before anything is sent: a file that is broken stops all of it. */
function definitionsIn(file: string): Definition[] {
  const content = jsonFile(file);
  const many = Array.isArray(content);
  return (many ? content : [content]).map((body: unknown, index) => {
    const place = many ? `/${index}` : '';
    if (!isObject(body)) throw new Misused(`${file}${many ? `#${place}` : ''} is no batch definition: it must be a JSON object.`);
    // One without a name is the server's to refuse, with all its other faults.
    return { file, place, name: typeof body.name === 'string' ? body.name : '', body };
  });
}

/** One that is refused does not keep the others back. */
async function applyAll(session: Session, definitions: readonly Definition[]): Promise<void> {
  const results: unknown[] = [];
  let refused = 0;
  for (const definition of definitions) {
    const { file, name } = definition;
    try {
      const saved = await apply(session, definition);
      results.push({ file, name, ...saved });
      session.say(`${statusWord(session.terminal, saved.outcome)} ${name}, version ${saved.version}`);
      session.say(...saved.warnings.map(({ path, message }) => `  warning: ${path === '' ? '' : `${path}: `}${message}`));
    } catch (error) {
      if (!(error instanceof Refused) || error.status === 401 || error.status === 403) throw error;
      refused += 1;
      results.push({ file, name, outcome: 'refused', problem: error.raw });
      tellRefusal(session, definition, error);
    }
  }
  session.document({ items: results });
  if (refused > 0) throw new Unfulfilled();
}

function tellRefusal({ terminal, json }: Session, { file, place, name }: Definition, error: Refused): void {
  if (json) return;
  const where = `${file}${place === '' ? '' : `#${place}`}`;
  const which = name === '' ? where : `${safeJson(name)} (${where})`;
  terminal.err(`${which} was refused: ${error.problem.title}.`);
  for (const line of faultLines(error.problem, place)) terminal.err(`  ${line}`);
}

async function apply(session: Session, definition: Definition): Promise<Saved> {
  const there = await versionOf(session, definition.name);
  if (there !== undefined) return update(session, definition, there);
  try {
    const { body } = await session.client.change({ method: 'POST', path: '/batches', body: definition.body }, batchSaved);
    return { outcome: 'created', version: body.version, warnings: body.warnings ?? [] };
  } catch (error) {
    // Somebody else made it meanwhile.
    const now = error instanceof Refused && error.is('duplicate-name') ? await versionOf(session, definition.name) : undefined;
    if (now === undefined) throw error;
    return update(session, definition, now);
  }
}

interface Standing {
  readonly version: number;
  readonly etag: string;
}

async function update(session: Session, { name, body }: Definition, there: Standing): Promise<Saved> {
  const change = { method: 'PUT', path: door('batches', name), body, ifMatch: there.etag } as const;
  const saved = (await session.client.change(change, batchSaved)).body;
  return { outcome: saved.version === there.version ? 'unchanged' : 'updated', version: saved.version, warnings: saved.warnings ?? [] };
}

/** Undefined if there is no such batch. */
async function versionOf({ client }: Session, name: string): Promise<Standing | undefined> {
  // Such a name is refused for what it is, and no door leads there.
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name)) return undefined;
  try {
    const { body, headers } = await client.get(door('batches', name), batchRow);
    return { version: body.version, etag: headers.get('etag') ?? `"${body.version}"` };
  } catch (error) {
    if (error instanceof Refused && (error.status === 404 || error.is('batch-deleted'))) return undefined;
    throw error;
  }
}
