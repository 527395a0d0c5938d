/** What callers are answered by runs: the minted handlers of all its commands. */
import type { Answer } from '../actors/actor-kind.js';
import { commandHandlersFor } from '../actors/command-handlers.js';
import { AdvanceRun, CancelExecution, CancelRun, ClaimStep, DecideGate, FireTimer, PauseRun, ReportOutcome, ResumeRun, RetryRun, StartRun } from './run.commands.js';
import type { AnyRunCommand, RunAnswer } from './run.commands.js';
import type { RunSnapshot } from './run.draft.js';
import { stepOf } from './run.context.js';

/** Under which the handlers are given the host of runs. */
export const RUN_HOST = Symbol('run host');

export const runCommandHandlers = commandHandlersFor<RunSnapshot, AnyRunCommand, RunAnswer>({
  host: RUN_HOST,
  commands: [StartRun, RetryRun, CancelRun, CancelExecution, PauseRun, ResumeRun, AdvanceRun, ClaimStep, ReportOutcome, FireTimer, DecideGate],
  answer: answered,
});

function answered(command: AnyRunCommand, { state, facts, position, replayed }: Answer<RunSnapshot>): RunAnswer {
  const status = state.value === 'triggered' ? 'running' : state.value;
  const answer = { runId: command.runId, status, position, replayed, said: facts.length > 0 };
  if (command.type !== 'DecideGate') return answer;
  const gate = stepOf(state.context, command.decision.stepId)?.gate;
  // The vote that reaches the quorum stands in the outcome, not among those that were given before it.
  const given = (gate?.given.length ?? 0) + (gate?.outcome === 'approved' ? 1 : 0);
  return gate === null || gate === undefined ? answer : { ...answer, gate: { outcome: gate.outcome, given, quorum: gate.quorum } };
}
