/** Times: how long ago, with the moment and its zone beside; durations as people say them. */
import { useSyncExternalStore } from 'react';

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const MOMENT = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short' });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' });

export const moment = (iso: string): string => MOMENT.format(new Date(iso));
export const clockTime = (iso: string): string => CLOCK.format(new Date(iso));
export const day = (iso: string): string => DAY.format(new Date(iso));

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1_000]];

export function relative(iso: string, now: number): string {
  const away = Date.parse(iso) - now;
  const [unit, size] = UNITS.find(([, ms]) => Math.abs(away) >= ms) ?? ['second', 1_000];
  return RELATIVE.format(Math.trunc(away / size), unit);
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const [days, hours, minutes, seconds] = [Math.floor(ms / 86_400_000), Math.floor(ms / 3_600_000) % 24, Math.floor(ms / 60_000) % 60, Math.floor(ms / 1_000) % 60];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${seconds} s`;
}

let now = Date.now();
const watchers = new Set<() => void>();
let ticking: number | undefined;

/** One second hand for the whole page. */
function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  ticking ??= window.setInterval(() => {
    now = Date.now();
    for (const one of watchers) one();
  }, 1_000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    window.clearInterval(ticking);
    ticking = undefined;
  };
}

export function useNow(): number {
  return useSyncExternalStore(watch, () => now);
}

export function Ago({ at }: { readonly at: string }) {
  const current = useNow();
  return (
    <time dateTime={at} title={moment(at)} className="num nowrap">
      {relative(at, current)}
    </time>
  );
}

/** Until it has ended, how long it has been going on. */
export function Lasting({ from, to, ms }: { readonly from: string | null; readonly to: string | null; readonly ms?: number | null }) {
  if (ms !== null && ms !== undefined) return <span className="num nowrap">{duration(ms)}</span>;
  if (from === null) return <span className="dim">–</span>;
  if (to !== null) return <span className="num nowrap">{duration(Date.parse(to) - Date.parse(from))}</span>;
  return <Running from={from} />;
}

function Running({ from }: { readonly from: string }) {
  const current = useNow();
  return <span className="num nowrap">{duration(Math.floor(Math.max(0, current - Date.parse(from)) / 1_000) * 1_000 || 0).replace('.0 s', ' s')}</span>;
}
