import { describe, expect, it } from '@jest/globals';
import { isRejected } from '../actors/actor.js';
import type { ScheduleRule } from '../events/definition.js';
import type { Ledger } from '../events/schedule.events.js';
import { ids } from '../ids.js';
import type { ScheduleCtx } from './ledger.draft.js';
import type { BatchFactOfSchedule } from './rule-in-force.js';
import { AdvanceSchedule, ContinueBackfill, FollowBatch, PauseSchedule, ResumeSchedule, StartBackfill } from './schedule.commands.js';
import type { AnyScheduleCommand } from './schedule.commands.js';
import { decideSchedule } from './schedule.decide.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const BATCH = ids.batch('tick');

/** A schedule in memory: what is said to it at which minute, and what it says. */
class Schedule {
  ledger: Ledger | undefined;
  readonly ended = new Set<string>();
  private defined: BatchFactOfSchedule[] = [];
  private revision = -1;

  constructor(rule: ScheduleRule) {
    this.define(rule, 0);
    this.tell(new FollowBatch(BATCH, this.origin()), 0);
  }

  define(schedule: ScheduleRule | null, atMs: number): void {
    this.revision += 1;
    this.defined.push({ revision: this.revision, atMs: START + atMs, by: 'ann', name: 'tick', said: { kind: 'defined', version: this.revision + 1, schedule } });
  }

  remove(atMs: number): void {
    this.revision += 1;
    this.defined.push({ revision: this.revision, atMs: START + atMs, by: 'ann', name: 'tick', said: { kind: 'deleted' } });
  }

  /** @param watchedSinceMs 0: somebody was there all the time */
  advance(atMs: number, watchedSinceMs = 0): readonly string[] {
    return this.tell(new AdvanceSchedule(BATCH, START + watchedSinceMs, this.origin()), atMs);
  }

  pause = (atMs: number): readonly string[] => this.tell(new PauseSchedule(BATCH, 'enough', this.origin()), atMs);
  resume = (atMs: number): readonly string[] => this.tell(new ResumeSchedule(BATCH, null, this.origin()), atMs);

  tell(command: AnyScheduleCommand, atMs: number): readonly string[] {
    const said: string[] = [];
    for (let more = true; more; ) {
      const decision = decideSchedule(this.ledger, command, this.ctx(START + atMs));
      if (isRejected(decision)) return [decision.rejected];
      this.ledger = decision.facts.length === 0 ? this.ledger : decision.state;
      this.defined = this.defined.filter(({ revision }) => revision > (this.ledger?.definedRevision ?? -1));
      said.push(...decision.facts.map(({ type, data }) => story(type, data)));
      if (decision.facts.length > 256 || JSON.stringify(decision.facts).length > 900 * 1024) throw new Error('That is more than one append holds.');
      more = decision.more === true;
    }
    return said;
  }

  origin() {
    return { actor: 'ann', roles: [], via: 'code' as const, commandId: ids.freshCommand() };
  }

  private ctx(nowMs: number): ScheduleCtx {
    return {
      nowMs, actor: 'ann', defined: this.defined.filter(({ revision }) => revision > (this.ledger?.definedRevision ?? -1)), ended: this.ended,
      runOf: (due) => ids.scheduledRun(BATCH, due), backfillRunOf: (due, id) => ids.backfilledRun(BATCH, due, id), jitterOf: (due, most) => (due.endsWith('10:00.000Z') ? most : 0),
    };
  }
}

function story(type: string, data: Readonly<Record<string, unknown>>): string {
  const time = (at: unknown): string => (typeof at === 'string' ? at.slice(11, 16) : '');
  const { occurrence, due, from, to, count, reason, by } = data;
  if (type === 'OccurrenceFired') return `fired ${time((occurrence as { due: string }).due)} by ${String(by)}`;
  if (type === 'OccurrenceQueued') return `queued ${time(due)}`;
  if (type === 'OccurrencesSkipped' || type === 'OccurrencesMissed') return `${type === 'OccurrencesSkipped' ? 'skipped' : 'missed'} ${String(count)} ${time(from)}-${time(to)} ${String(reason)}`;
  return type;
}

const dueAt = (minute: number): string => new Date(START + minute * MINUTE).toISOString();

describe('What was due while nobody watched', () => {
  const after = (rule: Partial<ScheduleRule>, hours = 5): readonly string[] => new Schedule({ cron: '0 * * * *', ...rule }).advance(hours * HOUR + MINUTE, hours * HOUR + MINUTE);

  it('is missed, unless the rule says otherwise', () => {
    expect(after({})).toEqual(['missed 5 01:00-05:00 down']);
  });

  it('comes down to the latest one', () => {
    expect(after({ catchUp: 'latest' })).toEqual(['skipped 4 01:00-04:00 catchUp', 'fired 05:00 by catchUp']);
    expect(after({ catchUp: 'latest', catchUpWindow: '2h' })).toEqual(['missed 3 01:00-03:00 window', 'skipped 1 04:00-04:00 catchUp', 'fired 05:00 by catchUp']);
    expect(after({ catchUp: 'latest', catchUpWindow: '30s' })).toEqual(['missed 5 01:00-05:00 window']);
  });

  it('is made up for, within its window and up to its limit', () => {
    expect(after({ catchUp: 'all' }, 3)).toEqual(['fired 01:00 by catchUp', 'fired 02:00 by catchUp', 'fired 03:00 by catchUp']);
    expect(after({ catchUp: 'all', catchUpWindow: '3h', catchUpLimit: 2 })).toEqual(['missed 2 01:00-02:00 window', 'missed 1 03:00-03:00 limit', 'fired 04:00 by catchUp', 'fired 05:00 by catchUp']);
  });

  it('is made up for in several appends, and none is left out or done twice', () => {
    const schedule = new Schedule({ cron: '* * * * *', catchUp: 'all', catchUpLimit: 500 });
    const said = schedule.advance(600.5 * MINUTE, 600.5 * MINUTE);
    expect(said[0]).toBe('missed 100 00:01-01:40 limit');
    expect(said.filter((one) => one.startsWith('fired'))).toHaveLength(500);
    expect(new Set(said).size).toBe(501);
    expect(schedule.advance(600.5 * MINUTE, 600.5 * MINUTE)).toEqual([]);
  });

  it('is told from what was only noticed late', () => {
    const schedule = new Schedule({ cron: '0 * * * *', catchUp: 'skip' });
    expect(schedule.advance(3 * HOUR + MINUTE, 2 * HOUR)).toEqual(['missed 1 01:00-01:00 down', 'fired 02:00 by time', 'fired 03:00 by time']);
  });

  it('of ten years of seconds is one fact, at once', () => {
    expect(new Schedule({ cron: '* * * * * *' }).advance(3_650 * 24 * HOUR, 3_650 * 24 * HOUR)).toEqual([`missed ${3_650 * 86_400 - 2} 00:00-23:59 down`, 'fired 23:59 by time', 'fired 00:00 by time']);
  });
});

describe('A hundred that wait', () => {
  const waiting = (): Schedule => {
    const schedule = new Schedule({ cron: '* * * * *', timeZone: 'America/Argentina/ComodRivadavia', overlap: 'queue', queueLimit: 100, catchUp: 'all', catchUpLimit: 1_000 });
    schedule.advance(5 * HOUR, 5 * HOUR);
    return schedule;
  };

  it('are taken and let go of in as many appends as hold them', () => {
    const schedule = waiting();
    expect(schedule.ledger).toMatchObject({ queue: { length: 100 }, sums: { fired: 1, skipped: 199 } });
    schedule.define({ cron: '* * * * *', overlap: 'allow' }, 5 * HOUR);
    expect(schedule.advance(5 * HOUR)).toHaveLength(101);
    expect(schedule.ledger).toMatchObject({ queue: [], sums: { fired: 101, skipped: 199 } });
  });

  it('end with their schedule, or are overtaken, in one append', () => {
    const [removed, overtaken] = [waiting(), waiting()];
    removed.remove(5 * HOUR);
    expect(removed.tell(new FollowBatch(BATCH, removed.origin()), 5 * HOUR)).toHaveLength(101);
    overtaken.define({ cron: '* * * * *', overlap: 'cancelPrevious' }, 5 * HOUR);
    expect(overtaken.advance(5 * HOUR + MINUTE)).toEqual(expect.arrayContaining(['skipped 1 01:00-01:00 superseded', 'queued 05:01']));
    expect([removed, overtaken].map(({ ledger }) => [ledger?.queue.length, ledger?.sums.skipped])).toEqual([[0, 299], [1, 299]]);
  });

  it('leave a backfill room for a part of what it asks for', () => {
    const schedule = waiting();
    const [id, from, to] = [ids.backfillOf(ids.freshCommand()), dueAt(-60), dueAt(0)];
    schedule.tell(new StartBackfill(BATCH, { id, from, to, again: false, total: 50 }, schedule.origin()), 5 * HOUR);
    const slots = Array.from({ length: 50 }, (_, at) => ({ occurrence: { date: '2026-01-01', due: dueAt(at - 60), previous: null, time: '00:00:00', timeZone: 'UTC' }, version: 1 }));
    const parts: number[] = [];
    while (schedule.ledger?.backfills.length === 1) parts.push(schedule.tell(new ContinueBackfill(BATCH, id, slots, true, schedule.origin()), 5 * HOUR).length);
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(51);
  });
});

describe('A clock', () => {
  it('that is set back fires nothing twice, and goes on when it has come up', () => {
    const schedule = new Schedule({ cron: '0 * * * *' });
    expect(schedule.advance(2 * HOUR)).toEqual(['fired 01:00 by time', 'fired 02:00 by time']);
    expect(schedule.advance(HOUR)).toEqual([]);
    schedule.define({ cron: '*/30 * * * *' }, 30 * MINUTE);
    expect(schedule.advance(HOUR)).toEqual(['ScheduleAdopted']);
    expect(schedule.advance(3 * HOUR)).toEqual(['fired 02:30 by time', 'fired 03:00 by time']);
  });

  it('that jumps ahead leaves a gap that is explained', () => {
    const schedule = new Schedule({ cron: '0 * * * *' });
    schedule.advance(HOUR);
    expect(schedule.advance(9 * HOUR, 9 * HOUR)).toEqual(['missed 7 02:00-08:00 down', 'fired 09:00 by time']);
  });
});

describe('Each occurrence', () => {
  it('is judged by the rule that was in force when it was due', () => {
    const schedule = new Schedule({ cron: '0 * * * *' });
    schedule.define({ cron: '*/20 * * * *', catchUp: 'all' }, 150 * MINUTE);
    schedule.define(null, 200 * MINUTE);
    schedule.define({ cron: '0 * * * *', catchUp: 'latest' }, 230 * MINUTE);
    expect(schedule.advance(302 * MINUTE, 302 * MINUTE)).toEqual([
      'ScheduleAdopted', 'ScheduleEnded', 'ScheduleAdopted',
      'missed 2 01:00-02:00 down', 'fired 02:40 by catchUp', 'fired 03:00 by catchUp', 'fired 03:20 by catchUp', 'skipped 1 04:00-04:00 catchUp', 'fired 05:00 by catchUp',
    ]);
  });

  it('is not judged by an older rule where the one in force names nothing', () => {
    const schedule = new Schedule({ cron: '*/10 * * * *', catchUp: 'all' });
    schedule.define({ cron: '0 12 * * *' }, 25 * MINUTE);
    schedule.tell(new FollowBatch(BATCH, schedule.origin()), 26 * MINUTE);
    schedule.define({ cron: '*/30 * * * *' }, 55 * MINUTE);
    schedule.tell(new FollowBatch(BATCH, schedule.origin()), 56 * MINUTE);
    expect(schedule.advance(70 * MINUTE)).toEqual(['fired 00:10 by time', 'fired 00:20 by time', 'fired 01:00 by time']);
  });

  it('waits its turn where the one before it fires later than due', () => {
    const schedule = new Schedule({ cron: '*/10 * * * *', jitter: '15m' });
    expect(schedule.advance(20 * MINUTE)).toEqual([]);
    expect(schedule.ledger?.wakeAt ?? null).toBe(dueAt(25));
    expect(schedule.advance(25 * MINUTE)).toEqual(['fired 00:10 by time', 'fired 00:20 by time']);
  });

  it('that was about to fire when its batch was deleted is skipped', () => {
    const schedule = new Schedule({ cron: '*/10 * * * *', jitter: '15m' });
    schedule.remove(12 * MINUTE);
    expect(schedule.advance(13 * MINUTE)).toEqual(['ScheduleEnded', 'skipped 1 00:10-00:10 ended']);
    expect(schedule.pause(14 * MINUTE)).toEqual(['not-found']);
  });

  it('meets the runs under way in its turn', () => {
    const schedule = new Schedule({ cron: '*/10 * * * *', overlap: 'queue', queueLimit: 2 });
    expect(schedule.advance(50 * MINUTE)).toEqual(['fired 00:10 by time', 'queued 00:20', 'queued 00:30', 'skipped 2 00:40-00:50 queueFull']);
    schedule.ended.add(dueAt(10));
    expect(schedule.advance(51 * MINUTE)).toEqual(['fired 00:20 by queue']);
    schedule.pause(52 * MINUTE);
    schedule.ended.add(dueAt(20));
    expect(schedule.advance(53 * MINUTE)).toEqual([]);
    schedule.resume(54 * MINUTE);
    expect(schedule.advance(54 * MINUTE)).toEqual(['fired 00:30 by queue']);
    schedule.advance(60 * MINUTE);
    schedule.remove(61 * MINUTE);
    expect(schedule.advance(62 * MINUTE)).toEqual(['skipped 1 01:00-01:00 ended', 'ScheduleEnded']);
  });

  it('takes the place of the run before, and of whoever waited for that', () => {
    const schedule = new Schedule({ cron: '*/10 * * * *', overlap: 'cancelPrevious' });
    expect(schedule.advance(30 * MINUTE)).toEqual(['fired 00:10 by time', 'queued 00:20', 'skipped 1 00:20-00:20 superseded', 'queued 00:30']);
    schedule.ended.add(dueAt(10));
    expect(schedule.advance(31 * MINUTE)).toEqual(['fired 00:30 by queue']);
  });
});

describe('A definition', () => {
  it('says where a schedule begins, and never resumes it', () => {
    const schedule = new Schedule({ cron: '0 * * * *', paused: true });
    schedule.define({ cron: '0 * * * *', paused: false }, MINUTE);
    schedule.advance(2 * MINUTE);
    expect(schedule.ledger?.paused).toMatchObject({ by: 'ann', reason: 'It was defined as paused.' });
    expect(schedule.resume(3 * MINUTE)).toEqual(['ScheduleResumed']);
    schedule.define({ cron: '0 * * * *', paused: true }, 4 * MINUTE);
    schedule.advance(5 * MINUTE);
    expect(schedule.ledger?.paused).toBeNull();
    expect(schedule.resume(6 * MINUTE)).toEqual([]);
  });

  it('that was deleted and is there again begins anew', () => {
    const schedule = new Schedule({ cron: '0 * * * *' });
    schedule.pause(MINUTE);
    schedule.remove(2 * MINUTE);
    schedule.define({ cron: '0 * * * *' }, 3 * MINUTE);
    schedule.advance(4 * MINUTE);
    expect(schedule.ledger?.paused).toBeNull();
  });

  it('that lost its schedule before it was deleted and is there again begins anew, and takes no backfill in between', () => {
    const schedule = new Schedule({ cron: '0 * * * *' });
    schedule.pause(MINUTE);
    schedule.define(null, 2 * MINUTE);
    const backfill = (id: string) => new StartBackfill(BATCH, { id: ids.backfillOf(ids.derivedCommand(id)), from: new Date(START - HOUR).toISOString(), to: new Date(START).toISOString(), again: false, total: 1 }, schedule.origin());
    expect(schedule.tell(backfill('before'), 2 * MINUTE)).toEqual(['ScheduleEnded', 'BackfillStarted']);
    schedule.remove(3 * MINUTE);
    expect(schedule.tell(backfill('after'), 3 * MINUTE)).toEqual(['not-found']);
    schedule.define({ cron: '0 * * * *' }, 4 * MINUTE);
    schedule.advance(5 * MINUTE);
    expect(schedule.ledger).toMatchObject({ paused: null, ended: null });
  });
});
