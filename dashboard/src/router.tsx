/** The rooms and their addresses. What a page is filtered by stands in its address; each room is loaded when it is entered. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { BASE } from './api/client';
import { EXECUTION_STATUSES, RUN_STATUSES, TRIGGERS } from './api/shapes';
import type { ExecutionStatus, RunStatus, TriggerType } from './api/shapes';
import { runQuery } from './api/queries';
import type { Range, RunSort } from './api/queries';
import { client } from './api/query-client';
import { patiently } from './parts/lazily';
import { PageBroken } from './parts/telling';
import { NoSuchPage, Shell } from './shell/shell';

type Said = Record<string, unknown>;
const text = (said: Said, key: string): string | undefined => {
  const value = said[key];
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined;
};
const several = <T extends string>(said: Said, key: string, known: readonly T[]): readonly T[] | undefined => {
  const value = said[key];
  const all = (Array.isArray(value) ? value : [value]).filter((one): one is T => known.some((other) => other === one));
  return all.length === 0 ? undefined : all;
};
const oneOf = <T extends string>(said: Said, key: string, known: readonly T[]): T | undefined => known.find((one) => one === said[key]);
/** Without what is not said, so that addresses stay short. */
const compact = <T extends object>(search: T): T => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;

export interface RunsSearch {
  readonly view?: 'executions';
  readonly status?: readonly RunStatus[];
  readonly outcome?: readonly ExecutionStatus[];
  readonly batch?: string;
  readonly job?: string;
  readonly trigger?: readonly TriggerType[];
  readonly by?: string;
  readonly since?: string;
  readonly q?: string;
  readonly sort?: RunSort;
}
export const RUN_TABS = ['diagram', 'timeline', 'facts', 'data'] as const;
export type RunTab = (typeof RUN_TABS)[number];
export interface RunSearch {
  readonly tab?: RunTab;
  readonly step?: string;
}
export const INBOX_TABS = ['mine', 'all', 'decided'] as const;
export interface InboxSearch {
  readonly tab?: (typeof INBOX_TABS)[number];
  readonly id?: string;
}
export interface SchedulesSearch {
  readonly batch?: string | undefined;
  /** The day that is looked at, like 2026-01-31. */
  readonly day?: string | undefined;
  /** How many times four weeks ago. */
  readonly back?: number | undefined;
}
export interface BatchSearch {
  readonly start?: boolean;
  readonly version?: number;
}

const root = createRootRoute({ component: Shell, notFoundComponent: NoSuchPage });
const overview = createRoute({ getParentRoute: () => root, path: '/', validateSearch: (said: Said): { readonly range?: Range } => compact({ range: oneOf(said, 'range', ['hour', 'day', 'week'] as const) }), component: lazyRouteComponent(() => patiently(() => import('./pages/overview')), 'Overview') });
const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: (said: Said): RunsSearch =>
    compact({
      view: oneOf(said, 'view', ['executions']), status: several(said, 'status', RUN_STATUSES), outcome: several(said, 'outcome', EXECUTION_STATUSES), batch: text(said, 'batch'), job: text(said, 'job'),
      trigger: several(said, 'trigger', TRIGGERS), by: text(said, 'by'), since: text(said, 'since'), q: text(said, 'q'), sort: oneOf(said, 'sort', ['-startedAt', '+startedAt', '-durationMs', '+durationMs'] as const),
    }),
  component: lazyRouteComponent(() => patiently(() => import('./pages/runs')), 'Runs'),
});
const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  validateSearch: (said: Said): RunSearch => compact({ tab: oneOf(said, 'tab', RUN_TABS), step: text(said, 'step') }),
  // Asked for while the page is loaded. What is wrong with it shows there.
  loader: ({ params: { runId } }) => {
    void client.prefetchQuery(runQuery(runId));
    void import('./run/diagram').catch(() => undefined);
  },
  component: lazyRouteComponent(() => patiently(() => import('./pages/run')), 'RunPage'),
});
const approvals = createRoute({
  getParentRoute: () => root,
  path: '/approvals',
  validateSearch: (said: Said): InboxSearch => compact({ tab: oneOf(said, 'tab', INBOX_TABS), id: text(said, 'id') }),
  component: lazyRouteComponent(() => patiently(() => import('./pages/approvals')), 'Approvals'),
});
const batches = createRoute({
  getParentRoute: () => root,
  path: '/batches',
  validateSearch: (said: Said): { readonly q?: string } => compact({ q: text(said, 'q') }),
  component: lazyRouteComponent(() => patiently(() => import('./pages/batches')), 'Batches'),
});
const newBatch = createRoute({ getParentRoute: () => root, path: '/batches/new', component: lazyRouteComponent(() => patiently(() => import('./pages/batch-edit')), 'NewBatch') });
const batch = createRoute({
  getParentRoute: () => root,
  path: '/batches/$batch',
  validateSearch: (said: Said): BatchSearch => compact({ start: said['start'] === true || said['start'] === 'true' ? true : undefined, version: typeof said['version'] === 'number' ? said['version'] : undefined }),
  component: lazyRouteComponent(() => patiently(() => import('./pages/batch')), 'BatchPage'),
});
const editBatch = createRoute({ getParentRoute: () => root, path: '/batches/$batch/edit', component: lazyRouteComponent(() => patiently(() => import('./pages/batch-edit')), 'EditBatch') });
const jobs = createRoute({ getParentRoute: () => root, path: '/jobs', component: lazyRouteComponent(() => patiently(() => import('./pages/jobs')), 'Jobs') });
const schedules = createRoute({
  getParentRoute: () => root,
  path: '/schedules',
  validateSearch: (said: Said): SchedulesSearch => compact({ batch: text(said, 'batch'), day: text(said, 'day'), back: typeof said['back'] === 'number' && said['back'] > 0 ? Math.floor(said['back']) : undefined }),
  component: lazyRouteComponent(() => patiently(() => import('./pages/schedules')), 'Schedules'),
});
const settings = createRoute({ getParentRoute: () => root, path: '/settings', component: lazyRouteComponent(() => patiently(() => import('./pages/settings')), 'Settings') });

export const router = createRouter({
  routeTree: root.addChildren([overview, runs, run, approvals, batches, newBatch, batch, editBatch, jobs, schedules, settings]),
  basepath: BASE,
  defaultPreload: 'intent',
  defaultErrorComponent: PageBroken,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
