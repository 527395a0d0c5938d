/** What the pages ask, under the names by which it is kept and made fresh. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { InfiniteData } from '@tanstack/react-query';
import { api, fresh, Refused, seen, together, told, toldWithTag } from './client';
import type { ApprovalRow, BatchDetail, BatchRow, BatchVersion, ExecutionRow, ExecutionStatus, FactRow, JobRow, Page, RunCounts, RunDetail, RunRow, RunStats, RunStatus, StepNode, TriggerType } from './shapes';

export const PAGE = 100;

export interface RunFilter {
  readonly status?: readonly RunStatus[];
  readonly batch?: string;
  readonly trigger?: readonly TriggerType[];
  readonly startedBy?: string;
  readonly startedAfter?: string;
  readonly startedBefore?: string;
  readonly q?: string;
  readonly label?: readonly string[];
}
export const RUN_SORTS = ['-startedAt', '+startedAt', '-durationMs', '+durationMs'] as const;
export type RunSort = (typeof RUN_SORTS)[number];
export interface ExecutionFilter {
  readonly status?: readonly ExecutionStatus[];
  readonly job?: string;
  readonly batch?: string;
  readonly run?: string;
  readonly q?: string;
  readonly from?: string;
  readonly to?: string;
}

const list = <T>(rows?: readonly T[]): T[] | undefined => (rows === undefined || rows.length === 0 ? undefined : [...rows]);

export const runsPage = (filter: RunFilter, { sort = '-startedAt', limit = PAGE, cursor }: { sort?: RunSort; limit?: number; cursor?: string | undefined } = {}, signal?: AbortSignal): Promise<Page<RunRow>> =>
  told(api.GET('/runs', { params: { query: { ...filter, status: list(filter.status), trigger: list(filter.trigger), label: list(filter.label), sort, limit: String(limit), cursor, ...(cursor === undefined && fresh()) } }, signal }));
export const runCounts = (filter: RunFilter, signal?: AbortSignal) =>
  told(api.GET('/runs/counts', { params: { query: { ...filter, status: list(filter.status), trigger: list(filter.trigger), label: list(filter.label), ...fresh() } }, signal }));
const approvalsPage = (query: { state: 'pending' | 'decided'; mine?: 'true'; cursor?: string | undefined; limit?: string }, signal?: AbortSignal) =>
  told(api.GET('/approvals', { params: { query: { limit: String(PAGE), ...query, ...(query.cursor === undefined && fresh()) } }, signal }));

export const meQuery = queryOptions({ queryKey: ['me'], queryFn: ({ signal }) => told(api.GET('/me', { signal })), staleTime: Infinity });
export const aboutQuery = queryOptions({ queryKey: ['about'], queryFn: ({ signal }) => told(api.GET('/about', { signal })), retry: false, refetchInterval: 5_000 });

/** How far the course of the runs is told, and in which steps. */
export const RANGES = {
  hour: { label: '1 hour', ms: 3_600_000, bucket: '1m', bucketMs: 60_000 },
  day: { label: '24 hours', ms: 86_400_000, bucket: '30m', bucketMs: 1_800_000 },
  week: { label: '7 days', ms: 604_800_000, bucket: '6h', bucketMs: 21_600_000 },
} as const;
export type Range = keyof typeof RANGES;

/** The figures that stand on more than one page, all of one moment. */
export const pulseQuery = (range: Range) =>
  queryOptions({
    queryKey: ['pulse', range],
    queryFn: async ({ signal }) => {
      const { ms, bucket, bucketMs } = RANGES[range];
      const fromMs = Math.ceil(Date.now() / bucketMs) * bucketMs - ms;
      const { stats, ...figures } = await told(api.GET('/overview', { params: { query: { from: new Date(fromMs).toISOString(), bucket, ...fresh() } }, signal }));
      seen(figures.asOf.position);
      return { ...figures, course: { range, fromMs, stats } };
    },
    placeholderData: (before) => before,
  });

/** Runs over time, as the overview shows them. */
export interface Course {
  readonly range: Range;
  readonly fromMs: number;
  readonly stats: RunStats;
}

/** For whoever only decides: no more than the doors let them see. */
export const minePulseQuery = queryOptions({ queryKey: ['pulse', 'mine'], queryFn: ({ signal }) => approvalsPage({ state: 'pending', mine: 'true' }, signal) });

/** Page by page; `mine` and `all` wait, and the pulse has their first page. */
export const approvalsQuery = (which: 'mine' | 'all' | 'decided') =>
  infiniteQueryOptions({
    queryKey: ['approvals', which],
    queryFn: ({ pageParam, signal }) => approvalsPage({ state: which === 'decided' ? 'decided' : 'pending', ...(which === 'mine' && { mine: 'true' as const }), cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<ApprovalRow>) => last.nextCursor ?? undefined,
  });

export const approvalQuery = (id: string) =>
  queryOptions({ queryKey: ['approvals', 'one', id], queryFn: ({ signal }) => told(api.GET('/approvals/{id}', { params: { path: { id }, query: fresh() }, signal })) });

export interface RunListPage extends Page<RunRow> {
  /** Of the first page: how many runs of the filter stand where, of the same moment as its rows. */
  readonly counts?: RunCounts;
}

export const runListQuery = (filter: RunFilter, sort: RunSort) =>
  infiniteQueryOptions({
    queryKey: ['runs', filter, sort],
    queryFn: async ({ pageParam, signal, client, queryKey }): Promise<RunListPage> => {
      if (pageParam !== undefined) return runsPage(filter, { sort, cursor: pageParam }, signal);
      // The figures on the filters say what each status would show: they leave the status out.
      const { status: _status, ...others } = filter;
      const before = client.getQueryData<InfiniteData<RunListPage>>(queryKey)?.pages[0];
      const [page, counts] = await together(() => Promise.all([runsPage(filter, { sort }, signal), runCounts(others, signal)]), before?.counts && ([before, before.counts] as [RunListPage, RunCounts]));
      return { ...page, counts };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: RunListPage) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
  });

export const executionListQuery = (filter: ExecutionFilter) =>
  infiniteQueryOptions({
    queryKey: ['executions', filter],
    queryFn: ({ pageParam, signal }) =>
      told(api.GET('/executions', { params: { query: { ...filter, status: list(filter.status), limit: String(PAGE), cursor: pageParam, ...(pageParam === undefined && fresh()) } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<ExecutionRow>) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
  });

const MOST = 500;

async function executionsOf(run: string, signal: AbortSignal): Promise<{ readonly items: readonly ExecutionRow[]; readonly asOf: Page<ExecutionRow>['asOf'] }> {
  const items: ExecutionRow[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await told(api.GET('/executions', { params: { query: { run, limit: String(MOST), cursor, ...(cursor === undefined && fresh()) } }, signal }));
    items.push(...page.items);
    if (page.nextCursor === null) return { items, asOf: page.asOf };
    cursor = page.nextCursor;
  }
}

const executionIds = (steps: readonly StepNode[]): readonly string[] => steps.flatMap((step) => [...step.executionIds, ...(step.branches ?? []).flatMap((branch) => executionIds(branch.steps))]);

/** The run without its attempts, which are many and seldom looked at. */
export const runQuery = (id: string) => queryOptions({ queryKey: ['run', id], queryFn: ({ signal }) => told(api.GET('/runs/{runId}', { params: { path: { runId: id }, query: fresh() }, signal })) });

export interface WholeRun {
  readonly run: RunDetail;
  readonly executions: readonly ExecutionRow[];
}

/** A run and its attempts, of one moment: the detail's position is that of the run's last fact. */
export const attemptsQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'attempts'],
    queryFn: async ({ signal }): Promise<WholeRun> => {
      for (let round = 1; ; round += 1) {
        const [run, executions] = await Promise.all([
          told(api.GET('/runs/{runId}', { params: { path: { runId: id }, query: fresh() }, signal })),
          executionsOf(id, signal).catch((error: unknown) => {
            // Who holds a gate's role alone may look at the run, and not at lists.
            if (error instanceof Refused && error.status === 403) return { items: [], asOf: undefined };
            throw error;
          }),
        ]);
        const before = executions.asOf !== undefined && run.position > executions.asOf.position;
        // Of an attempt that the run does not know yet the list is ahead.
        const known = new Set(executionIds(run.steps));
        const ahead = executions.items.some((one) => !known.has(one.id));
        seen(executions.asOf?.position);
        seen(run.position);
        if (!(before || ahead) || round === 4) return { run, executions: [...executions.items].reverse() };
      }
    },
  });

export const factsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['facts', id],
    queryFn: ({ pageParam, signal }) => told(api.GET('/runs/{runId}/events', { params: { path: { runId: id }, query: { limit: String(MOST), ...(pageParam === undefined ? {} : { after: pageParam }) } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<FactRow>) => last.nextCursor ?? undefined,
  });

export const batchesQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ['batches', q],
    queryFn: ({ pageParam, signal }) => told(api.GET('/batches', { params: { query: { ...(q !== '' && { q }), limit: String(PAGE), cursor: pageParam, ...(pageParam === undefined && fresh()) } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<BatchRow>) => last.nextCursor ?? undefined,
    placeholderData: (before) => before,
  });
export const batchQuery = (batch: string) =>
  queryOptions({ queryKey: ['batch', batch], queryFn: ({ signal }) => toldWithTag(api.GET('/batches/{batch}', { params: { path: { batch }, query: fresh() }, signal })).then(({ data, etag }) => ({ data: data as BatchDetail, etag })) });
export const versionsQuery = (batch: string) =>
  queryOptions({ queryKey: ['batch', batch, 'versions'], queryFn: ({ signal }) => told(api.GET('/batches/{batch}/versions', { params: { path: { batch }, query: fresh() }, signal })) });
export const versionQuery = (batch: string, version: number) =>
  queryOptions({
    queryKey: ['batch', batch, 'version', version],
    queryFn: ({ signal }) => told(api.GET('/batches/{batch}/versions/{version}', { params: { path: { batch, version: String(version) } }, signal })).then((found) => found as BatchVersion),
    staleTime: Infinity,
  });
export const batchRunsQuery = (batch: string) =>
  queryOptions({
    queryKey: ['runs', 'of', batch],
    queryFn: async ({ signal }) => {
      const [runs, counts] = await together(() => Promise.all([runsPage({ batch }, { limit: 10 }, signal), runCounts({ batch }, signal)]));
      return { runs, counts };
    },
  });
export const jobsQuery = queryOptions({
  queryKey: ['jobs'],
  queryFn: async ({ signal }) => {
    const items: JobRow[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await told(api.GET('/jobs', { params: { query: { limit: String(MOST), cursor } }, signal }));
      items.push(...page.items);
      if (page.nextCursor === null) return items;
      cursor = page.nextCursor;
    }
  },
});

export const schedulesQuery = queryOptions({ queryKey: ['schedules'], queryFn: ({ signal }) => told(api.GET('/schedules', { params: { query: { limit: String(MOST), ...fresh() } }, signal })), refetchInterval: 15_000 });
/** What became of the occurrences of a stretch; without an end, until now. */
export const occurrencesQuery = (batch: string, from: Date, to: Date | undefined) =>
  queryOptions({
    queryKey: ['occurrences', batch, from.toISOString(), to?.toISOString() ?? 'now'],
    queryFn: ({ signal }) => told(api.GET('/batches/{batch}/schedule/occurrences', { params: { path: { batch }, query: { from: from.toISOString(), to: to?.toISOString(), limit: String(MOST), ...fresh() } }, signal })),
    // What is over changes seldom: by a backfill, or when what waited has its turn.
    staleTime: ({ state: { data } }) => (to === undefined || data === undefined || data.pending > 0 ? 5_000 : 300_000),
    refetchInterval: to === undefined ? 15_000 : false,
  });
export const previewQuery = (cron: string, timeZone: string, from?: string) =>
  queryOptions({ queryKey: ['preview', cron, timeZone, from], queryFn: ({ signal }) => told(api.GET('/schedules/preview', { params: { query: { cron, timeZone, count: '5', from } }, signal })), retry: false, staleTime: 60_000 });
export const backfillQuery = (batch: string, id: string) =>
  queryOptions({
    queryKey: ['occurrences', batch, 'backfill', id],
    queryFn: ({ signal }) => told(api.GET('/batches/{batch}/schedule/backfills/{id}', { params: { path: { batch, id }, query: fresh() }, signal })),
    refetchInterval: ({ state: { data } }) => (data === undefined || data.endedAt === null || ['running', 'parked', 'failing', 'compensating', 'cancelling'].some((status) => (data.runs[status] ?? 0) > 0) ? 1_000 : false),
  });
