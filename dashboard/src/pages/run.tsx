/** One run: what it is made of, how it stands, why it does not move, and what may be done. */
import { CopyButton, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { attemptsQuery, runQuery, versionQuery } from '../api/queries';
import { STEP_STATUSES } from '../api/shapes';
import type { BatchDefinition, ExecutionRow, RunDetail, StepDefinition, StepNode } from '../api/shapes';
import type { RunTab } from '../search';
import { Icon } from '../parts/icon';
import { shortId } from '../parts/ids';
import { isEmptyJson, JsonView } from '../parts/json-view';
import { Chip, CountsBar, RunChip, STEP_LOOKS, TRIGGER_LABELS } from '../parts/status';
import { Loading, PageProblem } from '../parts/telling';
import { Ago, duration, Lasting, moment } from '../parts/time';
import { RunActions } from '../run/actions';
import { Drawn } from '../run/drawn';
import { Facts } from '../run/facts';
import { allSteps, draw, flowOf } from '../run/flow';
import { StepDetail } from '../run/step-detail';
import { Timeline } from '../run/timeline';
import { Why } from '../run/why';

const route = getRouteApi('/runs/$runId');

export function RunPage() {
  const { runId } = route.useParams();
  const { tab = 'diagram', step } = route.useSearch();
  const closer = tab === 'timeline' || (tab === 'diagram' && step !== undefined);
  const whole = useQuery({ ...attemptsQuery(runId), enabled: closer });
  const lean = useQuery({ ...runQuery(runId), enabled: !closer || whole.data === undefined });
  const isWhole = closer && whole.data !== undefined && whole.data.run.position >= (lean.data?.position ?? '');
  const run = isWhole ? whole.data.run : lean.data;
  if (run === undefined) return lean.error === null ? <Loading rows={10} /> : <PageProblem error={lean.error} what="run" />;
  return <Shown run={run} executions={isWhole ? whole.data.executions : undefined} />;
}

interface ShownProps {
  readonly run: RunDetail;
  /** Undefined until they are known. */
  readonly executions: readonly ExecutionRow[] | undefined;
}

function Shown({ run, executions }: ShownProps) {
  const { tab = 'diagram', step } = route.useSearch();
  const navigate = route.useNavigate();
  const choose = useCallback((id: string | undefined) => void navigate({ search: (before) => ({ ...before, step: id }), replace: true, resetScroll: false }), [navigate]);
  const version = useQuery({ ...versionQuery(run.batchId, run.batchVersion), retry: false });
  return (
    <div className="stack" style={{ gap: 14 }}>
      <Head run={run} title={version.data?.definition.title} timeout={version.data?.definition.timeout} />
      <Why run={run} choose={choose} />
      <Counts run={run} />
      <Tabs value={tab} onChange={(next) => void navigate({ search: (before) => ({ ...before, tab: next === 'diagram' ? undefined : (next as RunTab) }), replace: true, resetScroll: false })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="diagram" leftSection={<Icon name="gitBranch" />}>Diagram</Tabs.Tab>
          <Tabs.Tab value="timeline" leftSection={<Icon name="clock" />}>Timeline</Tabs.Tab>
          <Tabs.Tab value="facts" leftSection={<Icon name="history" />}>Facts</Tabs.Tab>
          <Tabs.Tab value="data" leftSection={<Icon name="code" />}>Data</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="diagram" pt="sm"><Picture run={run} executions={executions} definition={version.data?.definition} chosen={step} choose={choose} /></Tabs.Panel>
        <Tabs.Panel value="timeline" pt="sm"><div className="panel">{executions === undefined ? <div className="body"><Loading /></div> : <Timeline run={run} executions={executions} choose={(id) => void navigate({ search: { step: id } })} />}</div></Tabs.Panel>
        <Tabs.Panel value="facts" pt="sm"><div className="panel"><Facts runId={run.id} /></div></Tabs.Panel>
        <Tabs.Panel value="data" pt="sm"><Data run={run} /></Tabs.Panel>
      </Tabs>
    </div>
  );
}

function Head({ run, title, timeout }: { readonly run: RunDetail; readonly title: string | undefined; readonly timeout: string | number | undefined }) {
  const { id, batchName, batchVersion, status, paused, trigger, startedBy, startedAt, endedAt, durationMs, reason, retryOf, retriedBy } = run;
  return (
    <div className="pagehead" style={{ marginBottom: 0 }}>
      <div style={{ minWidth: 0 }}>
        <p className="tiny dim"><Link to="/runs" className="link">Runs</Link> / <Link to="/batches/$batch" params={{ batch: batchName }} className="link">{batchName}</Link></p>
        <div className="row wrap" style={{ margin: '2px 0 4px' }}><h1>{title ?? batchName}</h1><span data-testid="run-status"><RunChip status={status} paused={paused} /></span></div>
        <p className="sub row wrap" style={{ gap: '4px 10px' }}>
          <CopyButton value={id}>{({ copied, copy }) => <button type="button" className="tag mono" onClick={copy} title="Copy the id of the run">{shortId(id)} <Icon name={copied ? 'check' : 'copy'} size={12} /></button>}</CopyButton>
          <span>version {batchVersion}</span>
          <span>{TRIGGER_LABELS[trigger.type]}, by {startedBy}</span>
          <span title={moment(startedAt)}>started <Ago at={startedAt} /></span>
          <span>{endedAt === null ? 'running for' : 'took'} <Lasting from={startedAt} to={endedAt} ms={durationMs} /></span>
          {endedAt === null && timeout !== undefined && <span title="A run that takes longer fails; time in which it is parked counts too">time-out {typeof timeout === 'number' ? duration(timeout) : timeout}</span>}
          {retryOf !== null && <Link to="/runs/$runId" params={{ runId: retryOf }} className="link">retry of {shortId(retryOf)}</Link>}
          {retriedBy !== null && <Link to="/runs/$runId" params={{ runId: retriedBy }} className="link">retried by {shortId(retriedBy)}</Link>}
        </p>
        {reason !== null && <p className="small" style={{ marginTop: 4 }}>“{reason}”</p>}
      </div>
      <RunActions run={run} />
    </div>
  );
}

function Counts({ run: { counts } }: { readonly run: RunDetail }) {
  return (
    <section className="panel" style={{ padding: '10px 14px' }} aria-label="Steps by status">
      <div className="row between wrap" style={{ marginBottom: 8 }}>
        <span className="row wrap small" style={{ gap: '4px 14px' }}>
          <strong className="num">{counts.total} {counts.total === 1 ? 'step' : 'steps'}</strong>
          {STEP_STATUSES.filter((status) => counts[status] > 0).map((status) => (
            <span key={status} className={`row tone-${STEP_LOOKS[status].tone}`} style={{ gap: 4 }}><Icon name={STEP_LOOKS[status].icon} size={14} /><span className="num">{counts[status]} {STEP_LOOKS[status].label.toLowerCase()}</span></span>
          ))}
        </span>
      </div>
      <CountsBar counts={counts} tall />
    </section>
  );
}

interface PictureProps extends ShownProps {
  readonly definition: BatchDefinition | undefined;
  readonly chosen: string | undefined;
  readonly choose: (id: string | undefined) => void;
}

function Picture({ run, executions, definition, chosen, choose }: PictureProps) {
  const drawing = useMemo(() => drawingOf(run, definition), [run, definition]);
  const steps = useMemo(() => allSteps(run.steps), [run.steps]);
  const focus = useMemo(() => steps.find(({ status, branches }) => branches === undefined && ['waiting', 'running', 'retrying', 'failed', 'dispatched'].includes(status))?.id, [steps]);
  const step = steps.find(({ id }) => id === chosen);
  const height = Math.min(660, Math.max(260, drawing.height + 48));
  return (
    <div className="runlayout">
      <Drawn drawing={drawing} label="Diagram of the run" height={height} chosen={chosen} choose={choose} focus={focus} />
      {step === undefined ? (
        <StepList steps={steps} choose={choose} />
      ) : (
        <StepDetail run={run} step={step} definition={definition && findStep([...definition.steps, ...(definition.onFailureSteps ?? [])], step.id)} executions={executions?.filter(({ stepId }) => stepId === step.id)} close={() => choose(undefined)} />
      )}
    </div>
  );
}

function drawingOf(run: RunDetail, definition: BatchDefinition | undefined) {
  const [main, undone, after] = [undefined, 'compensation', 'onFailure'].map((kind) => run.steps.filter((node) => node.kind === kind));
  return draw(flowOf(definition?.steps, main, new Map(run.approvals.map(({ stepId, title }) => [stepId, title]))), [
    { caption: 'Undone, newest first', steps: flowOf(undefined, undone) },
    { caption: 'After the failure', steps: flowOf(undefined, after) },
  ]);
}

function findStep(steps: readonly StepDefinition[], id: string): StepDefinition | undefined {
  for (const step of steps) {
    const found = step.id === id ? step : step.branches?.map((branch) => findStep(branch.steps, id)).find((one) => one !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

const MANY = 150;

function StepList({ steps, choose }: { readonly steps: readonly StepNode[]; readonly choose: (id: string) => void }) {
  const leaves = steps.filter(({ branches }) => branches === undefined);
  const open = leaves.filter(({ status }) => status !== 'pending' && status !== 'skipped');
  // Of a run of a thousand steps those that say something; the diagram has them all.
  const shown = leaves.length <= MANY ? leaves : [...open.slice(-MANY)];
  return (
    <section className="panel" aria-labelledby="steps">
      <div className="head"><h2 id="steps">Steps</h2><span className="dim tiny">{shown.length < leaves.length ? `The last ${shown.length} that have begun, of ${leaves.length.toLocaleString('en')}` : 'Choose one to see what it was given and gave'}</span></div>
      <div style={{ maxHeight: 610, overflowY: 'auto' }} tabIndex={0} role="region" aria-labelledby="steps">
        <table className="simple">
          <tbody>
            {shown.map(({ id, status, attempts, startedAt, endedAt }) => (
              <tr key={id} className="linked">
                <td style={{ width: 110 }}><Chip look={STEP_LOOKS[status]} /></td>
                <td><button type="button" className="sorter cover" style={{ textAlign: 'left' }} onClick={() => choose(id)}>{id}</button>{attempts > 1 && <span className="dim tiny num"> {attempts} attempts</span>}</td>
                <td className="right tiny dim"><Lasting from={startedAt} to={endedAt} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Data({ run }: { readonly run: RunDetail }) {
  const outputs = allSteps(run.steps).filter((step) => !isEmptyJson(step.outputs));
  const labels = Object.entries(run.labels);
  return (
    <div className="grid-2">
      <section className="panel"><div className="head"><h2>Parameters</h2></div><div className="body stack">
        {isEmptyJson(run.parameters) ? <p className="dim">It was started without parameters.</p> : <JsonView value={run.parameters} label="Parameters of the run" />}
        <h3>Labels</h3>
        {labels.length === 0 ? <p className="dim">None</p> : <div className="row wrap">{labels.map(([key, value]) => <span key={key} className="tag">{key}: {value}</span>)}</div>}
      </div></section>
      <section className="panel"><div className="head"><h2>Outputs</h2></div><div className="body stack">
        {outputs.length === 0 ? <p className="dim">No step has given anything yet.</p> : outputs.slice(0, MANY).map(({ id, outputs: given }) => <div key={id}><h3 className="mono" style={{ marginBottom: 4 }}>{id}</h3><JsonView value={given} label={`Outputs of ${id}`} /></div>)}
      </div></section>
    </div>
  );
}
