/** Values of expressions over a run: its parameters, its outputs, itself. A fault is a value too. */
import type { JsonValue } from '../events/json.js';
import type { RunError } from '../events/run.events.js';
import { ExpressionError } from '../expressions/expression.js';
import type { Compiled, Scope } from '../expressions/expression.js';
import { stepOf } from './run.context.js';
import type { RunDraft } from './run.draft.js';

export function evaluated(draft: RunDraft, expression: Compiled): { readonly value: JsonValue } | { readonly error: RunError } {
  try {
    return { value: expression.evaluate(scopeOf(draft)) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: { kind: 'expression', code: 'expression-failed', message: error.message, retryable: false } };
  }
}

/** Whether a condition holds; true without one. */
export function holds(draft: RunDraft, when: Compiled | undefined): boolean | RunError {
  if (when === undefined) return true;
  const result = evaluated(draft, when);
  if ('error' in result) return result.error;
  if (typeof result.value === 'boolean') return result.value;
  return { kind: 'expression', code: 'not-a-condition', message: `The condition gave ${JSON.stringify(result.value)}, which is neither true nor false.`, retryable: false };
}

function scopeOf(draft: RunDraft): Scope {
  const { run } = draft;
  return { params: run.parameters, outputs: (stepId) => stepOf(run, stepId)?.outputs, run: { id: run.runId, startedBy: run.startedBy, labels: run.labels } };
}
