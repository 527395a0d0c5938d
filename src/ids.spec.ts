import { describe, expect, it } from '@jest/globals';
import { ids } from './ids.js';
import type { CommandId, RunId } from './ids.js';

const EARLY = '0192aaaa-0001-7000-8000-000000000000';
const LATE = '0192aaaa-0002-7000-8000-000000000000';
const UNTIMED = '6b1d2f3a-4c5e-4f60-8a7b-9c0d1e2f3a4b';
const RUN = '58c35ded-fb90-54de-bc67-b60977594ef7';
const EXECUTION = '4a2e633b-8719-5dc4-b6c5-c979dd14d90b';
const KEYED = '63a82357-8dfe-5105-bbb1-c615f45b3ed7';
const KEYED_IN_TIME = '0192aaaa-0001-8692-81bf-a0e23c74b122';

const keyed = (key: string, actor = 'alice'): CommandId => ids.keyedCommand(actor, 'POST', '/batches/close/runs', key);
const command = (id: string): CommandId => id as CommandId;
const all = (run: RunId): readonly string[] => [run, ids.execution(run, 'a', 1), ids.execution(run, 'a', 2), ids.execution(run, 'b', 1), ids.approval(run, 'a', 1)];

describe('ids', () => {
  it('begin with the time of the command that began it all, and are the same whenever they are asked for', () => {
    const early = all(ids.runOf(command(EARLY)));
    expect(early).toEqual(all(ids.runOf(command(EARLY))));
    expect(new Set(early).size).toBe(early.length);
    for (const id of early) expect(id).toMatch(/^0192aaaa-0001-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const id of all(ids.runOf(command(LATE)))) for (const before of early) expect(id > before).toBe(true);
  });

  it('are as they were where a command has no time', () => {
    expect(ids.runOf(command(UNTIMED))).toBe(RUN);
    expect(ids.execution(ids.runOf(command(UNTIMED)), 'a', 1)).toBe(EXECUTION);
    expect(keyed('once')).toBe(KEYED);
    expect(ids.runOf(keyed('once'))).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });

  it('take the time of a key that has one, and still keep callers apart', () => {
    expect(keyed(EARLY)).toBe(KEYED_IN_TIME);
    expect(keyed(EARLY)).toBe(keyed(EARLY));
    expect(keyed(EARLY, 'bob')).not.toBe(keyed(EARLY));
    expect(ids.runOf(keyed(EARLY))).not.toBe(ids.runOf(command(EARLY)));
    for (const key of [UNTIMED, EARLY.toUpperCase(), `${EARLY} `, EARLY.replace('-7000-8', '-7000-c'), EARLY.replace('-7000-', '-8000-'), 'a key of 7 words: 7']) expect(keyed(key)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  });

  it('of a fresh command say when it was made', () => {
    const from = Date.now();
    const [id, other] = [ids.freshCommand(), ids.freshCommand()];
    const at = Number.parseInt(id.replace('-', '').slice(0, 12), 16);
    expect(at).toBeGreaterThanOrEqual(from);
    expect(at).toBeLessThanOrEqual(Date.now());
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(other).not.toBe(id);
  });
});
