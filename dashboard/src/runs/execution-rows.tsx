import { Button } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { executionListQuery } from '../api/queries';
import { EXECUTION_STATUSES } from '../api/shapes';
import type { ExecutionRow } from '../api/shapes';
import type { RunsSearch } from '../search';
import { Icon } from '../parts/icon';
import { shortId } from '../parts/ids';
import { RowList } from '../parts/row-list';
import { Chip, EXECUTION_LOOKS } from '../parts/status';
import { Empty, Loading, Problem } from '../parts/telling';
import { Ago, Lasting } from '../parts/time';
import { Pills, Search } from './filters';

const route = getRouteApi('/runs');

export function ExecutionRows() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = (change: Partial<RunsSearch>) => void navigate({ search: (before) => Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== undefined)), replace: 'q' in change });
  const { outcome, batch, job, q } = search;
  const list = useInfiniteQuery(executionListQuery({ ...(outcome && { status: outcome }), ...(batch && { batch }), ...(job && { job }), ...(q && { q }) }));
  const { fetchNextPage, isFetchingNextPage, hasNextPage } = list;
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const rows = useMemo(() => [...new Map((list.data?.pages.flatMap(({ items }) => items) ?? []).map((row) => [row.id, row])).values()], [list.data]);
  const total = list.data?.pages[0]?.total ?? 0;
  const atLeast = list.data?.pages[0]?.totalIs === 'atLeast';
  const filtered = outcome !== undefined || batch !== undefined || job !== undefined || q !== undefined;
  return (
    <>
      <div className="filters">
        <Search value={q ?? ''} set={(said) => set({ q: said === '' ? undefined : said })} placeholder="Run, batch, step, job or error" />
        <Pills all={EXECUTION_STATUSES} chosen={outcome ?? []} looks={EXECUTION_LOOKS} set={(chosen) => set({ outcome: chosen.length === 0 ? undefined : chosen })} />
        {job !== undefined && <span className="tag">job {job}</span>}
        {batch !== undefined && <span className="tag">{batch}</span>}
        {filtered && <Button variant="subtle" color="gray" onClick={() => void navigate({ search: { view: 'executions' } })} leftSection={<Icon name="x" size={14} />}>Clear</Button>}
      </div>
      {list.error !== null && <div style={{ marginBottom: 12 }}><Problem error={list.error} /></div>}
      {list.data === undefined ? (
        list.error === null && <Loading />
      ) : rows.length === 0 ? (
        <div className="panel">
          <Empty icon={filtered ? 'filter' : 'playerPlay'} title={filtered ? 'No attempt is like that' : 'No job has been tried yet'}>
            <p>{filtered ? 'Take away a filter, or look for another name.' : 'Each attempt at a job of a run shows up here, with what it was given and what came of it.'}</p>
          </Empty>
        </div>
      ) : (
        <>
          <RowList
            rows={rows} label="Executions" grid="exec-grid" total={total} more={hasNextPage} loadMore={loadMore} of={JSON.stringify([outcome, batch, job, q])} row={cells}
            head={['Status', 'Step', 'Batch', 'Job', 'Attempt', 'Queued', 'Duration'].map((label) => <span key={label} role="columnheader">{label}</span>)}
          />
          <p className="dim tiny num" style={{ marginTop: 8 }} data-testid="execution-total">{rows.length < total ? `${rows.length.toLocaleString('en')} loaded of ` : ''}{atLeast ? 'at least ' : ''}{total.toLocaleString('en')} {total === 1 ? 'execution' : 'executions'}</p>
        </>
      )}
    </>
  );
}

const cells = (row: ExecutionRow) => <Cells row={row} />;

function Cells({ row: { runId, stepId, batchName, job, attempt, status, kind, queuedAt, startedAt, endedAt, error } }: { readonly row: ExecutionRow }) {
  return (
    <>
      <span role="cell"><Chip look={EXECUTION_LOOKS[status]} /></span>
      <span role="cell" className="ellipsis">
        <Link to="/runs/$runId" params={{ runId }} search={{ step: stepId }} className="cover">{stepId}</Link>
        {kind !== 'step' && <span className="dim tiny"> {kind === 'compensation' ? 'undoing' : 'after a failure'}</span>}
        {error !== null && <><br /><span className="tiny tone-bad">{error.message}</span></>}
      </span>
      <span role="cell" className="ellipsis wide-only">{batchName} <span className="dim mono tiny">{shortId(runId)}</span></span>
      <span role="cell" className="ellipsis tiny mono wide-only">{job}</span>
      <span role="cell" className="tiny num wide-only">{attempt}</span>
      <span role="cell" className="tiny"><Ago at={queuedAt} /></span>
      <span role="cell" className="tiny wide-only"><Lasting from={startedAt} to={endedAt} /></span>
    </>
  );
}
