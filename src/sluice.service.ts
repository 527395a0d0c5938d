/** The library's own door: what an application does with batches, without HTTP. */
import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { Origin } from './actors/actor.js';
import type { BatchParameters, TypedBatch } from './batches/define-batch.js';
import type { Clock } from './clock.js';
import { canonicalJson } from './events/canonical.js';
import { labelsSchema } from './events/definition.js';
import type { JsonFault, JsonObject, JsonValue } from './events/json.js';
import { GetApproval } from './gates/approval.queries.js';
import { isRefusal } from './http/accepted.js';
import type { Refusal } from './http/accepted.js';
import { refuseUnstorable, storedText } from './http/asking.js';
import type { Caller } from './http/identity.js';
import { DEFAULT_LIMIT, MAX_LIMIT } from './http/paging.js';
import type { Page } from './http/paging.js';
import { ids, parseId } from './ids.js';
import type { ApprovalId, RunId } from './ids.js';
import type { ReadSide } from './reading/read-side.js';
import { sha256Of } from './actors/payloads.js';
import { CancelRun, DecideGate, RetryRun, StartRun } from './runs/run.commands.js';
import type { GateDecision, RunAnswer } from './runs/run.commands.js';
import { GetRun } from './runs/run-detail.queries.js';
import type { RunDetail } from './runs/run-detail.queries.js';
import { ListRuns } from './runs/run.queries.js';
import type { RunFilter, RunRow } from './runs/run.queries.js';

/** Who does it, and under which roles: a gate asks for one of its own. */
export interface ActorOptions {
  readonly actor: string;
  readonly roles?: readonly string[];
  /** The same key from the same actor is the same command: it is done once, and answered as it was the first time. */
  readonly idempotencyKey?: string;
}

export interface StartOptions extends ActorOptions {
  /** At most 64, for finding the run: names of 1 to 63 letters, digits, ".", "_", "/" or "-", values of at most 256 characters. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Why it is started, for the record: at most 2,000 characters. */
  readonly reason?: string;
}

export interface RetryOptions extends ActorOptions {
  /** A step of the run; what comes after it is done again too. */
  readonly fromStep?: string;
  /** The batch's newest version may stand in, if it agrees on what the run has behind it; `original` unless given. */
  readonly version?: 'original' | 'newest';
  readonly reason?: string;
}

/**
 * A command that was not taken; nothing was written. `code` is the slug of the same refusal over REST.
 *
 * @param retriedBy of `not-retryable`: the run that retries this one already
 */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  constructor(readonly code: string, message: string, readonly errors: readonly JsonFault[] = [], readonly retriedBy?: string) {
    super(message);
  }
}

/** How long `waitFor` waits unless told otherwise. */
const WAIT_MS = 60_000;
const SYSTEM: Caller = { actor: 'code', roles: new Set(['admin']) };
const ENDS = ['completed', 'failed', 'cancelled'] as const;

/**
 * Starts, watches and decides runs from code. Every mutation names its actor, which stands in the facts.
 *
 * @example
 * const { runId } = await sluice.start(nightlyClose, { day: '2026-01-31' }, { actor: 'cron', idempotencyKey: 'close-2026-01-31' });
 * const run = await sluice.waitFor(runId);
 */
export class Sluice {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly read: ReadSide,
    private readonly clock: Clock,
  ) {}

  /**
   * Starts a run of the batch's newest version.
   *
   * @param batch what `defineBatch` gave, or the name or id of a batch
   * @throws RefusedError `not-found`, `batch-deleted`, `validation-failed` with every fault of the parameters
   */
  async start<B extends TypedBatch | string>(batch: B, parameters: B extends string ? JsonObject : BatchParameters<B>, options: StartOptions): Promise<{ readonly runId: string; readonly position: string }> {
    const name = typeof batch === 'string' ? batch : batch.name;
    const { labels = {}, reason = null } = options;
    refuseFaults(startedWith.safeParse({ labels, reason }).error);
    const given: JsonObject = { ...parameters };
    const origin = this.origin(options, `start ${name}`, { parameters: given, labels, reason });
    const start = { batch: name, parameters: given, labels, reason, trigger: { type: 'code' } } as const;
    const { runId, position } = taken(await this.commands.execute(new StartRun(ids.runOf(origin.commandId), start, origin)));
    return { runId, position };
  }

  /** Asks the run to stop. @throws RefusedError `run-already-ended`, `not-found` */
  async cancel(runId: string, options: ActorOptions & { readonly reason?: string }): Promise<{ readonly status: string; readonly position: string }> {
    const { reason = null } = options;
    const { status, position } = taken(await this.commands.execute(new CancelRun(runIdOf(runId), reason, this.origin(options, `cancel ${runId}`, { reason }))));
    return { status, position };
  }

  /**
   * Tries a run again that has failed or was cancelled: a new run that keeps what succeeded before `fromStep`, or before
   * where the run came to a halt. There is one for each run.
   *
   * @throws RefusedError `not-retryable` with what two versions differ in or with `retriedBy`, `validation-failed`, `batch-deleted`, `not-found`
   */
  async retry(runId: string, options: RetryOptions): Promise<{ readonly runId: string; readonly position: string }> {
    const { fromStep = null, version = 'original', reason = null } = options;
    const of = runIdOf(runId);
    const origin = this.origin(options, `retry ${runId}`, { fromStep, version, reason });
    const { runId: again, position } = taken(await this.commands.execute(new RetryRun(ids.retryOf(of), { of, fromStep, version, reason }, origin)));
    return { runId: again, position };
  }

  /** @throws RefusedError `forbidden` without one of the gate's roles, `gate-already-decided`, `approval-stale`, `not-found` */
  approve(approvalId: string, options: ActorOptions & { readonly note?: string; readonly digest?: string }): Promise<RunAnswer> {
    return this.decide(approvalId, { approve: true, note: options.note ?? null }, options);
  }

  /** @throws RefusedError `forbidden` without one of the gate's roles, `gate-already-decided`, `approval-stale`, `not-found` */
  reject(approvalId: string, options: ActorOptions & { readonly reason: string; readonly digest?: string }): Promise<RunAnswer> {
    return this.decide(approvalId, { approve: false, reason: options.reason }, options);
  }

  /** The run with its steps and approvals; undefined if there is none. What was said before this call is in it. */
  async get(runId: string): Promise<RunDetail | undefined> {
    await this.read.settled();
    const id = parseId<RunId>(runId);
    const found = id && (await this.queries.execute(new GetRun(id, SYSTEM, '')));
    return typeof found === 'object' ? found : undefined;
  }

  /**
   * The runs that all of the filter holds of, the newest first. What was said before this call is in it.
   *
   * @param page `limit` rows, 1 to 500, 50 unless given; `cursor` is the `nextCursor` of the page before
   * @throws RefusedError `validation-failed` for another limit
   */
  async list(filter: RunFilter = {}, page: { readonly limit?: number; readonly cursor?: string } = {}): Promise<Page<RunRow>> {
    const { limit = DEFAULT_LIMIT, cursor } = page;
    refuseFaults(pageOfRuns.safeParse({ limit }).error);
    await this.read.settled();
    return this.queries.execute(new ListRuns(filter, { limit, cursor }, '-startedAt'));
  }

  /**
   * Resolves with the run once it has ended or `until` holds of it.
   *
   * @throws Error after `timeoutMs` (a minute unless given), or if there is no such run
   */
  async waitFor(runId: string, { until = hasEnded, timeoutMs = WAIT_MS }: { readonly until?: (run: RunDetail) => boolean; readonly timeoutMs?: number } = {}): Promise<RunDetail> {
    const endsAt = this.clock.now() + timeoutMs;
    for (;;) {
      const run = await this.get(runId);
      if (run === undefined) throw new Error(`There is no run ${runId}.`);
      if (until(run)) return run;
      const left = endsAt - this.clock.now();
      if (left <= 0) throw new Error(`Run ${runId} is ${run.status} after ${timeoutMs} ms: ${run.waitingFor.map(({ text }) => text).join(' ')}`);
      await this.read.host.waitFor(after(this.read.host.position()), left);
    }
  }

  private async decide(approvalId: string, verdict: GateDecision['verdict'], options: ActorOptions & { readonly digest?: string }): Promise<RunAnswer> {
    const id = parseId<ApprovalId>(approvalId);
    await this.read.settled();
    const row = id && (await this.queries.execute(new GetApproval(id)));
    if (row === undefined) throw new RefusedError('not-found', `There is no approval ${approvalId}.`);
    const digest = options.digest ?? null;
    const origin = this.origin(options, `decide ${row.id}`, { verdict: { ...verdict }, digest });
    return taken(await this.commands.execute(new DecideGate(runIdOf(row.runId), { approvalId: row.id, stepId: row.stepId, verdict, digest }, origin)));
  }

  private origin({ actor, roles = [], idempotencyKey }: ActorOptions, what: string, asked: JsonValue): Origin {
    if (actor === '') throw new RefusedError('validation-failed', 'Say who does it: the actor is empty.');
    refuseFaults(saidBy.safeParse({ actor, roles }).error);
    if (idempotencyKey === undefined) return { actor, roles, via: 'code', commandId: ids.freshCommand() };
    return { actor, roles, via: 'code', commandId: ids.keyedCommand(actor, 'CODE', what, idempotencyKey), requestHash: sha256Of(canonicalJson(asked)) };
  }
}

/** The least position that is beyond this one. */
function after(position: string): string {
  return `${position} `;
}

function hasEnded({ status }: RunDetail): boolean {
  return ENDS.some((end) => end === status);
}

function runIdOf(text: string): RunId {
  const id = parseId<RunId>(text);
  if (id === undefined) throw new RefusedError('not-found', `There is no run ${text}.`);
  return id;
}

/** The same that is asked of callers over REST. */
const startedWith = z.strictObject({ labels: labelsSchema.superRefine(refuseUnstorable), reason: storedText(2_000).nullable() });
const pageOfRuns = z.strictObject({ limit: z.int().min(1).max(MAX_LIMIT) });
const saidBy = z.strictObject({ actor: storedText(200), roles: z.array(storedText(64)).max(50) });

/** @throws RefusedError with every fault */
function refuseFaults(error: z.ZodError | undefined): void {
  if (error === undefined) return;
  const faults = error.issues.map(({ path, message }) => ({ path: `/${path.join('/')}`, message }));
  throw new RefusedError('validation-failed', faults.map(({ path, message }) => `${path}: ${message}`).join('; '), faults);
}

function taken(answer: RunAnswer | Refusal): RunAnswer {
  if (isRefusal(answer)) throw new RefusedError(answer.rejected, answer.detail, answer.errors, answer.retriedBy);
  return answer;
}
