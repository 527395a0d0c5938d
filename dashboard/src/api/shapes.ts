/**
 * What the doors answer, by the names of the dashboard: all of it from the OpenAPI document (openapi.d.ts, generated),
 * but a definition, which has a schema of its own (definition.schema.json); of that, what the pages read.
 */
import type { Json } from './json';
import type { components } from './openapi';

export type { Json };

type Told = components['schemas'];
export type RunStatus = Told['RunStatus'];
export type StepStatus = Told['StepStatus'];
export type ExecutionStatus = Told['ExecutionStatus'];
export type TriggerType = Told['Trigger']['type'];

/** In the order in which they are shown. The compiler says when one is missing. */
const inOrder = <T extends string>(places: Readonly<Record<T, number>>): readonly T[] => (Object.keys(places) as T[]).sort((one, other) => places[one] - places[other]);
export const RUN_STATUSES = inOrder<RunStatus>({ running: 0, parked: 1, failing: 2, compensating: 3, cancelling: 4, completed: 5, failed: 6, cancelled: 7 });
export const STEP_STATUSES = inOrder<StepStatus>({ pending: 0, dispatched: 1, running: 2, retrying: 3, waiting: 4, succeeded: 5, failed: 6, cancelled: 7, skipped: 8 });
export const EXECUTION_STATUSES = inOrder<ExecutionStatus>({ queued: 0, running: 1, succeeded: 2, failed: 3, timedOut: 4, lost: 5, cancelled: 6, orphaned: 7 });
export const TRIGGERS = inOrder<TriggerType>({ api: 0, schedule: 1, backfill: 2, retry: 3, code: 4 });

export type AsOf = Told['AsOf'];
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
  readonly total: number;
  readonly totalIs: 'exact' | 'atLeast';
  readonly asOf: AsOf;
}
export type Fault = Told['Fault'];
export type Me = Told['Me'];
export type About = Told['About'];

export type RunRow = Told['RunRow'];
export type RunCounts = Told['RunCounts'];
export type RunStats = Told['RunStats'];
export type RunDetail = Told['RunDetail'];
export type StepCounts = Told['StepCounts'];
export type StepNode = Told['StepNode'];
export type StepType = StepNode['type'];
export type BranchNode = Told['BranchNode'];
export type AllowedAction = Told['AllowedAction'];
export type ExecutionRow = Told['Execution'];
export type ApprovalRow = Told['Approval'];
export type FactRow = Told['Fact'];
export type JobRow = Told['Job'];
export type JsonSchema = JobRow['parameters'];

export type ScheduleRow = Told['ScheduleRow'];
export type OccurrenceList = Told['OccurrenceList'];
export type OccurrenceRow = Told['Occurrence'];
export type BackfillPlan = Told['BackfillPlan'];
export type BackfillStarted = Told['BackfillStarted'];

export interface StepDefinition {
  readonly id: string;
  readonly type: StepType;
  readonly title?: string;
  readonly description?: string;
  readonly when?: string;
  readonly job?: string;
  readonly allowedRoles?: readonly string[];
  readonly quorum?: number;
  readonly join?: 'all' | 'any' | 'majority';
  readonly compensate?: { readonly job: string };
  readonly branches?: readonly { readonly id?: string; readonly label?: string; readonly when?: string; readonly steps: readonly StepDefinition[] }[];
}
export interface ParameterDeclaration {
  readonly name: string;
  readonly kind: 'string' | 'integer' | 'number' | 'boolean' | 'datetime' | 'object' | 'secret';
  readonly required?: boolean;
  readonly default?: Json;
  readonly title?: string;
  readonly description?: string;
}
export type ScheduleRule = NonNullable<BatchRow['schedule']>;
export interface BatchDefinition {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly parameters?: readonly ParameterDeclaration[];
  readonly steps: readonly StepDefinition[];
  readonly failurePolicy?: 'stop' | 'continue' | 'compensate';
  readonly onFailureSteps?: readonly StepDefinition[];
  readonly timeout?: string | number;
  readonly schedule?: ScheduleRule | null;
}
export type BatchRow = Told['BatchRow'];
export type BatchDetail = Omit<Told['BatchDetail'], 'definition'> & { readonly definition: BatchDefinition };
export type BatchVersionRow = Told['BatchVersionRow'];
export type BatchVersion = Omit<Told['BatchVersion'], 'definition'> & { readonly definition: BatchDefinition };
