/**
 * What a run that tries another one again keeps of it: what succeeded, was approved, decided or passed over before the
 * steps from which it is done again. Pure.
 *
 * 1. Nothing is kept that comes after a step which is done again, and nothing that was undone.
 */
import { isContainer } from './plan.js';
import type { ContainerNode, Plan, PlanNode } from './plan.js';
import type { RunEvent } from './run.context.js';
import type { KeptStep, RunDraft } from './run.draft.js';
import { pendingIn } from './run.skips.js';
import type { Range } from './run.skips.js';
import { stands } from './run.walk.js';

export function keptOf(runId: string, plan: Plan, events: readonly RunEvent[]): KeptStep[] {
  return events.flatMap((event): KeptStep[] => {
    switch (event.type) {
      case 'StepSucceeded':
        return isOfTree(plan, event.data.stepId) ? [{ as: 'step', stepId: event.data.stepId, from: { runId, id: event.data.executionId }, outputs: event.data.outputs }] : [];
      case 'StepKept':
        return [{ as: 'step', ...event.data }];
      case 'GateApproved':
        return [{ as: 'step', stepId: event.data.stepId, from: { runId, id: event.data.approvalId } }];
      case 'DecisionTaken':
        return [{ as: 'decision', stepId: event.data.stepId, branch: event.data.branch }];
      case 'StepSkipped':
        return event.data.reason === 'when' ? [{ as: 'skip', stepId: event.data.stepId }] : [];
      default:
        return [];
    }
  });
}

/** Compensations and what follows a failure are no steps of the tree. */
export function isOfTree({ nodes, ordinals }: Plan, stepId: string): boolean {
  const node = nodes[ordinals.get(stepId) ?? -1];
  return node !== undefined && (node.kind !== 'job' || node.role === 'step');
}

/** Where the run came to a halt: in each sequence the first step that is not behind it, or was undone. */
export function frontier(draft: RunDraft): PlanNode[] {
  const { nodes, root, compensations } = draft.run.plan;
  const undone = compensations.filter((node) => draft.step(node).status !== 'pending').map(({ undoes }) => undoes ?? -1);
  const found: PlanNode[] = [];
  const sequence = (steps: readonly number[]): boolean => steps.every((ordinal) => isBehind(nodes[ordinal]!));
  const isBehind = (node: PlanNode): boolean => {
    const { status } = draft.step(node);
    const inside = isContainer(node) && undone.some((ordinal) => ordinal > node.ordinal && ordinal < node.end);
    const wasUndone = undone.includes(node.ordinal);
    if (!wasUndone && !inside && (status === 'skipped' || stands(draft, node).state === 'ok')) return true;
    if (!wasUndone && isContainer(node) && status !== 'failed' && hasBegun(draft, node)) {
      // Each branch halts where it halts, so none is passed over.
      const branches = node.kind === 'decision' ? node.branches.filter((_, at) => at === draft.step(node).branch) : node.branches;
      for (const { steps } of branches) sequence(steps);
    } else found.push(node);
    return false;
  };
  sequence(root);
  return found;
}

function hasBegun(draft: RunDraft, node: ContainerNode): boolean {
  if (node.kind === 'decision') return draft.step(node).status === 'succeeded';
  const leaves = draft.run.plan.nodes.slice(node.ordinal + 1, node.end).filter((inside) => !isContainer(inside));
  return pendingIn(draft.run, [{ from: node.ordinal + 1, to: node.end }]).length < leaves.length;
}

/** These steps and all that comes after them in the sequences that they stand in. */
export function fromThere(plan: Plan, steps: readonly PlanNode[]): Range[] {
  const end = plan.nodes.filter((node) => node.kind !== 'job' || node.role === 'step').length;
  return steps.flatMap((step) => afterIn(plan, { steps: plan.root, to: end }, step));
}

function afterIn(plan: Plan, sequence: { readonly steps: readonly number[]; readonly to: number }, step: PlanNode): Range[] {
  const node = sequence.steps.map((ordinal) => plan.nodes[ordinal]!).find(({ ordinal, end }) => step.ordinal >= ordinal && step.ordinal < end);
  if (node === undefined || node.ordinal === step.ordinal) return [{ from: step.ordinal, to: sequence.to }];
  const branch = isContainer(node) ? node.branches.find(({ from, to }) => step.ordinal >= from && step.ordinal < to) : undefined;
  return [{ from: node.end, to: sequence.to }, ...(branch === undefined ? [] : afterIn(plan, branch, step))];
}
