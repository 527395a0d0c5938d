import { getEventListeners } from 'node:events';
import { expect, it } from '@jest/globals';
import { untilAborted } from './eventstoredb.feed.js';

it('leaves nothing on the signal of a subscription when it has waited', async () => {
  const ending = new AbortController();
  for (let turn = 0; turn < 3; turn += 1) await untilAborted(Promise.resolve(), ending.signal);
  const waiting = untilAborted(new Promise(() => undefined), ending.signal);
  expect(getEventListeners(ending.signal, 'abort')).toHaveLength(1);
  ending.abort();
  await waiting;
  await untilAborted(new Promise(() => undefined), ending.signal);
});
