/** What is told in place of rows: nothing there, not yet, refused. */
import { Skeleton } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Refused } from '../api/client';
import { Icon } from './icon';
import type { IconName } from './icon';

export function Empty({ icon, title, children }: { readonly icon: IconName; readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} size={28} stroke={1.4} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** The server's own sentence, every fault with its place, and what may be done instead. */
export function Problem({ error }: { readonly error: Error }) {
  const refused = error instanceof Refused ? error : undefined;
  return (
    <div className="note tone-bad" role="alert">
      <Icon name="alertCircle" size={18} />
      <div className="text">
        <strong>{refused?.title ?? 'Something broke'}</strong>
        <p>{error.message}</p>
        {refused !== undefined && refused.errors.length > 0 && (
          <ul style={{ margin: '6px 0 0', paddingLeft: 18 }}>
            {refused.errors.map(({ path, message }) => (
              <li key={`${path} ${message}`}>
                {path !== '' && <code>{path}</code>} {message}
              </li>
            ))}
          </ul>
        )}
        {refused?.allowedActions !== undefined && (
          <p className="dim small" style={{ marginTop: 4 }}>
            {refused.allowedActions.length === 0 ? 'Nothing can be done with it now.' : `Possible now: ${[...new Set(refused.allowedActions.map(({ action }) => action))].join(', ')}.`}
          </p>
        )}
      </div>
    </div>
  );
}

export function PageProblem({ error, what }: { readonly error: Error; readonly what: string }) {
  const gone = error instanceof Refused && error.status === 404;
  return (
    <div className="stack">
      <h1>{gone ? `No such ${what}` : `This ${what} can not be shown`}</h1>
      <Problem error={error} />
      <p className="dim">
        <Link to="/" className="link">
          Back to the overview
        </Link>
      </p>
    </div>
  );
}

/** In place of a page that broke; what is around it stays. */
export function PageBroken({ error }: { readonly error: unknown }) {
  return (
    <div className="stack">
      <h1>This page broke</h1>
      <Problem error={error instanceof Error ? error : new Error(String(error))} />
      <p><button type="button" className="pill" onClick={() => location.reload()}>Load the page anew</button></p>
    </div>
  );
}

export function Loading({ rows = 6 }: { readonly rows?: number }) {
  return (
    <div className="stack" aria-busy="true" role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, at) => (
        <Skeleton key={at} height={28} radius="sm" animate={false} />
      ))}
    </div>
  );
}

export function Note({ tone, icon, children }: { readonly tone: string; readonly icon: IconName; readonly children: ReactNode }) {
  return (
    <div className={`note tone-${tone}`}>
      <Icon name={icon} size={18} />
      <div className="text">{children}</div>
    </div>
  );
}
