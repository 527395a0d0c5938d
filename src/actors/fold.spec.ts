import { describe, expect, it } from '@jest/globals';
import { assign, setup } from 'xstate';
import type { SnapshotFrom } from 'xstate';
import { Fold, FoldViolation } from './fold.js';

interface Opened {
  readonly type: 'Opened' | 'Closed' | 'Unheard';
  readonly revision: number;
}

const door = setup({ types: { context: {} as { readonly facts: number }, events: {} as Opened }, actions: { count: assign({ facts: ({ context }) => context.facts + 1 }) } }).createMachine({
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
});
