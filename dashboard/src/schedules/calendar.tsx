/** What became of every time that a schedule was due: four weeks as a calendar, a day as a list, and sums that add up. */
import { ActionIcon } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { occurrencesQuery } from '../api/queries';
import type { OccurrenceList } from '../api/shapes';
import { Icon } from '../parts/icon';
import { shortId } from '../parts/ids';
import { Chip } from '../parts/status';
import { Empty, Loading, Problem } from '../parts/telling';
import { clockTime, moment, ZONE } from '../parts/time';
import { OCCURRENCE_LOOKS, OUTCOMES, REASONS } from './looks';

const WEEKS = 4;
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const LONG = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const SHORT = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });

/** A day of whoever looks; days of 23 and 25 hours too. */
interface Day {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
}

function daysOf(back: number, now: Date): readonly Day[] {
  const monday = now.getDate() - ((now.getDay() + 6) % 7) - 7 * (WEEKS - 1) - 7 * WEEKS * back;
  return Array.from({ length: 7 * WEEKS }, (_, at) => {
    const from = new Date(now.getFullYear(), now.getMonth(), monday + at);
    return { name: nameOf(from), from, to: new Date(from.getFullYear(), from.getMonth(), from.getDate() + 1) };
  }).filter(({ from }) => from <= now);
}

const nameOf = (date: Date): string => `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`;

interface Props {
  readonly batch: string;
  readonly chosen: string | undefined;
  readonly choose: (day: string | undefined) => void;
  /** How many times four weeks ago. */
  readonly back: number;
  readonly go: (back: number) => void;
}

export function Calendar({ batch, chosen, choose, back, go }: Props) {
  const now = new Date();
  const days = daysOf(back, now);
  const found = useQueries({ queries: days.map(({ from, to }) => occurrencesQuery(batch, from, to < now ? to : undefined)) });
  const error = found.find((one) => one.error !== null)?.error ?? null;
  const all = found.map(({ data }) => data);
  if (error !== null && all.every((one) => one === undefined)) return <div className="body"><Problem error={error} /></div>;
  const known = all.filter((one) => one !== undefined);
  const at = Math.max(0, chosen === undefined ? days.length - 1 : days.findIndex(({ name }) => name === chosen));
  const [first, last, day] = [days[0], days.at(-1), days[at]];
  return (
    <>
      <div className="row between wrap" style={{ padding: '8px 14px', borderBottom: '1px solid var(--line)' }}>
        {known.length < days.length ? <span className="dim small">Counting</span> : <Sums lists={known} label="Sums of these weeks" />}
        <span className="row small">
          <ActionIcon aria-label="Four weeks earlier" onClick={() => go(back + 1)}><Icon name="chevronLeft" /></ActionIcon>
          <span className="num nowrap">{first && SHORT.format(first.from)} – {last && SHORT.format(last.from)}</span>
          <ActionIcon aria-label="Four weeks later" disabled={back === 0} onClick={() => go(back - 1)}><Icon name="chevronRight" /></ActionIcon>
        </span>
      </div>
      <div className="ledger">
        <div className="calendar" role="group" aria-label={`Days, in ${ZONE}`}>
          {WEEKDAYS.map((name) => <span key={name} className="tiny dim weekday" aria-hidden="true">{name}</span>)}
          {days.map(({ name, from }, index) => <DayCell key={name} date={from} list={all[index]} chosen={index === at} choose={() => choose(name)} />)}
        </div>
        {day !== undefined && <DayList day={day} list={all[at]} />}
      </div>
    </>
  );
}

function Sums({ lists, label }: { readonly lists: readonly OccurrenceList[]; readonly label: string }) {
  const sum = (key: 'expected' | 'unexplained' | (typeof OUTCOMES)[number]): number => lists.reduce((total, list) => total + list[key], 0);
  const unexplained = sum('unexplained');
  return (
    <p className="row wrap small num" style={{ gap: '4px 14px' }} aria-label={label} role="group">
      <strong>{sum('expected').toLocaleString('en')} expected</strong>
      {OUTCOMES.map((outcome) => <span key={outcome} className={`row ${sum(outcome) > 0 ? `tone-${OCCURRENCE_LOOKS[outcome].tone}` : 'dim'}`} style={{ gap: 4 }}><Icon name={OCCURRENCE_LOOKS[outcome].icon} size={14} />{sum(outcome).toLocaleString('en')} {outcome}</span>)}
      <span className={unexplained === 0 ? 'dim' : 'tone-bad'}>{unexplained.toLocaleString('en')} unexplained</span>
    </p>
  );
}

function DayCell({ date, list, chosen, choose }: { readonly date: Date; readonly list: OccurrenceList | undefined; readonly chosen: boolean; readonly choose: () => void }) {
  const parts = list === undefined ? [] : OUTCOMES.filter((outcome) => list[outcome] > 0).map((outcome) => `${list[outcome]} ${outcome}`);
  const says = list === undefined ? 'not counted yet' : list.expected === 0 ? 'not due' : `${list.expected} expected: ${parts.join(', ')}${list.unexplained > 0 ? `, ${list.unexplained} unexplained` : ''}`;
  return (
    <button type="button" className="daycell" aria-pressed={chosen} aria-label={`${LONG.format(date)}: ${says}`} title={says} onClick={choose} style={{ gridColumn: ((date.getDay() + 6) % 7) + 1 }}>
      <span className="tiny dim num">{date.getDate() === 1 ? SHORT.format(date) : date.getDate()}</span>
      <span className="row between num" style={{ fontWeight: 620, gap: 2 }}>
        {list === undefined ? '…' : list.expected === 0 ? '–' : list.expected.toLocaleString('en')}
        {list !== undefined && (['missed', 'skipped'] as const).filter((outcome) => list[outcome] > 0).slice(0, 1).map((outcome) => <span key={outcome} className={`tone-${OCCURRENCE_LOOKS[outcome].tone}`} style={{ display: 'inline-flex' }}><Icon name={OCCURRENCE_LOOKS[outcome].icon} size={12} /></span>)}
      </span>
      <span className="bar" aria-hidden="true">
        {list !== undefined && OUTCOMES.filter((outcome) => list[outcome] > 0).map((outcome) => <span key={outcome} className={`fill-${OCCURRENCE_LOOKS[outcome].tone}`} style={{ flexGrow: list[outcome] }} />)}
      </span>
    </button>
  );
}

function DayList({ day: { from }, list }: { readonly day: Day; readonly list: OccurrenceList | undefined }) {
  return (
    <div className="daylist">
      <h3 style={{ padding: '10px 14px' }}>{LONG.format(from)}</h3>
      {list === undefined ? <div className="body"><Loading rows={3} /></div> : list.items.length === 0 ? <Empty icon="calendarTime" title="It was not due on this day" /> : (
        <div className="tablewrap" tabIndex={0} role="region" aria-label={`Occurrences of ${LONG.format(from)}`} style={{ maxHeight: 360, overflowY: 'auto' }}>
          <table className="simple">
            <thead><tr><th>Due</th><th>Became</th><th>Why</th><th>Run</th></tr></thead>
            <tbody>
              {list.items.map(({ due, outcome, reason, runId }) => (
                <tr key={due}>
                  <td className="nowrap num"><time dateTime={due} title={moment(due)}>{clockTime(due)}</time></td>
                  <td><Chip look={OCCURRENCE_LOOKS[outcome]} /></td>
                  <td>{reason === null ? <span className="dim">–</span> : <span title={reason}>{REASONS[reason] ?? reason}</span>}</td>
                  <td>{runId === null ? <span className="dim">–</span> : <Link to="/runs/$runId" params={{ runId }} className="link mono">{shortId(runId)}</Link>}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {list.items.length < list.expected && <p className="dim tiny" style={{ padding: '8px 14px' }}>The newest {list.items.length} of {list.expected.toLocaleString('en')} are shown.</p>}
        </div>
      )}
    </div>
  );
}
