/** Who I am here, how it looks, and what this server is. Under dev sign-in: act as somebody else. */
import { Button, Group, SegmentedControl, TagsInput, TextInput, useMantineColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { acting, actAs } from '../api/client';
import { aboutQuery, meQuery } from '../api/queries';
import { Icon } from '../parts/icon';
import { Loading, Problem } from '../parts/telling';
import { Ago, moment, ZONE } from '../parts/time';
import { usePulse } from '../shell/use-pulse';

const MEANS: readonly (readonly [string, string])[] = [
  ['viewer', 'reads'], ['operator', 'starts, cancels, retries, pauses'], ['author', 'edits batches and schedules'], ['auditor', 'reads all, and the audit'], ['admin', 'all of these, and projections'],
];

export function Settings() {
  const me = useQuery(meQuery);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <>
      <div className="pagehead"><div><h1>Settings</h1><p className="sub">Who you are here, how it looks, and what this server is</p></div></div>
      <div className="grid-2" style={{ alignItems: 'start' }}>
        <div className="stack" style={{ gap: 16 }}>
          <section className="panel">
            <div className="head"><h2 className="row"><Icon name="user" /> You</h2></div>
            <div className="body">
              {me.data === undefined ? (me.error === null ? <Loading rows={2} /> : <Problem error={me.error} />) : (
                <dl className="kv">
                  <dt>Name</dt><dd data-testid="actor">{me.data.actor}</dd>
                  <dt>Roles</dt><dd className="row wrap" style={{ gap: 4 }}>{me.data.roles.length === 0 ? 'none' : me.data.roles.map((role) => <span key={role} className="tag" title={MEANS.find(([name]) => name === role)?.[1]}>{role}</span>)}</dd>
                  <dt>Sign-in</dt><dd>{me.data.auth === 'dev' ? 'dev: whoever asks from this machine is believed' : me.data.auth}</dd>
                </dl>
              )}
            </div>
          </section>
          {me.data?.auth === 'dev' && <ActAs />}
        </div>
        <div className="stack" style={{ gap: 16 }}>
          <section className="panel">
            <div className="head"><h2 className="row"><Icon name="sun" /> Looks</h2></div>
            <div className="body stack">
              <SegmentedControl aria-label="Colours" value={colorScheme} onChange={(value) => setColorScheme(value as 'light' | 'dark' | 'auto')} data={[{ value: 'light', label: 'Light' }, { value: 'dark', label: 'Dark' }, { value: 'auto', label: 'As the system' }]} />
              <p className="dim small">Times are shown in {ZONE}; the server keeps them in UTC.</p>
            </div>
          </section>
          <Server />
        </div>
      </div>
    </>
  );
}

function ActAs() {
  const who = acting();
  const pulse = usePulse();
  const [user, setUser] = useState(who?.user ?? '');
  const [roles, setRoles] = useState<string[]>([...(who?.roles ?? ['viewer'])]);
  const wanted = [...new Set([...MEANS.map(([role]) => role), ...(pulse.data?.pending.items.flatMap(({ allowedRoles }) => allowedRoles) ?? [])])].filter((role) => role !== '*');
  return (
    <section className="panel">
      <div className="head"><h2 className="row"><Icon name="userCheck" /> Act as somebody</h2></div>
      <form className="body stack" onSubmit={(event) => { event.preventDefault(); if (user.trim() !== '') actAs({ user: user.trim(), roles }); }}>
        <p className="dim small">Dev sign-in believes who you say you are. Try how it looks to an operator without a gate's role, or to somebody who only decides.</p>
        <TextInput label="Name" value={user} onChange={(event) => setUser(event.currentTarget.value)} placeholder="kim" required />
        <TagsInput label="Roles" value={roles} onChange={setRoles} data={wanted} placeholder="A role of the server or of a gate" />
        <Group>
          <Button type="submit" disabled={user.trim() === ''}>Act as {user.trim() === '' ? 'somebody' : user.trim()}</Button>
          {who !== undefined && <Button variant="default" onClick={() => actAs(undefined)}>Stop acting</Button>}
        </Group>
      </form>
    </section>
  );
}

function Server() {
  const about = useQuery(aboutQuery);
  return (
    <section className="panel">
      <div className="head"><h2 className="row"><Icon name="infoCircle" /> This server</h2></div>
      <div className="body">
        {about.data === undefined ? (about.error === null ? <Loading rows={3} /> : <Problem error={about.error} />) : (
          <dl className="kv">
            <dt>Version</dt><dd>{about.data.version}</dd>
            <dt>Data</dt><dd className="mono">{about.data.data.directory}</dd>
            <dt>Node</dt><dd className="mono">{about.data.node.id}</dd>
            <dt>Started</dt><dd>{moment(about.data.node.startedAt)} (<Ago at={about.data.node.startedAt} />)</dd>
            <dt>Position</dt><dd className="mono">{about.data.asOf.position}</dd>
            <dt>Read models</dt><dd>{about.data.projections.map(({ name, version, state }) => <div key={name}>{name} v{version}: {state === 'live' ? 'live' : state === 'building' ? 'being built' : 'catching up'}</div>)}</dd>
          </dl>
        )}
      </div>
    </section>
  );
}
