/** The rooms and their addresses. What a page is filtered by stands in its address; each room is loaded when it is entered. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { BASE } from './api/client';
import { runQuery } from './api/queries';
import { client } from './api/query-client';
import { patiently } from './parts/lazily';
import { PageBroken } from './parts/telling';
import { batchesSearch, batchSearch, inboxSearch, overviewSearch, runSearch, runsSearch, schedulesSearch } from './search';
import { NoSuchPage, Shell } from './shell/shell';

const root = createRootRoute({ component: Shell, notFoundComponent: NoSuchPage });
const overview = createRoute({ getParentRoute: () => root, path: '/', validateSearch: overviewSearch, component: lazyRouteComponent(() => patiently(() => import('./pages/overview')), 'Overview') });
const runs = createRoute({
  getParentRoute: () => root,
  path: '/runs',
  validateSearch: runsSearch,
  component: lazyRouteComponent(() => patiently(() => import('./pages/runs')), 'Runs'),
});
const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$runId',
  validateSearch: runSearch,
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
  validateSearch: inboxSearch,
  component: lazyRouteComponent(() => patiently(() => import('./pages/approvals')), 'Approvals'),
});
const batches = createRoute({
  getParentRoute: () => root,
  path: '/batches',
  validateSearch: batchesSearch,
  component: lazyRouteComponent(() => patiently(() => import('./pages/batches')), 'Batches'),
});
const newBatch = createRoute({ getParentRoute: () => root, path: '/batches/new', component: lazyRouteComponent(() => patiently(() => import('./pages/batch-edit')), 'NewBatch') });
const batch = createRoute({
  getParentRoute: () => root,
  path: '/batches/$batch',
  validateSearch: batchSearch,
  component: lazyRouteComponent(() => patiently(() => import('./pages/batch')), 'BatchPage'),
});
const editBatch = createRoute({ getParentRoute: () => root, path: '/batches/$batch/edit', component: lazyRouteComponent(() => patiently(() => import('./pages/batch-edit')), 'EditBatch') });
const jobs = createRoute({ getParentRoute: () => root, path: '/jobs', component: lazyRouteComponent(() => patiently(() => import('./pages/jobs')), 'Jobs') });
const schedules = createRoute({
  getParentRoute: () => root,
  path: '/schedules',
  validateSearch: schedulesSearch,
  component: lazyRouteComponent(() => patiently(() => import('./pages/schedules')), 'Schedules'),
});
const settings = createRoute({ getParentRoute: () => root, path: '/settings', component: lazyRouteComponent(() => patiently(() => import('./pages/settings')), 'Settings') });

export const router = createRouter({
  routeTree: root.addChildren([overview, runs, run, approvals, batches, newBatch, batch, editBatch, jobs, schedules, settings]),
  basepath: BASE,
  defaultPreload: 'intent',
  // Without it what a room does not understand would reach its page beside what it does.
  search: { strict: true },
  defaultErrorComponent: PageBroken,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
