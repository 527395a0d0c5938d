/** Parts of the filters: a search that waits for the writer, and pills with how many each would show. */
import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { Icon } from '../parts/icon';
import type { Look } from '../parts/status';

export function Search({ value, set, placeholder }: { readonly value: string; readonly set: (value: string) => void; readonly placeholder: string }) {
  const [said, setSaid] = useState(value);
  const told = useDebouncedCallback(set, 250);
  useEffect(() => setSaid(value), [value]);
  return (
    <TextInput
      type="search" aria-label={placeholder} placeholder={placeholder} value={said} leftSection={<Icon name="search" size={14} />} style={{ flex: '1 1 220px', maxWidth: 360 }}
      onChange={(event) => {
        setSaid(event.currentTarget.value);
        told(event.currentTarget.value.trim());
      }}
    />
  );
}

interface PillsProps<S extends string> {
  readonly all: readonly S[];
  readonly chosen: readonly S[];
  readonly looks: Readonly<Record<S, Look>>;
  readonly counts?: Readonly<Record<S, number>> | undefined;
  readonly set: (chosen: readonly S[]) => void;
}

export function Pills<S extends string>({ all, chosen, looks, counts, set }: PillsProps<S>) {
  return (
    <div className="row wrap" role="group" aria-label="Status" style={{ gap: 6 }}>
      {all.map((status) => {
        const on = chosen.includes(status);
        const { icon, label, tone, means } = looks[status];
        return (
          <button key={status} type="button" className="pill" aria-pressed={on} title={means} onClick={() => set(on ? chosen.filter((one) => one !== status) : [...chosen, status])}>
            <span className={`tone-${tone}`} style={{ display: 'inline-flex' }}><Icon name={icon} size={14} /></span>
            {label}
            {counts !== undefined && <span className="n dim" data-testid={`filter-${status}`}>{counts[status].toLocaleString('en')}</span>}
          </button>
        );
      })}
    </div>
  );
}
