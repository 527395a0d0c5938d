/** Runs by the time they started and what became of them: stacked bars, and the same as a table for whoever does not see them. */
import { RANGES } from '../api/queries';
import type { Course } from '../api/queries';
import { RUN_STATUSES } from '../api/shapes';
import type { RunStats, RunStatus } from '../api/shapes';
import { RUN_LOOKS } from './status';
import type { Tone } from './status';
import { clockTime, day, moment, ZONE } from './time';

const TONES: readonly Tone[] = ['ok', 'bad', 'idle', 'undo', 'wait', 'run'];
const TONE_NAMES: Readonly<Record<Tone, string>> = { ok: 'completed', bad: 'failed or failing', idle: 'cancelled', undo: 'being undone', wait: 'parked', run: 'running' };

export function RunsOverTime({ range, fromMs, stats }: Course) {
  const { ms, bucketMs } = RANGES[range];
  const buckets = Math.round(ms / bucketMs);
  const byTime = new Map(stats.items.map((item) => [Math.floor((Date.parse(item.bucket) - fromMs) / bucketMs), item]));
  const bars = Array.from({ length: buckets }, (_, at) => ({ at: new Date(fromMs + at * bucketMs).toISOString(), item: byTime.get(at) }));
  const most = Math.max(1, ...bars.map(({ item }) => item?.started ?? 0));
  const total = bars.reduce((sum, { item }) => sum + (item?.started ?? 0), 0);
  const width = 100 / buckets;
  return (
    <figure style={{ margin: 0 }}>
      <div className="row between tiny dim" style={{ marginBottom: 4 }}>
        <span className="num" data-testid="started">{total.toLocaleString('en')} started, at most {most === 1 && total === 0 ? 0 : most.toLocaleString('en')} in one bar</span>
        <span className="row wrap" aria-hidden="true">
          {TONES.map((tone) => (
            <span key={tone} className="row" style={{ gap: 4 }}><svg width="8" height="8"><rect width="8" height="8" rx="2" className={`fill-${tone}`} /></svg>{TONE_NAMES[tone]}</span>
          ))}
        </span>
      </div>
      <svg className="chart" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={`${total} runs were started in this range`}>
        <line x1="0" x2="100" y1="99.6" y2="99.6" stroke="var(--line-strong)" strokeWidth="1" vectorEffect="non-scaling-stroke" />
        {bars.map(({ at, item }, index) => item && <Bar key={at} item={item} at={at} x={index * width} width={width * 0.8} most={most} />)}
      </svg>
      <div className="row between tiny dim num">
        {[0, 0.25, 0.5, 0.75, 1].map((part) => {
          const iso = new Date(fromMs + part * buckets * bucketMs).toISOString();
          return <span key={part}>{range === 'week' ? day(iso) : clockTime(iso).slice(0, 5)}</span>;
        })}
      </div>
      <figcaption className="visually-hidden">
        Times in {ZONE}.
        <table>
          <thead><tr><th>From</th><th>Started</th><th>Of these</th></tr></thead>
          <tbody>{bars.map(({ at, item }) => item && <tr key={at}><td>{moment(at)}</td><td>{item.started}</td><td>{said(item.byStatus)}</td></tr>)}</tbody>
        </table>
      </figcaption>
    </figure>
  );
}

function said(byStatus: Readonly<Partial<Record<RunStatus, number>>>): string {
  return RUN_STATUSES.filter((status) => (byStatus[status] ?? 0) > 0).map((status) => `${byStatus[status]} ${RUN_LOOKS[status].label.toLowerCase()}`).join(', ');
}

function Bar({ item, at, x, width, most }: { readonly item: RunStats['items'][number]; readonly at: string; readonly x: number; readonly width: number; readonly most: number }) {
  let y = 99;
  return (
    <g>
      <title>{`${moment(at)}: ${item.started} started; ${said(item.byStatus)}`}</title>
      {TONES.map((tone) => {
        const count = RUN_STATUSES.filter((status) => RUN_LOOKS[status].tone === tone).reduce((sum, status) => sum + (item.byStatus[status] ?? 0), 0);
        const height = (count / most) * 96;
        y -= height;
        return count === 0 ? null : <rect key={tone} x={x} y={y} width={width} height={height} className={`fill-${tone}`} />;
      })}
    </g>
  );
}
