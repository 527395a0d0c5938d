import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { asked } from './asking.js';
import { asOf, atLeastQuery, awaitAtLeast, type ReadProgress } from './at-least.js';
import { commandIdentity } from './idempotency.js';
import { decodeCursor, encodeCursor, pageQuery } from './paging.js';
import { Problem } from './problem.js';
import type { HttpRequest } from './request.js';

function post(key?: string, url = '/batches/a/runs?x=1'): HttpRequest {
  return { method: 'POST', url, headers: key === undefined ? {} : { 'idempotency-key': key }, socket: {} };
}
const ada = { actor: 'ada', roles: new Set(['operator']) };
const ben = { actor: 'ben', roles: new Set(['operator']) };

describe('The identity of a command', () => {
  it('is the same for the same key, whatever the order of the body or the query', () => {
    const first = commandIdentity(post('k'), ada, { a: 1, b: 2 });
    expect(commandIdentity(post('k', '/batches/a/runs'), ada, { b: 2, a: 1 })).toEqual(first);
    expect(first.requestHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another for another caller, key or path, and keeps the hash of the body', () => {
    const first = commandIdentity(post('k'), ada, { a: 1 });
    const others = [commandIdentity(post('k'), ben, { a: 1 }), commandIdentity(post('l'), ada, { a: 1 }), commandIdentity(post('k', '/b'), ada, { a: 1 })];
    expect(new Set([first, ...others].map(({ commandId }) => commandId)).size).toBe(4);
    expect(new Set([first, ...others].map(({ requestHash }) => requestHash)).size).toBe(1);
    expect(commandIdentity(post('k'), ada, { a: 2 }).requestHash).not.toBe(first.requestHash);
  });

  it('is fresh without a key', () => {
    expect(commandIdentity(post(), ada, undefined).commandId).not.toBe(commandIdentity(post(), ada, undefined).commandId);
  });

  it.each(['', 'x'.repeat(256), 'tab\there', 'é'])('refuses the key %j', (key) => {
    expect(() => commandIdentity(post(key), ada, null)).toThrow(Problem);
  });
});

describe('What a door is asked', () => {
  const faults = (value: object): unknown => asked({ limit: z.string(), status: z.string().optional() }).safeParse(value).error?.issues.map(({ message }) => message);

  it('is refused with what it could have been', () => {
    expect(faults({ limit: '1', stauts: 'failed' })).toEqual(['"stauts" is not known here; known: "limit", "status".']);
    expect(faults({ limit: '1', a: '', b: '' })).toEqual(['"a", "b" are not known here; known: "limit", "status".']);
    expect(faults([])).toEqual(['Give an object; it may have "limit", "status".']);
    expect(faults({ limit: '1', status: 'failed' })).toBeUndefined();
  });
});

describe('A page', () => {
  it.each([[{}, 50], [{ limit: '1' }, 1], [{ limit: '500' }, 500]])('of %j has %d items', (query, limit) => {
    expect(pageQuery.parse(query).limit).toBe(limit);
  });

  it.each(['0', '501', '-1', '1.5', 'all', '', '1e2'])('of %j items is refused with its place', (limit) => {
    expect(pageQuery.safeParse({ limit }).error?.issues[0]?.path).toEqual(['limit']);
  });

  const place = z.tuple([z.string(), z.number()]);
  it('goes on where its cursor says', () => {
    expect(decodeCursor(encodeCursor(['å', 7]), place)).toEqual(['å', 7]);
  });

  it.each(['', '!', 'e30', encodeCursor(['a']), encodeCursor('x'.repeat(3_000))])('refuses the cursor %j', (cursor) => {
    expect(() => decodeCursor(cursor, place)).toThrow(/cursor/);
  });
});

describe('A query that asks for a position', () => {
  const progress = (reached: boolean): ReadProgress => ({ waitFor: async () => reached, taken: async () => undefined, position: () => '07', lagMs: () => 2_500 });

  it('goes on when the read side has got there, or nothing was asked for', async () => {
    await awaitAtLeast(progress(true), '09', 100);
    await awaitAtLeast(progress(false), undefined, 100);
    expect(asOf(progress(true))).toEqual({ position: '07', lagMs: 2_500 });
  });

  it('is told when to ask again otherwise', async () => {
    await expect(awaitAtLeast(progress(false), '09', 100)).rejects.toMatchObject({ slug: 'not-caught-up', status: 503, headers: { 'Retry-After': '3' } });
  });

  it('refuses what is no position', () => {
    expect(atLeastQuery.safeParse({ atLeast: 'a b' }).success).toBe(false);
  });
});
