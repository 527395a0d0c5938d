/** What may stand in the address of each room, and how it is read: what is not understood is left out. */
import { EXECUTION_STATUSES, RUN_STATUSES, TRIGGERS } from './api/shapes';
import type { ExecutionStatus, RunStatus, TriggerType } from './api/shapes';
import { RANGES, RUN_SORTS } from './api/queries';
import type { Range, RunSort } from './api/queries';

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
/** From 1 on. */
const whole = (said: Said, key: string, most: number): number | undefined => {
  const value = said[key];
  return typeof value === 'number' && value >= 1 ? Math.min(most, Math.floor(value)) : undefined;
};
/** Twenty years of four weeks. */
const MOST_BACK = 260;
/** Without what is not said, so that addresses stay short. */
const compact = <T extends object>(search: T): T => Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;

/** The stretches by which runs are filtered, up to now. */
export const SINCE = { '1h': ['The last hour', 3_600_000], '24h': ['The last 24 hours', 86_400_000], '7d': ['The last 7 days', 604_800_000] } as const;
export type Since = keyof typeof SINCE;
const keysOf = <T extends string>(record: Readonly<Record<T, unknown>>): readonly T[] => Object.keys(record) as T[];

export interface RunsSearch {
  readonly view?: 'executions';
  readonly status?: readonly RunStatus[];
  readonly outcome?: readonly ExecutionStatus[];
  readonly batch?: string;
  readonly job?: string;
  readonly trigger?: readonly TriggerType[];
  readonly by?: string;
  readonly since?: Since;
  readonly q?: string;
  readonly sort?: RunSort;
}
export interface OverviewSearch {
  readonly range?: Range;
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
export interface BatchesSearch {
  readonly q?: string;
}
export interface BatchSearch {
  readonly start?: boolean;
  readonly version?: number;
}

export const overviewSearch = (said: Said): OverviewSearch => compact({ range: oneOf(said, 'range', keysOf(RANGES)) });
export const runsSearch = (said: Said): RunsSearch =>
  compact({
    view: oneOf(said, 'view', ['executions']), status: several(said, 'status', RUN_STATUSES), outcome: several(said, 'outcome', EXECUTION_STATUSES), batch: text(said, 'batch'), job: text(said, 'job'),
    trigger: several(said, 'trigger', TRIGGERS), by: text(said, 'by'), since: oneOf(said, 'since', keysOf(SINCE)), q: text(said, 'q'), sort: oneOf(said, 'sort', RUN_SORTS),
  });
export const runSearch = (said: Said): RunSearch => compact({ tab: oneOf(said, 'tab', RUN_TABS), step: text(said, 'step') });
export const inboxSearch = (said: Said): InboxSearch => compact({ tab: oneOf(said, 'tab', INBOX_TABS), id: text(said, 'id') });
export const batchesSearch = (said: Said): BatchesSearch => compact({ q: text(said, 'q') });
export const batchSearch = (said: Said): BatchSearch => compact({ start: said['start'] === true || said['start'] === 'true' ? true : undefined, version: whole(said, 'version', 1_000_000) });
export const schedulesSearch = (said: Said): SchedulesSearch => compact({ batch: text(said, 'batch'), day: text(said, 'day'), back: whole(said, 'back', MOST_BACK) });
