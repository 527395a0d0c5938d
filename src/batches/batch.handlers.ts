/** What callers are answered by batch definitions: the minted handlers of all its commands. */
import { commandHandlersFor } from '../actors/command-handlers.js';
import { DefineBatch, DeleteBatch, OrphanBatch } from './batch.commands.js';
import type { AnyBatchCommand, BatchAnswer } from './batch.commands.js';
import type { BatchState } from './batch.decide.js';

/** Under which the handlers are given the host of batch definitions. */
export const BATCH_HOST = Symbol('batch host');

export const batchCommandHandlers = commandHandlersFor<BatchState, AnyBatchCommand, BatchAnswer>({
  host: BATCH_HOST,
  commands: [DefineBatch, DeleteBatch, OrphanBatch],
  answer: ({ batchId }, { state, position, replayed }) => ({ batchId, version: state.version, position, replayed }),
});
