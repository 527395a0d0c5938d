import { Button, Select } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { runListQuery } from '../api/queries';
import type { RunFilter, RunSort } from '../api/queries';
import { RUN_STATUSES, TRIGGERS } from '../api/shapes';
import type { RunRow, TriggerType } from '../api/shapes';
import { SINCE } from '../search';
import type { RunsSearch, Since } from '../search';
import { Icon } from '../parts/icon';
import { shortId } from '../parts/ids';
import { RowList } from '../parts/row-list';
import { CountsBar, countsText, RUN_LOOKS, RunChip, TRIGGER_LABELS } from '../parts/status';
import { Empty, Loading, Problem } from '../parts/telling';
import { Ago, Lasting } from '../parts/time';
import { Pills, Search } from './filters';

const route = getRouteApi('/runs');

export function RunRows() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = useCallback((change: Partial<RunsSearch>) => void navigate({ search: (before) => without({ ...before, ...change }), replace: 'q' in change }), [navigate]);
  const filter = useFilter(search);
  const sort = search.sort ?? '-startedAt';
  const list = useInfiniteQuery(runListQuery(filter, sort));
  const { fetchNextPage, isFetchingNextPage, hasNextPage } = list;
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  const rows = useMemo(() => distinct(list.data?.pages.flatMap(({ items }) => items) ?? []), [list.data]);
  const counts = list.data?.pages[0]?.counts;
  const chosen = search.status ?? [];
  const total = counts === undefined ? 0 : chosen.length === 0 ? counts.total : chosen.reduce((sum, status) => sum + counts.byStatus[status], 0);
  const filtered = Object.keys(search).some((key) => key !== 'sort');
  return (
    <>
      <div className="filters">
        <Search value={search.q ?? ''} set={(q) => set({ q: q === '' ? undefined : q })} placeholder="Id, batch, starter, reason or label" />
        <Select aria-label="Trigger" placeholder="Any trigger" clearable w={130} value={search.trigger?.[0] ?? null} data={TRIGGERS.map((value) => ({ value, label: TRIGGER_LABELS[value] }))} onChange={(value) => set({ trigger: value === null ? undefined : [value as TriggerType] })} />
        <Select aria-label="Started" placeholder="Any time" clearable w={150} value={search.since ?? null} data={Object.entries(SINCE).map(([value, [label]]) => ({ value, label }))} onChange={(value) => set({ since: (value as Since | null) ?? undefined })} />
        {(search.batch !== undefined || search.by !== undefined) && <span className="tag">{search.batch ?? `started by ${search.by}`}</span>}
        {filtered && <Button variant="subtle" color="gray" onClick={() => void navigate({ search: {} })} leftSection={<Icon name="x" size={14} />}>Clear</Button>}
      </div>
      <div className="filters"><Pills all={RUN_STATUSES} chosen={chosen} looks={RUN_LOOKS} counts={counts?.byStatus} set={(status) => set({ status: status.length === 0 ? undefined : status })} /></div>
      {list.error !== null && <div style={{ marginBottom: 12 }}><Problem error={list.error} /></div>}
      {list.data === undefined ? (
        list.error === null && <Loading />
      ) : rows.length === 0 ? (
        <NoRuns filtered={filtered} />
      ) : (
        <>
          <RowList
            rows={rows} label="Runs" grid="runs-grid" total={total} more={hasNextPage} loadMore={loadMore} of={JSON.stringify([filter, sort])} row={cells}
            head={
              <>
                <span role="columnheader">Status</span>
                <span role="columnheader">Batch</span>
                <span role="columnheader">Steps</span>
                <Sorter label="Started" column="startedAt" sort={sort} set={(next) => set({ sort: next })} />
                <Sorter label="Duration" column="durationMs" sort={sort} set={(next) => set({ sort: next })} />
                <span role="columnheader">Trigger</span>
                <span role="columnheader">Ver.</span>
              </>
            }
          />
          <p className="dim tiny num" style={{ marginTop: 8 }} data-testid="run-total" data-position={list.data.pages[0]?.asOf.position}>{rows.length < total ? `${rows.length.toLocaleString('en')} loaded of ` : ''}{total.toLocaleString('en')} {total === 1 ? 'run' : 'runs'}</p>
        </>
      )}
    </>
  );
}

const cells = (run: RunRow) => <Cells run={run} />;

function Cells({ run }: { readonly run: RunRow }) {
  const { id, batchName, status, paused, counts, startedAt, endedAt, durationMs, trigger, startedBy, batchVersion, error, reason } = run;
  return (
    <>
      <span role="cell"><RunChip status={status} paused={paused} /></span>
      <span role="cell" className="ellipsis">
        <Link to="/runs/$runId" params={{ runId: id }} className="cover">{batchName}</Link> <span className="dim mono tiny">{shortId(id)}</span>
        <br />
        <span className="tiny dim">{error !== null ? <span className="tone-bad">{error.message}</span> : (reason ?? '')}</span>
      </span>
      <span role="cell" className="row wide-only" style={{ gap: 8 }}><CountsBar counts={counts} /><span className="tiny dim num nowrap" title={countsText(counts)}>{counts.succeeded}/{counts.total}</span></span>
      <span role="cell" className="tiny"><Ago at={startedAt} /></span>
      <span role="cell" className="wide-only tiny"><Lasting from={startedAt} to={endedAt} ms={durationMs} /></span>
      <span role="cell" className="wide-only tiny ellipsis">{TRIGGER_LABELS[trigger.type]} <span className="dim">by {startedBy}</span></span>
      <span role="cell" className="wide-only tiny dim num">v{batchVersion}</span>
    </>
  );
}

function Sorter({ label, column, sort, set }: { readonly label: string; readonly column: 'startedAt' | 'durationMs'; readonly sort: RunSort; readonly set: (sort: RunSort) => void }) {
  const active = sort.slice(1) === column;
  const falling = sort.startsWith('-');
  return (
    <span role="columnheader" aria-sort={active ? (falling ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className="sorter" {...(active && { 'data-active': true })} onClick={() => set(active && falling ? `+${column}` : `-${column}`)}>
        {label} {active && <Icon name={falling ? 'arrowDown' : 'arrowUp'} size={12} />}
      </button>
    </span>
  );
}

function NoRuns({ filtered }: { readonly filtered: boolean }) {
  return (
    <div className="panel">
      {filtered ? (
        <Empty icon="filter" title="No run is like that"><p>Take away a filter, or look for another name.</p><Link to="/runs" className="link">Show all runs</Link></Empty>
      ) : (
        <Empty icon="playerPlay" title="Nothing has run yet"><p>A run begins when somebody starts a batch, or its schedule does.</p><Link to="/batches" className="link">Choose a batch to start</Link></Empty>
      )}
    </div>
  );
}

function useFilter({ status, batch, trigger, by, since, q }: RunsSearch): RunFilter {
  // To the minute, so that the question stays the same while one looks.
  const after = since === undefined ? undefined : new Date(Math.floor(Date.now() / 60_000) * 60_000 - SINCE[since][1]).toISOString();
  return useMemo(
    () => without({ status, batch, trigger, startedBy: by, startedAfter: after, q }),
    // eslint-disable-next-line react/exhaustive-deps -- arrays of the address are new at every look
    [JSON.stringify([status, batch, trigger, by, after, q])],
  );
}

function without<T extends object>(search: T): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

/** A row that moved between two pages while they were asked for is shown once. */
function distinct(rows: readonly RunRow[]): readonly RunRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
