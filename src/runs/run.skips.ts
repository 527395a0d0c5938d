/** Steps that will not run: which they are, and the context without them. Pure. */
import { isContainer } from './plan.js';
import type { ContainerNode, PlanNode } from './plan.js';
import { changed, CHUNK, moved, stepAt } from './run.context.js';
import type { RunContext, RunEvent, StepState } from './run.context.js';

export type SkipEvent = RunEvent & { type: 'StepSkipped' | 'DecisionTaken' };

/** The context after a fact that takes steps out of the run. */
export function afterSkip(context: RunContext, event: SkipEvent): RunContext {
  const skipped = withoutSteps(context, skippedBy(context, event));
  const ordinal = context.plan.ordinals.get(event.data.stepId) ?? -1;
  if (event.type === 'DecisionTaken') return changed(skipped, ordinal, (step) => ({ ...step, status: 'succeeded', branch: event.data.branch }));
  return event.data.branches === null ? changed(skipped, ordinal, (step) => ({ ...step, status: 'skipped' })) : skipped;
}

/** The context after a group or a decision could not begin: it has failed as one unit, and what is in it will not run. */
export function afterRefusedGroup(context: RunContext, { end, ordinal }: ContainerNode, { data, revision }: RunEvent & { type: 'StepRefused' }): RunContext {
  return changed(withoutSteps(context, [{ from: ordinal + 1, to: end }]), ordinal, (step) => ({ ...step, status: 'failed', error: data.error, failedAt: revision }));
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The ordinals that a fact takes out of the run. */
export function skippedBy(context: RunContext, { type, data }: SkipEvent): readonly Range[] {
  const node = nodeOf(context, data.stepId);
  if (node === undefined) return [];
  if (!isContainer(node)) return type === 'StepSkipped' ? [{ from: node.ordinal, to: node.end }] : [];
  if (type === 'DecisionTaken') return node.branches.filter((_, at) => at !== data.branch);
  const { branches } = data;
  return branches === null ? [{ from: node.ordinal + 1, to: node.end }] : node.branches.filter((_, at) => branches.includes(at));
}

export function nodeOf({ plan }: RunContext, stepId: string): PlanNode | undefined {
  const ordinal = plan.ordinals.get(stepId);
  return ordinal === undefined ? undefined : plan.nodes[ordinal];
}

/** The steps that count and wait for their turn there. */
export function pendingIn(context: RunContext, ranges: readonly Range[]): number[] {
  const found: number[] = [];
  for (const { from, to } of ranges) {
    for (let ordinal = from; ordinal < to; ordinal += 1) {
      if (!isContainer(context.plan.nodes[ordinal]!) && stepAt(context, ordinal).status === 'pending') found.push(ordinal);
    }
  }
  return found;
}

/** What waits for its turn there is skipped, groups and all. */
function withoutSteps(context: RunContext, ranges: readonly Range[]): RunContext {
  const count = pendingIn(context, ranges).length;
  const inside = (ordinal: number): boolean => ranges.some(({ from, to }) => ordinal >= from && ordinal < to);
  const chunks = context.chunks.map((chunk, place) => {
    const first = place * CHUNK;
    if (!ranges.some(({ from, to }) => from < first + chunk.length && to > first)) return chunk;
    return chunk.map((step, at): StepState => (step.status === 'pending' && inside(first + at) ? { ...step, status: 'skipped' } : step));
  });
  return { ...context, chunks, counts: moved(context.counts, 'pending', 'skipped', count) };
}
