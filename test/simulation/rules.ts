/**
 * What must hold of a world that has come to rest, whatever befell its nodes. Each rule gives sentences, none if it holds.
 */
import { isDeepStrictEqual } from 'node:util';
import { countsAfter, statusAfter } from '../../projections/run-counts.js';
import { verifyLog } from '../../src/audit/verify-log.js';
import { storedRunFact } from '../../src/events/run.codec.js';
import type { Placed } from '../../src/events/run.codec.js';
import type { RunFact, RunStatus, StepCounts } from '../../src/events/run.events.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { replayRun } from '../../src/runs/run.replay.js';
import { stepAt } from '../../src/runs/run.context.js';
import type { RunSnapshot } from '../../src/runs/run.draft.js';
import { groupedBy } from '../crash/careful-client.js';
import { rowsIn, rowsRebuilt } from './rows.js';
import type { World } from './world.js';

const FINAL = ['completed', 'failed', 'cancelled'];
const OUTCOMES = ['StepSucceeded', 'StepFailed', 'StepLost', 'StepCancelled'];
const NO_STEPS: StepCounts = { total: 0, pending: 0, dispatched: 0, running: 0, retrying: 0, waiting: 0, succeeded: 0, failed: 0, cancelled: 0, skipped: 0 };
/** How much later than due and than the node came back a timer may fire. */
const LATE_MS = 1_000;

export interface Allowed {
  /** Runs that were asked for. */
  readonly runs: readonly string[];
  /** Refusals and fenced outcomes may be recorded. */
  readonly refusals?: boolean;
  /** How long nodes were away in all. */
  readonly awayMs: number;
}

export async function broken(world: World, allowed: Allowed): Promise<string[]> {
  const states = await statesOf(world);
  return [
    ...world.odd,
    ...(await verifyLog(world.log)).faults.map(({ stream, revision, reason }) => `${stream} is broken at ${revision}: ${reason}`),
    ...acknowledged(world),
    ...asked(world, allowed),
    ...commandsOnce(world.facts),
    ...outcomes(world, states),
    ...calls(world),
    ...slots(world),
    ...[...runsOf(world)].flatMap(([runId, facts]) => [...counts(runId, facts, states.get(runId)), ...paused(runId, facts), ...timers(runId, facts, allowed.awayMs)]),
    ...(allowed.refusals === true ? [] : world.facts.filter(({ stream }) => stream.startsWith(world.streams.prefix('audit'))).map(({ type, data }) => `${type}: ${JSON.stringify(data)}`)),
    ...(await rows(world)),
  ];
}

/** What a run has come to, without what a crash may change: how often its steps were tried. */
export async function endings(world: World): Promise<readonly { readonly status: string; readonly steps: object }[]> {
  return [...(await statesOf(world)).values()].map(({ value, context }) => ({
    status: value,
    steps: Object.fromEntries([...context.plan.ordinals].map(([stepId, ordinal]) => {
      const { status, outputs, gate, branch } = stepAt(context, ordinal);
      return [stepId, { status, outputs, gate: gate?.outcome, branch }];
    })),
  }));
}

function runsOf(world: World): Map<string, StoredFact[]> {
  return groupedBy(world.facts.filter(({ stream }) => stream.startsWith(world.streams.prefix('run'))), ({ stream }) => world.streams.parse(stream)!.id);
}

/** Every run folded anew from the log. */
async function statesOf(world: World): Promise<Map<string, RunSnapshot>> {
  const definitions = world.life?.engine.definitions;
  const states = new Map<string, RunSnapshot>();
  if (definitions === undefined) return states;
  for (const [runId, facts] of runsOf(world)) {
    const first = storedRunFact(facts[0]!);
    if (first.type !== 'RunStarted') throw new Error(`Run ${runId} begins with ${first.type}.`);
    states.set(runId, replayRun(await definitions.pinned(first.data.batchId, first.data.batchVersion, first.data.definitionHash), facts));
  }
  return states;
}

function acknowledged(world: World): string[] {
  const known = new Map(world.facts.map(({ position, stream }) => [position, stream]));
  return world.acknowledged.filter(({ command, position }) => known.get(position) !== world.streams.run(command.runId))
    .map(({ command, position }) => `${command.type} of run ${command.runId} was acknowledged at ${position}, where it is not.`);
}

function asked(world: World, { runs }: Allowed): string[] {
  const found = [...runsOf(world).keys()];
  return isDeepStrictEqual(found.sort(), [...runs].sort()) ? [] : [`Asked for were the runs ${runs.join(', ')}, and there are ${found.join(', ')}.`];
}

/** When every run has ended, a slot is held by a handler that has not returned, or by nobody. */
function slots({ life }: World): string[] {
  const lost = life?.alive === true ? life.engine.runner.taken - life.engine.runner.handlers : 0;
  return lost === 0 ? [] : [`${lost} slots are held for nothing.`];
}

/** The facts of one command stand together in one stream: it was taken once. */
function commandsOnce(facts: readonly StoredFact[]): string[] {
  const said = groupedBy(facts, ({ metadata }) => String(metadata['commandId']));
  return [...said].filter(([, own]) => own.some(({ stream, revision }, at) => stream !== own[0]!.stream || revision !== own[0]!.revision + at)).map(([id, own]) => `Command ${id} was taken more than once: ${own.map(({ type, stream, revision }) => `${type} ${stream} ${revision}`).join(', ')}`);
}

function outcomes(world: World, states: ReadonlyMap<string, RunSnapshot>): string[] {
  return [...runsOf(world)].flatMap(([runId, facts]) => {
    const executionsOf = (types: readonly string[]) => facts.filter(({ type, data }) => types.includes(type) && data['was'] !== 'retrying').map(({ data }) => data['executionId'] as string);
    const [begun, ended] = [executionsOf(['StepDispatched']), executionsOf(OUTCOMES)];
    const state = states.get(runId);
    return [
      ...(new Set(ended).size === ended.length ? [] : [`Run ${runId} recorded an outcome twice.`]),
      ...(FINAL.includes(String(state?.value)) || state?.value === 'parked' ? [] : [`Run ${runId} was left ${state?.value}.`]),
      ...(isDeepStrictEqual([...begun].sort(), [...ended].sort()) ? [] : [`Of run ${runId} ${begun.length} attempts were begun and ${ended.length} have an outcome.`]),
    ];
  });
}

/** A handler is called only under a claim of its own node that stands in the log, and once. */
export function calls({ calls: made, facts }: World): string[] {
  const succeeded = facts.filter(({ type }) => type === 'StepSucceeded').map(({ data }) => data['executionId']);
  return [
    ...made.filter(({ claimedBy }) => claimedBy !== 'this life').map(({ stepId, attempt, claimedBy }) => `Attempt ${attempt} at ${stepId} ran ${claimedBy === null ? 'without a stored claim' : "under another life's claim"}.`),
    ...[...groupedBy(made, ({ executionId }) => executionId)].filter(([, same]) => same.length > 1).map(([, [one]]) => `Attempt ${one?.attempt} at ${one?.stepId} ran more than once.`),
    ...succeeded.filter((id) => !made.some(({ executionId }) => executionId === id)).map((id) => `Execution ${JSON.stringify(id)} succeeded and never ran.`),
  ];
}

/** What is counted fact by fact adds up, and comes to what the machine says. */
function counts(runId: string, stored: readonly StoredFact[], state: RunSnapshot | undefined): string[] {
  let [counted, status]: [StepCounts, RunStatus] = [NO_STEPS, 'running'];
  const wrong: string[] = [];
  for (const fact of stored.map(storedRunFact)) {
    if (fact.type === 'RunStarted') counted = { ...NO_STEPS, total: fact.data.total, pending: fact.data.total };
    counted = countsAfter(counted, fact);
    status = statusAfter(status, counted, fact);
    const { total, ...by } = counted;
    if (Object.values(by).reduce((sum, one) => sum + one, 0) !== total) wrong.push(`Run ${runId} does not add up at ${fact.revision}: ${JSON.stringify(counted)}`);
  }
  return isDeepStrictEqual([counted, status], [state?.context.counts, state?.value]) ? wrong : [...wrong, `Run ${runId} is ${status} with ${JSON.stringify(counted)} by its facts, and ${state?.value} with ${JSON.stringify(state?.context.counts)} by its machine.`];
}

/** Nothing is begun between a pause and what ends it. */
function paused(runId: string, facts: readonly StoredFact[]): string[] {
  let held = false;
  return facts.flatMap(({ type, revision }) => {
    if (type === 'RunPaused') held = true;
    if (type === 'RunResumed' || type === 'RunFailing' || type === 'CancelRequested') held = false;
    return held && (type === 'StepDispatched' || type === 'StepStarted' || type === 'GateParked') ? [`Run ${runId} is paused, and ${type} stands at ${revision}.`] : [];
  });
}

/** No timer fired early, and none much later than a node was there for it. */
function timers(runId: string, stored: readonly StoredFact[], awayMs: number): string[] {
  const due = new Map<string, number>();
  return stored.flatMap((one) => {
    const fact = storedRunFact(one);
    const fired = firedBy(fact);
    const dueMs = fired === undefined ? undefined : due.get(fired);
    arm(due, fact);
    // What came due while the run was paused is due with its resumption.
    if (fact.type === 'RunResumed') for (const [timer, at] of due) if (timer.startsWith('retry:')) due.set(timer, Math.max(at, Date.parse(String(one.metadata['at']))));
    if (fired === undefined || dueMs === undefined) return [];
    due.delete(fired);
    const lateMs = Date.parse(String(one.metadata['at'])) - dueMs;
    return lateMs >= 0 && lateMs <= awayMs + LATE_MS ? [] : [`Timer ${fired} of run ${runId} fired ${lateMs} ms late.`];
  });
}

function arm(due: Map<string, number>, { type, data }: Placed<RunFact>): void {
  if (type === 'StepRetryScheduled') due.set(`retry:${data.stepId}`, Date.parse(data.retryAt));
  if (type === 'GateParked' && data.deadline !== null) due.set(`gate:${data.stepId}`, Date.parse(data.deadline));
  if (type === 'StepStarted' && data.timeoutAt !== null) due.set(`timeout:${data.stepId}`, Date.parse(data.timeoutAt));
}

function firedBy({ type, data }: Placed<RunFact>): string | undefined {
  if (type === 'StepDispatched') return `retry:${data.stepId}`;
  if (type === 'GateTimedOut' || type === 'GateOverdue' || (type === 'GateApproved' && data.outcome === 'autoApproved')) return `gate:${data.stepId}`;
  if (type === 'StepStopRequested' && data.reason === 'timeout') return `timeout:${data.stepId}`;
  return undefined;
}

async function rows(world: World): Promise<string[]> {
  const [kept, rebuilt] = [await rowsIn(world.rows, world.streams), await rowsRebuilt(world.log, world.streams, world.clock)];
  return Object.keys(kept).filter((table) => !isDeepStrictEqual(kept[table], rebuilt[table])).map((table) => `The rows of ${table} are not what a rebuild gives:\n${JSON.stringify(kept[table])}\n${JSON.stringify(rebuilt[table])}`);
}
