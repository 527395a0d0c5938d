import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SystemClock } from '../../src/clock.js';
import { ids } from '../../src/ids.js';
import { defineJob } from '../../src/jobs/job.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import { Denied, Unavailable } from '../../src/log/log-errors.js';
import { openSqliteLog } from '../../src/log/sqlite.event-log.js';
import type { SqliteEventLog } from '../../src/log/sqlite.event-log.js';
import { StartRun } from '../../src/runs/run.commands.js';
import { openSluice } from '../../src/sluice.js';
import type { SluiceEngine } from '../../src/sluice.js';
import { overlaid } from '../simulation/life.js';

const clock = new SystemClock();
let log: SqliteEventLog;
let sluice: SluiceEngine;
let denials: number;
const reports: string[] = [];
beforeEach(async () => {
  denials = 0;
  log = openSqliteLog({ directory: ':memory:', clock });
  const guarded = overlaid(log, {
    append: (stream, expected, facts, blobs) => {
      if (denials < 3 && facts.some(({ type }) => type === 'StepSucceeded')) return Promise.reject((denials += 1) === 1 ? new Unavailable('away') : new Denied('no right'));
      return log.append(stream, expected, facts, blobs);
    },
  });
  const jobs = new JobRegistry();
  jobs.register(defineJob({ name: 'work', run: () => Promise.resolve({}) }));
  sluice = openSluice({ directory: ':memory:', clock, jobs, slots: 2, log: guarded, report: (what) => void reports.push(what) });
  await sluice.start([{ name: 'one', steps: [{ id: 'a', type: 'job', job: 'work' }] }]);
});
afterEach(() => sluice.close(0, 0));

it('says an outcome again that the log did not let it write, tells of it once, and leaves no run alone', async () => {
  const commandId = ids.freshCommand();
  const runId = ids.runOf(commandId);
  await sluice.runs.execute(new StartRun(runId, { batch: 'one', parameters: {}, labels: {}, reason: null, trigger: { type: 'code' } }, { actor: 'ann', roles: [], via: 'code', commandId }));
  const types = async (): Promise<readonly string[]> => (await log.readStream(sluice.streams.run(runId))).map(({ type }) => type);
  while (!(await types()).includes('RunCompleted')) await clock.sleep(10);
  expect(denials).toBe(3);
  expect(reports).toEqual(['The log does not let this node write. It is tried again until it does.']);
  expect(sluice.quarantined.size).toBe(0);
  expect((await types()).filter((type) => type === 'StepStarted')).toHaveLength(1);
  expect(sluice.runner.taken).toBe(0);
});
