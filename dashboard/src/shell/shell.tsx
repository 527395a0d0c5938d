/** The frame round every page: where one can go, what waits, whether the connection lives, who one acts as. */
import { ActionIcon, Drawer } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { acting, actAs, Refused } from '../api/client';
import { live } from '../api/live';
import { minePulseQuery } from '../api/queries';
import { Icon } from '../parts/icon';
import { Empty } from '../parts/telling';
import { useNow } from '../parts/time';
import { Palette } from './palette';
import { ROOMS } from './rooms';
import { Shortcuts, useShortcuts } from './shortcuts';
import { usePulse } from './use-pulse';

export function Shell() {
  const [menu, { open, close }] = useDisclosure(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useShortcuts({ palette: () => setPalette(true), help: () => setHelp(true) });
  useEffect(close, [path, close]);
  const who = acting();
  return (
    <>
      <a href="#content" className="skip" onClick={(event) => { event.preventDefault(); document.getElementById('content')?.focus(); }}>
        Skip to the content
      </a>
      <Broken />
      {who !== undefined && (
        <div className="banner acting">
          <Icon name="userCheck" />
          <span>
            You act as <strong>{who.user}</strong> with {who.roles.length === 0 ? 'no roles' : `the roles ${who.roles.join(', ')}`}.
          </span>
          <button type="button" className="pill" onClick={() => actAs(undefined)}>
            Stop acting
          </button>
        </div>
      )}
      <div className="frame">
        <header className="topbar">
          <ActionIcon onClick={open} aria-label="Open the menu" size="lg">
            <Icon name="menu2" size={20} />
          </ActionIcon>
          <Brand />
          <span className="grow" />
          <ActionIcon onClick={() => setPalette(true)} aria-label="Search and commands" size="lg">
            <Icon name="search" size={18} />
          </ActionIcon>
        </header>
        <Side palette={() => setPalette(true)} help={() => setHelp(true)} />
        <main className="main" id="content" tabIndex={-1} style={{ outline: 'none' }}>
          <Outlet />
        </main>
      </div>
      <Drawer opened={menu} onClose={close} size={260} title="Menu" className="drawer">
        <Side palette={() => { close(); setPalette(true); }} help={() => { close(); setHelp(true); }} />
      </Drawer>
      <Palette opened={palette} close={() => setPalette(false)} />
      <Shortcuts opened={help} close={() => setHelp(false)} />
    </>
  );
}

function Brand() {
  return (
    <Link to="/" className="brand">
      <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" fill="#1c6e7d" />
        <path d="M7 9v14M25 9v14M7 13h18M12 13v10M20 13v10" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" fill="none" />
      </svg>
      Sluice
    </Link>
  );
}

function Side({ palette, help }: { readonly palette: () => void; readonly help: () => void }) {
  return (
    <nav className="side" aria-label="Rooms">
      <Brand />
      {ROOMS.map(({ to, label, icon }) => (
        <Link key={to} to={to} className="item" activeOptions={{ exact: to === '/' }}>
          <Icon name={icon} size={18} />
          {label}
          {to === '/approvals' && <Waiting />}
        </Link>
      ))}
      <div className="foot">
        <button type="button" className="item" onClick={palette} style={{ background: 'none', border: 0, font: 'inherit', cursor: 'pointer' }}>
          <Icon name="search" size={18} />
          Go to <kbd style={{ marginLeft: 'auto' }}>Ctrl K</kbd>
        </button>
        <button type="button" className="item" onClick={help} style={{ background: 'none', border: 0, font: 'inherit', cursor: 'pointer' }}>
          <Icon name="keyboard" size={18} />
          Shortcuts <kbd style={{ marginLeft: 'auto' }}>?</kbd>
        </button>
        <ConnectionLine />
      </div>
    </nav>
  );
}

/** The approvals that are mine to decide: the very list that the inbox shows. */
function Waiting() {
  const pulse = usePulse();
  const forbidden = pulse.error instanceof Refused && pulse.error.status === 403;
  const alone = useQuery({ ...minePulseQuery, enabled: forbidden });
  const mine = forbidden ? alone.data : pulse.data?.mine;
  if (mine === undefined) return null;
  return (
    <span className={mine.total === 0 ? 'badge none' : 'badge'} data-testid="badge">
      {mine.total}
      <span className="visually-hidden"> wait for you</span>
    </span>
  );
}

function ConnectionLine() {
  const connection = useSyncExternalStore(live.watch, live.state);
  const words = { connecting: ['waiting', 'Connecting'], live: ['', 'Live'], polling: ['waiting', 'Asked every 4 s'], lost: ['lost', 'Connection lost'] } as const;
  const [look, label] = words[connection.state];
  return (
    <div className="connection" data-testid="connection">
      <span className={`dot ${look}`} />
      {label}
    </div>
  );
}

const SHORT_MS = 1_500;
const SAID_MS = 4_000;

/** A break that is over before anybody would notice is not worth a word. */
function Broken() {
  const connection = useSyncExternalStore(live.watch, live.state);
  const now = useNow();
  const [told, setTold] = useState<number | undefined>();
  const lost = connection.state === 'lost' && now - connection.since > SHORT_MS ? connection : undefined;
  useEffect(() => {
    if (lost !== undefined) setTold(Number.POSITIVE_INFINITY);
    else if (connection.state === 'live') setTold((before) => (before === Number.POSITIVE_INFINITY ? Date.now() : before));
  }, [lost, connection.state]);
  if (lost !== undefined) {
    return (
      <div className="banner" role="alert">
        <Icon name="plugConnectedX" />
        The connection to the server was lost {Math.round((now - lost.since) / 1_000)} s ago. What is shown is from then; it goes on by itself when the server is back.
      </div>
    );
  }
  if (told === undefined || now - told > SAID_MS || connection.state !== 'live') return null;
  return (
    <div className="banner back" role="status">
      <Icon name="plugConnected" />
      Connected again: everything on this page was read anew.
    </div>
  );
}

export function NoSuchPage() {
  return (
    <Empty icon="ghost2" title="There is no such page">
      <p>
        The address leads nowhere. <Link to="/" className="link">Go to the overview</Link>, or press <kbd>Ctrl K</kbd> to search.
      </p>
    </Empty>
  );
}
