/** Whether two versions of a definition agree on what a run has behind it, and where they don't. Pure. */
import type { JsonFault } from '../events/json.js';
import { canonicalJson } from '../events/canonical.js';
import type { BranchDefinition, StepDefinition } from '../events/definition.js';
import { parseJson } from '../events/json.js';

/**
 * What differs in the newer version among the steps that come before these: in each sequence up to the first of them,
 * and whole where none of them stands. What comes from there on may be another one.
 */
export function versionDifferences(older: readonly StepDefinition[], newer: readonly StepDefinition[], from: ReadonlySet<string>, path = '/steps'): JsonFault[] {
  const faults: JsonFault[] = [];
  for (const [at, step] of older.entries()) {
    if (from.has(step.id)) return faults;
    const other = newer[at];
    const place = `${path}/${at}`;
    if (other === undefined) return [...faults, { path: place, message: `Step "${step.id}", which is behind the run, is gone.` }];
    if (other.id !== step.id || other.type !== step.type) return [...faults, { path: place, message: `Here stood ${step.type} "${step.id}", which is behind the run; now it is ${other.type} "${other.id}".` }];
    const [inner, otherInner] = [branchesOf(step), branchesOf(other)];
    const isCut = holdsAny(inner, from);
    faults.push(...fieldDifferences({ ...step, branches: null }, { ...other, branches: null }, { place, what: `Step "${step.id}"` }), ...branchDifferences(inner, otherInner, from, `${place}/branches`));
    if (isCut) return faults;
  }
  const added = newer[older.length];
  return added === undefined ? faults : [...faults, { path: `${path}/${older.length}`, message: `Step "${added.id}" is new where the run has everything behind it.` }];
}

function branchDifferences(older: readonly BranchDefinition[], newer: readonly BranchDefinition[], from: ReadonlySet<string>, path: string): JsonFault[] {
  if (older.length !== newer.length) return [{ path, message: `Here were ${older.length} branches; now there are ${newer.length}.` }];
  return older.flatMap((branch, at) => {
    const other = newer[at] ?? branch;
    const place = `${path}/${at}`;
    return [...fieldDifferences({ ...branch, steps: null }, { ...other, steps: null }, { place, what: 'The branch' }), ...versionDifferences(branch.steps, other.steps, from, `${place}/steps`)];
  });
}

function fieldDifferences(older: object, newer: object, { place, what }: { place: string; what: string }): JsonFault[] {
  const [before, now] = [new Map<string, unknown>(Object.entries(older)), new Map<string, unknown>(Object.entries(newer))];
  const changed = [...new Set([...before.keys(), ...now.keys()])].filter((field) => textOf(before.get(field)) !== textOf(now.get(field)));
  return changed.map((field) => ({ path: `${place}/${field}`, message: `${what} has another "${field}" now, and is behind the run.` }));
}

function textOf(value: unknown): string {
  return value === undefined ? '' : canonicalJson(parseJson(JSON.stringify(value)));
}

function branchesOf(step: StepDefinition): readonly BranchDefinition[] {
  return 'branches' in step ? step.branches : [];
}

function holdsAny(branches: readonly BranchDefinition[], from: ReadonlySet<string>): boolean {
  return branches.some(({ steps }) => steps.some((step) => from.has(step.id) || holdsAny(branchesOf(step), from)));
}
