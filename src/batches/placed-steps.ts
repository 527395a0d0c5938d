/** The steps of a definition in the order in which they stand, each with its place and with what can have run before it. */
import type { BatchDefinition, StepDefinition } from '../events/definition.js';
import { pointer } from '../events/json.js';
import type { JsonFault } from '../events/json.js';

export interface PlacedStep {
  readonly step: StepDefinition;
  readonly path: string;
  /** The definition's own list is level 1. */
  readonly level: number;
  /** Ids of the jobs and gates that can have run before it; only valid until the next step is asked for. */
  readonly before: ReadonlySet<string>;
}

/** Steps that do something: jobs and gates, nested ones included. */
export function countLeaves(steps: readonly StepDefinition[]): number {
  return steps.reduce((sum, step) => sum + ('branches' in step ? step.branches.reduce((inside, branch) => inside + countLeaves(branch.steps), 0) : 1), 0);
}

/** Steps of every type, nested ones and those for failures included. */
export function countAll(definition: BatchDefinition): number {
  const count = (steps: readonly StepDefinition[]): number =>
    steps.reduce((sum, step) => sum + 1 + ('branches' in step ? step.branches.reduce((inside, branch) => inside + count(branch.steps), 0) : 0), 0);
  return count(definition.steps) + (definition.onFailureSteps ?? []).length;
}

export function placedSteps(definition: BatchDefinition): Generator<PlacedStep> {
  return sequence(definition.steps, '/steps', 1, new Set());
}

/** Goes along one list; `before` grows as it goes. */
function* sequence(steps: readonly StepDefinition[], base: string, level: number, before: Set<string>): Generator<PlacedStep> {
  for (const [index, step] of steps.entries()) {
    const path = pointer(base, index);
    yield { step, path, level, before };
    if (step.type === 'job' || step.type === 'gate') {
      before.add(step.id);
      continue;
    }
    const inside = new Set<string>();
    for (const [number, branch] of step.branches.entries()) {
      if (branch.steps.length === 0) continue;
      // A copy for each: what stands in one branch is nothing that its siblings can count on.
      const own = new Set(before);
      yield* sequence(branch.steps, pointer(path, 'branches', number, 'steps'), level + 1, own);
      for (const id of own) inside.add(id);
    }
    for (const id of inside) before.add(id);
  }
}

/** Every job that the definition names, with its place. */
export function placedJobs(definition: BatchDefinition): readonly { readonly job: string; readonly path: string }[] {
  const ending = (definition.onFailureSteps ?? []).map((step, index) => ({ step, path: pointer('/onFailureSteps', index) }));
  return [...placedSteps(definition), ...ending].flatMap(({ step, path }) => [
    ...(step.type === 'job' ? [{ job: step.job, path: pointer(path, 'job') }] : []),
    ...(step.type !== 'gate' && step.compensate !== undefined ? [{ job: step.compensate.job, path: pointer(path, 'compensate', 'job') }] : []),
  ]);
}

/** The jobs that are not registered, as faults of a start. */
export function unknownJobs(definition: BatchDefinition, jobs: { has(name: string): boolean }): JsonFault[] {
  return placedJobs(definition).filter(({ job }) => !jobs.has(job)).map(({ job, path }) => ({ path, message: `No job is registered as "${job}". This is its place in the definition.` }));
}
