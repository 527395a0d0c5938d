/**
 * Plan: a definition compiled for running. Steps are numbered once, in the order in which they stand; everything that
 * runs speaks of ordinals. A plan is made from one definition and never changes: it is cached by the definition's hash.
 */
import { durationMs } from '../events/definition.js';
import type { BatchDefinition, BranchDefinition, CompensateDefinition, GateStep, JobStep, JoinPolicy, StepDefinition } from '../events/definition.js';
import type { JobDefaults } from '../events/run.events.js';
import { compileExpression, compileParams, compileTemplate, isFault } from '../expressions/expression.js';
import type { Compiled, Fault } from '../expressions/expression.js';

interface Node {
  readonly ordinal: number;
  readonly id: string;
  /** The first ordinal that is not inside of it: what is inside has the numbers between. */
  readonly end: number;
  /** If it is false, the step is skipped as one unit. */
  readonly when: Compiled | undefined;
  /** What undoes it. */
  readonly undo?: CompensateDefinition | undefined;
}

export interface JobNode extends Node {
  readonly kind: 'job';
  /** What comes after a run that went wrong is no part of its tree: it stands behind it, and counts from when it begins. */
  readonly role: 'step' | 'compensation' | 'onFailure';
  /** The ordinal of what it undoes. */
  readonly undoes: number | null;
  readonly step: JobStep;
  readonly params: Compiled | undefined;
}

export interface GateNode extends Node {
  readonly kind: 'gate';
  readonly step: GateStep;
  readonly title: Compiled;
  readonly description: Compiled | undefined;
  readonly show: readonly (readonly [string, Compiled])[];
  readonly timeoutMs: number | undefined;
}

/** A sequence of steps, and the ordinals of all that is in it. */
export interface Branch {
  readonly id: string | null;
  readonly steps: readonly number[];
  readonly from: number;
  readonly to: number;
  /** Of a decision: undefined for its else. */
  readonly when: Compiled | undefined;
}

export interface GroupNode extends Node {
  readonly kind: 'parallel';
  readonly branches: readonly Branch[];
  readonly join: JoinPolicy;
}

export interface DecisionNode extends Node {
  readonly kind: 'decision';
  readonly branches: readonly Branch[];
}

export type ContainerNode = GroupNode | DecisionNode;
export type PlanNode = JobNode | GateNode | ContainerNode;

export function isContainer(node: PlanNode): node is ContainerNode {
  return node.kind === 'parallel' || node.kind === 'decision';
}

export interface Plan {
  readonly hash: string;
  readonly definition: BatchDefinition;
  readonly goesOnAfterFailure: boolean;
  /** No branch can lose, and nothing is to be decided that no step waits for: each container holds a job or a gate. */
  readonly needsAll: boolean;
  readonly compensatesFailure: boolean;
  readonly compensatesCancel: boolean;
  /** The jobs that undo something, and those that follow a failure, in their order. */
  readonly compensations: readonly JobNode[];
  readonly onFailure: readonly JobNode[];
  readonly nodes: readonly PlanNode[];
  /** The definition's own sequence. */
  readonly root: readonly number[];
  readonly ordinals: ReadonlyMap<string, number>;
  /** Steps that count: jobs and gates, not the groups round them. */
  readonly total: number;
  /** From its start, parked time too. */
  readonly timeoutMs: number | null;
  /** Names of the jobs that the definition names. */
  readonly jobs: ReadonlySet<string>;
}

/** @throws Error if the definition was not accepted before: what it holds is checked when it is saved. */
export function compilePlan(definition: BatchDefinition, hash: string): Plan {
  const nodes: PlanNode[] = [];
  const ordinals = new Map<string, number>();
  const jobs = new Set<string>();
  const sequence = (steps: readonly StepDefinition[]): number[] =>
    steps.map((step) => {
      const ordinal = nodes.length;
      ordinals.set(step.id, ordinal);
      // A group's number comes before those of what is inside it, so its place is kept.
      nodes.push({ kind: 'decision', ordinal, id: step.id, end: ordinal, when: undefined, branches: [] });
      const inside = compileNode(step, { branch, place: () => ({ ordinal, id: step.id, end: nodes.length, when: compiled(step.when) }) });
      nodes[ordinal] = inside;
      if (step.type === 'job') jobs.add(step.job);
      return ordinal;
    });
  const branch = (one: BranchDefinition): Branch => {
    const from = nodes.length;
    const steps = sequence(one.steps);
    return { id: one.id ?? null, steps, from, to: nodes.length, when: compiled('when' in one ? one.when : undefined) };
  };
  const root = sequence(definition.steps);
  const timeoutMs = definition.timeout === undefined ? null : durationMs(definition.timeout);
  const total = nodes.filter((node) => !isContainer(node)).length;
  const behind = (step: JobStep, role: JobNode['role'], undoes: number | null): JobNode => {
    const node: JobNode = { ...jobNode(step, { ordinal: nodes.length, id: step.id, end: nodes.length + 1, when: compiled(step.when) }), role, undoes };
    ordinals.set(step.id, nodes.length);
    nodes.push(node);
    jobs.add(step.job);
    // Nothing that follows a failure is undone, but what it names has to be known.
    if (step.compensate !== undefined) jobs.add(step.compensate.job);
    return node;
  };
  const undone = nodes.flatMap((node) => (node.undo === undefined ? [] : [{ ordinal: node.ordinal, step: { ...node.undo, id: `${node.id}:compensate`, type: 'job' as const } }]));
  const compensations = undone.map(({ ordinal, step }) => behind(step, 'compensation', ordinal));
  const onFailure = (definition.onFailureSteps ?? []).map((step) => behind(step, 'onFailure', null));
  return {
    hash, definition, needsAll: needsAll(nodes), goesOnAfterFailure: definition.failurePolicy === 'continue', compensatesFailure: definition.failurePolicy === 'compensate',
    compensatesCancel: definition.compensateOnCancel === true, timeoutMs, nodes, root, ordinals, total, jobs, compensations, onFailure,
  };
}

function needsAll(nodes: readonly PlanNode[]): boolean {
  const holdsStep = ({ ordinal, end }: PlanNode): boolean => nodes.slice(ordinal, end).some((node) => !isContainer(node));
  return nodes.every((node) => !isContainer(node) || (holdsStep(node) && (node.kind === 'decision' || node.join === 'all')));
}

interface Compiling {
  readonly branch: (branch: BranchDefinition) => Branch;
  /** Asked when all that is inside has its numbers. */
  readonly place: () => Node;
}

function jobNode(step: JobStep, place: Node): JobNode {
  return { ...place, kind: 'job', role: 'step', undoes: null, step, undo: step.compensate, params: step.params === undefined ? undefined : sound(compileParams(step.params)) };
}

function compileNode(step: StepDefinition, { branch, place }: Compiling): PlanNode {
  switch (step.type) {
    case 'job':
      return jobNode(step, place());
    case 'gate':
      return {
        ...place(), kind: 'gate', step,
        title: sound(compileTemplate(step.title ?? step.id)),
        description: step.description === undefined ? undefined : sound(compileTemplate(step.description)),
        show: Object.entries(step.show ?? {}).map(([name, source]) => [name, sound(compileExpression(source))]),
        timeoutMs: step.timeout === undefined ? undefined : durationMs(step.timeout),
      };
    case 'parallel': {
      const branches = step.branches.map(branch);
      return { ...place(), kind: 'parallel', undo: step.compensate, branches, join: step.join ?? 'all' };
    }
    case 'decision': {
      const branches = step.branches.map(branch);
      return { ...place(), kind: 'decision', undo: step.compensate, branches };
    }
  }
}

/** How many of a group's branches have to succeed, of those that were not skipped as a whole. */
export function needsOf(join: JoinPolicy, branches: number): number {
  if (join === 'any') return 1;
  return join === 'majority' ? Math.floor(branches / 2) + 1 : branches;
}

function compiled(source: string | undefined): Compiled | undefined {
  return source === undefined ? undefined : sound(compileExpression(source));
}

function sound(compiled: Compiled | Fault): Compiled {
  if (isFault(compiled)) throw new Error(`An accepted definition does not compile: ${compiled.fault}`);
  return compiled;
}

/** The step's own word over the job's. */
export function policyOf(node: JobNode, defaults: JobDefaults): JobDefaults {
  const { retry, timeout, cancelGrace } = node.step;
  return {
    maxAttempts: retry?.maxAttempts ?? defaults.maxAttempts,
    backoff: retry?.backoff ?? defaults.backoff,
    initialDelayMs: retry?.initialDelay === undefined ? defaults.initialDelayMs : durationMs(retry.initialDelay),
    maxDelayMs: retry?.maxDelay === undefined ? defaults.maxDelayMs : durationMs(retry.maxDelay),
    jitter: retry?.jitter ?? defaults.jitter,
    lostCounts: retry?.lostCounts ?? defaults.lostCounts,
    maxLosses: retry?.maxLosses ?? defaults.maxLosses,
    timeoutMs: timeout === undefined ? defaults.timeoutMs : durationMs(timeout),
    cancelGraceMs: cancelGrace === undefined ? defaults.cancelGraceMs : durationMs(cancelGrace),
    declares: defaults.declares,
  };
}
