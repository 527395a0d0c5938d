/** One batch: its diagram, its versions, its recent runs, and the ways to start, change and delete it. */
import { Button, Group, Modal, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { deleteBatch, useCommand } from '../api/commands';
import { batchQuery, batchRunsQuery, meQuery, versionQuery, versionsQuery } from '../api/queries';
import { may } from '../api/roles';
import { RUN_STATUSES } from '../api/shapes';
import type { BatchDefinition, BatchDetail } from '../api/shapes';
import { StartRun } from '../batch/start-run';
import { Icon } from '../parts/icon';
import { shortId } from '../parts/ids';
import { JsonView } from '../parts/json-view';
import { CountsBar, RUN_LOOKS, RunChip } from '../parts/status';
import { Empty, Loading, Note, PageProblem, Problem } from '../parts/telling';
import { Ago, Lasting } from '../parts/time';
import { Drawn } from '../run/drawn';
import { draw, flowOf } from '../run/flow';

const route = getRouteApi('/batches/$batch');

export function BatchPage() {
  const { batch: name } = route.useParams();
  const { start = false, version } = route.useSearch();
  const navigate = route.useNavigate();
  const found = useQuery(batchQuery(name));
  const older = useQuery({ ...versionQuery(name, version ?? 1), enabled: version !== undefined });
  const me = useQuery(meQuery);
  if (found.data === undefined) return found.error === null ? <Loading rows={8} /> : <PageProblem error={found.error} what="batch" />;
  const batch = found.data.data;
  const definition = version === undefined ? batch.definition : older.data?.definition;
  const operator = may(me.data, 'operator');
  return (
    <div className="stack" style={{ gap: 16 }}>
      <div className="pagehead" style={{ marginBottom: 0 }}>
        <div style={{ minWidth: 0 }}>
          <p className="tiny dim"><Link to="/batches" className="link">Batches</Link></p>
          <h1>{batch.title ?? batch.name}</h1>
          <p className="sub row wrap"><span className="mono">{batch.name}</span><span>version {batch.version}</span><span>{batch.source === 'code' ? 'defined in code' : 'made here'}</span><span>changed <Ago at={batch.updatedAt} /> by {batch.updatedBy}</span></p>
          {batch.description !== null && <p style={{ marginTop: 6, maxWidth: 780 }}>{batch.description}</p>}
        </div>
        <div className="row wrap">
          {may(me.data, 'author') && batch.source === 'api' && <><Delete name={batch.name} /><Button variant="default" component={Link} to={`/batches/${name}/edit`} leftSection={<Icon name="edit" size={14} />}>Edit</Button></>}
          {operator && <Button leftSection={<Icon name="playerPlay" size={14} />} onClick={() => void navigate({ search: { start: true } })}>Start run</Button>}
        </div>
      </div>
      {batch.warnings?.map(({ message }) => <Note key={message} tone="wait" icon="alertTriangle">{message}</Note>)}
      {version !== undefined && <Note tone="idle" icon="history">This is version {version}; the newest is {batch.version}. <Link to="/batches/$batch" params={{ batch: name }} className="link">Show the newest</Link></Note>}
      <div className="grid-main">
        <div className="stack" style={{ gap: 16 }}>
          {definition === undefined ? (older.error === null ? <Loading /> : <Problem error={older.error} />) : <Picture definition={definition} />}
          <Recent batch={batch} operator={operator} />
        </div>
        <div className="stack" style={{ gap: 16 }}>
          {definition !== undefined && <About definition={definition} />}
          <Versions name={name} shown={version ?? batch.version} />
        </div>
      </div>
      {definition !== undefined && <details className="panel" style={{ padding: '10px 14px' }}><summary style={{ cursor: 'pointer', fontWeight: 600 }}>Definition as JSON</summary><div style={{ marginTop: 10 }}><JsonView value={definition as never} label="Definition" /></div></details>}
      <StartRun batch={batch.name} definition={batch.definition} opened={start && operator} close={() => void navigate({ search: {} })} />
    </div>
  );
}

function Picture({ definition }: { readonly definition: BatchDefinition }) {
  const drawing = useMemo(() => draw(flowOf(definition.steps, undefined), [{ caption: 'After a failure', steps: flowOf(definition.onFailureSteps ?? [], undefined) }]), [definition]);
  return <Drawn drawing={drawing} label="Diagram of the batch" height={Math.min(600, Math.max(260, drawing.height + 48))} />;
}

const POLICIES = { stop: 'stops the run', continue: 'goes on with the next step', compensate: 'undoes what succeeded' } as const;

function About({ definition: { parameters = [], failurePolicy = 'stop', timeout, schedule } }: { readonly definition: BatchDefinition }) {
  return (
    <section className="panel">
      <div className="head"><h2>What it takes and does</h2></div>
      <div className="body stack">
        <dl className="kv">
          <dt>A failure</dt><dd>{POLICIES[failurePolicy]}</dd>
          <dt>Time-out</dt><dd>{timeout === undefined ? 'none' : String(timeout)}</dd>
          <dt>Schedule</dt><dd>{schedule ? <><code>{schedule.cron}</code> {schedule.timeZone ?? 'UTC'}</> : 'none'}</dd>
        </dl>
        <h3>Parameters</h3>
        {parameters.length === 0 ? <p className="dim small">None</p> : (
          <dl className="kv">
            {parameters.map(({ name, kind, required, default: otherwise, description }) => (
              <Parameter key={name} name={name} text={`${kind}${required ? ', required' : ''}${otherwise === undefined ? '' : `, ${JSON.stringify(otherwise)} unless given`}`} description={description} />
            ))}
          </dl>
        )}
      </div>
    </section>
  );
}

const Parameter = ({ name, text, description }: { readonly name: string; readonly text: string; readonly description: string | undefined }) => (
  <>
    <dt className="mono">{name}</dt>
    <dd>{text}{description !== undefined && <span className="dim" style={{ display: 'block' }}>{description}</span>}</dd>
  </>
);

function Recent({ batch, operator }: { readonly batch: BatchDetail; readonly operator: boolean }) {
  const found = useQuery(batchRunsQuery(batch.id));
  if (found.data === undefined) return found.error === null ? <Loading /> : <Problem error={found.error} />;
  const { runs: { items }, counts } = found.data;
  return (
    <section className="panel" aria-labelledby="recent" style={{ minWidth: 0 }}>
      <div className="head"><h2 id="recent">Recent runs <span className="dim num">{counts.total.toLocaleString('en')}</span></h2>{counts.total > 0 && <Link to="/runs" search={{ batch: batch.name }} className="link small">All of them</Link>}</div>
      {items.length === 0 ? (
        <Empty icon="playerPlay" title="It has not run yet">{operator && <p>Press “Start run”: it shows up here at once.</p>}</Empty>
      ) : (
        <>
          <p className="row wrap small" style={{ padding: '8px 14px', gap: '4px 14px', borderBottom: '1px solid var(--line)' }}>
            {RUN_STATUSES.filter((status) => counts.byStatus[status] > 0).map((status) => <span key={status} className={`row tone-${RUN_LOOKS[status].tone}`} style={{ gap: 4 }}><Icon name={RUN_LOOKS[status].icon} size={14} />{counts.byStatus[status].toLocaleString('en')} {RUN_LOOKS[status].label.toLowerCase()}</span>)}
          </p>
          <div className="tablewrap" tabIndex={0} role="region" aria-labelledby="recent">
            <table className="simple">
              <thead><tr><th>Status</th><th>Run</th><th style={{ minWidth: 80 }}>Steps</th><th>Started</th><th className="right">Duration</th></tr></thead>
              <tbody>
                {items.map((run) => (
                  <tr key={run.id} className="linked">
                    <td><RunChip status={run.status} paused={run.paused} /></td>
                    <td><Link to="/runs/$runId" params={{ runId: run.id }} className="cover mono">{shortId(run.id)}</Link> <span className="dim tiny">v{run.batchVersion}</span></td>
                    <td><CountsBar counts={run.counts} /></td>
                    <td className="nowrap"><Ago at={run.startedAt} /> <span className="dim">by {run.startedBy}</span></td>
                    <td className="right"><Lasting from={run.startedAt} to={run.endedAt} ms={run.durationMs} /></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

function Versions({ name, shown }: { readonly name: string; readonly shown: number }) {
  const versions = useQuery(versionsQuery(name));
  return (
    <section className="panel">
      <div className="head"><h2>Versions</h2></div>
      {versions.data === undefined ? <div className="body">{versions.error === null ? <Loading rows={2} /> : <Problem error={versions.error} />}</div> : (
        <table className="simple">
          <tbody>
            {versions.data.items.map(({ version, definedAt, definedBy, stepCount }, at) => (
              <tr key={version} className="linked">
                <td><Link to="/batches/$batch" params={{ batch: name }} search={at === 0 ? {} : { version }} className="cover num" aria-current={version === shown ? 'true' : undefined}>v{version}</Link>{version === shown && <span className="dim tiny"> shown</span>}</td>
                <td className="num dim">{stepCount} steps</td>
                <td className="right nowrap"><Ago at={definedAt} /> <span className="dim">by {definedBy}</span></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Delete({ name }: { readonly name: string }) {
  const navigate = route.useNavigate();
  const [asking, setAsking] = useState(false);
  const command = useCommand(deleteBatch, () => void navigate({ to: '/batches' }));
  return (
    <>
      <Button variant="default" leftSection={<Icon name="trash" size={14} />} onClick={() => setAsking(true)}>Delete</Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title={`Delete ${name}?`}>
        <Stack gap="sm">
          <p className="small">No run of it can be started any more, and its schedule stops. Runs that are open finish on their version; what ran stays as it is.</p>
          {command.error !== null && <Problem error={command.error} />}
          <Group justify="flex-end"><Button variant="default" onClick={() => setAsking(false)}>Keep it</Button><Button color="#b3261e" loading={command.isPending} onClick={() => command.mutate(name)}>Delete batch</Button></Group>
        </Stack>
      </Modal>
    </>
  );
}
