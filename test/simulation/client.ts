/** The words in which scripts speak to a world. Command ids come from what is done, so that every life is told the same. */
import { isRejected } from '../../src/actors/actor.js';
import type { Origin } from '../../src/actors/actor.js';
import type { JsonObject } from '../../src/events/json.js';
import { ids } from '../../src/ids.js';
import type { RunId } from '../../src/ids.js';
import { CancelExecution, CancelRun, DecideGate, PauseRun, ResumeRun, RetryRun, StartRun } from '../../src/runs/run.commands.js';
import type { AnyRunCommand } from '../../src/runs/run.commands.js';
import type { World } from './world.js';

export class Client {
  /** Every run that was asked for, in order. */
  readonly runs: RunId[] = [];
  private readonly starts = new Map<RunId, StartRun>();
  private commands = 0;

  constructor(readonly world: World) {}

  async start(batch: string, parameters: JsonObject = {}): Promise<RunId> {
    const origin = this.origin('ann', []);
    const runId = ids.runOf(origin.commandId);
    const command = new StartRun(runId, { batch, parameters, labels: {}, reason: null, trigger: { type: 'code' } }, origin);
    this.runs.push(runId);
    this.starts.set(runId, command);
    await this.must(command);
    return runId;
  }

  /** Says the start of the run once more. */
  async startAgain(runId: RunId): Promise<void> {
    await this.must(this.starts.get(runId)!);
  }

  /** Resolves when a fact of one of these types stands in the run's stream. */
  said(runId: RunId, ...types: readonly string[]): Promise<void> {
    return this.world.when(() => this.world.runFacts(runId).some(({ type }) => types.includes(type)));
  }

  /** Resolves when a fact of one of these types stands in the run's stream, about this step. */
  saidOf(runId: RunId, stepId: string, ...types: readonly string[]): Promise<void> {
    return this.world.when(() => this.world.runFacts(runId).some(({ type, data }) => types.includes(type) && data['stepId'] === stepId));
  }

  /** Resolves when the run has ended. */
  ended(runId: RunId): Promise<void> {
    return this.said(runId, 'RunCompleted', 'RunFailed', 'RunCancelled');
  }

  readonly cancelling = (runId: RunId): AnyRunCommand => new CancelRun(runId, 'enough', this.origin('olga', ['operator']));

  readonly cancellingExecution = (runId: RunId, stepId: string, attempt: number): AnyRunCommand =>
    new CancelExecution(runId, ids.execution(runId, stepId, attempt), stepId, this.origin('olga', ['operator']));

  /** Begins the run that tries this one again. */
  async retry(runId: RunId): Promise<RunId> {
    const again = ids.retryOf(runId);
    this.runs.push(again);
    await this.must(new RetryRun(again, { of: runId, fromStep: null, version: 'original', reason: null }, this.origin('rita', ['operator'])));
    return again;
  }

  readonly pausing = (runId: RunId): AnyRunCommand => new PauseRun(runId, null, this.origin('olga', ['operator']));

  readonly resuming = (runId: RunId): AnyRunCommand => new ResumeRun(runId, null, this.origin('olga', ['operator']));

  readonly deciding = (runId: RunId, approve: boolean, by = 'kim', stepId = 'ok'): AnyRunCommand => {
    const verdict = approve ? { approve, note: null } : { approve, reason: 'wrong' };
    return new DecideGate(runId, { approvalId: ids.approval(runId, stepId, 1), stepId, verdict, digest: null }, this.origin(by, ['boss']));
  };

  /** Says it; a refusal is odd. */
  async must(command: AnyRunCommand): Promise<void> {
    const answer = await this.world.ask(command);
    if (isRejected(answer)) this.world.odd.push(`${command.type} was refused: ${answer.detail}`);
  }

  /** Says it; it may be refused. */
  async tried(command: AnyRunCommand): Promise<void> {
    await this.world.ask(command);
  }

  private origin(actor: string, roles: readonly string[]): Origin {
    this.commands += 1;
    // Every second key has a time, as those of the command line do.
    const key = this.commands % 2 === 0 ? String(this.commands) : `0192aaaa-0001-7000-8000-${String(this.commands).padStart(12, '0')}`;
    return { actor, roles, via: 'code', commandId: ids.keyedCommand(actor, 'POST', '/', key), requestHash: String(this.commands) };
  }
}
