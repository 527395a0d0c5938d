/** The expressions of a definition: whether they compile, and whether what they name can be known where they stand. */
import type { BatchDefinition, StepDefinition } from '../events/definition.js';
import type { JsonFault, JsonObject } from '../events/json.js';
import { compileExpression, compileTemplate, isFault, templatesIn } from '../expressions/expression.js';
import type { Compiled, Fault } from '../expressions/expression.js';
import { placedSteps } from './placed-steps.js';
import { pointer } from '../events/json.js';

export function expressionFaults(definition: BatchDefinition): JsonFault[] {
  const check = new ExpressionCheck(definition);
  for (const { step, path, before } of placedSteps(definition)) check.step(step, path, before);
  const before = new Set(check.stepIds);
  for (const [index, step] of (definition.onFailureSteps ?? []).entries()) {
    check.step(step, pointer('/onFailureSteps', index), before);
    before.add(step.id);
  }
  check.params(definition.schedule?.parameters, '/schedule/parameters', undefined);
  return check.problems;
}

class ExpressionCheck {
  readonly problems: JsonFault[] = [];
  /** Jobs and gates of the tree: what can have outputs. */
  readonly stepIds: ReadonlySet<string>;
  private readonly declared: ReadonlySet<string>;

  constructor(definition: BatchDefinition) {
    this.declared = new Set((definition.parameters ?? []).map(({ name }) => name));
    this.stepIds = new Set([...placedSteps(definition)].filter(({ step }) => step.type === 'job' || step.type === 'gate').map(({ step }) => step.id));
  }

  step(step: StepDefinition, path: string, before: ReadonlySet<string>): void {
    this.condition(step.when, pointer(path, 'when'), before);
    if (step.type === 'gate') {
      for (const key of ['title', 'description'] as const) {
        const text = step[key];
        if (text !== undefined) this.judge(compileTemplate(text), pointer(path, key), before);
      }
      for (const [name, source] of Object.entries(step.show ?? {})) this.judge(compileExpression(source), pointer(path, 'show', name), before);
      return;
    }
    if (step.type === 'job') this.params(step.params, pointer(path, 'params'), before);
    if (step.type === 'decision') {
      for (const [index, branch] of step.branches.entries()) this.condition(branch.when, pointer(path, 'branches', index, 'when'), before);
    }
    if (step.compensate === undefined) return;
    // What undoes a step runs after it.
    const after = new Set([...before, ...withOutputs([step])]);
    this.params(step.compensate.params, pointer(path, 'compensate', 'params'), after);
  }

  /** @param before `undefined` in a schedule, where no run is yet and an occurrence is */
  params(params: JsonObject | undefined, path: string, before: ReadonlySet<string> | undefined): void {
    for (const { path: place, text } of templatesIn(params ?? {}, path)) this.judge(compileTemplate(text), place, before);
  }

  private condition(source: string | undefined, path: string, before: ReadonlySet<string>): void {
    if (source === undefined) return;
    const compiled = compileExpression(source);
    this.judge(compiled, path, before);
    if (!isFault(compiled) && !compiled.mayBeBoolean) this.problems.push({ path, message: 'The expression must give true or false.' });
  }

  private judge(compiled: Compiled | Fault, path: string, before: ReadonlySet<string> | undefined): void {
    if (isFault(compiled)) {
      this.problems.push({ path, message: compiled.fault });
      return;
    }
    for (const { root, name, at } of compiled.uses) {
      const fault = before === undefined ? inSchedule(root) : this.inRun(root, name, before);
      if (fault !== undefined) this.problems.push({ path, message: `${fault} (at character ${at + 1}).` });
    }
  }

  private inRun(root: string, name: string, before: ReadonlySet<string>): string | undefined {
    if (root === 'occurrence') return 'Only the parameters of a schedule know an occurrence';
    if (root === 'params' && !this.declared.has(name)) return `The definition declares no parameter "${name}"`;
    if (root !== 'outputs' || before.has(name)) return undefined;
    return this.stepIds.has(name) ? `Step "${name}" can't have run before this` : `No job or gate has the id "${name}"${this.longerName(name)}`;
  }

  /** `outputs.step-1` reads as `outputs.step` minus 1. */
  private longerName(name: string): string {
    const longer = [...this.stepIds].find((id) => id.startsWith(`${name}-`));
    return longer === undefined ? '' : `; for "${longer}" write outputs["${longer}"]`;
  }
}

/** Ids of the jobs and gates in a list of steps, nested ones included. */
function withOutputs(steps: readonly StepDefinition[]): string[] {
  return steps.flatMap((step) => ('branches' in step ? step.branches.flatMap((branch) => withOutputs(branch.steps)) : [step.id]));
}

function inSchedule(root: string): string | undefined {
  return root === 'occurrence' ? undefined : `A schedule knows its occurrence only, not ${root}`;
}
