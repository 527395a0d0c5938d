/** One gate: what would be approved, by whom, until when; and the decision in place. */
import { Button, Group, Stack, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Suspense, useEffect, useRef, useState } from 'react';
import { actAs, acting } from '../api/client';
import { approve, reject, useCommand } from '../api/commands';
import { meQuery } from '../api/queries';
import type { ApprovalRow, Json } from '../api/shapes';
import { isWriting } from '../shell/shortcuts';
import { Icon } from './icon';
import { shortId } from './ids';
import { lazily } from './lazily';
import { isEmptyJson, JsonView, visible } from './json-view';
import { Chip, OUTCOME_LOOKS } from './status';
import { Note, Problem } from './telling';
import { Ago, moment } from './time';

const Markdown = lazily(() => import('./markdown').then((room) => room.default));

export function GateCard({ approval, inRun = false }: { readonly approval: ApprovalRow; readonly inRun?: boolean }) {
  const { title, description, data, state, outcome, quorum, given, deadline, overdue, allowedRoles, decidedBy, decidedAt, note, batchName, runId, since } = approval;
  return (
    <div className="stack" data-testid="gate">
      <div className="row between wrap">
        <h2 style={{ fontSize: '1rem', minWidth: 0 }}><bdi>{visible(title)}</bdi></h2>
        {state === 'pending' ? <span className="chip tone-wait"><Icon name="handStop" size={14} />{overdue ? 'Overdue' : 'Waiting'}</span> : outcome !== null && <Chip look={OUTCOME_LOOKS[outcome]} />}
      </div>
      <dl className="kv">
        {!inRun && <><dt>Run</dt><dd><Link to="/runs/$runId" params={{ runId }} className="link">{batchName} {shortId(runId)}</Link></dd></>}
        <dt>May decide</dt><dd>{allowedRoles.includes('*') ? 'anybody who is signed in' : allowedRoles.join(' or ')}</dd>
        {quorum > 1 && <><dt>Approved by</dt><dd className="num">{given} of {quorum} people</dd></>}
        <dt>Waits since</dt><dd>{moment(since)} (<Ago at={since} />)</dd>
        {deadline !== null && <><dt>Deadline</dt><dd className={overdue ? 'tone-bad' : ''}>{moment(deadline)} (<Ago at={deadline} />){overdue ? ', overdue' : ''}</dd></>}
        {state === 'decided' && decidedAt !== null && <><dt>Decided</dt><dd>{decidedBy === null ? 'by the engine' : `by ${decidedBy}`}, {moment(decidedAt)}</dd></>}
        {note !== null && <><dt>{outcome === 'rejected' ? 'Reason' : 'Note'}</dt><dd>{note}</dd></>}
      </dl>
      {description !== null && description !== '' && <Suspense fallback={<p>{visible(description)}</p>}><Markdown text={visible(description)} /></Suspense>}
      {!isEmptyJson(data) && <Shown data={data} />}
      {state === 'pending' && <Decide approval={approval} />}
    </div>
  );
}

/** What the gate shows: plain values side by side, the rest as JSON. */
function Shown({ data }: { readonly data: Json }) {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return <JsonView value={data} label="What is shown" />;
  const entries = Object.entries(data as Readonly<Record<string, Json>>);
  const plain = entries.filter(([, value]) => typeof value !== 'object' || value === null);
  return (
    <div className="stack">
      {plain.length > 0 && <dl className="kv panel" style={{ padding: '10px 14px', background: 'var(--sunk)' }}>{plain.map(([name, value]) => <PlainValue key={name} name={name} value={value} />)}</dl>}
      {entries.filter(([, value]) => typeof value === 'object' && value !== null).map(([name, value]) => (
        <div key={name}><h3 style={{ marginBottom: 4 }}>{name}</h3>{flatRows(value) === undefined ? <JsonView value={value} label={name} /> : <Rows rows={flatRows(value) ?? []} label={name} />}</div>
      ))}
    </div>
  );
}

type Flat = Readonly<Record<string, null | boolean | number | string>>;

/** A list of records without anything inside them reads as a table. */
function flatRows(value: Json): readonly Flat[] | undefined {
  const isFlat = (row: Json): row is Flat => typeof row === 'object' && row !== null && !Array.isArray(row) && Object.values(row).every((cell) => typeof cell !== 'object' || cell === null);
  return Array.isArray(value) && value.length > 0 && value.length <= MOST_ROWS && value.every(isFlat) ? value : undefined;
}

const MOST_ROWS = 100;

function Rows({ rows, label }: { readonly rows: readonly Flat[]; readonly label: string }) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const numeric = (column: string): boolean => rows.every((row) => typeof (row[column] ?? 0) === 'number');
  return (
    <div className="tablewrap panel" tabIndex={0} role="region" aria-label={label}>
      <table className="simple">
        <thead><tr>{columns.map((column) => <th key={column} className={numeric(column) ? 'right' : ''}>{column}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={JSON.stringify(row)}>{columns.map((column) => <td key={column} className={numeric(column) ? 'right num' : ''}>{typeof row[column] === 'number' ? row[column].toLocaleString('en') : visible(String(row[column] ?? ''))}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const PlainValue = ({ name, value }: { readonly name: string; readonly value: Json }) => (
  <>
    <dt>{name}</dt>
    <dd className="num" style={{ fontWeight: 560 }}>{typeof value === 'number' ? value.toLocaleString('en') : visible(String(value))}</dd>
  </>
);

function Decide({ approval }: { readonly approval: ApprovalRow }) {
  const me = useQuery(meQuery);
  const [rejecting, setRejecting] = useState(false);
  const [text, setText] = useState('');
  const approving = useCommand(approve);
  const refusing = useCommand(reject);
  const { reset: resetApprove } = approving;
  const { reset: resetReject } = refusing;
  const field = useRef<HTMLTextAreaElement>(null);
  const { id, allowedRoles } = approval;
  const may = me.data !== undefined && (allowedRoles.includes('*') || allowedRoles.some((role) => me.data.roles.includes(role)));
  // While a reason is being written there is one thing to send: what is meant for a rejection never goes with an approval.
  const said = {
    approve: () => { if (!rejecting && !approving.isPending) approving.mutate({ approval, note: text }); },
    reject: () => { if (!rejecting || text.trim() === '') setRejecting(true); else if (!refusing.isPending) refusing.mutate({ approval, reason: text }); },
  };
  const latest = useRef(said);
  latest.current = said;
  useEffect(() => {
    setText('');
    setRejecting(false);
    resetApprove();
    resetReject();
  }, [id, resetApprove, resetReject]);
  useEffect(() => {
    if (rejecting) field.current?.focus();
  }, [rejecting]);
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (!may || event.repeat || event.ctrlKey || event.metaKey || isWriting(event.target) || document.querySelector('[role="dialog"]') !== null) return;
      if (event.key === 'a') latest.current.approve();
      if (event.key === 'x') {
        event.preventDefault();
        latest.current.reject();
      }
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [may]);
  if (me.data === undefined) return null;
  if (!may) return <NotMine roles={allowedRoles} dev={me.data.auth === 'dev'} mine={me.data.roles} />;
  const error = approving.error ?? refusing.error;
  return (
    <Stack gap="xs" className="decide">
      <Textarea
        ref={field} label={rejecting ? 'Why you reject it' : 'Note'} required={rejecting} placeholder={rejecting ? 'The run fails with this reason' : 'If there is something to say'} autosize minRows={2} maxLength={2000} value={text}
        description={rejecting ? 'Ctrl Enter rejects' : undefined} onChange={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => { if (rejecting && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) said.reject(); }}
      />
      {error !== null && <Problem error={error} />}
      {approving.isSuccess && approving.data.outcome === null && <Note tone="ok" icon="check">Your approval counts: {approving.data.given} of {approving.data.quorum}. Others have to approve as well.</Note>}
      <Group gap="xs">
        {!rejecting && <Button color="#1a7340" leftSection={<Icon name="check" size={14} />} loading={approving.isPending} onClick={said.approve}>Approve <kbd style={{ marginLeft: 8, background: 'transparent', color: 'inherit' }}>a</kbd></Button>}
        <Button {...(rejecting ? { color: '#b3261e' } : { variant: 'default' })} leftSection={<Icon name="x" size={14} />} loading={refusing.isPending} disabled={rejecting && text.trim() === ''} onClick={said.reject}>Reject <kbd style={{ marginLeft: 8, background: 'transparent', color: 'inherit' }}>x</kbd></Button>
        {rejecting && <Button variant="subtle" color="gray" onClick={() => setRejecting(false)}>Back</Button>}
      </Group>
    </Stack>
  );
}

function NotMine({ roles, dev, mine }: { readonly roles: readonly string[]; readonly dev: boolean; readonly mine: readonly string[] }) {
  const role = roles[0] ?? '';
  return (
    <Note tone="idle" icon="userCheck">
      <p>You can not decide it: that needs the role {roles.join(' or ')}.</p>
      {dev && (
        <p style={{ marginTop: 6 }}>
          <Button variant="default" onClick={() => actAs({ user: acting()?.user ?? role, roles: [...new Set([...mine, role])] })}>Act as somebody with the role {role}</Button>
        </p>
      )}
    </Note>
  );
}
