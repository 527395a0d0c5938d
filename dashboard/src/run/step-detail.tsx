/** One step of a run: how it stands, every attempt at it with its progress and log, what it was given and gave. */
import { Button, Progress } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { cancelExecution, useCommand } from '../api/commands';
import type { ApprovalRow, ExecutionRow, RunDetail, StepDefinition, StepNode } from '../api/shapes';
import { GateCard } from '../parts/gate-card';
import { Icon } from '../parts/icon';
import { shortId } from '../parts/ids';
import { isEmptyJson, JsonView } from '../parts/json-view';
import { Chip, EXECUTION_LOOKS, STEP_LOOKS } from '../parts/status';
import { Loading, Note, Problem } from '../parts/telling';
import { Ago, Lasting, moment } from '../parts/time';

interface Props {
  readonly run: RunDetail;
  readonly step: StepNode;
  readonly definition: StepDefinition | undefined;
  /** Undefined until they are known. */
  readonly executions: readonly ExecutionRow[] | undefined;
  readonly close: () => void;
}

export function StepDetail({ run, step, definition, executions, close }: Props) {
  const gate = step.approvalId === undefined ? undefined : run.approvals.find(({ id }) => id === step.approvalId);
  return (
    <section className="panel" aria-label={`Step ${step.id}`} data-testid="step-detail">
      <div className="head">
        <h2 className="ellipsis" title={step.id}>{gate === undefined ? (definition?.title ?? step.id) : `Gate ${step.id}`}</h2>
        <span className="row">
          {gate === undefined && <Chip look={STEP_LOOKS[step.status]} />}
          <Button variant="subtle" color="gray" size="compact-xs" onClick={close} aria-label="Show all steps"><Icon name="x" size={14} /></Button>
        </span>
      </div>
      <div className="body stack">{gate === undefined ? <Job step={step} definition={definition} executions={executions} run={run} /> : <Gate gate={gate} />}</div>
    </section>
  );
}

const Gate = ({ gate }: { readonly gate: ApprovalRow }) => <GateCard approval={gate} inRun />;

function Job({ run, step, definition, executions }: Omit<Props, 'close'>) {
  const newest = executions?.at(-1);
  return (
    <>
      {definition?.description !== undefined && <p className="dim">{definition.description}</p>}
      <dl className="kv">
        <dt>Step</dt><dd className="mono">{step.id}</dd>
        {definition?.job !== undefined && <><dt>Job</dt><dd className="mono">{definition.job}</dd></>}
        {definition?.when !== undefined && <><dt>Only when</dt><dd className="mono">{definition.when}</dd></>}
        {definition?.allowedRoles !== undefined && <><dt>May decide</dt><dd>{definition.allowedRoles.join(' or ')}</dd></>}
        {definition?.compensate !== undefined && <><dt>Undone by</dt><dd className="mono">{definition.compensate.job}</dd></>}
        {step.keptFrom !== undefined && <><dt>Kept from</dt><dd><Link to="/runs/$runId" params={{ runId: step.keptFrom }} search={{ step: step.id }} className="link">run {shortId(step.keptFrom)}</Link>: it had succeeded there</dd></>}
        {step.startedAt !== null && <><dt>Started</dt><dd>{moment(step.startedAt)} (<Ago at={step.startedAt} />)</dd></>}
        {step.startedAt !== null && <><dt>Took</dt><dd><Lasting from={step.startedAt} to={step.endedAt} /></dd></>}
      </dl>
      {step.status === 'pending' && <p className="dim">Its turn has not come.</p>}
      {step.status === 'skipped' && <p className="dim">It was not taken: its condition was false, its branch lost, or the run had ended.</p>}
      {step.error !== null && <Note tone="bad" icon="circleX"><strong>{step.error.code}</strong><p>{step.error.message}</p></Note>}
      {executions === undefined ? step.executionIds.length > 0 && <Loading rows={2} /> : [...executions].reverse().map((execution) => <Attempt key={execution.id} execution={execution} mayStop={run.allowedActions.some(({ action }) => action === 'cancel')} />)}
      {!isEmptyJson(step.params) && <div><h3 style={{ marginBottom: 4 }}>Given</h3><JsonView value={step.params} label="Parameters of the step" /></div>}
      {!isEmptyJson(step.outputs) && <div><h3 style={{ marginBottom: 4 }}>Outputs</h3><JsonView value={step.outputs} label="Outputs of the step" /></div>}
      {executions !== undefined && newest === undefined && step.type === 'job' && step.executionIds.length > 0 && <p className="dim">Its attempts are shown to viewers only.</p>}
    </>
  );
}

function Attempt({ execution, mayStop }: { readonly execution: ExecutionRow; readonly mayStop: boolean }) {
  const { id, attempt, status, worker, startedAt, endedAt, queuedAt, error, progress, log } = execution;
  const open = status === 'running' || status === 'queued';
  return (
    <div className="panel" style={{ background: 'var(--sunk)', padding: '10px 12px' }}>
      <div className="row between wrap">
        <span className="row"><strong className="small">Attempt {attempt}</strong><Chip look={EXECUTION_LOOKS[status]} /></span>
        <span className="tiny dim"><Lasting from={startedAt ?? queuedAt} to={endedAt} />{worker !== null && <> on <span className="mono">{shortId(worker)}</span></>}</span>
      </div>
      {progress !== null && (
        <div className="row" style={{ marginTop: 8 }}>
          <Progress value={progress.total === null || progress.total === 0 ? 100 : (progress.done / progress.total) * 100} striped={progress.total === null} className="grow" size="sm" aria-label={`Progress of attempt ${attempt}`} />
          <span className="tiny num dim nowrap">{progress.done.toLocaleString('en')}{progress.total === null ? '' : ` of ${progress.total.toLocaleString('en')}`}</span>
        </div>
      )}
      {error !== null && <p className="small tone-bad" style={{ marginTop: 6, overflowWrap: 'anywhere' }}>{error.message}</p>}
      {log !== null && log.length > 0 && <pre className="json" style={{ marginTop: 8, maxHeight: 220 }} tabIndex={0} aria-label={`Log of attempt ${attempt}`}>{log.join('\n')}</pre>}
      {open && mayStop && <StopAttempt id={id} attempt={attempt} />}
    </div>
  );
}

function StopAttempt({ id, attempt }: { readonly id: string; readonly attempt: number }) {
  const [sure, setSure] = useState(false);
  const command = useCommand(cancelExecution);
  return (
    <div className="row wrap" style={{ marginTop: 8 }}>
      {command.error !== null && <Problem error={command.error} />}
      {sure ? (
        <>
          <span className="small">Its step fails and is not tried again.</span>
          <Button color="#b3261e" size="compact-xs" loading={command.isPending} onClick={() => command.mutate({ id, reason: '' })}>Stop attempt {attempt}</Button>
          <Button variant="subtle" color="gray" size="compact-xs" onClick={() => setSure(false)}>Back</Button>
        </>
      ) : (
        <Button variant="default" size="compact-xs" onClick={() => setSure(true)}>Stop this attempt</Button>
      )}
    </div>
  );
}
