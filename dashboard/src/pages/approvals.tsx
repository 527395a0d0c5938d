/** The inbox: what waits for me, for anybody, and what was decided. The badge in the menu is the length of the first list. */
import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { Refused } from '../api/client';
import { approvalQuery, approvalsQuery, meQuery, minePulseQuery } from '../api/queries';
import type { ApprovalRow } from '../api/shapes';
import type { InboxSearch } from '../search';
import { GateCard } from '../parts/gate-card';
import { Chip, OUTCOME_LOOKS } from '../parts/status';
import { Empty, Loading, Problem } from '../parts/telling';
import { Ago } from '../parts/time';
import { isWriting } from '../shell/shortcuts';
import { usePulse } from '../shell/use-pulse';

const route = getRouteApi('/approvals');

export function Approvals() {
  const { tab = 'mine', id } = route.useSearch();
  const navigate = route.useNavigate();
  const me = useQuery(meQuery);
  const pulse = usePulse();
  const forbidden = pulse.error instanceof Refused && pulse.error.status === 403;
  const alone = useQuery({ ...minePulseQuery, enabled: forbidden });
  const mine = forbidden ? alone.data : pulse.data?.mine;
  const pending = forbidden ? alone.data : pulse.data?.pending;
  const first = tab === 'mine' ? mine : tab === 'all' ? pending : undefined;
  // What waits is asked for page by page only where one page does not hold it.
  const long = tab === 'decided' || (first !== undefined && (first.total ?? 0) > first.items.length);
  const pages = useInfiniteQuery({ ...approvalsQuery(tab), enabled: long });
  const rows = (long ? pages.data?.pages.flatMap(({ items }) => items) : undefined) ?? first?.items;
  const error = tab === 'decided' ? pages.error : forbidden ? alone.error : pulse.error;
  return (
    <>
      <div className="pagehead">
        <div>
          <h1>Approvals</h1>
          <p className="sub">{me.data === undefined ? '' : `You are ${me.data.actor}, with ${me.data.roles.length === 0 ? 'no roles' : `the roles ${me.data.roles.join(', ')}`}`}</p>
        </div>
        <SegmentedControl
          size="sm" aria-label="Which approvals" value={tab} onChange={(next) => void navigate({ search: next === 'mine' ? {} : { tab: next as NonNullable<InboxSearch['tab']> } })}
          data={[{ value: 'mine', label: `For me${mine === undefined ? '' : ` ${mine.total}`}` }, { value: 'all', label: `Waiting${pending === undefined ? '' : ` ${pending.total}`}` }, { value: 'decided', label: 'Decided' }]}
        />
      </div>
      {error !== null && rows === undefined ? <Problem error={error} /> : rows === undefined ? <Loading /> : <Inbox rows={rows} tab={tab} id={id} {...(long && pages.hasNextPage && { more: () => void pages.fetchNextPage() })} />}
    </>
  );
}

const NOTHING: Readonly<Record<NonNullable<InboxSearch['tab']>, readonly [string, string]>> = {
  mine: ['Nothing waits for you', 'Gates that one of your roles may decide show up here by themselves. Under “Waiting” stand those of others.'],
  all: ['Nobody is waited for', 'When a run comes to a gate, it shows up here by itself.'],
  decided: ['Nothing was decided yet', 'Approved, rejected and released gates stand here with who decided and why.'],
};

function Inbox({ rows, tab, id, more }: { readonly rows: readonly ApprovalRow[]; readonly tab: NonNullable<InboxSearch['tab']>; readonly id: string | undefined; readonly more?: () => void }) {
  const navigate = route.useNavigate();
  const chosen = rows.find((row) => row.id === id);
  // What was open stays open when somebody decides it: one sees by whom. It is kept in the address.
  const shown = chosen ?? (id === undefined ? rows[0] : undefined);
  const choose = (next: string | undefined): void => void navigate({ search: (before) => ({ ...before, id: next }), replace: true, resetScroll: false });
  const latest = useRef({ rows, shown, choose });
  latest.current = { rows, shown, choose };
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if ((event.key !== 'j' && event.key !== 'k') || event.ctrlKey || event.metaKey || isWriting(event.target)) return;
      const { rows: all, shown: current, choose: take } = latest.current;
      const at = all.findIndex((row) => row.id === current?.id);
      const next = all[event.key === 'j' ? at + 1 : at - 1];
      if (next !== undefined) take(next.id);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
  const first = rows[0]?.id;
  useEffect(() => {
    if (id === undefined && first !== undefined) latest.current.choose(first);
  }, [id, first]);
  const gone = id !== undefined && chosen === undefined;
  if (rows.length === 0 && !gone) return <div className="panel"><Empty icon="checklist" title={NOTHING[tab][0]}><p>{NOTHING[tab][1]}</p></Empty></div>;
  return (
    <div className="inbox">
      <nav className="panel" aria-label="Approvals" data-testid="inbox">
        {rows.map((row) => (
          <button key={row.id} type="button" className="entry" aria-current={row.id === shown?.id} onClick={() => choose(row.id)}>
            <span className="row between"><strong className="ellipsis">{row.title}</strong>{row.overdue && row.state === 'pending' && <span className="chip tone-bad">Overdue</span>}{row.outcome !== null && <Chip look={OUTCOME_LOOKS[row.outcome]} />}</span>
            <span className="dim tiny" style={{ display: 'block' }}>
              {row.batchName} · {row.state === 'pending' ? <>since <Ago at={row.since} /></> : <>{row.decidedBy ?? 'engine'} <Ago at={row.decidedAt ?? row.since} /></>}
              {row.state === 'pending' && row.deadline !== null && <> · due <Ago at={row.deadline} /></>}
              {row.quorum > 1 && <> · {row.given} of {row.quorum}</>}
            </span>
          </button>
        ))}
        {rows.length === 0 && <p className="dim" style={{ padding: 14 }}>{NOTHING[tab][0]}</p>}
        {more !== undefined && <div style={{ padding: 10 }}><Button variant="default" fullWidth onClick={more}>More</Button></div>}
      </nav>
      <section className="panel body" style={{ padding: '14px 16px' }} aria-label="The approval that is open">
        {shown !== undefined ? <GateCard approval={shown} /> : <Gone id={id ?? ''} />}
      </section>
    </div>
  );
}

/** Decided meanwhile, here or by somebody else: asked for by its id. */
function Gone({ id }: { readonly id: string }) {
  const found = useQuery(approvalQuery(id));
  if (found.data !== undefined) return <GateCard approval={found.data} />;
  return found.error === null ? <Loading rows={4} /> : <Problem error={found.error} />;
}
