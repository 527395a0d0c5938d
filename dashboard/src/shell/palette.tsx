/** The command palette: rooms, batches to start, and runs by id, batch, starter or reason. */
import { Modal, TextInput, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { api, told } from '../api/client';
import { runsPage } from '../api/queries';
import { Icon } from '../parts/icon';
import type { IconName } from '../parts/icon';
import { shortId } from '../parts/ids';
import { RUN_LOOKS } from '../parts/status';
import { ROOMS } from './rooms';

interface Choice {
  readonly id: string;
  readonly icon: IconName;
  readonly label: string;
  readonly hint: string;
  readonly go: () => void;
}

export function Palette({ opened, close }: { readonly opened: boolean; readonly close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} withCloseButton={false} size="lg" padding="xs" yOffset="12vh" centered={false} title="Search and commands" styles={{ header: { display: 'none' } }}>
      <Choices close={close} />
    </Modal>
  );
}

function Choices({ close }: { readonly close: () => void }) {
  const [said, setSaid] = useState('');
  const [q] = useDebouncedValue(said.trim(), 150);
  const [at, setAt] = useState(0);
  const choices = useChoices(said.trim().toLowerCase(), q);
  useEffect(() => setAt(0), [said]);
  const take = (choice: Choice | undefined): void => {
    if (choice === undefined) return;
    close();
    choice.go();
  };
  const active = Math.min(at, choices.length - 1);
  return (
    <>
      <TextInput
        size="md" data-autofocus placeholder="Go to a room, find a run or a batch" aria-label="Search" value={said} onChange={(event) => setSaid(event.currentTarget.value)}
        leftSection={<Icon name="search" />} role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={choices[active] && `palette-${active}`}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt((active + 1) % choices.length);
          else if (event.key === 'ArrowUp') setAt((active + choices.length - 1) % choices.length);
          else if (event.key === 'Enter') take(choices[active]);
          else return;
          event.preventDefault();
        }}
      />
      <div role="listbox" id="palette-list" aria-label="What was found" style={{ marginTop: 6, maxHeight: '52vh', overflowY: 'auto' }}>
        {choices.map((choice, index) => (
          <button key={choice.id} id={`palette-${index}`} type="button" role="option" tabIndex={-1} aria-selected={index === active} className="palette-item" onMouseMove={() => setAt(index)} onClick={() => take(choice)}>
            <Icon name={choice.icon} />
            <span className="ellipsis">{choice.label}</span>
            <span className="dim tiny nowrap" style={{ marginLeft: 'auto' }}>{choice.hint}</span>
          </button>
        ))}
        {choices.length === 0 && <p className="dim" style={{ padding: 12 }}>Nothing has that name. Runs are found by id, batch, who started them, reason and labels.</p>}
      </div>
    </>
  );
}

function useChoices(said: string, q: string): readonly Choice[] {
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const colorScheme = useComputedColorScheme();
  const runs = useQuery({ queryKey: ['palette', 'runs', q], queryFn: ({ signal }) => runsPage({ q }, { limit: 8 }, signal), enabled: q !== '', retry: false });
  const batches = useQuery({ queryKey: ['palette', 'batches', q], queryFn: ({ signal }) => told(api.GET('/batches', { params: { query: { ...(q !== '' && { q }), limit: '8' } }, signal })), retry: false });
  const fits = (label: string): boolean => said === '' || label.toLowerCase().includes(said);
  return [
    ...ROOMS.filter(({ label }) => fits(label)).map(({ to, label, icon, key }): Choice => ({ id: to, icon, label, hint: `g ${key}`, go: () => void navigate({ to }) })),
    ...(batches.data?.items ?? []).map(({ id, name, title }): Choice => ({ id, icon: 'stack2', label: title ?? name, hint: 'batch', go: () => void navigate({ to: '/batches/$batch', params: { batch: name } }) })),
    ...(said === '' ? [] : (batches.data?.items ?? [])).map(({ id, name, title }): Choice => ({ id: `start ${id}`, icon: 'playerPlay', label: `Start ${title ?? name}`, hint: 'command', go: () => void navigate({ to: '/batches/$batch', params: { batch: name }, search: { start: true } }) })),
    ...(q === '' ? [] : (runs.data?.items ?? [])).map(({ id, batchName, status }): Choice => ({ id: `run ${id}`, icon: RUN_LOOKS[status].icon, label: `${batchName} ${shortId(id)}`, hint: RUN_LOOKS[status].label, go: () => void navigate({ to: '/runs/$runId', params: { runId: id } }) })),
    ...[{ id: 'failed', icon: 'circleX', label: 'Runs that failed', hint: 'list', go: () => void navigate({ to: '/runs', search: { status: ['failed'] } }) } as const, { id: 'new', icon: 'plus', label: 'New batch', hint: 'command', go: () => void navigate({ to: '/batches/new' }) } as const,
      { id: 'theme', icon: 'moon', label: 'Switch between dark and light', hint: 'command', go: () => setColorScheme(colorScheme === 'dark' ? 'light' : 'dark') } as const].filter(({ label }) => fits(label)),
  ];
}
