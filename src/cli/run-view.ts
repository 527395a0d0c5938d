/** A run as a person reads it: what it is, its tree of steps, what it waits for, what may be done. */
import type { ApprovalRow, RunDetail, RunRow, StepNode, WaitingFor } from './answers.js';
import { isObject } from './parsing.js';
import { ageText, cut, durationText, eitherOf, errorText, fieldLines, tableLines, timeText, tookText, type Column } from './rendering.js';
import { heading, safeJson, statusWord, type Terminal } from './terminal.js';

/** A step with the branches of the tree drawn before its name. */
interface TreeLine {
  readonly name: string;
  /** In place of what is said of the step. */
  readonly note?: string | undefined;
  readonly step: StepNode | undefined;
}

interface TreeNode extends TreeLine {
  readonly inner: readonly TreeNode[];
}

export function runLines(terminal: Terminal, run: RunDetail, now: number): string[] {
  const steps = run.steps ?? [];
  const tree = [...lane(steps), ...lane(steps, 'compensation', '(undone)'), ...lane(steps, 'onFailure', '(after the failure)')];
  const waits = (run.waitingFor ?? []).flatMap((waiting) => [
    ...waitingLines(waiting, run).map((line) => `  ${line}`),
    ...shownLines(pendingAt(waiting, run)).map((line) => cut(terminal, `  ${line}`)),
  ]);
  const actions = (run.allowedActions ?? []).map(({ action, stepId }) => (typeof stepId === 'string' ? `${action} ${stepId}` : action));
  return [
    `${heading(terminal, `Run ${run.id}`)}  ${statusWord(terminal, run.status)}${run.paused === true ? ` ${statusWord(terminal, 'paused')}` : ''}`,
    ...fieldLines(runFields(run, now)),
    ...(tree.length === 0 ? [] : ['', ...tableLines(terminal, treeColumns(terminal, run.approvals ?? []), tree)]),
    ...(waits.length === 0 ? [] : ['', heading(terminal, 'Waits for'), ...waits]),
    ...(actions.length === 0 ? [] : ['', `${heading(terminal, 'Allowed now')}  ${actions.join(', ')}`]),
  ];
}

function runFields(run: RunDetail, now: number): (readonly [string, string | null | undefined])[] {
  const due = timeText(run.trigger?.due);
  const parameters = run.parameters ?? {};
  return [
    ['batch', `${run.batchName ?? run.batchId ?? 'unknown'}${typeof run.batchVersion === 'number' ? `, version ${run.batchVersion}` : ''}`],
    ['started', `${timeText(run.startedAt)} (${ageText(run.startedAt, now)})${typeof run.startedBy === 'string' ? ` by ${run.startedBy}` : ''}`],
    ['trigger', `${run.trigger?.type ?? ''}${due === '' ? '' : `, due ${due}`}`],
    ['ended', typeof run.endedAt === 'string' ? `${timeText(run.endedAt)}, took ${durationText(run.durationMs) || tookText(run.startedAt, run.endedAt)}` : ''],
    ['reason', run.reason],
    ['labels', Object.entries(run.labels ?? {}).map(([name, value]) => `${name}=${String(value)}`).join(', ')],
    ['parameters', safeJson(parameters) === '{}' ? '' : safeJson(parameters)],
    ['steps', countsText(run)],
    ['error', errorText(run.error)],
    ['retry of', run.retryOf],
    ['retried by', run.retriedBy],
  ];
}

/** `2 of 5 succeeded, 1 waiting, 2 pending` */
export function countsText(run: Pick<RunRow, 'counts'>): string {
  const { total = 0, succeeded = 0, ...others } = run.counts ?? {};
  if (total === 0) return '';
  const rest = Object.entries(others).filter(([, count]) => count > 0);
  return [`${succeeded} of ${total} succeeded`, ...rest.map(([status, count]) => `${count} ${status}`)].join(', ');
}

/** Who is waited for, and what that person would write. */
export function waitingLines(waiting: WaitingFor, run: Pick<RunDetail, 'approvals'>): string[] {
  const approval = pendingAt(waiting, run);
  const until = typeof waiting.endsAt === 'string' ? `, until ${timeText(waiting.endsAt)}` : '';
  const place = [waiting.what, waiting.stepId].filter((part) => typeof part === 'string').join(' ');
  const said = waiting.text ?? [eitherOf(waiting.who), approval?.title ?? ''].filter((part) => part !== '').join(': ');
  return [
    `${place}${until}${said === '' ? '' : `: ${said}`}`,
    ...(approval === undefined ? [] : decisionLines(approval)),
  ];
}

function pendingAt(waiting: WaitingFor, { approvals }: Pick<RunDetail, 'approvals'>): ApprovalRow | undefined {
  return (approvals ?? []).find(({ stepId, state }) => stepId === waiting.stepId && state === 'pending');
}

/** What is put before whoever decides. */
function shownLines(approval: ApprovalRow | undefined): string[] {
  const data = isObject(approval?.data) ? Object.entries(approval.data) : [];
  const shown = data.map(([name, value]) => [name, typeof value === 'string' ? value : safeJson(value)] as const);
  return [
    ...(typeof approval?.description === 'string' ? [`  ${approval.description}`] : []),
    ...(shown.length === 0 ? [] : fieldLines(shown)),
  ];
}

function decisionLines(approval: Pick<ApprovalRow, 'id'>): string[] {
  return [`  sluice approve ${approval.id}`, `  sluice reject ${approval.id} -m "why not"`];
}

function treeColumns(terminal: Terminal, approvals: readonly ApprovalRow[]): Column<TreeLine>[] {
  return [
    { head: 'STEP', cell: ({ name }) => name, min: 16 },
    { head: 'TYPE', cell: ({ step }) => step?.type, spare: true },
    { head: 'STATUS', cell: ({ step }) => step?.status, paint: (text) => statusWord(terminal, text) },
    { head: 'TRIES', cell: ({ step }) => (step?.attempts ?? 0) || '' },
    { head: 'TOOK', cell: ({ step }) => tookText(step?.startedAt, step?.endedAt), spare: true },
    { head: 'NOTE', cell: ({ step, note }) => note ?? (decisionOn(step, approvals) || noteOn(step)), min: 12 },
  ];
}

/** Who decided a gate, and what was said with it. */
function decisionOn(step: StepNode | undefined, approvals: readonly ApprovalRow[]): string {
  const approval = approvals.find(({ id }) => id === step?.approvalId);
  if (typeof approval?.decidedBy !== 'string') return '';
  return [`${approval.outcome ?? 'decided'} by ${approval.decidedBy}`, approval.note ?? ''].filter((part) => part !== '').join(': ');
}

/** What succeeded before, why it failed, or the id that somebody needs who acts on it. */
function noteOn(step: StepNode | undefined): string {
  if (step === undefined) return '';
  if (typeof step.keptFrom === 'string') return `kept of run ${step.keptFrom}`;
  return errorText(step.error) || (step.status === 'waiting' ? (step.approvalId ?? '') : step.status === 'running' && step.type === 'job' ? (step.executionIds?.at(-1) ?? '') : '');
}

/** The steps of one kind under their heading; those of the tree have none. */
function lane(steps: readonly StepNode[], kind?: string, head?: string): TreeLine[] {
  const own = steps.filter((step) => (step.kind ?? undefined) === kind);
  const lines = treeOf(own).flatMap(({ name, step, inner }) => [{ name, step }, ...drawn(inner, '')]);
  return head === undefined || lines.length === 0 ? lines : [{ name: head, step: undefined }, ...lines];
}

/** A list of steps as a tree; branches have names and no standing of their own. */
function treeOf(steps: readonly StepNode[]): TreeNode[] {
  return steps.map((step) => {
    const branches = (step.branches ?? []).map(({ id, label, taken, steps: inner }, at) => {
      return { name: label ?? id ?? `branch ${at + 1}`, step: undefined, note: taken === false ? 'not taken' : taken === true ? 'taken' : undefined, inner: treeOf(inner ?? []) };
    });
    return { name: step.id, step, inner: branches };
  });
}

function drawn(nodes: readonly TreeNode[], indent: string): TreeLine[] {
  return nodes.flatMap(({ name, step, note, inner }, at) => {
    const isLast = at === nodes.length - 1;
    return [{ name: `${indent}${isLast ? '└─ ' : '├─ '}${name}`, step, note }, ...drawn(inner, `${indent}${isLast ? '   ' : '│  '}`)];
  });
}
