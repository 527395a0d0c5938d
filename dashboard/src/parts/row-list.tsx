/** A long list of rows: only those in sight are there, more are asked for before the end comes, `j` and `k` walk. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMediaQuery } from '@mantine/hooks';
import { memo, useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { isWriting } from '../shell/shortcuts';

export interface RowListProps<R extends { readonly id: string }> {
  readonly rows: readonly R[];
  readonly label: string;
  readonly grid: string;
  readonly head: ReactNode;
  /** The same function each time, or every row is made again. */
  readonly row: (row: R) => ReactNode;
  readonly more: boolean;
  readonly loadMore: () => void;
  readonly total: number;
  /** Changes when the list is another one: then it begins at its top. */
  readonly of: string;
}

const WIDE_PX = 45;
const NARROW_PX = 86;

export function RowList<R extends { readonly id: string }>({ rows, label, grid, head, row, more, loadMore, total, of }: RowListProps<R>) {
  const scroll = useRef<HTMLDivElement>(null);
  const narrow = useMediaQuery('(max-width: 860px)', window.innerWidth <= 860, { getInitialValueInEffect: false });
  const size = narrow === true ? NARROW_PX : WIDE_PX;
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => size, overscan: 12, getItemKey: (index) => rows[index]?.id ?? index });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= rows.length - 30) loadMore();
  }, [more, last, rows.length, loadMore]);
  useEffect(() => virtual.measure(), [size, virtual]);
  useEffect(() => {
    scroll.current?.scrollTo({ top: 0 });
  }, [of]);
  useWalking(scroll);
  return (
    <div className="list">
      <div className="scroll" ref={scroll} style={{ maxHeight: 'calc(100vh - 230px)', minHeight: 160, overflowAnchor: 'none' }} role="table" aria-label={label} aria-rowcount={total + 1} tabIndex={0}>
        <div className={`lhead ${grid}`} role="row" aria-rowindex={1}>{head}</div>
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="rowgroup">
          {items.map(({ index, key, start }) => {
            const one = rows[index];
            return one && <Line key={key} one={one} index={index} start={start} size={size} grid={grid} row={row} />;
          })}
        </div>
      </div>
    </div>
  );
}

interface LineProps<R extends { readonly id: string }> extends Pick<RowListProps<R>, 'grid' | 'row'> {
  readonly one: R;
  readonly index: number;
  readonly start: number;
  readonly size: number;
}

function LineOf<R extends { readonly id: string }>({ one, index, start, size, grid, row }: LineProps<R>) {
  return (
    <div className={`lrow ${grid}`} role="row" aria-rowindex={index + 2} style={{ position: 'absolute', top: 0, left: 0, right: 0, height: size, transform: `translateY(${start}px)` }}>
      {row(one)}
    </div>
  );
}

/** While one scrolls, rows that stay are not made again. */
const Line = memo(LineOf) as typeof LineOf;

function useWalking(scroll: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if ((event.key !== 'j' && event.key !== 'k') || event.ctrlKey || event.metaKey || isWriting(event.target)) return;
      const links = [...(scroll.current?.querySelectorAll<HTMLElement>('a.cover') ?? [])];
      const at = links.findIndex((link) => link === document.activeElement);
      const next = links[event.key === 'j' ? at + 1 : Math.max(0, at - 1)];
      next?.focus();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [scroll]);
}
