/** The public door of the library. What is not named here is not promised. */
export { defineBatch, type BatchParameters, type ParametersOf, type TypedBatch } from './batches/define-batch.js';
export type { BatchDefinition, Duration, Labels, ParameterDeclaration, RetryPolicy, StepDefinition } from './events/definition.js';
export type { JsonObject, JsonValue } from './events/json.js';
export type { RunStatus } from './events/run.events.js';
export type { ApprovalRow } from './gates/approval.queries.js';
export type { Caller, Identify } from './http/identity.js';
export type { Page } from './http/paging.js';
export { defineJob, Job, type JobContext, type JobDefinition, type JobHandler, type JobLog, type JobOptions } from './jobs/job.js';
export { RetryableError, TerminalError, type RetryableErrorOptions, type TerminalErrorOptions } from './jobs/job-errors.js';
export { LogUnusable } from './log/log-errors.js';
export { ReadStoreUnusable } from './reading/read-errors.js';
export type { RunAnswer } from './runs/run.commands.js';
export type { AllowedAction, RunDetail } from './runs/run-detail.queries.js';
export type { RunFilter, RunRow } from './runs/run.queries.js';
export type { StepNode, WaitsFor } from './runs/run-steps.queries.js';
export { SluiceHealth, type SluiceHealthResult } from './sluice.health.js';
export { SluiceModule, type SluiceFeature, type SluiceModuleExtras, type SluiceModuleOptions } from './sluice.module.js';
export { RefusedError, Sluice, type ActorOptions, type StartOptions } from './sluice.service.js';
