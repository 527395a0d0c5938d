/**
 * The fold: facts through a machine, one transition a fact.
 *
 * XState's public `transition()` builds an actor at every call. The machine's own method with one inert scope that is
 * used again does the same without it, and for a flat machine a look into a map does; a property test pins them equal to
 * the public one. The casts here are what it costs that the scope is not part of the machine's public type.
 *
 * A fact that changes nothing is a FoldViolation: XState drops what it does not know and answers the same snapshot.
 */
import { createActor, initialTransition } from 'xstate';
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { flatMachine, step } from './flat-machine.js';
import type { FlatMachine } from './flat-machine.js';

/** A fact that its machine does not accept: caught before an append, or found in a stored stream. */
export class FoldViolation extends Error {
  override readonly name = 'FoldViolation';
  constructor(machine: string, readonly factType: string, readonly revision: number, state: string) {
    super(`Fact ${factType} at revision ${revision} is not one that ${machine} accepts in state ${state}.`);
  }
}

type Scope = Parameters<AnyStateMachine['transition']>[2];

/** Folds for one machine. `S` is its snapshot, `E` its events. */
export class Fold<S extends AnyMachineSnapshot, E extends EventObject & { readonly revision: number }> {
  private scope: Scope | undefined;
  private readonly flat: FlatMachine | undefined;
  private readonly initials = new WeakMap<object, S>();

  constructor(private readonly machine: AnyStateMachine) {
    this.flat = flatMachine(machine);
  }

  /** The state before any fact: one for each input, because it never changes. */
  initial(input: object): S {
    const known = this.initials.get(input);
    if (known !== undefined) return known;
    const snapshot = initialTransition(this.machine, input)[0] as S;
    this.initials.set(input, snapshot);
    return snapshot;
  }

  /** @throws FoldViolation if the fact changes nothing */
  next(snapshot: S, event: E): S {
    const after = (this.flat === undefined ? this.machine.transition(snapshot, event, (this.scope ??= inertScope(this.machine, snapshot))) : step(this.flat, snapshot, event)) as S;
    if (after === snapshot) throw new FoldViolation(this.machine.id, event.type, event.revision, String(snapshot.value));
    return after;
  }
}

function inertScope(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): Scope {
  const self = createActor(machine, { snapshot });
  const nothing = (): void => undefined;
  return {
    self, id: self.id, sessionId: self.sessionId, system: self.system, logger: nothing, defer: nothing, emit: nothing, stopChild: nothing, actionExecutor: nothing,
  };
}
