/** `sluice pause`, `resume`, `retry`, `cancel-execution`: what an operator does to a run besides cancelling it. */
import type { Command } from 'commander';
import { runControlled, runStarted } from './answers.js';
import { door } from './client.js';
import { openSession, type Session, type Surroundings } from './context.js';
import { filled } from './parsing.js';
import { watchTo } from './run-end.js';
import { statusWord } from './terminal.js';

interface RetryOptions {
  readonly from?: string;
  readonly newest?: boolean;
  readonly reason?: string;
  readonly key?: string;
  readonly watch?: boolean;
}

export function addRunControl(program: Command, surroundings: Surroundings): void {
  addControl(program, surroundings, 'pause', 'begin nothing new in a run until it is resumed', 'Nothing new is begun; sluice resume goes on.');
  addControl(program, surroundings, 'resume', 'go on with a paused run', 'It goes on where it was.');
  program
    .command('retry')
    .description('try a run again that has failed or was cancelled: a new run that keeps what succeeded')
    .argument('<run>', 'id')
    .option('--from <step>', 'do this step again and all that comes after it; where the run came to a halt otherwise', filled)
    .option('--newest', 'on the newest version of the batch, if that agrees on what the run has behind it')
    .option('-m, --reason <text>', 'why', filled)
    .option('--key <key>', 'Idempotency-Key', filled)
    .option('--watch', 'follow it to its end; the exit code is 0 only if it completed')
    .action((runId: string, options: RetryOptions, command: Command) => retry(openSession(surroundings, command), runId, options));
  program
    .command('cancel-execution')
    .description('cancel one attempt at a job: its step fails and is not tried again')
    .argument('<execution>', 'id')
    .option('-m, --reason <text>', 'why', filled)
    .action(async (id: string, { reason }: { reason?: string }, command: Command) => {
      const session = openSession(surroundings, command);
      const answer = await session.client.change({ method: 'POST', path: door('executions', id, 'cancel'), body: reason === undefined ? {} : { reason } }, runControlled);
      session.document(answer.raw);
      session.say(`Execution ${id} is being stopped; its run is ${statusWord(session.terminal, answer.body.status)}.`);
    });
}

function addControl(program: Command, surroundings: Surroundings, verb: 'pause' | 'resume', description: string, then: string): void {
  program
    .command(verb)
    .description(description)
    .argument('<run>', 'id')
    .option('-m, --reason <text>', 'why', filled)
    .action(async (runId: string, { reason }: { reason?: string }, command: Command) => {
      const session = openSession(surroundings, command);
      const answer = await session.client.change({ method: 'POST', path: door('runs', runId, verb), body: reason === undefined ? {} : { reason } }, runControlled);
      session.document(answer.raw);
      session.say(`Run ${runId} is ${statusWord(session.terminal, answer.body.status)}. ${then}`);
    });
}

async function retry(session: Session, of: string, { from, newest, reason, key, watch }: RetryOptions): Promise<void> {
  const body = { ...(from !== undefined && { fromStep: from }), ...(newest === true && { version: 'newest' }), ...(reason !== undefined && { reason }) };
  const answer = await session.client.change({ method: 'POST', path: door('runs', of, 'retry'), body, key }, runStarted);
  const { runId, position } = answer.body;
  session.client.sawPosition(position ?? undefined);
  session.say(`Run ${runId} tries it again.`);
  if (watch === true) {
    session.record({ event: 'started', data: answer.raw });
    return watchTo(session, runId, 'completed');
  }
  session.document(answer.raw);
  session.say(`  sluice show ${runId}`);
}
