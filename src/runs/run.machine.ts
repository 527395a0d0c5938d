/**
 * The machine of a run. Its events are the facts of the run's stream, so that a stored stream replays through it.
 *
 * Lifecycle states only; steps stand in the context. No `invoke`, `spawn` or `after`: time-outs are facts that our
 * timers ask for. A fact that the machine has no transition for, or that the step can't take, changes nothing: the
 * fold sees that and refuses it.
 */
import { assign, setup } from 'xstate';
import type { Plan } from './plan.js';
import { emptyContext } from './run.context.js';
import type { RunContext, RunEvent } from './run.context.js';
import { accepts, applyFact } from './run.state.js';

export const RUN_MACHINE = 'batch-run@1';

const machineSetup = setup({
  types: { context: {} as RunContext, events: {} as RunEvent, input: {} as Plan },
  actions: { apply: assign(({ context, event }) => applyFact(context, event)) },
  guards: {
    accepted: ({ context, event }) => accepts(context, event),
    onlyPeopleAreWaitedFor: ({ context: { counts } }) => counts.waiting > 0 && counts.dispatched + counts.running + counts.retrying === 0,
    somethingElseIsWaitedFor: ({ context: { counts } }) => counts.waiting === 0 || counts.dispatched + counts.running + counts.retrying > 0,
  },
});

const stay = { guard: 'accepted', actions: 'apply' } as const;
const to = <T extends string>(target: T) => ({ guard: 'accepted', actions: 'apply', target }) as const;

const outcomes = { StepStarted: stay, StepSucceeded: stay, StepFailed: stay, StepLost: stay, StepCancelled: stay, StepStopRequested: stay, GateReleased: stay };
const begins = { StepDispatched: stay, StepRefused: stay, StepRetryScheduled: stay };
const inProgress = {
  ...outcomes, ...begins,
  StepKept: stay, StepSkipped: stay, DecisionTaken: stay,
  GateParked: stay, GateApprovalGiven: stay, GateApproved: stay, GateRejected: stay, GateTimedOut: stay, GateOverdue: stay,
  RunPaused: stay, RunResumed: stay,
  RunFailing: to('failing'),
  CancelRequested: to('cancelling'),
  RunCompleted: to('completed'),
  RunFailed: to('failed'),
};

export const runMachine = machineSetup.createMachine({
  id: RUN_MACHINE,
  context: ({ input }) => emptyContext(input),
  initial: 'triggered',
  states: {
    triggered: { on: { RunStarted: to('running') } },
    running: { on: inProgress, always: { guard: 'onlyPeopleAreWaitedFor', target: 'parked' } },
    parked: { on: inProgress, always: { guard: 'somethingElseIsWaitedFor', target: 'running' } },
    failing: { on: { ...outcomes, ...begins, CompensationStarted: to('compensating'), CancelRequested: to('cancelling'), RunFailed: to('failed') } },
    compensating: { on: { ...outcomes, ...begins, CancelRequested: to('cancelling'), RunFailed: to('failed'), RunCancelled: to('cancelled') } },
    cancelling: { on: { ...outcomes, CompensationStarted: to('compensating'), RunCancelled: to('cancelled') } },
    completed: { type: 'final' },
    failed: { type: 'final' },
    cancelled: { type: 'final' },
  },
});
