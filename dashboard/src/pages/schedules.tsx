/** The schedules: when each batch is due next, what became of every time it was due, and sums that add up. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { previewQuery, schedulesQuery } from '../api/queries';
import type { ScheduleRow } from '../api/shapes';
import { Icon } from '../parts/icon';
import { Chip } from '../parts/status';
import { Empty, Loading, Problem } from '../parts/telling';
import { Ago, moment, ZONE } from '../parts/time';
import { Calendar } from '../schedules/calendar';
import { Control } from '../schedules/control';
import { OCCURRENCE_LOOKS } from '../schedules/looks';

const route = getRouteApi('/schedules');

export function Schedules() {
  const { batch } = route.useSearch();
  const list = useQuery(schedulesQuery);
  if (list.data === undefined) return list.error === null ? <Loading /> : <Problem error={list.error} />;
  const rows = list.data.items;
  const shown = rows.find(({ batchName }) => batchName === batch) ?? rows[0];
  return (
    <>
      <div className="pagehead"><div><h1>Schedules</h1><p className="sub">Which batches start by themselves, and what became of each time that they were due. Times in {ZONE}</p></div></div>
      {shown === undefined ? (
        <div className="panel"><Empty icon="calendarTime" title="Nothing starts by itself"><p>Give a batch a <code>schedule</code> with a cron rule and a time zone: its times show up here.</p><Link to="/batches" className="link">Go to the batches</Link></Empty></div>
      ) : (
        <div className="stack" style={{ gap: 16 }}>
          <Rows rows={rows} shown={shown} />
          <One schedule={shown} key={shown.batchId} />
        </div>
      )}
    </>
  );
}

function Rows({ rows, shown }: { readonly rows: readonly ScheduleRow[]; readonly shown: ScheduleRow }) {
  const navigate = route.useNavigate();
  return (
    <div className="panel tablewrap" tabIndex={0} role="region" aria-label="Schedules" style={{ maxHeight: 320, overflowY: 'auto' }}>
      <table className="simple">
        <thead><tr><th>Batch</th><th>Rule</th><th className="wide-only">Zone</th><th>Next</th><th className="wide-only">Last</th><th>State</th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.batchId} className="linked">
              <td><button type="button" className="sorter cover" style={{ textAlign: 'left' }} aria-current={row === shown ? 'true' : undefined} onClick={() => void navigate({ search: { batch: row.batchName }, resetScroll: false })}>{row.batchName}</button></td>
              <td className="mono tiny nowrap">{row.cron}</td>
              <td className="wide-only">{row.timeZone}</td>
              <td className="nowrap">{row.nextDue === null ? <span className="dim">{row.paused ? 'when resumed' : 'never'}</span> : <Ago at={row.nextDue} />}</td>
              <td className="nowrap wide-only">{row.lastOccurrence === null ? <span className="dim">none yet</span> : <><Chip look={OCCURRENCE_LOOKS[row.lastOccurrence.outcome]} /> <span className="dim"><Ago at={row.lastOccurrence.due} /></span></>}</td>
              <td>{row.paused ? <span className="chip tone-wait"><Icon name="playerPause" size={12} />Paused</span> : <span className="chip tone-ok"><Icon name="circleCheck" size={14} />Active</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function One({ schedule }: { readonly schedule: ScheduleRow }) {
  const { day, back = 0 } = route.useSearch();
  const navigate = route.useNavigate();
  const { batchName } = schedule;
  const search = (change: { day?: string | undefined; back?: number | undefined }) => void navigate({ search: { batch: batchName, day, back, ...change }, replace: true, resetScroll: false });
  return (
    <section className="panel" aria-labelledby="schedule">
      <div className="head" style={{ flexWrap: 'wrap' }}>
        <h2 id="schedule" className="ellipsis"><Link to="/batches/$batch" params={{ batch: batchName }} className="link">{batchName}</Link> <span className="dim mono tiny">{schedule.cron}</span> <span className="dim tiny">{schedule.timeZone}</span></h2>
        <Control schedule={schedule} />
      </div>
      <Next schedule={schedule} />
      <Calendar batch={batchName} chosen={day} choose={(next) => search({ day: next })} back={back} go={(next) => search({ back: next === 0 ? undefined : next, day: undefined })} />
    </section>
  );
}

function Next({ schedule: { cron, timeZone, nextDue, paused, pause } }: { readonly schedule: ScheduleRow }) {
  // From the time that is next on, so that it is asked anew when that has come.
  const preview = useQuery({ ...previewQuery(cron, timeZone, nextDue ?? undefined), placeholderData: (before) => before });
  return (
    <div className="row wrap small" style={{ padding: '10px 14px', gap: '4px 16px', borderBottom: '1px solid var(--line)' }} role="group" aria-label="Next times">
      <strong>Next</strong>
      {paused ? <span>{pause === null ? 'It is paused.' : <><strong>{pause.by}</strong> paused it <Ago at={pause.since} />{pause.reason === null ? '.' : <>: “{pause.reason}”.</>}</>} <span className="dim">Times that come are skipped until it is resumed.</span></span> : nextDue === null ? <span className="dim">It is never due again.</span> : (preview.data?.items ?? [{ due: nextDue }]).map(({ due }) => <time key={due} className="num nowrap" dateTime={due}>{moment(due)}</time>)}
    </div>
  );
}
