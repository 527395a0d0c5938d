/**
 * Time zones as stretches of one offset each. Intl knows the offset of a moment; where it changes is found by looking.
 *
 * A stretch ends where the offset changes, or with the year: a zone is looked at a year at a time, once.
 */
const DAY_MS = 86_400_000;
/** Offsets before this are of no use to a schedule, and some have seconds. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 9998;

/** A stretch of time with one offset: from `startMs` until before `endMs`. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
  /** What the local clock is ahead of UTC. */
  readonly offsetMs: number;
  /** That of the stretch before: another one, if the clocks were changed at `startMs`. */
  readonly offsetBeforeMs: number;
}

export class TimeZone {
  private readonly format: Intl.DateTimeFormat;
  private readonly years = new Map<number, readonly Stretch[]>();

  /** @throws RangeError if there is no such zone */
  constructor(readonly name: string) {
    this.format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset', year: 'numeric' });
  }

  /** What the local clock is ahead of UTC at this moment. */
  offsetAt(ms: number): number {
    const sign = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?/.exec(this.format.format(ms));
    const [, ahead, hours = 0, minutes = 0, seconds = 0] = sign ?? [];
    const offsetMs = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
    return ahead === '-' ? -offsetMs : offsetMs;
  }

  /** The stretch that a moment is in. */
  stretchAt(ms: number): Stretch {
    const stretches = this.yearOf(ms);
    return stretches.find(({ endMs }) => ms < endMs) ?? stretches.at(-1)!;
  }

  private yearOf(ms: number): readonly Stretch[] {
    const year = Math.min(LAST_YEAR, Math.max(FIRST_YEAR, new Date(ms).getUTCFullYear()));
    let stretches = this.years.get(year);
    if (stretches === undefined) this.years.set(year, (stretches = this.look(Date.UTC(year, 0), Date.UTC(year + 1, 0))));
    return stretches;
  }

  private look(fromMs: number, toMs: number): readonly Stretch[] {
    const stretches: Stretch[] = [];
    let [startMs, offsetMs, offsetBeforeMs] = [fromMs, this.offsetAt(fromMs), this.offsetAt(fromMs - 1)];
    for (let day = fromMs; day < toMs; day += DAY_MS) {
      const next = this.offsetAt(Math.min(day + DAY_MS, toMs - 1));
      if (next === offsetMs) continue;
      const changeMs = this.changeBetween(day, Math.min(day + DAY_MS, toMs - 1), offsetMs);
      stretches.push({ startMs, endMs: changeMs, offsetMs, offsetBeforeMs });
      [startMs, offsetBeforeMs, offsetMs] = [changeMs, offsetMs, next];
    }
    return [...stretches, { startMs, endMs: toMs, offsetMs, offsetBeforeMs }];
  }

  /** The first whole second of another offset. */
  private changeBetween(beforeMs: number, afterMs: number, offsetMs: number): number {
    let [low, high] = [beforeMs / 1_000, Math.ceil(afterMs / 1_000)];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle * 1_000) === offsetMs) low = middle;
      else high = middle;
    }
    return high * 1_000;
  }
}

const zones = new Map<string, TimeZone>();

/** @throws RangeError if there is no such zone */
export function timeZone(name: string): TimeZone {
  let zone = zones.get(name);
  if (zone === undefined) zones.set(name, (zone = new TimeZone(name)));
  return zone;
}
