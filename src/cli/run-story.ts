/** A run's story: one line for each change of a step, and who is waited for. Says nothing twice. */
import { hasEnded, type ApprovalRow, type ExecutionRow, type RunDetail, type RunRow, type StepNode } from './answers.js';
import type { Session } from './context.js';
import { cut, errorText, tookText } from './rendering.js';
import { waitingLines } from './run-view.js';
import { statusWord } from './terminal.js';

/** How far a step has come within an attempt; what is not named is final. */
const RANKS: Readonly<Record<string, number>> = { pending: 0, dispatched: 1, queued: 1, running: 2, waiting: 2, retrying: 4 };
const FINAL = 3;
/** Statuses of executions in the words for steps, where they mean no news. */
const STEP_WORDS: Readonly<Record<string, string>> = { queued: 'dispatched' };
const INDENT = ' '.repeat(10);
const STEP_COLUMN = 20;
const STATUS_COLUMN = 10;

interface Standing {
  readonly attempt: number;
  readonly rank: number;
}

export class RunStory {
  private readonly standings = new Map<string, Standing>();
  private readonly waits = new Set<string>();
  private status: string | undefined;
  private position: string | undefined;

  constructor(private readonly session: Session) {}

  /** The whole run, as it stands. */
  read(run: RunDetail): void {
    for (const step of leavesOf(run.steps ?? [])) {
      const isGate = step.type === 'gate';
      const attempt = isGate ? 0 : (step.attempts ?? 0);
      const notes = [attempt > 1 ? `attempt ${attempt}` : '', tookText(step.startedAt, step.endedAt), errorText(step.error)];
      this.move(step.id, { attempt, rank: rankOf(step.status) }, step.status, notes);
    }
    const gates = new Set((run.approvals ?? []).filter(({ state }) => state === 'pending').map(({ stepId }) => stepId));
    for (const waiting of run.waitingFor ?? []) {
      const stepId = waiting.stepId ?? '';
      if (!gates.has(stepId) || this.waits.has(stepId)) continue;
      this.waits.add(stepId);
      this.session.say(...waitingLines(waiting, run).map((line, at) => `${INDENT}${at === 0 ? 'waits for ' : ''}${line}`));
    }
    if (this.status !== undefined && run.status !== this.status && !hasEnded(run.status)) this.line('(the run)', run.status, []);
    this.status = run.status;
    this.position = run.position ?? undefined;
  }

  /** True if the row says something about the run that the story has not. */
  isNews(row: RunRow): boolean {
    const { position } = row;
    const isOld = typeof position === 'string' && this.position !== undefined && position <= this.position;
    return !isOld && row.status !== this.status;
  }

  execution(row: ExecutionRow): void {
    const notes = [row.attempt > 1 ? `attempt ${row.attempt}` : '', tookText(row.startedAt, row.endedAt), errorText(row.error)];
    this.move(row.stepId, { attempt: row.attempt, rank: rankOf(row.status) }, STEP_WORDS[row.status] ?? row.status, notes);
  }

  /** True if somebody is waited for since now. */
  approval(row: ApprovalRow): boolean {
    const decided = row.outcome ?? undefined;
    const notes = [decided === undefined ? (row.title ?? '') : `by ${row.decidedBy ?? 'nobody'}`, row.note ?? ''];
    const moved = this.move(row.stepId, { attempt: 0, rank: decided === undefined ? rankOf('waiting') : FINAL }, decided ?? 'waiting', notes);
    return moved && decided === undefined;
  }

  private move(stepId: string, to: Standing, status: string, notes: readonly string[]): boolean {
    const from = this.standings.get(stepId) ?? { attempt: 0, rank: 0 };
    if (to.attempt < from.attempt || (to.attempt === from.attempt && to.rank <= from.rank)) return false;
    this.standings.set(stepId, to);
    this.line(stepId, status, notes);
    return true;
  }

  private line(stepId: string, status: string, notes: readonly string[]): void {
    const { clock, terminal } = this.session;
    const time = new Date(clock.now()).toISOString().slice(11, 19);
    const rest = notes.filter((note) => note !== '').join(', ');
    const place = `${time}  ${stepId.padEnd(STEP_COLUMN)}  `;
    const line = cut(terminal, `${place}${status.padEnd(STATUS_COLUMN)}  ${rest}`.trimEnd());
    const isWhole = line.startsWith(`${place}${status}`);
    this.session.say(isWhole ? `${place}${statusWord(terminal, status)}${line.slice(place.length + status.length)}` : line);
  }
}

function rankOf(status: string): number {
  return RANKS[status] ?? FINAL;
}

/** The steps that do something: what holds others only stands where those stand. */
function leavesOf(steps: readonly StepNode[]): StepNode[] {
  return steps.flatMap((step) => {
    const inner = (step.branches ?? []).flatMap((branch) => branch.steps ?? []);
    return inner.length === 0 ? [step] : leavesOf(inner);
  });
}
