/** The jobs that this node has: what they take, and a way to run one alone. */
import { Button, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { startJob, useCommand } from '../api/commands';
import { jobsQuery, meQuery } from '../api/queries';
import { may } from '../api/roles';
import type { JobRow, Json } from '../api/shapes';
import { Icon } from '../parts/icon';
import { freshKey } from '../parts/ids';
import { JsonView } from '../parts/json-view';
import { Empty, Loading, Problem } from '../parts/telling';
import { duration } from '../parts/time';

export function Jobs() {
  const jobs = useQuery(jobsQuery);
  const me = useQuery(meQuery);
  const [q, setQ] = useState('');
  const [running, setRunning] = useState<JobRow | undefined>();
  const rows = (jobs.data ?? []).filter(({ name, description }) => `${name} ${description ?? ''}`.toLowerCase().includes(q.toLowerCase()));
  return (
    <>
      <div className="pagehead"><div><h1>Jobs</h1><p className="sub">What the steps of a batch can do on this node</p></div></div>
      <div className="filters"><TextInput type="search" aria-label="Name or description" placeholder="Name or description" leftSection={<Icon name="search" size={14} />} value={q} onChange={(event) => setQ(event.currentTarget.value)} style={{ flex: '1 1 220px', maxWidth: 360 }} /></div>
      {jobs.error !== null && <Problem error={jobs.error} />}
      {jobs.data === undefined ? (
        jobs.error === null && <Loading />
      ) : rows.length === 0 ? (
        <div className="panel"><Empty icon="tool" title={q === '' ? 'No job is registered' : 'No job is called that'}><p>{q === '' ? 'Name a module with jobs in SLUICE_JOBS, or register them in your application.' : 'Look for another name.'}</p></Empty></div>
      ) : (
        <div className="stack">
          {rows.map((job) => <Job key={job.name} job={job} run={may(me.data, 'operator') ? () => setRunning(job) : undefined} />)}
        </div>
      )}
      <RunJob job={running} close={() => setRunning(undefined)} />
    </>
  );
}

function Job({ job: { name, description, tags = [], parameters, outputs, timeoutMs, retry }, run }: { readonly job: JobRow; readonly run: (() => void) | undefined }) {
  const attempts = typeof retry?.['maxAttempts'] === 'number' ? retry['maxAttempts'] : 1;
  return (
    <section className="panel" aria-label={name}>
      <div style={{ padding: '10px 14px' }}>
        <div className="row between wrap">
          <h2 className="mono">{name}</h2>
          <span className="row">
            <Link to="/runs" search={{ view: 'executions', job: name }} className="link small">Executions</Link>
            {run !== undefined && <Button variant="default" leftSection={<Icon name="playerPlay" size={14} />} onClick={run}>Run alone</Button>}
          </span>
        </div>
        {description && <p style={{ marginTop: 2 }}>{description}</p>}
        <p className="row wrap dim small" style={{ gap: '4px 12px', marginTop: 4 }}>
          <span>{attempts === 1 ? 'tried once' : `tried up to ${attempts} times`}</span>
          {typeof timeoutMs === 'number' && <span>may take {duration(timeoutMs)}</span>}
          {tags.map((tag) => <span key={tag} className="tag">{tag}</span>)}
        </p>
        {parameters !== undefined && (
          <details style={{ marginTop: 8 }}>
            <summary className="small" style={{ cursor: 'pointer' }}>What it takes and gives</summary>
            <div className="grid-2" style={{ marginTop: 8 }}>
              <div><h3 style={{ marginBottom: 4 }}>Parameters</h3><JsonView value={parameters as Json} label={`Parameters of ${name}`} /></div>
              {outputs !== undefined && Object.keys(outputs).length > 0 && <div><h3 style={{ marginBottom: 4 }}>Outputs</h3><JsonView value={outputs as Json} label={`Outputs of ${name}`} /></div>}
            </div>
          </details>
        )}
      </div>
    </section>
  );
}

function RunJob({ job, close }: { readonly job: JobRow | undefined; readonly close: () => void }) {
  return (
    <Modal opened={job !== undefined} onClose={close} title={`Run ${job?.name ?? ''} alone`} size="lg">
      {job !== undefined && <RunJobForm job={job} close={close} />}
    </Modal>
  );
}

function RunJobForm({ job, close }: { readonly job: JobRow; readonly close: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState(() => JSON.stringify(skeletonOf(job.parameters), null, 2));
  const [fault, setFault] = useState('');
  const command = useCommand(startJob, ({ runId }) => void navigate({ to: '/runs/$runId', params: { runId } }));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        try {
          const parameters: unknown = JSON.parse(text);
          if (typeof parameters !== 'object' || parameters === null) throw new TypeError('It must be a JSON object.');
          setFault('');
          command.mutate({ name: job.name, parameters: parameters as Record<string, unknown>, key: freshKey() });
        } catch (error) {
          setFault(error instanceof Error ? error.message : String(error));
        }
      }}
    >
      <Stack gap="sm">
        <Textarea label="Parameters" description="A JSON object" autosize minRows={6} maxRows={18} value={text} error={fault === '' ? null : fault} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} onChange={(event) => setText(event.currentTarget.value)} />
        {command.error !== null && <Problem error={command.error} />}
        <Group justify="flex-end"><Button variant="default" onClick={close}>Back</Button><Button type="submit" loading={command.isPending}>Run</Button></Group>
      </Stack>
    </form>
  );
}

/** What must be given, ready to be filled in. */
function skeletonOf(schema: JobRow['parameters']): Json {
  if (schema === undefined) return {};
  const { properties = {}, required = [] } = schema as { readonly properties?: Readonly<Record<string, { readonly type?: string; readonly default?: Json }>>; readonly required?: readonly string[] };
  const blank: Readonly<Record<string, Json>> = { string: '', integer: 0, number: 0, boolean: false, array: [], object: {} };
  return Object.fromEntries(required.map((name) => [name, properties[name]?.default ?? blank[properties[name]?.type ?? 'string'] ?? null]));
}
