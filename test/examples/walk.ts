/**
 * Walks an example's definition step by step, without the engine: real parameters, schemas, templates and jobs.
 * Gates are approved; what they would show is kept.
 */
import { checkParameters } from '../../src/batches/run-parameters.js';
import { isFault, compileExpression, compileParams, compileTemplate, type Compiled, type Fault, type Scope } from '../../src/expressions/expression.js';
import type { BatchDefinition, JsonObject, JsonValue, StepDefinition } from '../../src/index.js';
import type { JobContext } from '../../src/jobs/job.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import { jobs } from '../../examples/index.js';

export interface Shown {
  readonly title: string;
  readonly description: string;
  readonly data: Readonly<Record<string, JsonValue>>;
}

export interface Walk {
  readonly outputs: Map<string, JsonValue>;
  readonly gates: Map<string, Shown>;
  readonly log: string[];
  readonly progress: [number, number | undefined][];
}

export interface WalkOptions {
  readonly key?: string;
  readonly signal?: AbortSignal;
}

export async function walk(batch: BatchDefinition, given: JsonObject, options: WalkOptions = {}): Promise<Walk> {
  const registry = new JobRegistry();
  for (const job of jobs) registry.register(job);
  const { parameters, errors } = checkParameters(batch.parameters, given);
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  const state: Walk = { outputs: new Map(), gates: new Map(), log: [], progress: [] };
  const scope: Scope = {
    params: { ...Object.fromEntries((batch.parameters ?? []).map(({ name }) => [name, null])), ...parameters },
    outputs: (id) => state.outputs.get(id),
    run: { id: 'run', startedBy: 'dev', labels: {} },
  };

  async function take(step: StepDefinition): Promise<void> {
    if (step.type === 'parallel') await Promise.all(step.branches.map(({ steps }) => takeAll(steps)));
    else if (step.type === 'gate') {
      const show = Object.entries(step.show ?? {}).map(([name, source]) => [name, valueOf(compileExpression(source), scope)] as const);
        const text = (template = ''): string => valueOf(compileTemplate(template), scope) as string;
      state.gates.set(step.id, { title: text(step.title), description: text(step.description), data: Object.fromEntries(show) });
    } else if (step.type === 'job') {
      const declared = new Set(registry.declaredKeys(step.job));
      const fromRun = Object.fromEntries(Object.entries(parameters).filter(([name]) => declared.has(name)));
      const params = { ...fromRun, ...(valueOf(compileParams(step.params ?? {}), scope) as JsonObject) };
      state.outputs.set(step.id, await runJob(registry, step.job, params, contextOf(state, step.id, options)));
    } else throw new Error(`${step.type} is not walked`);
  }
  async function takeAll(steps: readonly StepDefinition[]): Promise<void> {
    for (const step of steps) await take(step);
  }
  await takeAll(batch.steps);
  return state;
}

/** As the runner will: parameters checked before, outputs after, and only JSON goes on. */
async function runJob(registry: JobRegistry, name: string, params: JsonObject, ctx: Omit<JobContext, 'params'>): Promise<JsonValue> {
  const checked = await registry.validateParameters(name, params);
  if (!checked.ok) throw new Error(`${name}: ${JSON.stringify(checked.issues)}`);
  const handler = await registry.get(name)!.resolveHandler();
  const outputs = await registry.validateOutputs(name, await handler.run({ ...ctx, params: checked.value }));
  if (!outputs.ok) throw new Error(`${name}: ${JSON.stringify(outputs.issues)}`);
  return JSON.parse(JSON.stringify(outputs.value)) as JsonValue;
}

function contextOf(state: Walk, stepId: string, { key = 'key', signal }: WalkOptions): Omit<JobContext, 'params'> {
  const note = (message: string): number => state.log.push(message);
  return {
    runId: 'run', stepId, executionId: `execution-${stepId}`, attempt: 1, idempotencyKey: `${key}:${stepId}`,
    outputs: Object.fromEntries(state.outputs), signal: signal ?? new AbortController().signal,
    progress: (done, total) => state.progress.push([done, total]),
    log: { info: note, warn: note, error: note },
  };
}

function valueOf(compiled: Compiled | Fault, scope: Scope): JsonValue {
  if (isFault(compiled)) throw new Error(compiled.fault);
  return compiled.evaluate(scope);
}
