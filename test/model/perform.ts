/** Says to a run in memory what a random history names, where that can be said at all. */
import { AdvanceRun, CancelExecution, FireTimer, PauseRun, ResumeRun } from '../../src/runs/run.commands.js';
import type { TimerKind } from '../../src/runs/run.commands.js';
import { from } from '../trial.js';
import type { Trial } from '../trial.js';
import type { Act } from './random-definition.js';

const TIMERS: readonly TimerKind[] = ['retry', 'timeout', 'grace', 'gate'];

export function perform(trial: Trial, { what, at }: Act): void {
  const { state } = trial;
  if (state === undefined || state.status !== 'active') return;
  const { nodes } = state.context.plan;
  const { id } = nodes[at % nodes.length]!;
  const { attempt, gate, executionId } = trial.step(id);
  switch (what) {
    case 'cancel':
      return void trial.cancel();
    case 'pause':
      return void trial.say(new PauseRun(trial.runId, null, from('olga', ['operator'])));
    case 'resume':
      return void trial.say(new ResumeRun(trial.runId, null, from('olga', ['operator'])));
    case 'runTimeout':
      return void (trial.definition.timeout !== undefined && trial.say(new FireTimer(trial.runId, 'run', '', 0, from('timer'))));
    case 'approve':
    case 'reject':
      return void trial.decide(what === 'approve', ['boss'], null, id);
    case 'approveToo':
      return void trial.decide(true, ['boss'], null, id, 'lee');
    case 'claim':
      return void trial.claim(id);
    case 'fire':
      return TIMERS.forEach((timer) => trial.fire(timer, id));
    case 'cancelExecution':
      return void (gate === null && executionId !== null && trial.say(new CancelExecution(trial.runId, executionId, id, from('olga', ['operator']))));
    case 'succeed':
      return void (gate === null && attempt > 0 && trial.succeed(id, { total: at }));
    case 'fail':
    case 'failForGood':
      return void (gate === null && attempt > 0 && trial.fail(id, what === 'fail'));
    case 'lose':
      return void (gate === null && attempt > 0 && trial.lose(id));
  }
}

/** Brings the run to the end that it comes to when all goes well from here. */
export function finish(trial: Trial): void {
  const ids = trial.state!.context.plan.nodes.map((_, at) => at);
  for (let round = 0; round < 300 && trial.state!.status === 'active'; round += 1) {
    perform(trial, { what: 'resume', at: 0 });
    for (const at of ids) for (const what of ['claim', 'succeed', 'approve', 'approveToo', 'fire'] as const) perform(trial, { what, at });
    trial.say(new AdvanceRun(trial.runId, from('host')));
  }
}
