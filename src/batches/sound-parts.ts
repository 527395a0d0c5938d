/**
 * The sound parts of a definition whose shape is wrong, so that what its parts say about each other is judged in the
 * same answer: what does not fit is left out, or a stand-in takes its place so that everything keeps its pointer.
 */
import type { z } from 'zod';
import { STEP_ID, batchDefinitionSchema } from '../events/definition.js';
import type { BatchDefinition } from '../events/definition.js';
import { parseJson } from '../events/json.js';
import type { JsonValue } from '../events/json.js';

/** A repaired step can show faults that its type had hidden, each round one level deeper. */
const ROUNDS = 20;
/** No id of an author is as long. */
const STAND_IN = `stand-in-${'0'.repeat(40)}`;

/** @returns `undefined` if not enough is sound to be judged */
export function soundParts(input: JsonValue): BatchDefinition | undefined {
  const copy: unknown = parseJson(JSON.stringify(input));
  if (!isRecord(copy)) return undefined;
  let count = 0;
  const nextId = (): string => `${STAND_IN}${++count}`;
  for (let round = 0; round < ROUNDS; round++) {
    const { success, data, error } = batchDefinitionSchema.safeParse(copy);
    if (success) return data;
    for (const issue of error.issues) repair(copy, issue, nextId);
  }
  return undefined;
}

function repair(root: object, issue: z.core.$ZodIssue, nextId: () => string): void {
  const parent = issue.path.slice(0, -1).reduce<unknown>((at, key) => (isContainer(at) ? Reflect.get(at, key) : undefined), root);
  const key = issue.path.at(-1);
  if (issue.code === 'unrecognized_keys') {
    const holder: unknown = key === undefined ? root : isContainer(parent) ? Reflect.get(parent, key) : undefined;
    if (isContainer(holder)) for (const unknown of issue.keys) Reflect.deleteProperty(holder, unknown);
    return;
  }
  if (key === undefined || !isContainer(parent)) return;
  if (key === 'type') return becomeJob(parent, nextId);
  const list = issue.path.at(-2);
  const standIn = typeof key === 'number' ? itemFor(list, nextId) : fieldFor(key, parent, nextId);
  if (standIn === undefined) Reflect.deleteProperty(parent, key);
  else Reflect.set(parent, key, standIn);
}

function becomeJob(step: object, nextId: () => string): void {
  const id: unknown = Reflect.get(step, 'id');
  for (const field of Object.keys(step)) Reflect.deleteProperty(step, field);
  Object.assign(step, stepFor(typeof id === 'string' && STEP_ID.test(id) ? id : nextId()));
}

function itemFor(list: PropertyKey | undefined, nextId: () => string): unknown {
  switch (list) {
    case 'branches':
      return { steps: [stepFor(nextId())] };
    case 'parameters':
      return { name: nextId(), kind: 'string' };
    case 'allowedRoles':
      return '*';
    default:
      return stepFor(nextId());
  }
}

/** What is optional is left out; what is needed gets something that fits. */
function fieldFor(key: PropertyKey, parent: object, nextId: () => string): unknown {
  switch (key) {
    case 'id':
      return 'type' in parent ? nextId() : undefined;
    case 'name':
      return nextId();
    case 'kind':
      return 'string';
    case 'job':
      return 'stand-in';
    case 'cron':
      return '* * * * *';
    case 'allowedRoles':
      return ['*'];
    case 'steps':
      return [stepFor(nextId())];
    case 'branches':
      return [{ steps: [stepFor(nextId())] }];
    default:
      return undefined;
  }
}

function stepFor(id: string): object {
  return { id, type: 'job', job: 'stand-in' };
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value);
}
