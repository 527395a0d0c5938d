/**
 * Run counts: what each fact of a run does to its status and to the number of its steps in every state.
 * Owns the two rules and nothing else: no rows, no database, no clock.
 * Invariant: a fact moves steps between states and never makes or loses one, so the states always add up to `total`.
 */
import type { RunFact, RunStatus, StepCounts, StepStatus } from '../src/events/run.events.js';

type Move = readonly [from: StepStatus, to: StepStatus];

/** The counts after a fact. */
export function countsAfter(counts: StepCounts, fact: RunFact): StepCounts {
  switch (fact.type) {
    case 'RunCompleted':
    case 'RunFailed':
      return moved(counts, ['pending', 'skipped'], counts.pending);
    case 'RunCancelled':
      return moved(counts, ['pending', 'cancelled'], counts.pending);
    case 'StepDispatched':
      // What follows a run that went wrong counts from when it begins.
      if (fact.data.kind !== 'step' && fact.data.attempt === 1) return begun(counts, 'dispatched');
      return moved(counts, [fact.data.attempt === 1 ? 'pending' : 'retrying', 'dispatched'], 1);
    case 'StepRefused':
      if (fact.data.kind !== undefined) return begun(counts, 'failed');
      return fact.data.skipped === undefined ? moved(counts, ['pending', 'failed'], 1) : moved(counts, ['pending', 'skipped'], fact.data.skipped);
    case 'StepSkipped':
    case 'DecisionTaken':
      return moved(counts, ['pending', 'skipped'], fact.data.count);
    default: {
      const move = moveOf(fact);
      return move === undefined ? counts : moved(counts, move, 1);
    }
  }
}

/** The status after a fact, by the counts that the fact left. */
export function statusAfter(status: RunStatus, counts: StepCounts, fact: RunFact): RunStatus {
  switch (fact.type) {
    case 'RunCompleted':
      return 'completed';
    case 'RunFailed':
      return 'failed';
    case 'RunCancelled':
      return 'cancelled';
    case 'RunFailing':
      return 'failing';
    case 'CancelRequested':
      return 'cancelling';
    case 'CompensationStarted':
      return 'compensating';
    default: {
      if (status !== 'running' && status !== 'parked') return status;
      const busy = counts.dispatched + counts.running + counts.retrying;
      return counts.waiting > 0 && busy === 0 ? 'parked' : 'running';
    }
  }
}

function moveOf(fact: RunFact): Move | undefined {
  switch (fact.type) {
    case 'StepStarted':
      return ['dispatched', 'running'];
    case 'StepSucceeded':
      return ['running', 'succeeded'];
    case 'StepFailed':
      return [fact.data.was, fact.data.final ? 'failed' : 'retrying'];
    case 'StepLost':
      return ['running', fact.data.final ? 'failed' : 'retrying'];
    case 'StepCancelled':
      return [fact.data.was, 'cancelled'];
    case 'StepKept':
      return ['pending', 'succeeded'];
    case 'GateParked':
      return ['pending', 'waiting'];
    case 'GateApproved':
      return ['waiting', 'succeeded'];
    case 'GateRejected':
    case 'GateTimedOut':
      return ['waiting', 'failed'];
    case 'GateReleased':
      return ['waiting', 'cancelled'];
    default:
      return undefined;
  }
}

function begun(counts: StepCounts, as: StepStatus): StepCounts {
  return { ...counts, total: counts.total + 1, [as]: counts[as] + 1 };
}

function moved(counts: StepCounts, [from, to]: Move, steps: number): StepCounts {
  return { ...counts, [from]: counts[from] - steps, [to]: counts[to] + steps };
}
