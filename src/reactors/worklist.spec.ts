import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { isoTime } from '../events/json.js';
import { placeRunFact } from '../events/run.codec.js';
import type { RunFactData, RunFactType } from '../events/run.events.js';
import { ids } from '../ids.js';
import type { RunId } from '../ids.js';
import { TimerQueue } from './timer-queue.js';
import type { Timer } from './timer-queue.js';
import { Worklist } from './worklist.js';

setFlagsFromString('--expose-gc');

const START = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;

/** Says facts of one run, one revision after the other. */
function speaker(worklist: Worklist, runId: RunId = ids.runOf(ids.freshCommand())) {
  let revision = -1;
  const say = <T extends RunFactType>(type: T, data: RunFactData<T>): boolean => worklist.apply(runId, placeRunFact(type, data, (revision += 1), 'node'));
  const of = (stepId: string) => ({ stepId, executionId: ids.execution(runId, stepId, 1), attempt: 1 });
  return {
    runId, say,
    dispatch: (stepId: string): boolean => say('StepDispatched', { ...of(stepId), job: 'j', kind: 'step', params: {} }),
    start: (stepId: string, timeoutAt: string | null = null): boolean => say('StepStarted', { ...of(stepId), worker: 'w', timeoutAt }),
    succeed: (stepId: string): boolean => say('StepSucceeded', { ...of(stepId), outputs: {} }),
    park: (stepId: string, deadline: string | null): boolean =>
      say('GateParked', { stepId, approvalId: ids.approval(runId, stepId, 1), title: '', description: null, data: {}, digest: '', allowedRoles: ['boss'], quorum: 1, notTheStarter: false, deadline, onTimeout: 'fail' }),
    release: (stepId: string): boolean => say('GateReleased', { stepId, approvalId: ids.approval(runId, stepId, 1), reason: 'cancel' }),
  };
}

const dispatched = () => ({ stepId: 'a', executionId: ids.execution(ids.runOf(ids.freshCommand()), 'a', 1), attempt: 1 });

function fireAll(worklist: Worklist): Timer[] {
  const fired: Timer[] = [];
  for (let timer = worklist.nextTimer(); timer !== undefined; timer = worklist.nextTimer()) {
    fired.push(timer);
    worklist.fired(timer);
  }
  return fired;
}

describe('the worklist', () => {
  it('gives attempts to claim in the order in which they were dispatched, until they are claimed or their run is gone', () => {
    const worklist = new Worklist();
    const [one, other] = [speaker(worklist), speaker(worklist)];
    one.dispatch('a');
    other.dispatch('b');
    one.dispatch('c');
    const waiting = (): string[] => [...worklist.waiting()].map((attempt) => attempt.stepId);
    expect(waiting()).toEqual(['a', 'b', 'c']);
    one.start('a');
    expect(waiting()).toEqual(['b', 'c']);
    other.say('RunCancelled', { orphaned: [] });
    expect(waiting()).toEqual(['c']);
    expect([...worklist.attempts()].map((attempt) => attempt.stepId)).toEqual(['a', 'c']);
  });

  it('keeps back what nobody has claimed while its run is paused, until it is resumed or winds down', () => {
    for (const end of ['RunResumed', 'CancelRequested'] as const) {
      const worklist = new Worklist();
      const run = speaker(worklist);
      run.dispatch('a');
      run.dispatch('b');
      run.start('a');
      run.say('RunPaused', { by: 'olga', reason: null });
      expect([...worklist.waiting(), ...worklist.hanging()]).toEqual([]);
      expect(worklist.unclaimedOf(run.runId)).toEqual([ids.execution(run.runId, 'b', 1)]);
      run.say(end, { by: 'olga', reason: null });
      expect([...worklist.waiting()].map(({ stepId }) => stepId)).toEqual(['b']);
    }
  });

  describe('takes what this process has appended before the log brings it', () => {
    const started = placeRunFact('StepDispatched', { ...dispatched(), job: 'j', kind: 'step', params: {} }, 0, 'node');
    const [early, other] = [ids.runOf(ids.freshCommand()), ids.runOf(ids.freshCommand())];
    const ended = (revision: number) => placeRunFact('RunCancelled', { orphaned: [] }, revision, 'node');

    it('once, and in its order alone', () => {
      const worklist = new Worklist();
      expect([worklist.applyEarly(early, started, '5'), worklist.apply(early, started)]).toEqual([true, false]);
      // Somebody else has written revision 1.
      expect(worklist.applyEarly(early, ended(2), '9')).toBe(false);
      expect([worklist.apply(early, placeRunFact('RunPaused', { by: 'ann', reason: null }, 1, 'ann')), worklist.apply(early, ended(2)), worklist.applyEarly(early, ended(2), '9')]).toEqual([true, true, false]);
    });

    it('and remembers a run that has ended until the log has brought all of it, however many end meanwhile', () => {
      const worklist = new Worklist();
      worklist.applyEarly(early, started, '1');
      worklist.applyEarly(early, ended(1), '2');
      const endMany = (position: string): void => {
        for (let at = 0; at < 1_100; at += 1) worklist.applyEarly(ids.runOf(ids.freshCommand()), ended(0), position);
      };
      endMany('3');
      worklist.reached('1');
      endMany('3');
      expect(worklist.apply(early, started)).toBe(false);
      worklist.reached('2');
      worklist.applyEarly(other, ended(0), '4');
      expect(worklist.apply(early, started)).toBe(true);
    });
  });

  it('passes over facts that come again, also of a run that has ended', () => {
    const worklist = new Worklist();
    const runId = ids.runOf(ids.freshCommand());
    const dispatched = placeRunFact('StepDispatched', { stepId: 'a', executionId: ids.execution(runId, 'a', 1), attempt: 1, job: 'j', kind: 'step', params: {} }, 0, 'node');
    const cancelled = placeRunFact('RunCancelled', { orphaned: [] }, 1, 'node');
    expect([dispatched, dispatched, cancelled, cancelled, dispatched].map((fact) => worklist.apply(runId, fact))).toEqual([true, false, true, false, false]);
    expect([...worklist.waiting(), ...worklist.hanging()]).toEqual([]);
  });

  it('gives timers in due order, and none that a later fact disarmed', () => {
    const worklist = new Worklist();
    const [one, other] = [speaker(worklist), speaker(worklist)];
    one.park('late', isoTime(START + 3 * DAY));
    one.park('gone', isoTime(START + DAY));
    other.dispatch('a');
    other.start('a', isoTime(START + 2 * DAY));
    one.release('gone');
    expect(worklist.nextTimer()).toMatchObject({ runId: other.runId, kind: 'timeout', generation: 1 });
    expect(fireAll(worklist).map((timer) => timer.stepId)).toEqual(['a', 'late']);
  });

  it('holds the newest generation of a timer alone', () => {
    const worklist = new Worklist();
    const run = speaker(worklist);
    const retry = { stepId: 'a', executionId: ids.execution(run.runId, 'a', 1), attempt: 1, nextAttempt: 2 };
    run.say('StepRetryScheduled', { ...retry, retryAt: isoTime(START) });
    run.say('StepRetryScheduled', { ...retry, retryAt: isoTime(START + DAY) });
    expect(fireAll(worklist)).toMatchObject([{ kind: 'retry', generation: 1, dueAtMs: START + DAY }]);
  });

  it('with a hundred thousand parked runs answers at once', () => {
    const worklist = new Worklist();
    for (let at = 0; at < 100_000; at += 1) speaker(worklist).park('ok', isoTime(START + DAY + at));
    const run = speaker(worklist);
    const began = performance.now();
    for (let at = 0; at < 5_000; at += 1) {
      run.dispatch('a');
      expect([...worklist.waiting()]).toHaveLength(1);
      expect(worklist.nextTimer()?.dueAtMs).toBe(START + DAY);
      run.start('a', isoTime(START + 2 * DAY));
      run.succeed('a');
    }
    // One walk over all timers takes tens of milliseconds: five thousand of them would take minutes.
    expect(performance.now() - began).toBeLessThan(20_000);
  }, 240_000);
});

describe('the timer queue', () => {
  it('does not grow with timers that are armed and disarmed again', () => {
    const queue = new TimerQueue();
    const timer = (dueAtMs: number): Timer => ({ runId: ids.runOf(ids.freshCommand()), stepId: 's', kind: 'timeout', generation: 0, dueAtMs });
    const parked = timer(0);
    queue.arm(parked);
    for (let at = 0; at < 10_000; at += 1) {
      const short = timer(START + at);
      queue.arm(short);
      queue.disarm(short);
    }
    expect(queue.size).toBeLessThan(100);
    expect(queue.next()).toBe(parked);
  });

  it('holds fewer than 100 bytes of a run that waits for people, and all of it when it goes on', () => {
    const worklist = new Worklist();
    const collect = runInNewContext('gc') as () => void;
    const runs = Array.from({ length: 20_000 }, () => speaker(worklist));
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const run of runs) run.park('ask', null);
    collect();
    expect((process.memoryUsage().heapUsed - before) / runs.length).toBeLessThan(100);
    const [first] = runs;
    expect([worklist.isParked(first!.runId), [...worklist.hanging()]]).toEqual([true, []]);
    first!.park('other', null);
    first!.release('ask');
    expect([worklist.isParked(first!.runId), worklist.apply(first!.runId, placeRunFact('RunPaused', { by: 'ann', reason: null }, 2, 'ann'))]).toEqual([true, false]);
    first!.release('other');
    expect([worklist.isParked(first!.runId), [...worklist.hanging()]]).toEqual([false, [[first!.runId, 3]]]);
  });
});
