import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../clock.js';
import { GENESIS_HASH, sealFact } from '../events/envelope.js';
import type { JsonObject } from '../events/json.js';
import { storedRunFact } from '../events/run.codec.js';
import { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import type { RunId } from '../ids.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import type { SqliteEventLog } from '../log/sqlite.event-log.js';
import { RunInputs } from './run-inputs.js';
import { held } from './worklist.js';

const streams = new Streams();
const runId: RunId = ids.runOf(ids.freshCommand());
let log: SqliteEventLog;
let prevHash: string;
beforeEach(() => {
  log = openSqliteLog({ directory: ':memory:', clock: new SystemClock() });
  prevHash = GENESIS_HASH;
});
afterEach(() => log.close());

/** Steps s0, s1, … have succeeded with these outputs. */
async function succeeded(...outputs: readonly JsonObject[]): Promise<void> {
  for (const [revision, output] of outputs.entries()) {
    const data = { stepId: `s${revision}`, executionId: ids.execution(runId, `s${revision}`, 1), attempt: 1, outputs: output };
    const fact = sealFact({ stream: streams.run(runId), revision, prevHash, id: ids.event(ids.freshCommand(), 0), type: 'StepSucceeded', data, metadata: { schemaVersion: '1' } });
    prevHash = fact.metadata.hash;
    await log.append(streams.run(runId), revision === 0 ? 'none' : revision - 1, [fact]);
  }
}

const attempt = { runId, stepId: 'next', executionId: ids.execution(runId, 'next', 1), attempt: 1, job: 'j', params: held({ a: 1 }, 9), worker: null, stopRequested: false };
const small = { note: 'small' };
const large = { note: 'l'.repeat(5_000) };

describe('what a job is given', () => {
  it('is read from the stream of a run that was not looked at before', async () => {
    await succeeded(small, large);
    const { params, outputs } = await new RunInputs(log, streams).of(attempt);
    expect([params, outputs()]).toEqual([{ a: 1 }, { s0: small, s1: large }]);
  });

  it('holds what was noted while the stream was being read', async () => {
    await succeeded(small, large);
    const inputs = new RunInputs(log, streams);
    const first = inputs.of(attempt);
    for (const stored of await log.readStream(streams.run(runId))) inputs.apply(runId, storedRunFact(stored));
    await first;
    expect((await inputs.of(attempt)).outputs()).toEqual({ s0: small, s1: large });
  });

  it('is a copy of its own: what one job does to it reaches no other', async () => {
    await succeeded(small);
    const inputs = new RunInputs(log, streams);
    const first = await inputs.of(attempt);
    Object.assign(first.outputs().s0 ?? {}, { note: 'changed' });
    expect((await inputs.of(attempt)).outputs().s0).toEqual(small);
  });

  it('can be asked for again after the log could not be read', async () => {
    await succeeded(small);
    let down = true;
    const inputs = new RunInputs({ ...log, readBlob: (sha256) => log.readBlob(sha256), readStream: (...asked) => (down ? Promise.reject(new Error('down')) : log.readStream(...asked)) } as SqliteEventLog, streams);
    await expect(inputs.of(attempt)).rejects.toThrow('down');
    down = false;
    expect((await inputs.of(attempt)).outputs()).toEqual({ s0: small });
  });

  it('is not kept when it is large: its place is', () => {
    expect(held(small, 3)).toEqual({ text: JSON.stringify(small) });
    expect(held(large, 3)).toEqual({ revision: 3 });
    expect(held({ $blob: 'ab', bytes: 9 }, 3)).toEqual({ revision: 3 });
  });
});
