/**
 * Plan: a definition compiled for running. Steps are numbered once, in the order in which they stand; everything that
 * runs speaks of ordinals. A plan is made from one definition and never changes: it is cached by the definition's hash.
 */
import { durationMs } from '../events/definition.js';
import type { BatchDefinition, GateStep, JobStep, StepDefinition } from '../events/definition.js';
import type { JobDefaults } from '../events/run.events.js';
import { compileExpression, compileParams, compileTemplate, isFault } from '../expressions/expression.js';
import type { Compiled, Fault } from '../expressions/expression.js';

export interface JobNode {
  readonly kind: 'job';
  readonly ordinal: number;
  readonly id: string;
  readonly step: JobStep;
  readonly params: Compiled | undefined;
}

export interface GateNode {
  readonly kind: 'gate';
  readonly ordinal: number;
  readonly id: string;
  readonly step: GateStep;
  readonly title: Compiled;
  readonly description: Compiled | undefined;
  readonly show: readonly (readonly [string, Compiled])[];
  readonly timeoutMs: number | undefined;
}

export interface GroupNode {
  readonly kind: 'parallel';
  readonly ordinal: number;
  readonly id: string;
  readonly branches: readonly (readonly number[])[];
}

export type PlanNode = JobNode | GateNode | GroupNode;

export interface Plan {
  readonly hash: string;
  readonly definition: BatchDefinition;
  readonly goesOnAfterFailure: boolean;
  readonly nodes: readonly PlanNode[];
  /** The definition's own sequence. */
  readonly root: readonly number[];
  readonly ordinals: ReadonlyMap<string, number>;
  /** Steps that count: jobs and gates, not the groups round them. */
  readonly total: number;
  /** Names of the jobs that a run may need. */
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
      nodes.push({ kind: 'parallel', ordinal, id: step.id, branches: [] });
      nodes[ordinal] = compileNode(step, ordinal, sequence);
      if (step.type === 'job') jobs.add(step.job);
      return ordinal;
    });
  const root = sequence(definition.steps);
  const total = nodes.filter((node) => node.kind !== 'parallel').length;
  return { hash, definition, goesOnAfterFailure: definition.failurePolicy === 'continue', nodes, root, ordinals, total, jobs };
}

function compileNode(step: StepDefinition, ordinal: number, sequence: (steps: readonly StepDefinition[]) => number[]): PlanNode {
  switch (step.type) {
    case 'job':
      return { kind: 'job', ordinal, id: step.id, step, params: step.params === undefined ? undefined : sound(compileParams(step.params)) };
    case 'gate':
      return {
        kind: 'gate', ordinal, id: step.id, step,
        title: sound(compileTemplate(step.title ?? step.id)),
        description: step.description === undefined ? undefined : sound(compileTemplate(step.description)),
        show: Object.entries(step.show ?? {}).map(([name, source]) => [name, sound(compileExpression(source))]),
        timeoutMs: step.timeout === undefined ? undefined : durationMs(step.timeout),
      };
    case 'parallel':
      return { kind: 'parallel', ordinal, id: step.id, branches: step.branches.map((branch) => sequence(branch.steps)) };
    case 'decision':
      throw new Error(`Step ${step.id}: decisions are not supported yet.`);
  }
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
