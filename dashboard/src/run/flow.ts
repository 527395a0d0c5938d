/**
 * Where the steps of a definition stand in its diagram. A definition is a tree of sequences and branches, so that one
 * walk places everything: sequences downwards, branches side by side in a box. No search, and the same place every time.
 */
import type { BranchNode, StepDefinition, StepNode, StepStatus, StepType } from '../api/shapes';

export interface FlowStep {
  readonly id: string;
  readonly type: StepType;
  readonly title: string;
  /** The job, or who decides, or how the branches are joined. */
  readonly what: string;
  readonly status: StepStatus | undefined;
  readonly attempts: number;
  readonly branches?: readonly FlowBranch[];
}
export interface FlowBranch {
  readonly label: string | null;
  readonly taken: boolean | undefined;
  readonly steps: readonly FlowStep[];
}
export interface Lane {
  readonly caption: string;
  readonly steps: readonly FlowStep[];
}

export interface Placed {
  readonly id: string;
  readonly kind: 'step' | 'box' | 'label' | 'end' | 'lane';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly step?: FlowStep;
  readonly text?: string;
  readonly taken?: boolean | undefined;
  /** Not taken, or skipped: greyed. */
  readonly off: boolean;
}
export interface Wire {
  readonly from: string;
  readonly to: string;
  readonly off: boolean;
}
export interface Drawing {
  readonly placed: readonly Placed[];
  readonly wires: readonly Wire[];
  readonly width: number;
  readonly height: number;
}

export const STEP_W = 200;
const STEP_H = 46;
const GAP_Y = 24;
const GAP_X = 16;
const PAD = 14;
const CAPTION = 28;
const LABEL = 22;
const END = 14;

const NO_TITLES: ReadonlyMap<string, string> = new Map();

/** The steps of a definition, with what the run says of each; of gates that were come to, their titles as people read them. */
export function flowOf(definitions: readonly StepDefinition[] | undefined, nodes: readonly StepNode[] | undefined, titles: ReadonlyMap<string, string> = NO_TITLES): readonly FlowStep[] {
  if (definitions === undefined) return (nodes ?? []).map((node) => ({ ...plain(node), ...(node.branches && { branches: node.branches.map((branch) => ({ label: branch.label ?? branch.id, taken: branch.taken, steps: flowOf(undefined, branch.steps) })) }) }));
  return definitions.map((definition) => {
    const node = nodes?.find(({ id }) => id === definition.id);
    return {
      id: definition.id, type: definition.type, title: titles.get(definition.id) ?? definition.title ?? definition.id, what: whatOf(definition), status: node?.status, attempts: node?.attempts ?? 0,
      ...(definition.branches && { branches: definition.branches.map((branch, at) => branchOf(branch, node?.branches?.[at], at, titles)) }),
    };
  });
}

function branchOf(branch: NonNullable<StepDefinition['branches']>[number], node: BranchNode | undefined, at: number, titles: ReadonlyMap<string, string>): FlowBranch {
  const label = branch.label ?? branch.id ?? branch.when ?? (branch.steps.length === 0 ? 'otherwise' : `branch ${at + 1}`);
  return { label, taken: node?.taken, steps: flowOf(branch.steps, node?.steps, titles) };
}

function plain({ id, type, status, attempts }: StepNode): FlowStep {
  return { id, type, title: id, what: type, status, attempts };
}

function whatOf({ type, job, allowedRoles = [], quorum = 1, join = 'all' }: StepDefinition): string {
  if (type === 'job') return job ?? '';
  if (type === 'gate') return `${quorum > 1 ? `${quorum} of ` : ''}${allowedRoles.includes('*') ? 'anybody' : allowedRoles.join(' or ')}`;
  return type === 'decision' ? 'first that is true' : join === 'all' ? 'all of them' : join === 'any' ? 'the first that is through' : 'a majority';
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export function draw(main: readonly FlowStep[], lanes: readonly Lane[] = []): Drawing {
  const placed: Placed[] = [];
  const wires: Wire[] = [];
  const size = sizeOf(main);
  const width = Math.max(size.width, STEP_W);
  const middle = width / 2;
  const end = (id: string, y: number): Placed => ({ id, kind: 'end', x: middle - END / 2, y, width: END, height: END, off: false });
  placed.push(end(':start', 0), end(':end', END + GAP_Y + size.height + GAP_Y));
  place(main, { middle, top: END + GAP_Y }, { before: ':start', after: ':end', off: false });
  let right = width;
  let top = END + GAP_Y;
  for (const lane of lanes.filter(({ steps }) => steps.length > 0)) {
    const inside = sizeOf(lane.steps);
    // One below the other, so that all of it can be read at once.
    const box = { x: width + 40, y: top, width: inside.width + 2 * PAD, height: inside.height + CAPTION + 2 * PAD };
    placed.unshift({ id: `:lane ${lane.caption}`, kind: 'lane', ...box, text: lane.caption, off: false });
    place(lane.steps, { middle: box.x + box.width / 2, top: box.y + CAPTION + PAD }, { off: false });
    right = Math.max(right, box.x + box.width);
    top += box.height + GAP_Y;
  }
  const height = Math.max(...placed.map((one) => one.y + one.height));
  return { placed, wires, width: right, height };

  function place(steps: readonly FlowStep[], { middle: centre, top }: { middle: number; top: number }, { before, after, off }: { before?: string; after?: string; off: boolean }): void {
    let y = top;
    let last = before;
    for (const step of steps) {
      const its = sizeOfStep(step);
      // A decision for a branch without steps is called skipped, and was taken all the same.
      const gone = off || (step.status === 'skipped' && step.branches?.some(({ taken }) => taken === true) !== true);
      const x = centre - its.width / 2;
      if (step.branches === undefined) placed.push({ id: step.id, kind: 'step', x, y, ...its, step, off: gone });
      else placeGroup(step, step.branches, { x, y, ...its, off: gone });
      if (last !== undefined) wires.push({ from: last, to: step.id, off: gone });
      last = step.id;
      y += its.height + GAP_Y;
    }
    if (after !== undefined && last !== undefined) wires.push({ from: last, to: after, off });
  }

  function placeGroup(step: FlowStep, branches: readonly FlowBranch[], { x, y, off, ...its }: Size & { x: number; y: number; off: boolean }): void {
    placed.push({ id: step.id, kind: 'box', x, y, ...its, step, off });
    let left = x + PAD;
    for (const [at, branch] of branches.entries()) {
      const inside = sizeOf(branch.steps);
      const span = Math.max(inside.width, STEP_W);
      const lost = off || branch.taken === false;
      placed.push({ id: `${step.id}:${at}`, kind: 'label', x: left, y: y + CAPTION, width: span, height: LABEL, text: branch.label ?? `branch ${at + 1}`, taken: branch.taken, off: lost });
      place(branch.steps, { middle: left + span / 2, top: y + CAPTION + LABEL + 4 }, { off: lost });
      left += span + GAP_X;
    }
  }
}

function sizeOf(steps: readonly FlowStep[]): Size {
  if (steps.length === 0) return { width: STEP_W, height: 8 };
  const sizes = steps.map(sizeOfStep);
  return { width: Math.max(...sizes.map(({ width }) => width)), height: sizes.reduce((sum, { height }) => sum + height, 0) + GAP_Y * (steps.length - 1) };
}

const sizes = new WeakMap<FlowStep, Size>();

function sizeOfStep(step: FlowStep): Size {
  const known = sizes.get(step);
  if (known !== undefined) return known;
  const size = step.branches === undefined ? { width: STEP_W, height: STEP_H } : sizeOfGroup(step.branches);
  sizes.set(step, size);
  return size;
}

function sizeOfGroup(branches: readonly FlowBranch[]): Size {
  const inside = branches.map(({ steps }) => sizeOf(steps));
  return {
    width: inside.reduce((sum, { width }) => sum + Math.max(width, STEP_W), 0) + GAP_X * (branches.length - 1) + 2 * PAD,
    height: Math.max(...inside.map(({ height }) => height)) + CAPTION + LABEL + 4 + PAD,
  };
}

/** Every step, also those in branches, in the order of the definition. */
export function allSteps(nodes: readonly StepNode[]): readonly StepNode[] {
  return nodes.flatMap((node) => [node, ...(node.branches ?? []).flatMap(({ steps }) => allSteps(steps))]);
}
