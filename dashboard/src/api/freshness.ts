/** Turns what happens into what is asked again. Nothing is guessed: rows that are shown come from the server. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { live } from './live';
import type { LiveMessage } from './live';
import { runCounts } from './queries';
import type { RunFilter, RunListPage } from './queries';
import type { ExecutionRow, OccurrenceList, Page, RunRow } from './shapes';

export function keepFresh(client: QueryClient): () => void {
  return live.listen((told) => {
    if (told === 'again') return void client.invalidateQueries();
    if (told === 'everything') return void afresh(client);
    const runs = rowsIn<RunRow>(told, 'run');
    const executions = rowsIn<ExecutionRow>(told, 'execution');
    void client.invalidateQueries({ queryKey: ['pulse'] });
    const batches = told.some(({ event }) => event === 'batch');
    if (batches) for (const key of ['batches', 'batch', 'palette']) void client.invalidateQueries({ queryKey: [key] });
    // That a batch has no schedule any more is told of the batch.
    if (batches || told.some(({ event }) => event === 'schedule')) void freshSchedules(client);
    if (rowsIn(told, 'approval').size > 0) void client.invalidateQueries({ queryKey: ['approvals'] });
    if (runs.size > 0) void client.invalidateQueries({ queryKey: ['runs', 'of'] });
    for (const id of new Set([...runs.keys(), ...[...executions.values()].map(({ runId }) => runId)])) {
      void client.invalidateQueries({ queryKey: ['run', id] });
      void client.invalidateQueries({ queryKey: ['facts', id] });
    }
    if (runs.size > 0) void freshRunLists(client, runs);
    if (executions.size > 0) freshExecutionLists(client, executions);
  });
}

/** Days that are over and judged stay as they are. */
async function freshSchedules(client: QueryClient): Promise<void> {
  await client.invalidateQueries({ queryKey: ['schedules'] });
  await client.invalidateQueries({ queryKey: ['occurrences'], predicate: ({ queryKey, state }) => queryKey[3] === 'now' || queryKey[2] === 'backfill' || ((state.data as OccurrenceList | undefined)?.pending ?? 1) > 0 });
}

/** What was asked before a break may never be answered: it is let go of, and asked again. */
async function afresh(client: QueryClient): Promise<void> {
  await client.cancelQueries();
  await client.invalidateQueries();
}

function rowsIn<T>(messages: readonly LiveMessage[], event: string): ReadonlyMap<string, T> {
  // The message holds the row whole, as the lists have it.
  return new Map(messages.filter((message) => message.event === event && message.data.id !== undefined).map(({ data }) => [data.id ?? '', data as T]));
}

/** One page is asked again whole. Where somebody has scrolled through many, rows change where they stand and none moves. */
async function freshRunLists(client: QueryClient, changed: ReadonlyMap<string, RunRow>): Promise<void> {
  for (const query of client.getQueryCache().findAll({ queryKey: ['runs'], type: 'active' })) {
    const { queryKey } = query;
    const [, filter] = queryKey;
    const data = query.state.data as InfiniteData<RunListPage> | undefined;
    if (typeof filter !== 'object' || filter === null || data === undefined) continue;
    if (data.pages.length === 1) {
      void client.invalidateQueries({ queryKey, exact: true });
      continue;
    }
    const { status: _status, ...others } = filter as RunFilter;
    const counts = await runCounts(others).catch(() => undefined);
    client.setQueryData<InfiniteData<RunListPage>>(queryKey, (now) => now && { ...now, pages: now.pages.map((page, at) => ({ ...inPlace(page, changed), ...(at === 0 && counts !== undefined && { counts }) })) });
  }
}

function freshExecutionLists(client: QueryClient, changed: ReadonlyMap<string, ExecutionRow>): void {
  for (const { queryKey, state } of client.getQueryCache().findAll({ queryKey: ['executions'], type: 'active' })) {
    const data = state.data as InfiniteData<Page<ExecutionRow>> | undefined;
    if (data === undefined || data.pages.length === 1) void client.invalidateQueries({ queryKey, exact: true });
    else client.setQueryData<InfiniteData<Page<ExecutionRow>>>(queryKey, (now) => now && { ...now, pages: now.pages.map((page) => inPlace(page, changed)) });
  }
}

function inPlace<P extends Page<{ readonly id: string }>>(page: P, changed: ReadonlyMap<string, P['items'][number]>): P {
  return page.items.some(({ id }) => changed.has(id)) ? { ...page, items: page.items.map((row) => changed.get(row.id) ?? row) } : page;
}
