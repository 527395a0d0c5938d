/** The facts: what the log holds of the run, oldest first, each with who did it and its data. */
import { Button, Switch } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { factsQuery } from '../api/queries';
import type { FactRow } from '../api/shapes';
import { Icon } from '../parts/icon';
import { JsonView } from '../parts/json-view';
import { Loading, Problem } from '../parts/telling';
import { clockTime, moment } from '../parts/time';

/** `StepRetryScheduled` as people say it. */
export const words = (type: string): string => type.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);

export function Facts({ runId }: { readonly runId: string }) {
  const facts = useInfiniteQuery(factsQuery(runId));
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [newestFirst, setNewestFirst] = useState(false);
  if (facts.data === undefined) return facts.error === null ? <Loading /> : <Problem error={facts.error} />;
  const rows = facts.data.pages.flatMap(({ items }) => items);
  const total = facts.data.pages.at(-1)?.total ?? 0;
  const toggle = (id: string): void => setOpen((before) => new Set(before.has(id) ? [...before].filter((one) => one !== id) : [...before, id]));
  return (
    <>
      <div className="row between" style={{ padding: '8px 14px', borderBottom: '1px solid var(--line)' }}>
        <span className="dim small num">{rows.length < total ? `${rows.length} of ${total}` : total} facts</span>
        <Switch size="xs" label="Newest first" checked={newestFirst} onChange={(event) => setNewestFirst(event.currentTarget.checked)} />
      </div>
      <ol className="facts">
        {(newestFirst ? [...rows].reverse() : rows).map((fact) => (
          <li key={fact.id} style={{ contentVisibility: 'auto', containIntrinsicSize: 'auto 34px' }}>
            <button type="button" className="fact" aria-expanded={open.has(fact.id)} onClick={() => toggle(fact.id)}>
              <span className="num dim tiny">{fact.revision}</span>
              <span className="row" style={{ gap: 6, fontWeight: 560 }}><Icon name={open.has(fact.id) ? 'chevronDown' : 'chevronRight'} size={13} />{words(fact.type)}</span>
              <span className="says dim ellipsis">{says(fact)}</span>
              <time className="num tiny dim nowrap" dateTime={fact.recordedAt} title={moment(fact.recordedAt)}>{clockTime(fact.recordedAt)}</time>
            </button>
            {open.has(fact.id) && (
              <div style={{ padding: '10px 14px 14px', borderBottom: '1px solid var(--line)' }} className="stack">
                <dl className="kv tiny">
                  <dt>By</dt><dd>{fact.metadata['actor']} ({fact.metadata['roles'] === '' ? 'no roles' : fact.metadata['roles']}) via {fact.metadata['via']}</dd>
                  <dt>At</dt><dd>{moment(fact.metadata['at'] ?? fact.recordedAt)}</dd>
                  <dt>Position</dt><dd className="mono">{fact.position}</dd>
                  <dt>Hash</dt><dd className="mono">{fact.metadata['hash']}</dd>
                </dl>
                <JsonView value={fact.data} label={`Data of fact ${fact.revision}`} />
              </div>
            )}
          </li>
        ))}
      </ol>
      {facts.hasNextPage && <div style={{ padding: 12, textAlign: 'center' }}><Button variant="default" loading={facts.isFetchingNextPage} onClick={() => void facts.fetchNextPage()}>More facts</Button></div>}
    </>
  );
}

/** In one line: which step, by whom, why. */
function says({ data, metadata }: FactRow): string {
  const text = (key: string): string | undefined => (typeof data[key] === 'string' ? data[key] : undefined);
  const error = data['error'];
  const message = typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string' ? error.message : undefined;
  const actor = metadata['actor'];
  // What a node says of its jobs is by nobody.
  const by = text('by') ?? (actor === undefined || actor.startsWith('node:') ? undefined : actor);
  return [text('stepId'), typeof data['attempt'] === 'number' && data['attempt'] > 1 ? `attempt ${data['attempt']}` : undefined, by && `by ${by}`, text('reason') ?? text('note'), message].filter((part) => part !== undefined && part !== '').join(' · ');
}
