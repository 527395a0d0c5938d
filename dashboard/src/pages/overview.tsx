/** What goes on, and what needs a person now. Every figure comes from one answer of one moment. */
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Refused } from '../api/client';
import { aboutQuery, RANGES } from '../api/queries';
import type { Course, Range } from '../api/queries';
import { RUN_STATUSES } from '../api/shapes';
import type { ApprovalRow, RunCounts, RunRow } from '../api/shapes';
import { Icon } from '../parts/icon';
import { shortId } from '../parts/ids';
import { CountsBar, RUN_LOOKS, RunChip } from '../parts/status';
import { Empty, Loading, Problem } from '../parts/telling';
import { Ago, duration, Lasting } from '../parts/time';
import { RunsOverTime } from '../parts/runs-over-time';
import { usePulse, useRange } from '../shell/use-pulse';

export function Overview() {
  const pulse = usePulse();
  if (pulse.error instanceof Refused && pulse.error.status === 403) return <DecidersOnly />;
  return (
    <div className="stack" style={{ gap: 16 }}>
      <div className="pagehead" style={{ marginBottom: 0 }}>
        <div>
          <h1>Overview</h1>
          <p className="sub">What runs, what waits for people, and how fresh that is</p>
        </div>
      </div>
      {pulse.error !== null && pulse.data === undefined && <Problem error={pulse.error} />}
      {pulse.data === undefined ? (
        pulse.error === null && <Loading />
      ) : (
        <>
          <Figures counts={pulse.data.counts} />
          <div className="grid-2">
            <Needed pending={pulse.data.pending} mine={pulse.data.mine.total} />
            <Failures failed={pulse.data.failed.items} total={pulse.data.counts.byStatus.failed} />
          </div>
          <OverTime course={pulse.data.course} />
          <div className="grid-main">
            <Newest runs={pulse.data.newest.items} />
            <Node />
          </div>
        </>
      )}
    </div>
  );
}

function DecidersOnly() {
  return (
    <Empty icon="checklist" title="You are here to decide">
      <p>Your roles let you see the gates that you may decide, and their runs.</p>
      <Link to="/approvals" className="link">Go to your approvals</Link>
    </Empty>
  );
}

function Figures({ counts }: { readonly counts: RunCounts }) {
  return (
    <section aria-label="Runs by status" className="figures" data-position={counts.asOf.position}>
      <Link to="/runs" className="figure">
        <span className="value" data-testid="total">{counts.total.toLocaleString('en')}</span>
        <span className="name"><Icon name="listDetails" size={14} /> All runs</span>
      </Link>
      {RUN_STATUSES.map((status) => {
        const { label, icon, tone, means } = RUN_LOOKS[status];
        const count = counts.byStatus[status];
        return (
          <Link key={status} to="/runs" search={{ status: [status] }} className="figure" title={means}>
            <span className="value" data-testid={`count-${status}`}>{count.toLocaleString('en')}</span>
            <span className={count > 0 ? `name tone-${tone}` : 'name'}><Icon name={icon} size={14} /> {label}</span>
          </Link>
        );
      })}
    </section>
  );
}

function Needed({ pending, mine }: { readonly pending: { readonly items: readonly ApprovalRow[]; readonly total: number }; readonly mine: number }) {
  return (
    <section className="panel" aria-labelledby="needed">
      <div className="head">
        <h2 id="needed" className="row"><Icon name="handStop" /> Gates that wait for people <span className="num dim">{pending.total}</span></h2>
        <Link to="/approvals" search={mine > 0 ? {} : { tab: 'all' }} className="link small nowrap">{mine > 0 ? `${mine} for you` : 'Open the inbox'}</Link>
      </div>
      {pending.items.length === 0 ? (
        <Empty icon="circleCheck" title="Nobody is waited for"><p>When a run comes to a gate, it shows up here.</p></Empty>
      ) : (
        <div>
          {pending.items.slice(0, 6).map((gate) => (
            <div key={gate.id} className="list-line" style={{ position: 'relative', padding: '9px 14px', borderBottom: '1px solid var(--line)' }}>
              <div className="row between">
                <Link to="/approvals" search={{ tab: 'all', id: gate.id }} className="cover ellipsis">{gate.title}</Link>
                <span className="dim tiny nowrap">since <Ago at={gate.since} /></span>
              </div>
              <div className="dim small ellipsis">
                {gate.batchName} · needs {gate.allowedRoles.includes('*') ? 'anybody' : gate.allowedRoles.join(' or ')}
                {gate.quorum > 1 && ` · ${gate.given} of ${gate.quorum} have approved`}
                {gate.overdue && <span className="tone-bad"> · overdue</span>}
              </div>
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

function Failures({ failed, total }: { readonly failed: readonly RunRow[]; readonly total: number }) {
  return (
    <section className="panel" aria-labelledby="failures">
      <div className="head">
        <h2 id="failures" className="row"><Icon name="circleX" /> Runs that failed <span className="num dim">{total.toLocaleString('en')}</span></h2>
        {total > 0 && <Link to="/runs" search={{ status: ['failed'] }} className="link small nowrap">All of them</Link>}
      </div>
      {failed.length === 0 ? (
        <Empty icon="circleCheck" title="Nothing has failed"><p>A run that fails is listed here with what went wrong.</p></Empty>
      ) : (
        failed.slice(0, 6).map((run) => (
          <div key={run.id} style={{ position: 'relative', padding: '9px 14px', borderBottom: '1px solid var(--line)' }}>
            <div className="row between">
              <Link to="/runs/$runId" params={{ runId: run.id }} className="cover ellipsis">{run.batchName} <span className="dim mono tiny">{shortId(run.id)}</span></Link>
              <span className="dim tiny nowrap"><Ago at={run.endedAt ?? run.startedAt} /></span>
            </div>
            <div className="small ellipsis tone-bad" title={run.error?.message}>{run.error?.message ?? 'No reason was given'}</div>
          </div>
        ))
      )}
    </section>
  );
}

function OverTime({ course }: { readonly course: Course }) {
  const range = useRange();
  const navigate = useNavigate();
  return (
    <section className="panel" aria-labelledby="over-time">
      <div className="head">
        <h2 id="over-time" className="row"><Icon name="history" /> Runs over time</h2>
        <SegmentedControl value={range} onChange={(value) => void navigate({ to: '/', search: value === 'day' ? {} : { range: value as Range }, resetScroll: false, replace: true })} data={Object.entries(RANGES).map(([value, { label }]) => ({ value, label }))} aria-label="Range" />
      </div>
      <div className="body"><RunsOverTime {...course} /></div>
    </section>
  );
}

function Newest({ runs }: { readonly runs: readonly RunRow[] }) {
  return (
    <section className="panel" aria-labelledby="newest" style={{ minWidth: 0 }}>
      <div className="head">
        <h2 id="newest" className="row"><Icon name="listDetails" /> Recent runs</h2>
        <Link to="/runs" className="link small nowrap">All runs</Link>
      </div>
      {runs.length === 0 ? (
        <Empty icon="playerPlay" title="Nothing has run yet">
          <p><Link to="/batches" className="link">Choose a batch</Link> and start it: the run shows up here.</p>
        </Empty>
      ) : (
        <div className="tablewrap" tabIndex={0} role="region" aria-labelledby="newest">
          <table className="simple">
            <thead><tr><th>Status</th><th>Run</th><th style={{ minWidth: 90 }}>Steps</th><th>Started</th><th className="right">Duration</th></tr></thead>
            <tbody>
              {runs.map((run) => (
                <tr key={run.id} className="linked">
                  <td><RunChip status={run.status} paused={run.paused} /></td>
                  <td><Link to="/runs/$runId" params={{ runId: run.id }} className="cover">{run.batchName}</Link> <span className="dim mono tiny">{shortId(run.id)}</span></td>
                  <td><CountsBar counts={run.counts} /></td>
                  <td className="nowrap"><Ago at={run.startedAt} /> <span className="dim">by {run.startedBy}</span></td>
                  <td className="right"><Lasting from={run.startedAt} to={run.endedAt} ms={run.durationMs} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Node() {
  const about = useQuery(aboutQuery);
  return (
    <section className="panel" aria-labelledby="node">
      <div className="head"><h2 id="node" className="row"><Icon name="bolt" /> This node</h2></div>
      <div className="body">
        {about.data === undefined ? (
          about.error === null ? <Loading rows={3} /> : <Problem error={about.error} />
        ) : (
          <dl className="kv">
            <dt>Node</dt>
            <dd className="mono">{shortId(about.data.node.id)}</dd>
            <dt>Started</dt>
            <dd><Ago at={about.data.node.startedAt} /></dd>
            <dt>Jobs at once</dt>
            <dd className="num">{about.data.node.taken} of {about.data.node.slots} slots are taken</dd>
            <dt>Rows are behind</dt>
            <dd className="num" data-testid="lag">{about.data.asOf.lagMs === 0 ? 'by nothing' : `by ${duration(about.data.asOf.lagMs)}`}</dd>
            <dt>Projections</dt>
            <dd>
              {about.data.projections.filter(({ state }) => state === 'live').length} of {about.data.projections.length} live
              {about.data.projections.some(({ parked }) => parked.length > 0) && <span className="tone-bad">, {about.data.projections.reduce((sum, { parked }) => sum + parked.length, 0)} streams left out</span>}
            </dd>
            <dt>Version</dt>
            <dd>{about.data.version}</dd>
          </dl>
        )}
      </div>
    </section>
  );
}
