/** The figures of an engine, from its counters and itself. */
import { APPROVAL_COUNTS } from '../projections/approvals.js';
import { EXECUTION_COUNTS, EXECUTION_STATUSES } from '../projections/executions.js';
import { RUN_COUNTS } from '../projections/run-history.js';
import { RUN_STATUSES } from './events/run.events.js';
import { is, rowsOf } from './reading/selection.js';
import type { SluiceEngine } from './sluice.js';
import type { Measured } from './telemetry/metrics.js';

export function measuredOf({ read, runner, quarantined, repairs }: SluiceEngine): Measured {
  return {
    runsByStatus: async () => summed(RUN_STATUSES, (await rowsOf(read.db, RUN_COUNTS, [])).map(({ status, runs }) => [status, runs])),
    executionsByStatus: async () => summed(EXECUTION_STATUSES, (await rowsOf(read.db, EXECUTION_COUNTS, [])).map(({ status, executions }) => [status, executions])),
    pendingApprovals: async () => (await rowsOf(read.db, APPROVAL_COUNTS, [is(APPROVAL_COUNTS, 'state', 'pending')]))[0]?.approvals ?? 0,
    slots: () => ({ free: runner.free, held: runner.taken }),
    repairs,
    quarantinedRuns: () => quarantined.size,
    lagMs: () => read.host.lagMs(),
    parkedStreams: () => read.host.status().reduce((sum, { parked }) => sum + parked.length, 0),
  };
}

/** Every status is there, also one that nothing is in. */
function summed(statuses: readonly string[], counts: readonly (readonly [string, number])[]): Record<string, number> {
  const sums = new Map(statuses.map((status) => [status, 0]));
  for (const [status, count] of counts) sums.set(status, (sums.get(status) ?? 0) + count);
  return Object.fromEntries(sums);
}
