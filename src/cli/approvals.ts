/** `sluice approvals`, `approve`, `reject`: gates, and the people they wait for. */
import type { Command } from 'commander';
import { approvalDecided, approvalRow, listOf, type ApprovalRow } from './answers.js';
import { door } from './client.js';
import { openSession, type Session, type Surroundings } from './context.js';
import { filled, limit } from './parsing.js';
import { ageText, counted, eitherOf, tableLines, timeText, type Column } from './rendering.js';
import { statusWord } from './terminal.js';

interface Decision {
  readonly verb: 'approve' | 'reject';
  readonly approvalId: string;
  readonly body: Readonly<Record<string, string | undefined>>;
}

export function addApprovals(program: Command, surroundings: Surroundings): void {
  program
    .command('approvals')
    .description('list gates that wait for somebody')
    .option('--all', 'those that are decided too')
    .option('--mine', 'only those that you may decide')
    .option('--limit <n>', 'so many at most', limit, 50)
    .action((options: { all?: boolean; mine?: boolean; limit: number }, command: Command) => listApprovals(openSession(surroundings, command), options));
  program
    .command('approve')
    .description('approve a gate')
    .argument('<approval>', 'id')
    .option('-m, --note <text>', 'what is to be kept beside it', filled)
    .option('--digest <digest>', 'only if it still shows what this digest stands for')
    .action((approvalId: string, { note, digest }: { note?: string; digest?: string }, command: Command) => {
      return decide(openSession(surroundings, command), { verb: 'approve', approvalId, body: { note, digest } });
    });
  program
    .command('reject')
    .description('reject a gate, which fails its run')
    .argument('<approval>', 'id')
    .requiredOption('-m, --reason <text>', 'why', filled)
    .option('--digest <digest>', 'only if it still shows what this digest stands for')
    .action((approvalId: string, { reason, digest }: { reason: string; digest?: string }, command: Command) => {
      return decide(openSession(surroundings, command), { verb: 'reject', approvalId, body: { reason, digest } });
    });
}

async function listApprovals(session: Session, options: { all?: boolean; mine?: boolean; limit: number }): Promise<void> {
  const query = { state: options.all === true ? undefined : 'pending', mine: options.mine === true ? 'true' : undefined, limit: options.limit };
  const { body, raw } = await session.client.get('/approvals', listOf(approvalRow), query);
  session.document(raw);
  if (body.items.length === 0) return session.say(options.all === true ? 'There are no approvals.' : 'Nothing waits for anybody.');
  session.say(...tableLines(session.terminal, approvalColumns(session, options.all === true), body.items));
  if (typeof body.nextCursor === 'string') session.say('', `The newest ${body.items.length} of ${counted(body.total ?? 0, 'approval')}.`);
}

function approvalColumns({ terminal, clock }: Session, withDecided: boolean): Column<ApprovalRow>[] {
  const now = clock.now();
  const decision: Column<ApprovalRow>[] = [
    { head: 'DECIDED', cell: (row) => timeText(row.decidedAt), spare: true },
    { head: 'BY', cell: (row) => row.decidedBy, min: 6, spare: true },
    { head: 'NOTE', cell: (row) => row.note, min: 12, spare: true },
  ];
  return [
    { head: 'APPROVAL', cell: (row) => row.id },
    { head: 'STATE', cell: stateOf, paint: (text) => statusWord(terminal, text === 'pending' ? 'waiting' : text, text) },
    { head: 'WHAT', cell: (row) => row.title ?? row.stepId, min: 16 },
    { head: 'FOR', cell: (row) => eitherOf(row.allowedRoles), min: 8 },
    { head: 'GIVEN', cell: (row) => `${row.given ?? 0}/${row.quorum ?? 1}`, spare: true },
    { head: 'SINCE', cell: (row) => ageText(row.since, now) },
    ...(withDecided ? decision : []),
    { head: 'UNTIL', cell: (row) => timeText(row.deadline), spare: true },
    { head: 'BATCH', cell: (row) => row.batchName, min: 8, spare: true },
    { head: 'RUN', cell: (row) => row.runId, spare: true },
  ];
}

function stateOf(row: ApprovalRow): string {
  if (row.state !== 'pending') return row.outcome ?? row.state;
  return row.overdue === true ? 'overdue' : 'pending';
}

async function decide(session: Session, { verb, approvalId, body }: Decision): Promise<void> {
  const { body: answer, raw } = await session.client.change({ method: 'POST', path: door('approvals', approvalId, verb), body }, approvalDecided);
  session.client.sawPosition(answer.position ?? undefined);
  session.document(raw);
  if (typeof answer.outcome === 'string' && answer.outcome !== 'pending') {
    return session.say(`Approval ${approvalId} is ${statusWord(session.terminal, answer.outcome)}.`);
  }
  const { given = 0, quorum = 1 } = { given: answer.given ?? undefined, quorum: answer.quorum ?? undefined };
  session.say(`Your approval is taken: ${given} of ${quorum} given; it waits for ${counted(Math.max(0, quorum - given), 'more person', 'more people')}.`);
}
