import { expect, it } from '@jest/globals';
import { commandIdentity } from './idempotency.js';

const idOf = (url: string): string =>
  commandIdentity({ method: 'POST', url, headers: { 'idempotency-key': 'k' }, socket: {} }, { actor: 'ann', roles: new Set() }, null).commandId;

it.each([
  ['/batches/one/runs', ['/batches/one/runs/', '/batches/on%65/runs', '/batches/one/runs?x=1']],
  ['/runs/0b6ad1f0-6f43-4d7e-9a37-1f2e3d4c5b6a/cancel', ['/runs/0B6AD1F0-6F43-4D7E-9A37-1F2E3D4C5B6A/cancel', '/runs/%30B6ad1f0-6f43-4d7e-9a37-1f2e3d4c5b6a/cancel/']],
])('one key at %s means one command, however the door is written', (door, others) => {
  expect(new Set([door, ...others].map(idOf)).size).toBe(1);
});

it('one key at two doors means two commands', () => {
  const doors = ['/batches/one/runs', '/batches/two/runs', '/runs/r/steps/a/retry', '/runs/r/steps/A/retry', '/batches/a%2Fb', '/batches/a/b', '/batches/a%252Fb', '/batches/%zz'];
  expect(new Set(doors.map(idOf)).size).toBe(doors.length);
});
