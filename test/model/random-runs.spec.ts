/** What holds of every definition and whatever happens to its runs. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { transition } from 'xstate';
import { checkDefinition } from '../../src/batches/check-definition.js';
import type { Caller } from '../../src/http/identity.js';
import { ids } from '../../src/ids.js';
import { AdvanceRun, CancelExecution, CancelRun, DecideGate, PauseRun, ResumeRun } from '../../src/runs/run.commands.js';
import { stepAt } from '../../src/runs/run.context.js';
import type { RunSnapshot } from '../../src/runs/run.draft.js';
import { runMachine } from '../../src/runs/run.machine.js';
import { runFold } from '../../src/runs/run.replay.js';
import { allowedActions } from '../../src/runs/run-detail.queries.js';
import { waitingFor } from '../../src/runs/run-steps.queries.js';
import { from, Trial } from '../trial.js';
import { finish, perform } from './perform.js';
import { allNeeded, definitions, FOUR_DEEP, histories } from './random-definition.js';
import type { Act } from './random-definition.js';
import { TrialRows } from './trial-rows.js';

const SEEDS = { numRuns: 50 };
/** With room for a machine that has much else to do. */
const PATIENCE_MS = 120_000;
const CALLERS: readonly Caller[] = [caller('olga', 'operator'), caller('kim', 'boss'), caller('lee', 'boss', 'cfo'), caller('ann', 'boss', 'operator'), caller('vic', 'viewer')];

function caller(actor: string, ...roles: string[]): Caller {
  return { actor, roles: new Set(roles) };
}

/** Every state that the history leads through, and at last the end. */
function* states(trial: Trial, acts: readonly Act[]): Generator<Trial> {
  trial.start();
  yield trial;
  for (const act of acts) {
    perform(trial, act);
    yield trial;
  }
  finish(trial);
  yield trial;
}

/** What the machine itself says that is open: by what it waits for and at which step. */
function openIn({ state }: Trial): string[] {
  const { context, status } = state!;
  if (status !== 'active') return [];
  const words = { waiting: 'approval', running: 'job', dispatched: 'slot', retrying: 'retry' } as const;
  const steps = context.plan.nodes.flatMap((node) => {
    const { status } = stepAt(context, node.ordinal);
    return status in words ? [`${words[status as keyof typeof words]} ${node.id}`] : [];
  });
  return [...(context.paused ? ['resume '] : []), ...steps].sort();
}

/** What the machine would take from this caller, and do something for. */
function takenFrom(trial: Trial, { actor, roles }: Caller): string[] {
  const origin = from(actor, [...roles]);
  const { context, status } = trial.state!;
  const controls = roles.has('operator')
    ? [
        ...([['cancel', new CancelRun(trial.runId, null, origin)], ['pause', new PauseRun(trial.runId, null, origin)], ['resume', new ResumeRun(trial.runId, null, origin)]] as const).flatMap(([name, command]) => (trial.would(command) ? [`${name} `] : [])),
        ...(status === 'done' && typeof trial.retry().said !== 'string' ? ['retry '] : []),
      ]
    : [];
  const steps = context.plan.nodes.flatMap((node) => {
    const { executionId } = stepAt(context, node.ordinal);
    if (executionId === null) return [];
    if (node.kind === 'job') return roles.has('operator') && trial.would(new CancelExecution(trial.runId, executionId, node.id, origin)) ? [`cancelExecution ${node.id}`] : [];
    const decide = (approve: boolean) => new DecideGate(trial.runId, { approvalId: executionId, stepId: node.id, verdict: approve ? { approve, note: null } : { approve, reason: 'no' }, digest: null }, origin);
    return [...(trial.would(decide(true)) ? [`approve ${node.id}`] : []), ...(trial.would(decide(false)) ? [`reject ${node.id}`] : [])];
  });
  return [...controls, ...steps].sort();
}

describe('Any definition, and whatever happens to its run', () => {
  it('is accepted; its counts add up after every fact, it comes to an end, and its facts replay to the same state', () => {
    fc.assert(
      fc.property(definitions, histories, fc.boolean(), (definition, acts, claims) => {
        const { errors } = checkDefinition({ name: 'random', parameters: [{ name: 'day', kind: 'string' }], ...definition }, { jobs: () => true });
        // Three branches make a majority; a random group may have fewer, and runs all the same.
        expect(errors.filter(({ message }) => !message.includes('majority') && !message.includes('else'))).toEqual([]);
        const trial = new Trial(definition, claims);
        for (const { state } of states(trial, acts)) expect(trial.say(new AdvanceRun(trial.runId, from('host')))).toEqual(state!.status === 'done' ? expect.anything() : []);
        expect(trial.state!.status).toBe('done');
        let publicly: RunSnapshot = runFold.initial(trial.plan);
        for (const event of trial.events) [publicly] = transition(runMachine, publicly, event);
        const folded = trial.events.reduce((so, event) => runFold.next(so, event), runFold.initial(trial.plan));
        const seen = ({ value, context: { plan: _plan, ...context } }: RunSnapshot) => ({ value, context });
        expect(seen(publicly)).toEqual(seen(trial.state!));
        expect(seen(folded)).toEqual(seen(trial.state!));
      }),
      SEEDS,
    );
  }, PATIENCE_MS);

  it('acts on a failure in the append that has it where every step is needed, unless it is to go on', () => {
    fc.assert(
      fc.property(allNeeded, histories, fc.boolean(), (definition, acts, claims) => {
        for (const { state } of states(new Trial(definition, claims), acts)) {
          const { failure, plan } = state!.context;
          if (failure !== null && !plan.goesOnAfterFailure) expect(['running', 'parked']).not.toContain(state!.value);
        }
      }),
      { numRuns: 4 * SEEDS.numRuns },
    );
  }, PATIENCE_MS);

  it('says the same when it forgets everything before each command', () => {
    fc.assert(
      fc.property(definitions, histories, (definition, acts) => {
        const [sure, forgetful] = [new Trial(definition), new Trial(definition)];
        for (const _ of states(sure, acts)) continue;
        for (const trial of states(forgetful, acts)) trial.forget();
        expect(forgetful.facts).toEqual(sure.facts);
      }),
      SEEDS,
    );
  }, PATIENCE_MS);

  it('tells what it waits for: everything that is open, nothing else, and never nothing', () => {
    fc.assert(
      fc.property(definitions, histories, fc.boolean(), (definition, acts, claims) => {
        const trial = new Trial(definition, claims);
        const rows = new TrialRows(trial);
        for (const { state } of states(trial, acts)) {
          const waits = waitingFor(rows.parts());
          expect(waits.map(({ what, stepId = '' }) => `${what} ${stepId}`).sort()).toEqual(openIn(trial));
          expect(waits.length > 0).toBe(state!.status === 'active');
          for (const { text, who, what, endsAt } of waits) {
            expect(text).toMatch(/\S.*\.$/);
            if (what === 'approval' || what === 'resume' || what === 'job') expect(who.length).toBeGreaterThan(0);
            // Nothing is said to end by itself before now; only what was due while nobody fired it.
            if (endsAt !== undefined) expect(Number.isNaN(Date.parse(endsAt))).toBe(false);
          }
          if (definition.timeout !== undefined && (state!.value === 'running' || state!.value === 'parked')) expect(waits.every(({ endsAt }) => endsAt !== undefined)).toBe(true);
        }
      }),
      SEEDS,
    );
  }, PATIENCE_MS);

  it('allows each caller what its machine takes from them, and nothing else', () => {
    fc.assert(
      fc.property(definitions, histories, fc.boolean(), (definition, acts, claims) => {
        const trial = new Trial(definition, claims);
        const rows = new TrialRows(trial);
        for (const _ of states(trial, acts)) {
          const parts = rows.parts();
          for (const who of CALLERS) {
            expect(allowedActions({ ...parts, startable: true }, who, '').map(({ action, stepId = '' }) => `${action} ${stepId}`).sort()).toEqual(takenFrom(trial, who));
          }
        }
      }),
      SEEDS,
    );
  }, PATIENCE_MS);

  it('can be cancelled from everywhere, and tried again once it has failed or was cancelled', () => {
    fc.assert(
      fc.property(definitions, histories, (definition, acts) => {
        const trial = new Trial(definition);
        trial.start();
        for (const act of acts) perform(trial, act);
        if (trial.state!.status === 'active') {
          trial.cancel();
          finish(trial);
          expect(trial.status).toBe('cancelled');
        }
        const again = trial.retry();
        if (trial.status === 'completed') return expect(again.said).toBe('not-retryable');
        const succeeded = (run: Trial) => run.events.flatMap((event) => (event.type === 'StepSucceeded' || event.type === 'GateApproved' ? [event.data.stepId] : []));
        const kept = again.trial.events.flatMap((event) => (event.type === 'StepKept' ? [event.data.stepId] : []));
        expect(kept.filter((id) => !succeeded(trial).includes(id))).toEqual([]);
        finish(again.trial);
        // What was kept is not done again.
        expect(succeeded(again.trial).filter((id) => kept.includes(id))).toEqual([]);
        expect(again.trial.state!.status).toBe('done');
      }),
      SEEDS,
    );
  }, PATIENCE_MS);
});

describe('Every kind of step, four deep', () => {
  const all = (ids: readonly string[], trial: Trial) => ids.forEach((id) => trial.succeed(id));
  const toTheGates = (): Trial => {
    const trial = new Trial(FOUR_DEEP);
    trial.start();
    all(['begin', 'x', 'y'], trial);
    return trial;
  };

  it('runs to its completion', () => {
    const trial = toTheGates();
    trial.fail('z');
    for (const who of ['kim', 'lee']) trial.decide(true, ['boss'], null, 'sign', who);
    trial.decide(true, ['boss'], null, 'release');
    trial.fail('slow');
    all(['after-race', 'beside'], trial);
    expect(trial.succeed('end')).toEqual(['StepSucceeded', 'RunCompleted']);
    expect(['not-taken', 'skipped', 'unheard', 'waived', 'unused'].map((id) => trial.step(id).status)).toEqual(Array(5).fill('skipped'));
  });

  it.each<[string, string, (trial: Trial) => void]>([
    ['failed by a rejection, with all undone', 'failed', (trial) => trial.decide(false, ['boss'], null, 'release')],
    ['failed by a gate that ran out of time', 'failed', (trial) => trial.fire('gate', 'release')],
    ['failed by a step for good', 'failed', (trial) => { trial.decide(true, ['boss'], null, 'release'); trial.fail('beside', false); }],
    ['cancelled, with all undone', 'cancelled', (trial) => trial.cancel()],
  ])('is %s', (_, end, drive) => {
    const trial = toTheGates();
    drive(trial);
    finish(trial);
    expect(trial.status).toBe(end);
    const undone = trial.events.flatMap((event) => (event.type === 'StepDispatched' && event.data.kind === 'compensation' ? [event.data.stepId] : []));
    expect(undone).toEqual(expect.arrayContaining(['deep:compensate', 'begin:compensate']));
    expect(undone.at(-1)).toBe('begin:compensate');
    const again = trial.retry().trial;
    finish(again);
    expect([again.status, again.runId]).toEqual(['completed', ids.retryOf(trial.runId)]);
  });
});
