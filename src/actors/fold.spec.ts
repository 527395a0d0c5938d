import { describe, expect, it } from '@jest/globals';
import { assign, setup, transition } from 'xstate';
import { flatMachine } from './flat-machine.js';
import type { SnapshotFrom } from 'xstate';
import { Fold, FoldViolation } from './fold.js';

interface Opened {
  readonly type: 'Opened' | 'Closed' | 'Unheard';
  readonly revision: number;
}

const door = setup({ types: { context: {} as { readonly facts: number }, events: {} as Opened }, actions: { count: assign(({ context }) => ({ facts: context.facts + 1 })) } }).createMachine({
  id: 'door@1',
  context: { facts: 0 },
  initial: 'shut',
  states: { shut: { on: { Opened: { target: 'open', actions: 'count' } } }, open: { on: { Closed: { target: 'gone', actions: 'count' } } }, gone: { type: 'final' } },
});

describe('the fold', () => {
  const fold = new Fold<SnapshotFrom<typeof door>, Opened>(door);
  const open = fold.next(fold.initial({}), { type: 'Opened', revision: 0 });
  const gone = fold.next(open, { type: 'Closed', revision: 1 });

  it('makes one transition of one fact', () => {
    expect([open.value, gone.value, gone.context.facts]).toEqual(['open', 'gone', 2]);
  });

  it.each([
    ['that no state knows', open, 'Unheard'],
    ['that this state does not take', open, 'Opened'],
    ['after the end', gone, 'Opened'],
  ] as const)('refuses a fact %s', (_why, snapshot, type) => {
    expect(() => fold.next(snapshot, { type, revision: 7 })).toThrow(FoldViolation);
    expect(() => fold.next(snapshot, { type, revision: 7 })).toThrow(/revision 7.*door@1.*(open|gone)/);
  });

  it('sees by itself whether a machine is flat, and folds the others too', () => {
    const nested = setup({ types: { events: {} as Opened } }).createMachine({ id: 'nested', initial: 'in', states: { in: { initial: 'one', states: { one: { on: { Opened: 'two' } }, two: {} } } } });
    expect([flatMachine(door) === undefined, flatMachine(nested) === undefined]).toEqual([false, true]);
    const deep = new Fold<SnapshotFrom<typeof nested>, Opened>(nested);
    expect(deep.next(deep.initial({}), { type: 'Opened', revision: 0 }).value).toEqual({ in: 'two' });
  });

  it('gives what XState gives, but for the order of the nodes', () => {
    const publicly = transition(door, transition(door, fold.initial({}), { type: 'Opened', revision: 0 })[0], { type: 'Closed', revision: 1 })[0];
    expect({ ...gone, _nodes: new Set(gone._nodes) }).toEqual({ ...publicly, _nodes: new Set(publicly._nodes) });
  });

  it('keeps what a change leaves out, also where it brings as much that is new', () => {
    const changing = setup({ types: { context: {} as { readonly facts: number; readonly last?: string }, events: {} as Opened }, actions: { name: assign(() => ({ last: 'x' })) } }).createMachine({ id: 'changing', context: { facts: 7 }, initial: 'in', states: { in: { on: { Opened: { actions: 'name' } } } } });
    const changed = new Fold<SnapshotFrom<typeof changing>, Opened>(changing);
    expect(changed.next(changed.initial({}), { type: 'Opened', revision: 0 }).context).toEqual({ facts: 7, last: 'x' });
  });
});
