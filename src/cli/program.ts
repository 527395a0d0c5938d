/**
 * Program: the command line, from words to an exit code.
 *
 * Owns: which commands there are, exit codes, how failures are told. Does not own: what a command does.
 * Talks to: commander, the files of commands.
 *
 * 1. 0 only if what was asked came true; 1 if it did not; 2 if it was asked wrongly and nothing was sent.
 * 2. Failures go to the standard error: sentences for people, one JSON document under --json.
 */
import { Command, CommanderError } from 'commander';
import { addApprovals } from './approvals.js';
import { addBatches } from './batches.js';
import { DEFAULT_URL } from './connection.js';
import type { Surroundings } from './context.js';
import { addDoctor } from './doctor.js';
import { addEvents } from './events.js';
import { Misused, Refused, Unfulfilled, Unreachable } from './failures.js';
import { problemLines } from './problem-lines.js';
import { addProjections } from './projections.js';
import { addRunControl } from './run-control.js';
import { addRuns } from './runs.js';
import { addSchedules } from './schedules.js';
import { addService } from './service.js';
import { cleanText, safeJson } from './terminal.js';
import { addVerify } from './verify.js';

/** Runs one command line (without node and the file) and says how it ended. */
export async function sluice(args: readonly string[], surroundings: Surroundings, version: string): Promise<number> {
  const program = programOf(surroundings, version);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    return told(error, surroundings, program.opts<{ json?: boolean }>().json === true);
  }
}

function programOf(surroundings: Surroundings, version: string): Command {
  const { terminal } = surroundings;
  const chomp = (text: string): string => text.replace(/\n$/, '');
  const program = new Command('sluice')
    .description('Batch runs with approval gates: start them, watch them, decide them.')
    .version(version, '--version')
    .option('--url <url>', `where the server is (or SLUICE_URL; ${DEFAULT_URL} otherwise)`)
    .option('--token <token>', 'bearer token (or SLUICE_TOKEN)')
    .option('--user <name>', 'who asks, under dev auth')
    .option('--roles <roles>', 'with which roles, under dev auth; comma-separated')
    .option('--json', 'for programs: one JSON document, or one per line with --watch and --follow')
    .configureOutput({
      writeOut: (text) => terminal.out(chomp(text)),
      writeErr: (text) => terminal.err(chomp(text)),
      getOutHelpWidth: () => terminal.width ?? 100,
      getErrHelpWidth: () => terminal.width ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('("sluice --help" and "sluice <command> --help" say what there is)')
    .exitOverride();
  addService(program, surroundings);
  addBatches(program, surroundings);
  addRuns(program, surroundings);
  addRunControl(program, surroundings);
  addApprovals(program, surroundings);
  addSchedules(program, surroundings);
  addEvents(program, surroundings);
  addVerify(program, surroundings);
  addProjections(program, surroundings);
  addDoctor(program, surroundings);
  return program;
}

function told(error: unknown, { terminal }: Surroundings, json: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof Unfulfilled) return 1;
  if (error instanceof Refused && json) terminal.err(safeJson(error.raw));
  else if (error instanceof Refused) problemLines(error.problem).forEach((line) => terminal.err(line));
  else if (error instanceof Unreachable || error instanceof Misused) tellOwn(error, terminal, json);
  else throw error;
  return error instanceof Misused ? 2 : 1;
}

function tellOwn(error: Error, terminal: Surroundings['terminal'], json: boolean): void {
  const title = error instanceof Misused ? 'The command is not valid' : 'The server can not be reached';
  terminal.err(json ? safeJson({ type: 'about:blank', title, detail: error.message }) : cleanText(error.message));
}
