/** Values of expressions over a run: its parameters, its outputs, itself. A fault is a value too. */
import { storableText } from '../events/canonical.js';
import type { JsonObject, JsonValue } from '../events/json.js';
import type { RunError } from '../events/run.events.js';
import { ExpressionError } from '../expressions/expression.js';
import type { Compiled, Scope } from '../expressions/expression.js';
import type { GateNode } from './plan.js';
import { stepOf } from './run.context.js';
import type { RunDraft } from './run.draft.js';

export function evaluated(draft: RunDraft, expression: Compiled): { readonly value: JsonValue } | { readonly error: RunError } {
  try {
    return { value: expression.evaluate(scopeOf(draft)) };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { error: failed('expression-failed', error.message) };
  }
}

/** Bytes of what one step is given, or one gate shows: with what else an append holds, the log takes it. */
const MOST_BYTES_GIVEN = 384 * 1024;

/** Why these are too much for one step; undefined if they are not. */
export function tooMuch(what: string, bytes: number): RunError | undefined {
  if (bytes <= MOST_BYTES_GIVEN) return undefined;
  return failed('too-large', `${what} are ${bytes} bytes, and at most ${MOST_BYTES_GIVEN} are kept. Keep the data elsewhere and give its place.`);
}

export function bytesOf(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** What failed may have a whole value in its words. */
function failed(code: string, message: string): RunError {
  return { kind: 'expression', code, message: storableText(message, 2_000), retryable: false };
}

/** Whether a condition holds; true without one. */
export function holds(draft: RunDraft, when: Compiled | undefined): boolean | RunError {
  if (when === undefined) return true;
  const result = evaluated(draft, when);
  if ('error' in result) return result.error;
  if (typeof result.value === 'boolean') return result.value;
  return failed('not-a-condition', `The condition gave ${storableText(JSON.stringify(result.value), 1_000)}, which is neither true nor false.`);
}

function scopeOf(draft: RunDraft): Scope {
  const { run } = draft;
  return { params: run.parameters, outputs: (stepId) => stepOf(run, stepId)?.outputs, run: { id: run.runId, startedBy: run.startedBy, labels: run.labels } };
}

/** What a gate shows to those who decide it. */
export function shownBy(draft: RunDraft, node: GateNode): { readonly shown: Shown } | { readonly error: RunError } {
  const data: Record<string, JsonValue> = {};
  let bytes = 0;
  for (const [name, expression] of node.show) {
    const value = evaluated(draft, expression);
    if ('error' in value) return value;
    data[name] = value.value;
    bytes += bytesOf(value.value);
    const error = tooMuch(`The values that gate ${node.id} shows`, bytes);
    if (error !== undefined) return { error };
  }
  const title = evaluated(draft, node.title);
  if ('error' in title) return title;
  const description = node.description === undefined ? { value: null } : evaluated(draft, node.description);
  if ('error' in description) return description;
  const shown = { title: asText(title.value), description: description.value === null ? null : asText(description.value), data };
  const error = tooMuch(`The texts and values that gate ${node.id} shows`, bytesOf(shown));
  return error === undefined ? { shown } : { error };
}

type Shown = { readonly title: string; readonly description: string | null; readonly data: JsonObject };

function asText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
