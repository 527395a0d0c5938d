/** The schedules: when each batch is due next, what became of every time it was due, and sums that add up. */
import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { pauseSchedule, resumeSchedule, triggerSchedule, useCommand } from '../api/commands';
import { meQuery, occurrencesQuery, schedulesQuery } from '../api/queries';
import { may } from '../api/roles';
import type { OccurrenceRow, ScheduleRow } from '../api/shapes';
import { Icon } from '../parts/icon';
import { Chip } from '../parts/status';
import type { Look } from '../parts/status';
import { Empty, Loading, Problem } from '../parts/telling';
import { Ago, moment, ZONE } from '../parts/time';

const route = getRouteApi('/schedules');
const LOOKS: Readonly<Record<OccurrenceRow['outcome'], Look>> = {
  fired: { label: 'Fired', icon: 'circleCheck', tone: 'ok', means: 'A run was started for it.' },
  skipped: { label: 'Skipped', icon: 'playerTrackNext', tone: 'idle', means: 'It was left out on purpose; the reason says why.' },
  missed: { label: 'Missed', icon: 'alertTriangle', tone: 'bad', means: 'Nobody was there to start it; the reason says why.' },
  pending: { label: 'Pending', icon: 'hourglass', tone: 'run', means: 'It is due and not judged yet, or waits its turn.' },
};

export function Schedules() {
  const { batch } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useQuery(schedulesQuery);
  if (list.data === undefined) {
    if (list.error === null) return <Loading />;
    return <Problem error={list.error} />;
  }
  const rows = list.data.items;
  const shown = rows.find(({ batchName }) => batchName === batch) ?? rows[0];
  return (
    <>
      <div className="pagehead"><div><h1>Schedules</h1><p className="sub">Which batches start by themselves, and what became of each time that they were due. Times in {ZONE}</p></div></div>
      {rows.length === 0 ? (
        <div className="panel"><Empty icon="calendarTime" title="Nothing starts by itself"><p>Give a batch a <code>schedule</code> with a cron rule and a time zone: its times show up here.</p><Link to="/batches" className="link">Go to the batches</Link></Empty></div>
      ) : (
        <div className="stack" style={{ gap: 16 }}>
          <div className="panel tablewrap" tabIndex={0} role="region" aria-label="Schedules">
            <table className="simple">
              <thead><tr><th>Batch</th><th>Rule</th><th>Zone</th><th>Next</th><th>Last</th><th>State</th></tr></thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.batchId} className="linked">
                    <td><button type="button" className="sorter cover" aria-current={row === shown ? 'true' : undefined} onClick={() => void navigate({ search: { batch: row.batchName } })}>{row.batchName}</button></td>
                    <td className="mono tiny">{row.cron}</td>
                    <td>{row.timeZone}</td>
                    <td className="nowrap">{row.nextDue === null ? <span className="dim">never</span> : <span title={moment(row.nextDue)}><Ago at={row.nextDue} /></span>}</td>
                    <td className="nowrap">{row.lastOccurrence === null ? <span className="dim">none yet</span> : <><Chip look={LOOKS[row.lastOccurrence.outcome]} /> <span className="dim"><Ago at={row.lastOccurrence.due} /></span></>}</td>
                    <td>{row.paused ? <span className="chip tone-wait"><Icon name="playerPause" size={12} />Paused</span> : <span className="chip tone-ok"><Icon name="circleCheck" size={14} />Active</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {shown !== undefined && <Occurrences schedule={shown} />}
        </div>
      )}
    </>
  );
}

const WEEK_MS = 7 * 86_400_000;

function Occurrences({ schedule }: { readonly schedule: ScheduleRow }) {
  const [from] = useState(() => new Date(Math.floor((Date.now() - WEEK_MS) / 3_600_000) * 3_600_000).toISOString());
  const found = useQuery(occurrencesQuery(schedule.batchName, from));
  const me = useQuery(meQuery);
  return (
    <section className="panel" aria-labelledby="occurrences">
      <div className="head">
        <h2 id="occurrences" className="ellipsis">{schedule.batchName}, the last seven days</h2>
        {may(me.data, 'operator') && <Control schedule={schedule} />}
      </div>
      {found.data === undefined ? <div className="body">{found.error === null ? <Loading rows={3} /> : <Problem error={found.error} />}</div> : (
        <>
          <p className="row wrap small num" style={{ padding: '10px 14px', gap: '4px 16px', borderBottom: '1px solid var(--line)' }}>
            <strong>{found.data.expected} expected</strong>
            {(['fired', 'skipped', 'missed', 'pending'] as const).map((outcome) => <span key={outcome} className={`row tone-${LOOKS[outcome].tone}`} style={{ gap: 4 }}><Icon name={LOOKS[outcome].icon} size={14} />{found.data[outcome]} {outcome}</span>)}
            <span className={found.data.unexplained === 0 ? 'dim' : 'tone-bad'}>{found.data.unexplained} unexplained</span>
          </p>
          {found.data.items.length === 0 ? <Empty icon="calendarTime" title="It was not due in these days" /> : (
            <div className="tablewrap" tabIndex={0} role="region" aria-labelledby="occurrences" style={{ maxHeight: 520, overflowY: 'auto' }}>
              <table className="simple">
                <thead><tr><th>Due</th><th>Became</th><th>Why</th><th>Run</th></tr></thead>
                <tbody>
                  {found.data.items.map(({ due, outcome, reason, runId }) => (
                    <tr key={due}>
                      <td className="nowrap num">{moment(due)}</td>
                      <td><Chip look={LOOKS[outcome]} /></td>
                      <td>{reason ?? <span className="dim">–</span>}</td>
                      <td>{runId === null ? <span className="dim">–</span> : <Link to="/runs/$runId" params={{ runId }} className="link mono">{runId.slice(0, 8)}</Link>}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </section>
  );
}

function Control({ schedule: { batchName, paused } }: { readonly schedule: ScheduleRow }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState<'pause' | 'resume' | 'trigger' | undefined>();
  const [reason, setReason] = useState('');
  const close = (): void => {
    setAsking(undefined);
    setReason('');
  };
  const pause = useCommand(pauseSchedule, close);
  const resume = useCommand(resumeSchedule, close);
  const trigger = useCommand(triggerSchedule, ({ runId }) => void navigate({ to: '/runs/$runId', params: { runId } }));
  const command = asking === 'pause' ? pause : asking === 'resume' ? resume : trigger;
  const says = { pause: 'Times that come while it is paused are skipped, and are told as such.', resume: 'The next time that it is due starts a run again; those that were skipped stay so.', trigger: 'One run begins now, with the parameters of the schedule; what is due stays due.' };
  return (
    <span className="row">
      <Button variant="default" leftSection={<Icon name="playerPlay" size={14} />} onClick={() => setAsking('trigger')}>Start now</Button>
      <Button variant="default" leftSection={<Icon name={paused ? 'playerPlay' : 'playerPause'} size={14} />} onClick={() => setAsking(paused ? 'resume' : 'pause')}>{paused ? 'Resume' : 'Pause'}</Button>
      <Modal opened={asking !== undefined} onClose={close} title={`${asking === 'trigger' ? 'Start' : asking === 'resume' ? 'Resume the schedule of' : 'Pause the schedule of'} ${batchName}?`}>
        <form onSubmit={(event) => { event.preventDefault(); command.mutate({ batch: batchName, reason }); }}>
          <Stack gap="sm">
            <p className="small">{asking !== undefined && says[asking]}</p>
            <Textarea label="Why" autosize minRows={2} maxLength={2000} data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
            {command.error !== null && <Problem error={command.error} />}
            <Group justify="flex-end"><Button variant="default" onClick={close}>Back</Button><Button type="submit" loading={command.isPending}>{asking === 'trigger' ? 'Start' : asking === 'resume' ? 'Resume' : 'Pause'}</Button></Group>
          </Stack>
        </form>
      </Modal>
    </span>
  );
}
