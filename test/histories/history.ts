/** What a recorded history is, where it stands and what is compared: words of every version, never the machine's insides. */
import { readdirSync, readFileSync } from 'node:fs';
import { storedBatchFact } from '../../src/events/batch.codec.js';
import type { JsonValue } from '../../src/events/json.js';
import type { RunError, RunStatus, StepCounts, StepStatus } from '../../src/events/run.events.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { compilePlan } from '../../src/runs/plan.js';
import type { Plan } from '../../src/runs/plan.js';
import type { RunSnapshot } from '../../src/runs/run.draft.js';
import { stepOf } from '../../src/runs/run.context.js';

export interface EndedStep {
  readonly status: StepStatus;
  readonly attempt: number;
  readonly outputs: JsonValue;
  readonly outcome: string | null;
}

/** How a run stood after its last fact. */
export interface End {
  readonly status: RunStatus | 'triggered';
  readonly startedBy: string;
  readonly parameters: Readonly<Record<string, JsonValue>>;
  readonly counts: StepCounts;
  readonly steps: Readonly<Record<string, EndedStep>>;
  readonly failure: { readonly stepId: string | null; readonly error: RunError } | null;
  readonly orphaned: readonly string[];
}

export interface History {
  readonly scenario: string;
  /** The stream of the batch, with the definition that the run is pinned to. */
  readonly batch: readonly StoredFact[];
  readonly run: readonly StoredFact[];
  readonly end: End;
}

export const HISTORIES = new URL('./', import.meta.url);
export const GOLDEN_FACTS = new URL('./facts/', import.meta.url);

/** `gate-approved` for `gate-approved.json`. */
export function namesIn(folder: URL): readonly string[] {
  return readdirSync(folder).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [])).sort();
}

export function read<T>(folder: URL, name: string): T {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as T;
}

/** The plan of the very version that the run began with. */
export function planOf({ batch, run }: Pick<History, 'batch' | 'run'>): Plan {
  for (const stored of batch) {
    const { type, data } = storedBatchFact(stored);
    if (type === 'BatchDefined' && data.version === run[0]?.data['batchVersion']) return compilePlan(data.definition, data.definitionHash);
  }
  throw new Error('The history does not hold the definition of its run.');
}

export function endOf({ value, context }: RunSnapshot): End {
  const { startedBy, parameters, counts, failure, orphaned, plan } = context;
  const steps = plan.nodes.flatMap(({ id, kind }): [string, EndedStep][] => {
    const step = stepOf(context, id);
    if (kind === 'parallel' || kind === 'decision' || step === undefined) return [];
    return [[id, { status: step.status, attempt: step.attempt, outputs: step.outputs ?? null, outcome: step.gate?.outcome ?? null }]];
  });
  return { status: value, startedBy, parameters, counts, steps: Object.fromEntries(steps), failure, orphaned };
}
