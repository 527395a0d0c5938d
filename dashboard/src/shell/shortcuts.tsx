/** Keys: `g` and a letter to go somewhere, `/` to search, `?` for this list. Not while somebody writes. */
import { Modal } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { ROOMS } from './rooms';

export function isWriting(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}

const CHORD_MS = 1_200;

export function useShortcuts({ palette, help }: { readonly palette: () => void; readonly help: () => void }): void {
  const navigate = useNavigate();
  const latest = useRef({ palette, help });
  latest.current = { palette, help };
  useEffect(() => {
    let goingSince = 0;
    const pressed = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.palette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target) || document.querySelector('[role="dialog"]') !== null) return;
      const room = ROOMS.find(({ key }) => key === event.key);
      if (goingSince > Date.now() - CHORD_MS && room !== undefined) {
        goingSince = 0;
        event.preventDefault();
        void navigate({ to: room.to });
        return;
      }
      if (event.key === 'g') goingSince = Date.now();
      if (event.key === '?') latest.current.help();
      if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[type="search"]');
        event.preventDefault();
        if (search === null) latest.current.palette();
        else search.focus();
      }
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [navigate]);
}

const KEYS: readonly (readonly [string, string])[] = [
  ['Ctrl K', 'Search runs, batches and commands'],
  ['/', 'Search on this page'],
  ['?', 'This list'],
  ['j  k', 'Next and previous row of a list'],
  ['Enter', 'Open the row'],
  ['a', 'Approve what is open in the inbox'],
  ['x', 'Reject what is open in the inbox'],
  ['c', 'Cancel the run that is shown'],
  ['Esc', 'Close what is open'],
];

export function Shortcuts({ opened, close }: { readonly opened: boolean; readonly close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Shortcuts" size="md">
      <dl className="kv" style={{ gridTemplateColumns: '96px 1fr' }}>
        {ROOMS.map(({ key, label }) => (
          <Line key={key} keys={`g ${key}`} what={`Go to ${label}`} />
        ))}
        {KEYS.map(([keys, what]) => (
          <Line key={keys} keys={keys} what={what} />
        ))}
      </dl>
    </Modal>
  );
}

function Line({ keys, what }: { readonly keys: string; readonly what: string }) {
  return (
    <>
      <dt>
        {(keys.includes('Ctrl') ? [keys] : keys.split(/ +/)).map((key) => (
          <kbd key={key} style={{ marginRight: 4 }}>
            {key}
          </kbd>
        ))}
      </dt>
      <dd>{what}</dd>
    </>
  );
}
