/** What can be said to a batch definition. */
import { Command } from '@nestjs/cqrs';
import type { Origin, Rejected } from '../actors/actor.js';
import type { BatchSource } from '../events/batch.events.js';
import type { BatchDefinition } from '../events/definition.js';
import type { BatchId } from '../ids.js';

/** Batches that are made for a job that is run alone are called after it; nobody else may take such a name. */
export const JOB_BATCH_PREFIX = 'job.';

export interface BatchAnswer {
  readonly batchId: BatchId;
  readonly version: number;
  readonly position: string;
  readonly replayed: boolean;
}

export abstract class BatchCommand extends Command<BatchAnswer | Rejected> {
  constructor(readonly batchId: BatchId, readonly origin: Origin) {
    super();
  }
}

/** What the caller thinks the batch is: not there, at this version, or whatever it is (code at start). */
export type ExpectedVersion = 'none' | 'any' | number;

export interface DefineFields {
  readonly definition: BatchDefinition;
  /** Lower-case hex SHA-256 of the definition's canonical JSON. */
  readonly definitionHash: string;
  readonly stepCount: number;
  readonly source: BatchSource;
  readonly expected: ExpectedVersion;
}

/** A first or another version. The definition was checked before. */
export class DefineBatch extends BatchCommand {
  readonly type = 'DefineBatch';
  constructor(batchId: BatchId, readonly define: DefineFields, origin: Origin) {
    super(batchId, origin);
  }
}

/** Stops new starts; open runs finish on their version. */
export class DeleteBatch extends BatchCommand {
  readonly type = 'DeleteBatch';
  /** @param expected the version that is meant; any unless given */
  constructor(batchId: BatchId, origin: Origin, readonly expected: number | 'any' = 'any') {
    super(batchId, origin);
  }
}

/** The code no longer has it. It is kept: it can be read and started by hand, and the code may have it again. */
export class OrphanBatch extends BatchCommand {
  readonly type = 'OrphanBatch';
}

export type AnyBatchCommand = DefineBatch | DeleteBatch | OrphanBatch;
