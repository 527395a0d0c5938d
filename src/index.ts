/** The public door of the library. What is not named here is not promised. */
export { defineBatch, type BatchParameters, type ParametersOf, type TypedBatch } from './batches/define-batch.js';
export type { BatchDefinition, Duration, Labels, ParameterDeclaration, RetryPolicy, StepDefinition } from './events/definition.js';
export type { JsonObject, JsonValue } from './events/json.js';
export { defineJob, Job, type JobContext, type JobDefinition, type JobHandler, type JobLog, type JobOptions } from './jobs/job.js';
export { RetryableError, TerminalError, type RetryableErrorOptions, type TerminalErrorOptions } from './jobs/job-errors.js';
