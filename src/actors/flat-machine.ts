/**
 * A flat machine: states side by side, whose transitions ask one guard and assign. One transition of such a machine is a
 * look into a map; XState's own way, made for trees of states that run side by side, costs ten times as much.
 *
 * What is not flat is left to XState. That both say the same is a property test's to hold.
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject } from 'xstate';

type Guard = (of: { readonly context: unknown; readonly event: EventObject }, params: undefined) => boolean;
type Assignment = (of: { readonly context: unknown; readonly event: EventObject }, params: undefined) => object;

interface Move {
  readonly guard: Guard | undefined;
  readonly assign: Assignment | undefined;
  /** Undefined: the state stays. */
  readonly target: string | undefined;
}

interface FlatState {
  readonly on: ReadonlyMap<string, readonly Move[]>;
  readonly always: readonly Move[];
  /** A snapshot of this state; its context is another one's. */
  readonly blank: AnyMachineSnapshot;
}

export type FlatMachine = ReadonlyMap<string, FlatState>;

/** Undefined if the machine is not flat. */
export function flatMachine(machine: AnyStateMachine): FlatMachine | undefined {
  const { root } = machine;
  const states = Object.values(root.states);
  if (root.type !== 'compound' || root.transitions.size > 0 || hasMore(root) || states.some((state) => (state.type !== 'atomic' && state.type !== 'final') || hasMore(state))) return undefined;
  const moves = states.flatMap((state) => [...[...state.transitions.values()].flat(), ...(state.always ?? [])].map((transition) => [transition, moveOf(machine, transition)] as const));
  if (moves.some(([, move]) => move === undefined)) return undefined;
  const known = new Map<object, Move | undefined>(moves);
  const movesOf = (transitions: readonly object[]): Move[] => transitions.flatMap((one) => known.get(one) ?? []);
  return new Map(states.map((state) => [state.key, {
    on: new Map([...state.transitions].map(([type, transitions]) => [type, movesOf(transitions)])),
    always: movesOf(state.always ?? []),
    blank: machine.resolveState({ value: state.key, context: {} }),
  }]));
}

/** The snapshot after the event: the same one if no transition takes it. */
export function step(machine: FlatMachine, snapshot: AnyMachineSnapshot, event: EventObject): AnyMachineSnapshot {
  const from = String(snapshot.value);
  let context: unknown = snapshot.context;
  const taken = chosen(machine.get(from)?.on.get(event.type), context, event);
  if (taken === undefined || (taken.assign === undefined && taken.target === undefined)) return snapshot;
  let at = from;
  for (let move: Move | undefined = taken; move !== undefined; move = chosen(machine.get(at)?.always, context, event)) {
    if (move.assign !== undefined) context = merged(context, move.assign({ context, event }, undefined));
    at = move.target ?? at;
  }
  return { ...machine.get(at)!.blank, context, historyValue: snapshot.historyValue };
}

/** As `Object.assign` to an empty object, which takes eight times as long. A change of everything is the context itself. */
function merged(context: unknown, change: object): object {
  if (typeof context !== 'object' || context === null || Object.keys(context).every((key) => key in change)) return change;
  return { ...context, ...change };
}

function chosen(moves: readonly Move[] | undefined, context: unknown, event: EventObject): Move | undefined {
  return moves?.find(({ guard }) => guard === undefined || guard({ context, event }, undefined));
}

/** Anything that is more than transitions. */
function hasMore(state: AnyStateNode): boolean {
  return state.entry.length > 0 || state.exit.length > 0 || state.invoke.length > 0 || state.tags.length > 0 || state.transitions.has('*');
}

function moveOf(machine: AnyStateMachine, { guard, actions, target, reenter }: AnyStateNode['always'] extends (infer T)[] | undefined ? T : never): Move | undefined {
  const asks = typeof guard === 'string' ? machine.implementations.guards[guard] : undefined;
  const does = actions.map((action) => (typeof action === 'string' ? machine.implementations.actions[action] : undefined));
  const [assigns] = does;
  if (reenter || does.length > 1 || (target?.length ?? 0) > 1 || (guard !== undefined && !isGuard(asks)) || (does.length === 1 && !isAssign(assigns))) return undefined;
  return { guard: isGuard(asks) ? asks : undefined, assign: isAssign(assigns) ? assigns.assignment : undefined, target: target?.[0]?.key };
}

function isGuard(guard: unknown): guard is Guard {
  return typeof guard === 'function';
}

function isAssign(action: unknown): action is { readonly assignment: Assignment } {
  return typeof action === 'function' && 'type' in action && action.type === 'xstate.assign' && 'assignment' in action && typeof action.assignment === 'function';
}
