/** Make or change a batch as JSON: judged by the server as one writes, drawn beside it, and never over somebody else's change. */
import { Button, Group, Modal, Stack } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useBlocker, useNavigate } from '@tanstack/react-router';
import { Suspense, useMemo, useRef, useState } from 'react';
import { Refused } from '../api/client';
import { changeBatch, createBatch, useCommand, validateBatch } from '../api/commands';
import { batchQuery } from '../api/queries';
import type { BatchDefinition, BatchDetail, Fault } from '../api/shapes';
import type { EditorHandle } from '../batch/json-editor';
import { Icon } from '../parts/icon';
import { lazily } from '../parts/lazily';
import { Loading, Note, PageProblem, Problem } from '../parts/telling';
import { Drawn } from '../run/drawn';
import { draw, flowOf } from '../run/flow';

const JsonEditor = lazily(() => import('../batch/json-editor').then((room) => room.default));
const BothSides = lazily(() => import('../batch/json-editor').then((room) => room.BothSides));

const FIRST: BatchDefinition = {
  name: 'my-batch', title: 'My batch',
  parameters: [{ name: 'day', kind: 'string', required: true, description: 'business day, YYYY-MM-DD' }],
  steps: [{ id: 'first', type: 'job', job: 'name-of-a-job' }, { id: 'release', type: 'gate', title: 'Release {{ params.day }}?', allowedRoles: ['operator'] }],
};
const asText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export function NewBatch() {
  return <Edit title="New batch" begin={asText(FIRST)} saved={undefined} />;
}

const route = getRouteApi('/batches/$batch/edit');

export function EditBatch() {
  const { batch } = route.useParams();
  // As it was when one began: what others save meanwhile shows when one saves.
  const found = useQuery({ ...batchQuery(batch), staleTime: Infinity, refetchOnWindowFocus: false });
  const began = useRef<{ readonly data: BatchDetail; readonly etag: string } | undefined>(undefined);
  if (began.current === undefined && found.data !== undefined && !found.isFetching) began.current = found.data;
  if (began.current === undefined) return found.error === null ? <Loading rows={8} /> : <PageProblem error={found.error} what="batch" />;
  const { data, etag } = began.current;
  return <Edit title={`Edit ${data.title ?? data.name}`} begin={asText(data.definition)} saved={{ batch, etag, version: data.version }} />;
}

interface Saved {
  readonly batch: string;
  readonly etag: string;
  readonly version: number;
}

function Edit({ title, begin, saved }: { readonly title: string; readonly begin: string; readonly saved: Saved | undefined }) {
  const navigate = useNavigate();
  const editor = useRef<EditorHandle>(null);
  const [text, setText] = useState(begin);
  const [base, setBase] = useState(saved);
  const [conflict, setConflict] = useState(false);
  const left = useRef(false);
  const parsed = useMemo(() => parse(text), [text]);
  const judged = useJudged(text);
  const done = ({ name }: { readonly name: string }): void => {
    left.current = true;
    void navigate({ to: '/batches/$batch', params: { batch: name } });
  };
  const create = useCommand(createBatch, done);
  const change = useCommand(changeBatch, done);
  const command = base === undefined ? create : change;
  const stale = change.error instanceof Refused && change.error.slug === 'version-conflict';
  useBlocker({ shouldBlockFn: () => !left.current && text !== begin && !window.confirm('Leave without saving?'), enableBeforeUnload: () => !left.current && text !== begin });
  const save = (): void => {
    if (parsed.definition === undefined) return;
    if (base === undefined) create.mutate(parsed.definition);
    else change.mutate({ batch: base.batch, definition: parsed.definition, etag: base.etag });
  };
  return (
    <>
      <div className="pagehead">
        <div><p className="tiny dim"><Link to="/batches" className="link">Batches</Link></p><h1>{title}</h1><p className="sub">{base === undefined ? 'Its name is fixed for ever; the rest may change' : `From version ${base.version}; saving makes another version, and open runs stay on theirs`}</p></div>
        <Group gap="xs">
          <Button variant="default" onClick={() => void navigate(base === undefined ? { to: '/batches' } : { to: '/batches/$batch', params: { batch: base.batch } })}>Back</Button>
          <Button onClick={save} loading={command.isPending} disabled={parsed.definition === undefined || (judged?.errors.length ?? 0) > 0}>{base === undefined ? 'Create batch' : 'Save as a new version'}</Button>
        </Group>
      </div>
      <div className="grid-main" style={{ gridTemplateColumns: undefined }}>
        <div className="stack">
          {command.error !== null && !stale && <Problem error={command.error} />}
          {stale && <Note tone="bad" icon="alertTriangle"><strong>Somebody else has saved it meanwhile</strong><p>Nothing was overwritten. <button type="button" className="sorter" style={{ textDecoration: 'underline', color: 'var(--ink)' }} onClick={() => setConflict(true)}>Look at both sides</button></p></Note>}
          <Suspense fallback={<Loading rows={12} />}><JsonEditor text={begin} change={setText} faults={judged?.all ?? NO_FAULTS} handle={editor} /></Suspense>
        </div>
        <div className="stack">
          <Judgement parsed={parsed} judged={judged} show={(path) => editor.current?.show(path)} />
          {parsed.definition !== undefined && <Preview definition={parsed.definition} />}
        </div>
      </div>
      {base !== undefined && (stale || conflict) && (
        <Conflict
          key={base.etag} opened={conflict || (stale && !change.isPending && conflict)} close={() => setConflict(false)} base={base} mine={text}
          keepMine={(etag, version) => { setBase({ ...base, etag, version }); setConflict(false); change.reset(); if (parsed.definition !== undefined) change.mutate({ batch: base.batch, definition: parsed.definition, etag }); }}
          takeTheirs={(theirs, etag, version) => { setBase({ ...base, etag, version }); setConflict(false); change.reset(); editor.current?.replace(theirs); }}
        />
      )}
    </>
  );
}

type All = readonly (Fault & { readonly severity: 'error' | 'warning' })[];
const NO_FAULTS: All = [];

function parse(text: string): { readonly definition: BatchDefinition | undefined; readonly fault: string | undefined } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { definition: undefined, fault: 'A definition is a JSON object.' };
    return { definition: value as BatchDefinition, fault: undefined };
  } catch (error) {
    return { definition: undefined, fault: error instanceof Error ? error.message : 'This is no JSON.' };
  }
}

/** What the server says of the text, a moment after the last key. */
function useJudged(text: string): { readonly errors: readonly Fault[]; readonly warnings: readonly Fault[]; readonly all: All } | undefined {
  const [settled] = useDebouncedValue(text, 400);
  const { definition } = useMemo(() => parse(settled), [settled]);
  const found = useQuery({ queryKey: ['validate', settled], queryFn: () => validateBatch(definition), enabled: definition !== undefined, staleTime: Infinity, gcTime: 60_000, placeholderData: (before) => before });
  return useMemo(() => {
    if (definition === undefined || found.data === undefined) return undefined;
    const { errors, warnings } = found.data;
    return { errors, warnings, all: [...errors.map((fault) => ({ ...fault, severity: 'error' as const })), ...warnings.map((fault) => ({ ...fault, severity: 'warning' as const }))] };
  }, [definition, found.data]);
}

function Judgement({ parsed, judged, show }: { readonly parsed: ReturnType<typeof parse>; readonly judged: ReturnType<typeof useJudged>; readonly show: (path: string) => void }) {
  if (parsed.fault !== undefined) return <Note tone="bad" icon="alertCircle"><strong>It can not be read</strong><p>{parsed.fault}</p></Note>;
  if (judged === undefined) return <Note tone="idle" icon="loader">Being judged</Note>;
  if (judged.all.length === 0) return <Note tone="ok" icon="circleCheck">The definition is sound.</Note>;
  return (
    <section className="panel" aria-label="What is wrong with it" data-testid="faults">
      <div className="head"><h2>{judged.errors.length > 0 ? `${judged.errors.length} to mend` : 'Sound, with a remark'}</h2></div>
      {judged.all.map(({ path, message, severity }) => (
        <button key={`${path} ${message}`} type="button" className="palette-item" style={{ alignItems: 'flex-start', borderRadius: 0 }} onClick={() => show(path)}>
          <span className={severity === 'error' ? 'tone-bad' : 'tone-wait'} style={{ display: 'inline-flex', marginTop: 2 }}><Icon name={severity === 'error' ? 'circleX' : 'alertTriangle'} /></span>
          <span className="small" style={{ overflowWrap: 'anywhere' }}><code>{path === '' ? '/' : path}</code><br />{message}</span>
        </button>
      ))}
    </section>
  );
}

function Preview({ definition }: { readonly definition: BatchDefinition }) {
  const drawing = useMemo(() => {
    try {
      return draw(flowOf(definition.steps, undefined), [{ caption: 'After a failure', steps: flowOf(definition.onFailureSteps ?? [], undefined) }]);
    } catch {
      // Half written: there is nothing to draw yet.
      return undefined;
    }
  }, [definition]);
  if (drawing === undefined || drawing.placed.some(({ width }) => Number.isNaN(width))) return null;
  return <Drawn drawing={drawing} label="Diagram of the definition" height={380} />;
}

interface ConflictProps {
  readonly opened: boolean;
  readonly close: () => void;
  readonly base: Saved;
  readonly mine: string;
  readonly keepMine: (etag: string, version: number) => void;
  readonly takeTheirs: (theirs: string, etag: string, version: number) => void;
}

function Conflict({ opened, close, base, mine, keepMine, takeTheirs }: ConflictProps) {
  const theirs = useQuery({ ...batchQuery(base.batch), enabled: opened, staleTime: 0 });
  return (
    <Modal opened={opened} onClose={close} title="Both sides" size="90%">
      {theirs.data === undefined ? <Loading /> : (
        <Stack gap="sm">
          <p className="small">Left: version {theirs.data.data.version}, saved by {theirs.data.data.updatedBy}. Right: what you have written, from version {base.version}.</p>
          <Suspense fallback={<Loading />}><BothSides theirs={asText(theirs.data.data.definition)} mine={mine} /></Suspense>
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>Go on editing</Button>
            <Button variant="default" onClick={() => theirs.data && takeTheirs(asText(theirs.data.data.definition), theirs.data.etag, theirs.data.data.version)}>Take theirs</Button>
            <Button onClick={() => theirs.data && keepMine(theirs.data.etag, theirs.data.data.version)}>Save mine after theirs</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
