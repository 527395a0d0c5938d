/**
 * What the doors answer. The OpenAPI document says what they take (openapi.d.ts, generated); of the answers it gives no
 * shapes yet, so that they are written down here once, by the names of the contract.
 */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export const RUN_STATUSES = ['running', 'parked', 'failing', 'compensating', 'cancelling', 'completed', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const STEP_STATUSES = ['pending', 'dispatched', 'running', 'retrying', 'waiting', 'succeeded', 'failed', 'cancelled', 'skipped'] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];
export const EXECUTION_STATUSES = ['queued', 'running', 'succeeded', 'failed', 'timedOut', 'lost', 'cancelled', 'orphaned'] as const;
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];
export const TRIGGERS = ['api', 'schedule', 'backfill', 'retry', 'code'] as const;
export type TriggerType = (typeof TRIGGERS)[number];

export interface AsOf {
  readonly position: string;
  readonly lagMs: number;
}
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
  readonly total: number;
  readonly totalIs: 'exact' | 'atLeast';
  readonly asOf: AsOf;
}

export interface RunError {
  readonly kind: string;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}
export type StepCounts = Readonly<Record<StepStatus | 'total', number>>;

export interface RunRow {
  readonly id: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly batchVersion: number;
  readonly status: RunStatus;
  readonly paused: boolean;
  readonly trigger: { readonly type: TriggerType; readonly due?: string };
  readonly parameters: Json;
  readonly labels: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly durationMs: number | null;
  readonly startedBy: string;
  readonly reason: string | null;
  readonly stepCount: number;
  readonly counts: StepCounts;
  readonly error: RunError | null;
  readonly retryOf: string | null;
  readonly retriedBy: string | null;
  readonly position: string;
}
export interface RunCounts {
  readonly total: number;
  readonly byStatus: Readonly<Record<RunStatus, number>>;
  readonly asOf: AsOf;
}
export interface RunStats {
  readonly items: readonly { readonly bucket: string; readonly started: number; readonly byStatus: Readonly<Partial<Record<RunStatus, number>>> }[];
  readonly asOf: AsOf;
}

export type StepType = 'job' | 'gate' | 'parallel' | 'decision';
export interface StepNode {
  readonly id: string;
  readonly type: StepType;
  readonly status: StepStatus;
  readonly attempts: number;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly params: Json;
  readonly outputs: Json;
  readonly error: RunError | null;
  readonly executionIds: readonly string[];
  readonly approvalId?: string;
  readonly branches?: readonly BranchNode[];
}
export interface BranchNode {
  readonly id: string | null;
  readonly label: string | null;
  readonly taken?: boolean;
  readonly steps: readonly StepNode[];
}
export interface WaitsFor {
  /** resume, approval, job, slot, retry, engine; a newer server may know more. */
  readonly what: string;
  readonly stepId?: string;
  readonly since: string;
  readonly who: readonly string[];
  readonly endsAt?: string;
  readonly text: string;
}
export interface AllowedAction {
  readonly action: string;
  readonly href: string;
  readonly method: string;
  readonly stepId?: string;
}
export interface RunDetail extends RunRow {
  readonly steps: readonly StepNode[];
  readonly approvals: readonly ApprovalRow[];
  readonly waitingFor: readonly WaitsFor[];
  readonly allowedActions: readonly AllowedAction[];
}

export interface ExecutionRow {
  readonly id: string;
  readonly runId: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly stepId: string;
  readonly kind: 'step' | 'compensation' | 'onFailure';
  readonly job: string;
  readonly attempt: number;
  readonly status: ExecutionStatus;
  readonly worker: string | null;
  readonly queuedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly params: Json;
  readonly outputs: Json;
  readonly error: RunError | null;
  readonly progress: { readonly done: number; readonly total: number | null } | null;
  readonly log: readonly string[] | null;
}

export interface ApprovalRow {
  readonly id: string;
  readonly runId: string;
  readonly batchId: string;
  readonly batchName: string;
  readonly stepId: string;
  readonly state: 'pending' | 'decided';
  readonly title: string;
  readonly description: string | null;
  readonly data: Json;
  readonly digest: string;
  readonly allowedRoles: readonly string[];
  readonly quorum: number;
  readonly given: number;
  readonly since: string;
  readonly deadline: string | null;
  readonly overdue: boolean;
  readonly outcome: 'approved' | 'autoApproved' | 'rejected' | 'timedOut' | 'cancelled' | null;
  readonly decidedBy: string | null;
  readonly decidedAt: string | null;
  readonly note: string | null;
}
export interface DecisionAnswer {
  readonly outcome: ApprovalRow['outcome'];
  readonly given: number;
  readonly quorum: number;
  readonly position: string;
}

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
export interface ScheduleRule {
  readonly cron: string;
  readonly timeZone?: string;
  readonly paused?: boolean;
}
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
export interface BatchRow {
  readonly id: string;
  readonly name: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: number;
  readonly source: 'code' | 'api';
  readonly schedule: ScheduleRule | null;
  readonly stepCount: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}
export interface Fault {
  readonly path: string;
  readonly message: string;
}
export interface BatchDetail extends BatchRow {
  readonly definition: BatchDefinition;
  readonly warnings?: readonly Fault[];
}
export interface BatchVersionRow {
  readonly version: number;
  readonly source: 'code' | 'api';
  readonly definitionHash: string;
  readonly stepCount: number;
  readonly definedAt: string;
  readonly definedBy: string;
}
export interface BatchVersion extends BatchVersionRow {
  readonly definition: BatchDefinition;
}

export type JsonSchema = Readonly<Record<string, unknown>>;
export interface JobRow {
  readonly name: string;
  readonly description?: string | null;
  readonly tags?: readonly string[];
  readonly parameters?: JsonSchema;
  readonly outputs?: JsonSchema;
  readonly retry?: Readonly<Record<string, unknown>>;
  readonly timeoutMs?: number | null;
}
export interface FactRow {
  readonly stream: string;
  readonly revision: string;
  readonly type: string;
  readonly data: { readonly [key: string]: Json };
  readonly metadata: Readonly<Record<string, string>>;
  readonly id: string;
  readonly position: string;
  readonly recordedAt: string;
}
export interface Me {
  readonly actor: string;
  readonly roles: readonly string[];
  readonly auth: string;
}
export interface About {
  readonly version: string;
  readonly auth: string;
  readonly data: { readonly directory: string };
  readonly node: { readonly id: string; readonly startedAt: string; readonly slots: number; readonly taken: number };
  readonly projections: readonly { readonly name: string; readonly version: number; readonly state: string; readonly position: string; readonly parked: readonly { readonly stream: string; readonly reason: string }[] }[];
  readonly asOf: AsOf;
}

export type OccurrenceOutcome = 'fired' | 'skipped' | 'missed' | 'pending';
export interface ScheduleRow {
  readonly batchId: string;
  readonly batchName: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly paused: boolean;
  readonly nextDue: string | null;
  readonly lastOccurrence: { readonly due: string; readonly outcome: Exclude<OccurrenceOutcome, 'pending'>; readonly reason: string | null; readonly runId: string | null } | null;
}
export interface OccurrenceList extends Page<{ readonly due: string; readonly outcome: OccurrenceOutcome; readonly reason: string | null; readonly runId: string | null; readonly at: string | null }> {
  readonly expected: number;
  readonly fired: number;
  readonly skipped: number;
  readonly missed: number;
  readonly pending: number;
  readonly unexplained: number;
}
