/** What a batch definition answers to a command, and what each of its facts makes of it. Pure. */
import type { Decision, Rejected } from '../actors/actor.js';
import type { BatchSource } from '../events/batch.events.js';
import type { Placed } from '../events/batch.codec.js';
import { encodeBatchFact } from '../events/batch.codec.js';
import type { BatchFact } from '../events/batch.events.js';
import type { AnyBatchCommand, DefineBatch, DeleteBatch, OrphanBatch } from './batch.commands.js';

export interface BatchState {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly source: BatchSource;
  /** Every hash that it ever had, oldest first: code that comes back with one of them is an older build. */
  readonly hashes: readonly string[];
  readonly standing: 'defined' | 'deleted' | 'orphaned';
}

export function evolveBatch(state: BatchState | undefined, { type, data }: Placed<BatchFact>): BatchState {
  switch (type) {
    case 'BatchDefined':
      return {
        name: data.name, version: data.version, hash: data.definitionHash, source: data.source, standing: 'defined',
        hashes: [...(state?.hashes ?? []), data.definitionHash],
      };
    case 'BatchDeleted':
    case 'BatchOrphaned':
      if (state === undefined) throw new Error(`${type} of batch ${data.name} stands before its first definition.`);
      return { ...state, standing: type === 'BatchDeleted' ? 'deleted' : 'orphaned' };
  }
}

export function decideBatch(state: BatchState | undefined, command: AnyBatchCommand): Decision<BatchState> {
  switch (command.type) {
    case 'DefineBatch':
      return define(state, command);
    case 'DeleteBatch':
      return remove(state, command);
    case 'OrphanBatch':
      return orphan(state, command);
  }
}

function define(state: BatchState | undefined, { batchId, define }: DefineBatch): Decision<BatchState> {
  const { definition, definitionHash, source, expected, stepCount } = define;
  const there = state !== undefined && state.standing !== 'deleted';
  if (there && expected === 'none') return { rejected: 'duplicate-name', detail: `There is a batch ${definition.name}. Change that one, or take another name.` };
  if (there && source === 'api' && state.source === 'code') return { rejected: 'code-defined', detail: `Batch ${state.name} is defined in code: change it there.` };
  if (typeof expected === 'number' && !there) return { rejected: 'not-found', detail: `There is no batch ${definition.name}.` };
  if (there && typeof expected === 'number' && state.version !== expected) return otherVersion(state, expected);
  // What the code had let go and has again is defined anew, whichever version it is.
  const defined = there && state.standing === 'defined';
  if (defined && state.hash === definitionHash) return { facts: [], state };
  // A rolling restart: the older build still says what the newer one has replaced.
  if (defined && source === 'code' && state.hashes.includes(definitionHash)) return { facts: [], state };
  const version = (state?.version ?? 0) + 1;
  const data = { batchId, name: definition.name, version, source, definition, definitionHash, stepCount };
  return said(state, { type: 'BatchDefined', data });
}

function remove(state: BatchState | undefined, command: DeleteBatch): Decision<BatchState> {
  if (state === undefined) return { rejected: 'not-found', detail: `There is no batch ${command.batchId}.` };
  if (state.standing === 'deleted') return { facts: [], state };
  if (state.source === 'code' && state.standing !== 'orphaned') return { rejected: 'code-defined', detail: `Batch ${state.name} is defined in code: take it out there.` };
  if (command.expected !== 'any' && state.version !== command.expected) return otherVersion(state, command.expected);
  return said(state, { type: 'BatchDeleted', data: { batchId: command.batchId, name: state.name } });
}

function otherVersion({ name, version }: BatchState, expected: number): Rejected {
  return { rejected: 'version-conflict', detail: `Batch ${name} is at version ${version}, not ${expected}. Read it again and go on from that.` };
}

function orphan(state: BatchState | undefined, { batchId }: OrphanBatch): Decision<BatchState> {
  if (state === undefined) return { rejected: 'not-found', detail: `There is no batch ${batchId}.` };
  if (state.standing !== 'defined' || state.source !== 'code') return { facts: [], state };
  return said(state, { type: 'BatchOrphaned', data: { batchId, name: state.name } });
}

function said(state: BatchState | undefined, fact: BatchFact): Decision<BatchState> {
  return { facts: [{ type: fact.type, data: encodeBatchFact(fact) }], state: evolveBatch(state, { ...fact, revision: -1 }) };
}
