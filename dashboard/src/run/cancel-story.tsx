/** What a cancel did, from the run's facts: asked for, gates released, jobs told to stop, stopped, or not in time. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { factsQuery } from '../api/queries';
import type { FactRow } from '../api/shapes';
import { Icon } from '../parts/icon';
import type { IconName } from '../parts/icon';
import { Loading } from '../parts/telling';
import { clockTime, moment } from '../parts/time';

interface Chapter {
  readonly id: string;
  readonly icon: IconName;
  readonly tone: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly at: string | undefined;
}

export function CancelStory({ runId }: { readonly runId: string }) {
  const facts = useInfiniteQuery(factsQuery(runId));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = facts;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (facts.data === undefined) return <Loading rows={3} />;
  const chapters = storyOf(facts.data.pages.flatMap(({ items }) => items));
  return (
    <ol style={{ listStyle: 'none', margin: 0, padding: 0 }} className="stack" aria-label="What the cancel did" data-testid="cancel-story">
      {chapters.map(({ id, icon, tone, title, lines, at }) => (
        <li key={id} className="row" style={{ alignItems: 'flex-start' }}>
          <span className={`tone-${tone}`} style={{ display: 'inline-flex', marginTop: 1 }}><Icon name={icon} size={18} /></span>
          <span className="grow">
            <strong>{title}</strong>
            {lines.map((line) => <span key={line} className="small dim" style={{ display: 'block', overflowWrap: 'anywhere' }}>{line}</span>)}
          </span>
          {at !== undefined && <time className="tiny dim num nowrap" dateTime={at} title={moment(at)}>{clockTime(at)}</time>}
        </li>
      ))}
    </ol>
  );
}

function storyOf(facts: readonly FactRow[]): readonly Chapter[] {
  const began = facts.findIndex(({ type }) => type === 'CancelRequested');
  const request = facts[began];
  if (request === undefined) return [{ id: 'none', icon: 'clock', tone: 'idle', title: 'The cancel has not been taken down yet', lines: [], at: undefined }];
  const after = facts.slice(began);
  const of = (type: string): readonly FactRow[] => after.filter((fact) => fact.type === type);
  const step = ({ data }: FactRow): string => String(data['stepId'] ?? '');
  const released = of('GateReleased');
  const told = of('StepStopRequested');
  const stopped = of('StepCancelled').filter(({ data }) => data['orphaned'] !== true);
  const orphaned = after.filter(({ data, type }) => data['orphaned'] === true && (type === 'StepCancelled' || type === 'StepFailed'));
  const undone = of('CompensationStarted')[0];
  const end = of('RunCancelled')[0];
  return [
    { id: 'asked', icon: 'user', tone: 'undo', title: `${String(request.data['by'])} cancelled the run`, lines: [request.data['reason'] === null ? 'No reason was given.' : `“${String(request.data['reason'])}”`], at: request.recordedAt },
    { id: 'gates', icon: 'handStop', tone: released.length > 0 ? 'ok' : 'idle', title: released.length === 0 ? 'No gate was open' : `${count(released.length, 'gate')} released`, lines: released.map((fact) => `${step(fact)}: nobody has to decide any more`), at: released[0]?.recordedAt },
    { id: 'told', icon: 'bolt', tone: told.length > 0 ? 'ok' : 'idle', title: told.length === 0 ? 'No job was running' : `${count(told.length, 'job')} told to stop`, lines: told.map((fact) => `${step(fact)}: has until ${clockTime(String(fact.data['graceEndsAt']))}`), at: told[0]?.recordedAt },
    ...(stopped.length > 0 ? [{ id: 'stopped', icon: 'circleCheck', tone: 'ok', title: `${count(stopped.length, 'job')} stopped`, lines: stopped.map(step), at: stopped.at(-1)?.recordedAt } as const] : []),
    ...(orphaned.length > 0 ? [{ id: 'orphans', icon: 'ghost2', tone: 'bad', title: `${count(orphaned.length, 'job')} did not stop in time`, lines: orphaned.map((fact) => `${step(fact)}: orphaned; what it still reports is refused`), at: orphaned.at(-1)?.recordedAt } as const] : []),
    ...(undone === undefined ? [] : [{ id: 'undone', icon: 'arrowBackUp', tone: 'undo', title: 'What had succeeded was undone', lines: [], at: undone.recordedAt } as const]),
    end === undefined
      ? { id: 'end', icon: 'hourglass', tone: 'wait', title: 'Waiting until everything has stopped', lines: [], at: undefined }
      : { id: 'end', icon: 'ban', tone: 'idle', title: 'The run is cancelled', lines: orphaned.length === 0 ? ['Nothing of it runs any more.'] : [], at: end.recordedAt },
  ];
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
