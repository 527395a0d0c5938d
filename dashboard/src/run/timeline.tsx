/** The timeline: what each attempt and each wait took, one row a step. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { ApprovalRow, ExecutionRow, RunDetail } from '../api/shapes';
import { EXECUTION_LOOKS, OUTCOME_LOOKS } from '../parts/status';
import { Empty } from '../parts/telling';
import { clockTime, duration, moment, useNow, ZONE } from '../parts/time';

interface Span {
  readonly from: number;
  readonly to: number;
  readonly kind: 'queued' | 'work' | 'person';
  readonly tone: string;
  readonly text: string;
}
interface Line {
  readonly id: string;
  readonly spans: readonly Span[];
  readonly took: number;
}

export function Timeline({ run, executions, choose }: { readonly run: RunDetail; readonly executions: readonly ExecutionRow[]; readonly choose: (id: string) => void }) {
  const clock = useNow();
  const now = run.endedAt === null ? Math.max(clock, Date.parse(run.startedAt)) : Date.parse(run.endedAt);
  const lines = linesOf(executions, run.approvals, now);
  const from = Date.parse(run.startedAt);
  const to = Math.max(now, ...lines.flatMap(({ spans }) => spans.map((span) => span.to)), from + 1);
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({ count: lines.length, getScrollElement: () => scroll.current, estimateSize: () => 30, overscan: 10 });
  if (lines.length === 0) return <Empty icon="clock" title="Nothing has begun yet"><p>Each attempt and each wait shows up here with how long it took.</p></Empty>;
  return (
    <div className="gantt">
      <div className="axis" style={{ padding: '0 14px' }}>
        <span>{ZONE}</span>
        <span className="ticks num">
          {[0, 0.25, 0.5, 0.75, 1].map((part) => <span key={part} title={moment(new Date(from + part * (to - from)).toISOString())}>{part === 0 ? clockTime(run.startedAt) : `+${duration(part * (to - from))}`}</span>)}
        </span>
        <span className="right">Took</span>
      </div>
      <div ref={scroll} style={{ maxHeight: 560, overflowY: 'auto' }} tabIndex={0} role="list" aria-label="Attempts and waits">
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const line = lines[index];
            return line && (
              <div key={line.id} role="listitem" className="grow-row" style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${start}px)`, padding: '0 14px' }}>
                <button type="button" className="sorter ellipsis" style={{ display: 'block', textAlign: 'left' }} onClick={() => choose(line.id)}>{line.id}</button>
                <span className="track">
                  {line.spans.map((span) => (
                    <span
                      key={`${span.kind} ${span.from} ${span.text}`} className={`span fill-${span.tone} ${span.kind}`} title={span.text} role="img" aria-label={span.text}
                      style={{ left: `${((span.from - from) / (to - from)) * 100}%`, width: `${((span.to - span.from) / (to - from)) * 100}%` }}
                    />
                  ))}
                </span>
                <span className="right num dim">{duration(line.took)}</span>
              </div>
            );
          })}
        </div>
      </div>
      <p className="tiny dim" style={{ padding: '8px 14px' }}>Thin: waiting for a slot or the next attempt. Solid: a job. Hatched: people.</p>
    </div>
  );
}

function linesOf(executions: readonly ExecutionRow[], approvals: readonly ApprovalRow[], now: number): readonly Line[] {
  const byStep = new Map<string, Span[]>();
  const add = (id: string, ...spans: readonly Span[]): void => void byStep.set(id, [...(byStep.get(id) ?? []), ...spans]);
  const ended = new Map<string, number>();
  for (const { stepId, attempt, status, queuedAt, startedAt, endedAt } of executions) {
    const begun = startedAt === null ? undefined : Date.parse(startedAt);
    const end = endedAt === null ? now : Date.parse(endedAt);
    const queued = ended.get(stepId) ?? Date.parse(queuedAt);
    const { tone, label } = EXECUTION_LOOKS[status];
    add(stepId, { from: queued, to: begun ?? end, kind: 'queued', tone: 'idle', text: `Attempt ${attempt} waited ${duration((begun ?? end) - queued)}` });
    if (begun !== undefined) add(stepId, { from: begun, to: end, kind: 'work', tone, text: `Attempt ${attempt}: ${label.toLowerCase()}, ${duration(end - begun)}` });
    ended.set(stepId, end);
  }
  for (const { stepId, since, decidedAt, outcome } of approvals) {
    const [from, to] = [Date.parse(since), decidedAt === null ? now : Date.parse(decidedAt)];
    const look = outcome === null ? undefined : OUTCOME_LOOKS[outcome];
    add(stepId, { from, to, kind: 'person', tone: look?.tone ?? 'wait', text: `${look === undefined ? 'Waits for people' : look.label}, ${duration(to - from)}` });
  }
  return [...byStep]
    .map(([id, spans]) => ({ id, spans, took: Math.max(...spans.map(({ to }) => to)) - Math.min(...spans.map(({ from }) => from)) }))
    .sort((one, other) => (one.spans[0]?.from ?? 0) - (other.spans[0]?.from ?? 0));
}
